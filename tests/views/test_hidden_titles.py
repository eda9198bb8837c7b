"""Agreements of other units are not named by rows of one's own unit that refer to them, whatever shows the row."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    ContactNoteFactory,
    EnterpriseFactory,
    FacilityFactory,
    FeedTokenFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists import exports
from partnerships.mailing.message import write
from partnerships.models import Agreement, Delivery, Export, ReminderItem, Role, User
from partnerships.reminders.clock import Clock
from tests.admin.forms import change_url

pytestmark = pytest.mark.django_db

OPEN, SECRET = "Open frame", "Confidential frame"
PARTNER = "Confidential Works"


@dataclass
class TwoUnits:
    """The same rows of one unit twice: under its own agreement, and under one of another unit."""

    lead: User
    own: dict[str, Any]
    foreign: dict[str, Any]


def rows_under(agreement: Agreement, unit: Any, owner: User) -> dict[str, Any]:
    today = timezone.localdate()
    party = agreement.parties.last()
    partner = EnterpriseFactory(held_by=unit)
    milestone = MilestoneFactory(
        title="Report", agreement=agreement, unit=unit, owner=owner, due_on=today + dt.timedelta(days=2), party=party
    )
    activity = ActivityFactory(
        title="Lecture", agreement=agreement, unit=unit, owner=owner, starts_on=today, organizations=[partner]
    )
    return {
        "agreement": agreement,
        "partner": partner,
        "milestone": milestone,
        "activity": activity,
        "facility": FacilityFactory(agreement=agreement, unit=unit, owner=owner),
        "note": ContactNoteFactory(agreement=agreement, unit=unit, summary="They called back."),
        "mail": ReminderItemFactory(plan__milestone=milestone, delivery__person=owner).delivery,
    }


@pytest.fixture(params=["en", "zh-hans"])
def units(request: pytest.FixtureRequest) -> TwoUnits:
    """A lead who reads English or Chinese; what is looked for is in both titles."""
    own, other = UnitFactory(), UnitFactory()
    lead = UserFactory(lead_in=own, language=request.param)
    agreements = [
        AgreementFactory(
            title=title, title_zh=f"{title}合作协议", unit=unit, signed=True, parties=[EnterpriseFactory(name=partner)]
        )
        for title, unit, partner in ((OPEN, own, "Open Works"), (SECRET, other, PARTNER))
    ]
    return TwoUnits(lead, *(rows_under(agreement, own, lead) for agreement in agreements))


def hidden(units: TwoUnits) -> str:
    with translation.override(units.lead.language):
        return escape(_("another unit's agreement"))


def test_an_own_agreement_is_named_and_another_units_is_not(units: TwoUnits) -> None:
    client = Client()
    client.force_login(units.lead)
    day = timezone.localdate()
    both = [
        reverse("my_work"),
        f"{reverse('milestone_list')}?status=all",
        reverse("activity_list"),
        reverse("facility_list"),
        f"{reverse('search')}?q=Report",
        f"{reverse('search')}?q=Lecture",
        f"{reverse('search')}?q=called",
        reverse("team_hand_over", args=[units.lead.pk]),
        f"{reverse('calendar')}?day={day.isoformat()}",
        reverse("mail_list"),
        *(reverse(f"admin:partnerships_{name}_changelist") for name in ("activity", "milestone", "contactnote")),
    ]
    for url in both:
        page = client.get(url)
        assert page.status_code == 200, url
        assert (SECRET in page.text, PARTNER in page.text) == (False, False), url
    of_one: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        *(
            (name, lambda rows, name=name: rows[name].get_absolute_url())
            for name in ("milestone", "activity", "facility")
        ),
        ("edit", lambda rows: reverse("activity_edit", args=[rows["activity"].pk])),
        ("mail", lambda rows: rows["mail"].get_absolute_url()),
        ("organization", lambda rows: rows["partner"].get_absolute_url()),
        *(
            (f"admin {name}", lambda rows, name=name: change_url(rows[name]))
            for name in ("milestone", "activity", "facility", "note")
        ),
    ]
    for label, address in of_one:
        theirs, ours = (client.get(address(rows)) for rows in (units.foreign, units.own))
        assert (theirs.status_code, ours.status_code) == (200, 200), label
        assert (SECRET in theirs.text, PARTNER in theirs.text) == (False, False), label
        assert OPEN in ours.text or label == "edit", label
    shown = {url for url in both if OPEN in client.get(url).text}
    assert set(both) - shown <= {reverse("facility_list")}


@pytest.mark.parametrize(
    ("name", "page", "key"),
    [
        ("milestone_list", "milestone_detail", "milestone"),
        ("search", "milestone_detail", "milestone"),
        ("mail_list", "mail_detail", "mail"),
        ("admin:partnerships_milestone_changelist", "admin:partnerships_milestone_change", "milestone"),
    ],
)
def test_words_of_another_units_agreement_find_nothing(units: TwoUnits, name: str, page: str, key: str) -> None:
    client = Client()
    client.force_login(units.lead)

    def finds(rows: dict[str, Any], **words: str) -> bool:
        found = client.get(reverse(name), {"status": "all", **words} if name == "milestone_list" else words)
        return reverse(page, args=[rows[key].pk]) in found.text

    for words in ({"q": "frame"}, {"q": "Works"}, {"party": "Works"}):
        if "party" in words and not name.endswith("_list"):
            continue
        assert (finds(units.own, **words), finds(units.foreign, **words)) == (True, False), words


def test_history_in_the_admin_does_not_name_another_units_agreement(units: TwoUnits) -> None:
    client = Client()
    client.force_login(units.lead)
    activity = units.own["activity"]
    activity.agreement = units.foreign["agreement"]
    activity.save()
    activity.agreement = units.own["agreement"]
    activity.save()

    page = client.get(reverse("admin:partnerships_activity_history", args=[activity.pk])).text

    assert (OPEN in page, SECRET in page, hidden(units) in page) == (True, False, True)


@pytest.mark.parametrize("key", ["milestone_list", "activity_list"])
def test_exports_and_feeds_do_not_name_another_units_agreement(units: TwoUnits, key: str) -> None:
    export = exports.request_export(actor=units.lead, key=key, query="", file_format="csv", now=timezone.now())
    assert exports.make(export, clock=timezone.now)
    with Export.objects.get(pk=export.pk).file.open("rb") as file:
        written = "\n".join(map(str, csv.reader(io.StringIO(file.read().decode("utf-8-sig")))))
    FeedTokenFactory(user=units.lead, token="secret")
    feed = Client().get(reverse("feed", args=["secret"])).text.replace("\r\n ", "")

    for text in (written, feed):
        assert (OPEN in text, SECRET in text, unescape(hidden(units)) in text) == (True, False, True)


@pytest.mark.parametrize("names", [("own", "foreign"), ("own",), ("foreign",)])
def test_mails_do_not_name_another_units_agreement(units: TwoUnits, names: tuple[str, ...]) -> None:
    now = timezone.now()
    plans = [ReminderPlanFactory(milestone=getattr(units, name)["milestone"], send_at=now) for name in names]
    items = [ReminderItem(why="owner", plan=plan, person=units.lead) for plan in plans]

    delivery = Delivery(person=units.lead, kind="digest", digest_on=timezone.localdate(), message_id="<x@example.org>")
    written = write(delivery, items, Clock(now, lambda: now)).data.decode().replace("=\r\n", "")

    assert (OPEN in written, SECRET in written, PARTNER in written) == ("own" in names, False, False)


def test_a_mail_to_somebody_who_sees_more_is_not_read_by_who_sees_less(units: TwoUnits) -> None:
    """Such as an escalation to the lead of the unit above; it also stays unread once the milestone went elsewhere."""
    now = timezone.now()
    above = UserFactory(lead_in=units.own["agreement"].unit)
    above.memberships.create(unit=units.foreign["agreement"].unit, role=Role.LEAD)
    mails = []
    for rows in (units.own, units.foreign):
        plan = ReminderPlanFactory(milestone=rows["milestone"], send_at=now)
        item = ReminderItemFactory(plan=plan, person=above, why="lead")
        written = write(item.delivery, [item], Clock(now, lambda: now))
        Delivery.objects.filter(pk=item.delivery.pk).update(message=written.data)
        mails.append(item.delivery)

    def read(person: User, mail: Delivery) -> list[int | bool]:
        client = Client()
        client.force_login(person)
        names = ("mail_detail", "mail_message", "mail_file")
        pages = [client.get(reverse(name, args=[mail.pk])) for name in names]
        return [*(page.status_code for page in pages), any(SECRET in page.content.decode() for page in pages)]

    assert [read(above, mail) for mail in mails] == [[200, 200, 200, False], [200, 200, 200, True]]
    assert [read(units.lead, mail) for mail in mails] == [[200, 200, 200, False], [200, 403, 403, False]]
    milestone = units.foreign["milestone"]
    milestone.agreement, milestone.party = units.own["agreement"], None
    milestone.save()
    assert read(units.lead, mails[1]) == [200, 403, 403, False]


def test_a_number_of_rows_costs_one_query_more(units: TwoUnits, django_assert_max_num_queries: Any) -> None:
    client, url = Client(), f"{reverse('milestone_list')}?status=all"
    client.force_login(units.lead)
    other = UnitFactory()
    unit = units.own["agreement"].unit

    def queries() -> int:
        with django_assert_max_num_queries(100) as asked:
            client.get(url)
        return len(asked)

    before = queries()
    for _number in range(5):
        MilestoneFactory(agreement=AgreementFactory(unit=other, signed=True), unit=unit)

    assert queries() == before
