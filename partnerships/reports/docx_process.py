"""The filler of Word documents, a program of its own: it fills one foreign template under limits and prints the document.

``report_docx.py`` starts it by its path, so it imports nothing of ours. It reads the values as JSON from its input. The
first line it prints is JSON and refuses the template or announces the document, whose bytes follow.
"""

import contextlib
import io
import json
import re
import resource
import sys
import zipfile
from typing import Any, NoReturn

from docxtpl import DocxTemplate
from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_ENTRIES = 2000
LONGEST_DETAIL = 300
# Parts that can act, or fetch what is elsewhere. Links that a reader clicks are no part of these.
ACTING = ("vbaproject.bin", "vbadata.xml", "oleobject", "activex", "/embeddings/", "altchunk", "/afchunk")
RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")


class RefusedTemplate(Exception):
    """A template that is not filled; ``code`` names the message."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def limit_resources(memory: int, seconds: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        # Not every system knows each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def check_archive(content: bytes, limits: dict[str, Any]) -> None:
    """Refuse what is no Word document, unpacks to too much, can act, or brings entities of XML."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise RefusedTemplate("other") from None
    with archive:
        entries = archive.infolist()
        unpacked, packed = sum(one.file_size for one in entries), sum(one.compress_size for one in entries)
        if len(entries) > MOST_ENTRIES or unpacked > limits["unpacked"] or packed > len(content):
            raise RefusedTemplate("bomb")
        names = [one.filename for one in entries]
        if "word/document.xml" not in names or any(one.flag_bits & 1 for one in entries):
            raise RefusedTemplate("other")
        if any(word in f"/{name.lower()}" for name in names for word in ACTING):
            raise RefusedTemplate("acts")
        check_parts(archive, [name for name in names if name.endswith((".xml", ".rels"))], limits)


def check_parts(archive: zipfile.ZipFile, names: list[str], limits: dict[str, Any]) -> None:
    left = limits["unpacked"]
    for name in names:
        with archive.open(name) as entry:
            text = entry.read(left + 1)
        left -= len(text)
        if left < 0:
            raise RefusedTemplate("bomb")
        plain = text.replace(b"\0", b"")  # as in UTF-16
        if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
            raise RefusedTemplate("acts")
        if name.endswith(".rels"):
            check_relations(plain)


def check_relations(text: bytes) -> None:
    """Refuse pictures, templates and objects that are fetched from elsewhere when the document is opened."""
    for tag in RELATION.findall(text):
        if re.search(rb"TargetMode\s*=\s*[\"']External", tag, re.IGNORECASE) and b"/hyperlink" not in tag:
            raise RefusedTemplate("acts")


def fill(content: bytes, values: dict[str, Any]) -> bytes:
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, loader=DictLoader({}))
    # A template has the values of the report and nothing else.
    environment.globals.clear()
    try:
        template = DocxTemplate(io.BytesIO(content))
        template.render(values, jinja_env=environment, autoescape=True)
        out = io.BytesIO()
        template.save(out)
    except SecurityError as error:
        raise RefusedTemplate("unsafe", str(error)) from None
    except UndefinedError as error:
        raise RefusedTemplate("unknown", str(error)) from None
    except TemplateError as error:
        raise RefusedTemplate("syntax", str(error)) from None
    return out.getvalue()


def filled(path: str, values: dict[str, Any], limits: dict[str, Any]) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # this program knows nothing but names of files
        content = file.read(limits["size"] + 1)
    if len(content) > limits["size"]:
        raise RefusedTemplate("bomb")
    check_archive(content, limits)
    made = fill(content, values)
    if len(made) > limits["unpacked"]:
        raise RefusedTemplate("memory")
    return made


def main() -> NoReturn:
    path, options = sys.argv[1:3]
    limits = json.loads(options)
    values = json.loads(sys.stdin.buffer.read())
    limit_resources(limits["memory"], limits["seconds"])
    made = b""
    try:
        made = filled(path, values, limits)
        answer = {"done": str(len(made))}
    except RefusedTemplate as refused:
        answer = {"refused": refused.code, "detail": refused.detail[:LONGEST_DETAIL]}
    except (MemoryError, RecursionError, OverflowError):
        answer = {"refused": "memory"}
    except Exception as error:  # noqa: BLE001  # a damaged file raises what the library's parts happen to raise
        answer = {"refused": "damaged", "detail": type(error).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + made)
    sys.stdout.buffer.flush()
    sys.exit(0)


if __name__ == "__main__":
    main()
