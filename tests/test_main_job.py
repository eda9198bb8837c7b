"""The main job, end to end, through the product's own processes and pages.

An administrator makes accounts; staff register an enterprise and an agreement; a coordinator submits it, a lead approves
it, staff record the signing; the milestones appear; the tick finds what is due; the coordinator reads a real mail, opens
its link, acts, and the milestone is met.
"""

import datetime as dt
import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import mechanicalsoup
import pytest

from tests.services.embedded import Run
from tests.services.processes import stop_process
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import Stack, eventually

PASSWORD = "a-long-enough-secret"
OFFICE_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Office:
    """A running site and the mails it has sent."""

    url: str
    stack: Stack
    mails: Callable[[], list[EmailMessage]]

    def mail_to(self, address: str, subject: str) -> EmailMessage | None:
        found = [mail for mail in self.mails() if address in mail["To"] and subject in mail["Subject"]]
        assert len(found) <= 1, f"{subject!r} went to {address} {len(found)} times"
        return found[0] if found else None

    def wait_for_mail(self, address: str, subject: str) -> str:
        """The text of the one mail."""
        mail = eventually(lambda: self.mail_to(address, subject))
        part = mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


class Person:
    """Somebody with a browser of their own: no scripts, real forms with their tokens, versions and formsets."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.browser = mechanicalsoup.StatefulBrowser(soup_config={"features": "html.parser"}, raise_on_404=True)

    @property
    def page(self) -> str:
        return " ".join(self.browser.page.get_text(" ").split())

    def open(self, address: str) -> "Person":
        self.browser.open(address if address.startswith("http") else self.office.url + address)
        return self

    def submit(self, form: str, **values: str) -> "Person":
        """Fills in and sends the form that the CSS selector finds; a field may be one that a script would add."""
        chosen = self.browser.select_form(form)
        for name, value in values.items():
            for field in chosen.form.find_all(attrs={"name": name}):
                field.decompose()
            chosen.new_control("hidden", name, value)
        answer = self.browser.submit_selected()
        assert answer.ok, f"{answer.status_code} for {answer.url}\n{self.page}"
        assert not self.browser.page.select(".errorlist, .errors"), self.page
        return self

    def log_in(self, username: str) -> "Person":
        return self.open("/login/").submit("main form[method=post]", username=username, password=PASSWORD)

    def id_of(self, kind: str, title: str) -> str:
        """The id of the row the admin lists under ``title``."""
        self.open(f"/admin/partnerships/{kind}/?q={title}")
        found = re.search(
            rf"/admin/partnerships/{kind}/(\d+)/change/", str(self.browser.page.select_one("#result_list"))
        )
        assert found, f"No {kind} {title!r}\n{self.page}"
        return found[1]


@pytest.fixture
def on_servers(live_stack: Callable[..., Stack], smtp_sink: SmtpSink) -> Office:
    """PostgreSQL, Redis and an SMTP server; web, worker and beat each a process of its own."""
    stack = live_stack()
    stack.manage("seed_articles")
    stack.manage("collectstatic", "--noinput", "--verbosity=0")
    stack.start_worker()
    stack.start_beat()
    return Office(stack.start_web(), stack, lambda: [received.message for received in smtp_sink.received])


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Office]:
    """`make run` on a folder with a migrated database: SQLite, its own broker and its own mail catcher."""
    run = Run(tmp_path, is_migrated=True, SAMPLE="no").wait_until_ready()
    yield Office(run.address("Site").rstrip("/"), run.stack, lambda: _caught(tmp_path / "mail"))
    stop_process(run.process)


def _caught(folder: Path) -> list[EmailMessage]:
    paths = sorted(folder.glob("*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]  # type: ignore[misc]


@pytest.mark.parametrize("where", ["on_servers", "embedded"])
def test_the_main_job(where: str, request: pytest.FixtureRequest) -> None:
    office: Office = request.getfixturevalue(where)
    make_accounts(office)
    agreement = register_agreement(office)
    take_to_signed(office, agreement)
    milestone = add_due_milestone(office, agreement)
    explained = office.stack.manage("reminders", "explain", milestone).stdout
    assert re.search("1 day before the due date, .*: will be sent", explained), explained
    mail = office.wait_for_mail("lin@example.org", "Hold the first training")
    act_on_mail(office, mail, milestone)
    office.stack.manage("reminders", "run", "--once")

    assert office.mail_to("lin@example.org", "Hold the first training")
    assert "Hold the first training" not in Person(office).log_in("lin").page


def make_accounts(office: Office) -> None:
    """The first administrator by command, everybody else in the admin; each chooses a password by the mailed link."""
    root = {"USERNAME": "root", "NAME": "Root", "EMAIL": "root@example.org", "PASSWORD": PASSWORD}
    environment = {f"DJANGO_SUPERUSER_{name}": value for name, value in root.items()}
    office.stack.manage("createsuperuser", "--noinput", **environment)
    admin = Person(office).log_in("root")
    unit = admin.id_of("unit", "Cooperation office")
    make_account(admin, "zhou", is_staff="on")
    make_account(admin, "lin", **_membership(unit, role="20"))
    make_account(admin, "chen", **_membership(unit, role="30"))
    # At any hour: a digest would wait for the morning.
    Person(office).log_in("lin").open("/me/").submit("main form.form", reminder_mode="immediate")


def _membership(unit: str, *, role: str) -> dict[str, str]:
    return {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": unit, "memberships-0-role": role}


def make_account(admin: Person, username: str, **more: str) -> None:
    address = f"{username}@example.org"
    admin.open("/admin/partnerships/user/add/")
    admin.submit("#user_form", name=username.title(), username=username, email=address, **more)
    person = Person(admin.office).open("/password/reset/").submit("main form[method=post]", email=address)
    link = re.search(r"http\S+", admin.office.wait_for_mail(address, "assword"))
    assert link
    person.open(link[0]).submit("main form[method=post]", new_password1=PASSWORD, new_password2=PASSWORD)


def register_agreement(office: Office) -> str:
    """Staff register an enterprise and an agreement with it and one of the articles' colleges; the agreement's id."""
    staff = Person(office).log_in("zhou")
    staff.open("/admin/partnerships/enterprise/add/").submit(
        "#enterprise_form", name="Linhai Pumps", name_zh="临海泵业"
    )
    enterprise = staff.id_of("enterprise", "临海")
    college = staff.id_of("institution", "浙江工业职业")
    values = {
        "title": "Training agreement with Linhai Pumps",
        "unit": staff.id_of("unit", "Cooperation office"),
        "type": staff.id_of("agreementtype", "Strategic"),
        "coordinator": _id_of_person(office, "lin"),
        "parties-TOTAL_FORMS": "2",
        "parties-0-organization": college,
        "parties-0-role": "signatory",
        "parties-0-is_for_itself": "on",
        "parties-1-organization": enterprise,
        "parties-1-role": "signatory",
        "parties-1-is_for_itself": "on",
        "promised_areas-TOTAL_FORMS": "1",
        "promised_areas-0-area": staff.id_of("cooperationarea", "Talent"),
        "promised_areas-0-per": "term",
    }
    staff.open("/admin/partnerships/agreement/add/").submit("#agreement_form", **values)
    return staff.id_of("agreement", "Linhai")


def take_to_signed(office: Office, agreement: str) -> None:
    """Submitted by a coordinator, approved by a lead, signing recorded by staff, each on the page made for it."""
    Person(office).log_in("lin").open(f"/agreements/{agreement}/submit/").submit("main form.form")
    Person(office).log_in("chen").open(f"/agreements/{agreement}/approve/").submit("main form.form")
    signed = Person(office).log_in("zhou").open(f"/agreements/{agreement}/sign/").submit("main form.form")

    assert "Signed" in signed.page
    assert "Get in touch with the partners" in signed.page


def add_due_milestone(office: Office, agreement: str) -> str:
    """A rule that speaks a day before, shortly after both are entered, and a milestone due on the day after that moment."""
    staff = Person(office).log_in("zhou")
    owner, unit = _id_of_person(office, "lin"), staff.id_of("unit", "Cooperation office")
    rule = {"milestone_kind": "agreement", "offset": "1", "offset_unit": "days", "direction": "before"}
    rule |= {"audience": "owner", "shift": "none", "is_enabled": "on"}
    began = time.monotonic()
    office.stack.manage("reminders", "plan")
    staff.open("/admin/partnerships/reminderrule/add/")
    # What is entered after its time is not sent: leave as many times of what this machine needs now for one command.
    enough = dt.timedelta(seconds=20 + 5 * (time.monotonic() - began))
    send_at = dt.datetime.now(OFFICE_ZONE) + enough
    staff.submit("#reminderrule_form", send_time=send_at.strftime("%H:%M:%S"), **rule)
    values = {
        "title": "Hold the first training",
        "kind": "agreement",
        "unit": unit,
        "agreement": agreement,
        "owner": owner,
        "due_on": (send_at.date() + dt.timedelta(days=1)).isoformat(),
    }
    staff.open("/admin/partnerships/milestone/add/").submit("#milestone_form", **values)
    office.stack.manage("reminders", "plan")
    return staff.id_of("milestone", "first training")


def _id_of_person(office: Office, username: str) -> str:
    return Person(office).log_in("root").id_of("user", username)


def act_on_mail(office: Office, mail: str, milestone: str) -> None:
    """Opens the mail's link, logs in on the way, and marks the milestone as met where it landed."""
    link = re.search(rf"{office.url}/milestones/{milestone}/\S*", mail)
    assert link, mail
    lin = Person(office).open(link[0])
    assert "/login/" in lin.browser.url
    lin.submit("main form[method=post]", username="lin", password=PASSWORD)
    assert lin.browser.url == link[0]
    lin.submit("main form[action$='/meet/']", evidence="Held with 24 people; the list of names is in the file.")

    assert "Done on" in lin.open(link[0]).page
