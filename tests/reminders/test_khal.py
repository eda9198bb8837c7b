"""A real calendar program, khal, reads our feed and attachments in a process with a calendar of its own."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from partnerships.factories import DAY, NOON, ActivityFactory, AgreementFactory, MilestoneFactory
from partnerships.mailing import calendar_events
from partnerships.models import Milestone, User
from partnerships.workflows.activities import follow_activity
from partnerships.workflows.milestones import cancel_milestone, meet_milestone, move_milestone
from tests.services.processes import PATIENCE

pytestmark = pytest.mark.django_db
CONFIG = """
[calendars]
[[mine]]
path = {folder}/calendar
[locale]
local_timezone = Asia/Shanghai
default_timezone = Asia/Shanghai
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
timeformat = %H:%M
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {folder}/khal.db
[default]
default_calendar = mine
"""
SHOWN = "{start-date}|{end-date}|{title}|{status}"

Khal = Callable[[bytes], list[str]]


@pytest.fixture
def khal(tmp_path: Path) -> Khal:
    """Import a file and list the events of the calendar: first day, last day, title, status."""
    (tmp_path / "calendar").mkdir()
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    program = [str(Path(sys.executable).with_name("khal")), "-c", str(tmp_path / "config")]
    env = {**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "TZ": "America/New_York"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*program, *arguments], env=env, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        assert done.stderr == ""
        return done.stdout

    def read(content: bytes) -> list[str]:
        (tmp_path / "feed.ics").write_bytes(content)
        run("import", "--batch", "-a", "mine", str(tmp_path / "feed.ics"))
        lines = run("list", "--format", SHOWN, "--day-format", "", DAY.isoformat(), "200d").splitlines()
        return [line.strip() for line in lines if line.strip()]

    return read


@pytest.fixture
def milestone() -> Milestone:
    agreement = AgreementFactory(signed=True, title="战略合作协议")
    return MilestoneFactory(
        agreement=agreement,
        title="Interim report",
        title_zh="提交中期报告；附件“一”，二",
        description="第一行\n第二行, with a comma; and a semicolon\\",
        due_on=dt.date(2026, 3, 12),
    )


@pytest.fixture
def reader(milestone: Milestone) -> User:
    assert milestone.owner is not None
    return milestone.owner


def again(row: Milestone) -> Milestone:
    return Milestone.objects.get(pk=row.pk)


def test_days_and_titles_arrive_whole(khal: Khal, milestone: Milestone, reader: User) -> None:
    activity = ActivityFactory(
        agreement=milestone.agreement, title="Visit", starts_on=dt.date(2026, 3, 31), ends_on=dt.date(2026, 4, 1)
    )
    follow_activity(activity, actor=None, on=DAY)
    assert khal(calendar_events.feed(reader, DAY)) == [
        "2026-03-12|2026-03-12|Interim report · 战略合作协议|CONFIRMED",
        "2026-03-31|2026-03-31|Start “Visit” · 战略合作协议|CONFIRMED",
        "2026-04-01|2026-04-01|Complete “Visit” · 战略合作协议|CONFIRMED",
    ]


def test_chinese_arrives_whole(khal: Khal, milestone: Milestone, reader: User) -> None:
    reader.language = "zh-hans"
    assert khal(calendar_events.feed(reader, DAY)) == [
        "2026-03-12|2026-03-12|提交中期报告；附件“一”，二 · 战略合作协议|CONFIRMED"
    ]


def test_a_moved_date_replaces_the_old_one(khal: Khal, milestone: Milestone, reader: User) -> None:
    assert len(khal(calendar_events.feed(reader, DAY))) == 1
    move_milestone(milestone, actor=None, at=NOON, due_on=dt.date(2026, 4, 30), reason="Holiday")
    shown = khal(calendar_events.feed(reader, DAY))
    assert [line.partition("|")[0] for line in shown] == ["2026-04-30"]


def test_done_and_cancelled_milestones_are_marked_in_the_feed(khal: Khal, milestone: Milestone, reader: User) -> None:
    other = MilestoneFactory(agreement=milestone.agreement, title="Other", due_on=dt.date(2026, 3, 13))
    assert len(khal(calendar_events.feed(reader, DAY))) == 2
    meet_milestone(milestone, actor=None, on=DAY, evidence="Report")
    cancel_milestone(other, actor=None, on=DAY, reason="Entered twice")
    done, off = khal(calendar_events.feed(reader, DAY))
    assert (done.split("|")[2][0], done.endswith("CONFIRMED"), off.endswith("CANCELLED")) == ("✓", True, True)


def test_an_event_from_mail_and_feed_appears_once(khal: Khal, milestone: Milestone, reader: User) -> None:
    by_mail = khal(calendar_events.single_event(milestone, reader, changed_at=NOON))
    assert [line.partition("|")[0] for line in by_mail] == ["2026-03-12"]
    assert len(khal(calendar_events.feed(reader, DAY))) == 1
