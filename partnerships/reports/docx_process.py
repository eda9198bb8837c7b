"""The maker of Word documents, a program of its own: it fills a template that an office designed, under limits.

``report_docx.py`` starts it by its path, so it imports nothing of ours. It reads plain values as JSON from its input and
writes the document to its output. The template's expressions run in a sandbox: they reach the given values alone.
"""

import contextlib
import io
import json
import resource
import sys
from typing import Any

from docxtpl import DocxTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment


class ValuesOnly(ImmutableSandboxedEnvironment):
    """Expressions read items of the values and call no function or method: not even ``format`` or ``replace`` of a text."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of an object of JSON, and nothing of any other value."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


def limit_resources(memory: int, seconds: int, size: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, size),
    ):
        # Not every system knows each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def main() -> int:
    template, limits = sys.argv[1], json.loads(sys.argv[2])
    limit_resources(limits["memory"], limits["seconds"], limits["size"])
    values = json.load(sys.stdin.buffer)
    document = DocxTemplate(template)
    environment: SandboxedEnvironment = ValuesOnly(autoescape=True)
    # Loops of the template over numbers that nobody gave: the sandbox bounds range itself, and none is needed.
    environment.globals.clear()
    document.render(values, jinja_env=environment, autoescape=True)
    out = io.BytesIO()
    document.save(out)
    if out.tell() > limits["size"]:
        return 1
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
