"""The catcher as a process, and its page in a browser."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page

from partnerships.management.mail_catcher import caught_mails
from tests.services.processes import PATIENCE, stop_process
from tests.services.stack import Stack, answers, eventually, free_port


class Catcher:
    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / "mail"
        self.smtp_port, page_port = free_port(), free_port()
        self.page = f"http://127.0.0.1:{page_port}/"
        ports = (f"--smtp-port={self.smtp_port}", f"--page-port={page_port}")
        self.process = Stack(data_dir, {}).start("mail", "manage.py", "catch_mail", *ports)
        eventually(lambda: answers(self.page))

    def send(self, message: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=PATIENCE) as client:
            client.send_message(message)


@pytest.fixture(scope="module")
def catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catcher]:
    running = Catcher(tmp_path_factory.mktemp("data"))
    yield running
    stop_process(running.process)


def reminder(html: str = "<p>Due <b>soon</b></p>") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "到期提醒: review due in 7 days"
    message["From"] = "Office <office@example.org>"
    message["To"] = "Lin <lin@example.org>"
    message.set_content("Due soon · 请查看")
    message.add_alternative(html, subtype="html")
    return message


def test_a_message_is_kept_as_it_was_sent(catcher: Catcher) -> None:
    catcher.send(reminder())

    mail = next(caught_mails(catcher.directory))

    assert (mail.subject, mail.recipients, mail.text) == (
        "到期提醒: review due in 7 days",
        ["lin@example.org"],
        "Due soon · 请查看\n",
    )
    assert [path.stat().st_mode & 0o777 for path in catcher.directory.glob(f"{mail.name}.eml")] == [0o600]


def test_the_page_shows_text_and_html(catcher: Catcher, page: Page) -> None:
    catcher.send(reminder())

    page.goto(catcher.page)
    page.get_by_role("link", name="到期提醒: review due in 7 days").first.click()

    assert page.inner_text("pre").strip() == "Due soon · 请查看"
    assert page.frame_locator("iframe").locator("b").inner_text() == "soon"


def test_a_script_in_a_mail_does_not_run(catcher: Catcher, page: Page) -> None:
    catcher.send(reminder('<p id="said">quiet</p><script>document.getElementById("said").textContent = "ran"</script>'))
    name = next(caught_mails(catcher.directory)).name

    for address in (f"{catcher.page}{name}/", f"{catcher.page}{name}/html/"):
        page.goto(address)
        said = (page.frame_locator("iframe") if page.query_selector("iframe") else page).locator("#said")
        assert said.inner_text() == "quiet"


@pytest.mark.parametrize("path", ["20260101T000000.000000Z/", "..%2f..%2fsecret_key/", "../secret_key"])
def test_only_kept_mail_is_served(catcher: Catcher, path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(catcher.page + path, timeout=PATIENCE)

    assert refused.value.code == 404
    refused.value.close()


def test_another_host_name_is_refused(catcher: Catcher) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(catcher.page, headers={"Host": "rebound.example.org"}), timeout=PATIENCE)

    assert refused.value.code == 400
    refused.value.close()
