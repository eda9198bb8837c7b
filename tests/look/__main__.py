"""Looks at every page at six widths, in both themes and languages, with three kinds of data; prints one table.

For each page it asks: does it answer, does it scroll sideways, is an entry of the navigation cut off, does the console
complain? What is wrong is listed below the table, and ends the command with 1. LOOK_PICTURES names a folder for
pictures of each page at 1440 and 390 pixels, LOOK_ONLY some of the kinds of data.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.services.processes import REPOSITORY, start_process, stop_process, wait_until

WIDTHS = (1440, 1280, 1024, 768, 390, 360)
PICTURED = (1440, 390)
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-hans")
PASSWORD = "sample-password"
ADMINISTRATOR = "look"
FORMS = (
    "/activities/add/",
    "/agreements/add/",
    "/organizations/add/",
    "/events/ceremony/",
    "/activities/board/",
    "/calendar/?view=agenda",
    "/calendar/?view=quarter",
    "/search/?q=a",
    "/me/",
    "/exports/",
    "/agreements/?filters=open",
)
# Links whose pages are looked at: the navigation of the pages and of the admin.
NAVIGATION = ".rail .places a, #nav-sidebar a"
# The first record of a list, of the pages or of the admin.
FIRST_RECORD = "main table .row-title, #result_list th a"
CUT = """() => [...document.querySelectorAll(".rail a, .rail summary, .bottom-bar > *, .head-end a")].filter((one) => {
  const box = one.getBoundingClientRect();
  return one.checkVisibility() && box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
}).map((one) => one.innerText.trim() || one.getAttribute("aria-label") || one.tagName)"""


@dataclass
class Findings:
    pages: set[str] = field(default_factory=set)
    views: int = 0
    sideways: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def problems(self) -> dict[str, list[str]]:
        return {
            "scrolls sideways": self.sideways,
            "cut off": self.cut,
            "console": self.console,
            "no page": self.refused,
        }


@dataclass(frozen=True)
class DataSet:
    """Data to look at, and who looks: one person for each kind of page."""

    name: str
    people: Sequence[str]
    sample: str = "no"
    agreements: int = 0


DATA_SETS = (
    DataSet("empty", (ADMINISTRATOR,)),
    DataSet("sample", ("ma.xiuying", "chen.yulan", "luo.ting", "wu.jianguo"), sample="yes"),
    DataSet("load", (ADMINISTRATOR,), agreements=2000),
)


def main() -> int:
    found: dict[str, Findings] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for data in (one for one in DATA_SETS if one.name in os.environ.get("LOOK_ONLY", one.name).split()):
            with tempfile.TemporaryDirectory() as folder, running(data, Path(folder)) as address:
                found[data.name] = look(browser, data, address)
        browser.close()
    lines = [
        "| data | pages | views | scroll sideways | cut off | console | no page |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        counts = " | ".join(str(len(set(problems))) for problems in one.problems.values())
        lines.append(f"| {name} | {len(one.pages)} | {one.views:,} | {counts} |")
    wrong = [
        f"{name}, {what}: {problem}"
        for name, one in found.items()
        for what, problems in one.problems.items()
        for problem in sorted(set(problems))
    ]
    sys.stdout.write("\n".join([*lines, *wrong, ""]))
    return 1 if wrong else 0


@contextmanager
def running(data: DataSet, folder: Path) -> Iterator[str]:
    """Start the product as `make run` does, with the data; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "DATA_DIR": str(folder), "PORT": str(port), "SAMPLE": data.sample, "LANG": "C.UTF-8"}
    manage = [sys.executable, "manage.py"]
    if data.agreements:
        asked = ["make_load", "--agreements", str(data.agreements)]
        for command in (["migrate", "-v0"], ["seed_articles", "-v0"], asked):
            run([*manage, *command], {**environment, "DEBUG": "yes"})
    address, log = f"http://127.0.0.1:{port}", folder / "look.log"
    process = start_process([*manage, "run_embedded"], log=log, env=environment)
    try:
        wait_until(lambda: answers(f"{address}/healthz"), process=process, log=log, what="the product")
        if ADMINISTRATOR in data.people:
            account = {"USERNAME": ADMINISTRATOR, "NAME": "Look", "EMAIL": "look@example.org", "PASSWORD": PASSWORD}
            named = {f"DJANGO_SUPERUSER_{name}": value for name, value in account.items()}
            run([*manage, "createsuperuser", "--noinput"], {**environment, **named})
        yield address
    finally:
        stop_process(process)


def run(command: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def look(browser: Browser, data: DataSet, address: str) -> Findings:
    found = Findings()
    for person in data.people:
        context = browser.new_context(base_url=address, reduced_motion="reduce")
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        log_in(page, person)
        addresses = addresses_of(page)
        for language in LANGUAGES:
            choose_language(page, language)
            for path in addresses:
                said.clear()
                look_at(page, path, f"{person} {language}", data, found)
                found.console += [f"{path}: {text}" for text in said]
        context.close()
    return found


def log_in(page: Page, person: str) -> None:
    page.goto("/login/")
    page.fill("[name=username]", person)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".person-menu").wait_for()


def addresses_of(page: Page) -> list[str]:
    """Return the pages of the navigation, the first record of each list, and the forms."""
    page.goto("/")
    found = [*linked(page, NAVIGATION), *FORMS]
    if "/admin/" in found:
        page.goto("/admin/")
        found += [link for link in linked(page, NAVIGATION) if link.startswith("/admin/")]
    records: list[str] = []
    for path in dict.fromkeys(found):
        answer = page.goto(path)
        if answer is not None and answer.status == 403:  # a form that this person may not open
            found.remove(path)
        records += linked(page, FIRST_RECORD)[:1]
    return list(dict.fromkeys(["/", *found, *records]))


def linked(page: Page, selector: str) -> list[str]:
    links = page.locator(selector).evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    return [str(link) for link in links if link and link.startswith("/")]


def choose_language(page: Page, language: str) -> None:
    page.goto("/me/")
    page.evaluate(
        "language => document.querySelector(`.rail [name=language][value=${language}]`).click()",
        language,
    )
    page.wait_for_function("language => document.documentElement.lang.toLowerCase() === language", arg=language)


def look_at(page: Page, path: str, reader: str, data: DataSet, found: Findings) -> None:
    answer = page.goto(path)
    found.pages.add(path)
    if answer is not None and answer.status >= 400:
        found.refused.append(f"{path} ({reader}): {answer.status}")
        return
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found.views += 1
            here = f"{path} ({reader}, {width}, {theme})"
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.sideways.append(here)
            cut: Any = page.evaluate(CUT)
            found.cut += [f"{here}: {name}" for name in cut]
            picture(page, f"{data.name} {reader} {path} {width} {theme}", width)


def picture(page: Page, name: str, width: int) -> None:
    folder = os.environ.get("LOOK_PICTURES")
    if folder and width in PICTURED:
        page.screenshot(path=Path(folder) / f"{re.sub(r'[^a-z0-9.]+', '-', name)}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
