"""The log of mails on the pages: who sees what of which mail, and how one is helped that did not get through."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    NOON,
    ContactFactory,
    DeliveryEventFactory,
    DeliveryFactory,
    DeliveryNoticeFactory,
    MailHoldFactory,
    MilestoneFactory,
    ReminderItemFactory,
    UserFactory,
)
from partnerships.lists import exports
from partnerships.models import Delivery, ReminderItem
from partnerships.models.reasons import Reason
from tests.views.sections import section_url
from tests.views.test_access import WRITTEN, mail_of
from tests.views.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(world: World) -> Delivery:
    return mail_of(world)


@pytest.fixture
def held(world: World) -> Delivery:
    return ReminderItemFactory(
        plan__milestone=world.milestone, delivery__status="held", delivery__reason=Reason.HELD_BY_HAND
    ).delivery


@pytest.fixture
def read(world: World, client_of: Callable[[Any], Client]) -> Callable[..., str]:
    """The text of a mail's page, without line breaks."""

    def text_of(mail: Delivery, role: str = "coordinator") -> str:
        return " ".join(client_of(world.people[role]).get(mail.get_absolute_url()).text.split())

    return text_of


def step(mail: Delivery, name: str) -> str:
    return reverse("mail_step", args=[mail.pk, name])


def digest_of(world: World, twin: World) -> Delivery:
    """To the coordinator of ``world``, about a milestone of each unit; its subject names the twin's."""
    digest = DeliveryFactory(
        kind="digest",
        digest_on=DAY,
        person=world.coordinator,
        failed=True,
        subject="2 reminders: South milestone",
        message=WRITTEN,
    )
    for one in (world, twin):
        ReminderItemFactory(plan__milestone=one.milestone, person=world.coordinator, delivery=digest)
    return digest


def test_the_newest_comes_first_with_what_it_is_about(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, held: Delivery
) -> None:
    page = client_of(world.people["viewer"]).get(reverse("mail_list"))

    assert [row.pk for row in page.context["rows"]] == [held.pk, mail.pk]
    assert ["North mail" in page.text, "North milestone" in page.text] == [True, True]
    assert str(Reason.HELD_BY_HAND.label) in page.text


def test_a_page_tells_the_story_in_words(world: World, mail: Delivery, read: Callable[..., str]) -> None:
    DeliveryEventFactory(delivery=mail, to_status="failed", note="550 No such user", actor=world.lead)
    told = DeliveryNoticeFactory(delivery=mail, person=world.lead)

    text = read(mail)

    assert "What to do: put right what the reason names, such as the address, then send it again." in text
    assert "owner of the milestone" in text
    assert '<div class="said">550 No such user</div>' in text
    assert text.count(str(told.person)) >= 2
    assert f'src="{reverse("mail_message", args=[mail.pk])}" sandbox=""' in text
    assert ["Subject: Due soon" in text, "<b>soon</b>" in text] == [True, False]


def test_a_viewer_sees_that_it_went_and_no_body(mail: Delivery, read: Callable[..., str]) -> None:
    Delivery.objects.filter(pk=mail.pk).update(smtp_reply="No such user at example.org")
    DeliveryEventFactory(delivery=mail, to_status="failed", note="550 <lin@example.org>")

    coordinators, viewers = read(mail), read(mail, "viewer")

    shown = (
        "Failed",
        "North milestone",
        "You don't have permission to read this message.",
        "<iframe",
        "Subject: Due soon",
    )
    assert [words in viewers for words in shown] == [True, True, True, False, False]
    assert [words in coordinators for words in shown] == [True, True, False, True, True]
    private = (mail.address, "No such user at example.org", "lin@example.org")
    assert [words in viewers for words in private] == [False, False, False]
    assert [words in coordinators for words in private] == [True, True, True]
    assert "Send again: Only a coordinator or lead of its unit may do this." in viewers


def test_a_contacts_address_is_for_those_who_see_it_on_the_contacts_page(
    world: World, read: Callable[..., str], client_of: Callable[[Any], Client]
) -> None:
    """It stands in the headers, in the file and in what the mail server says of it, too."""
    ours, theirs = world.contact, ContactFactory()
    mails = []
    for contact in (ours, theirs):
        address = f"{contact.pk}@partner.example"
        message = f"To: <{address}>\r\nSubject: Due\r\n\r\nPlease tell us.\r\n".encode()
        answer = {"message": message, "smtp_code": 550, "smtp_reply": f"<{address}> is unknown"}
        delivery = DeliveryFactory(person=None, contact=contact, address=address, **answer)
        DeliveryEventFactory(delivery=delivery, note=f"550 <{address}> is unknown")
        ReminderItemFactory(plan__milestone=world.milestone, person=None, contact=contact, delivery=delivery)
        mails.append(delivery)
    files = [reverse("mail_file", args=[mail.pk]) for mail in mails]

    assert [read(mail).count(mail.address) for mail in mails] == [4, 0]
    assert [client_of(world.coordinator).get(address).status_code for address in files] == [200, 403]
    assert [address in read(mail) for mail, address in zip(mails, files, strict=True)] == [True, False]
    assert str(theirs) in read(mails[1])


def test_the_frame_runs_nothing_and_the_file_is_the_exact_bytes(
    world: World, client_of: Callable[[Any], Client], mail: Delivery
) -> None:
    client = client_of(world.coordinator)

    frame = client.get(reverse("mail_message", args=[mail.pk]))
    saved = client.get(reverse("mail_file", args=[mail.pk]))

    assert frame.text.strip() == "<p>Due <b>soon</b></p>"
    for response in (frame, saved):
        assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        assert "no-store" in response["Cache-Control"]
    assert (frame["X-Frame-Options"], saved["X-Frame-Options"]) == ("SAMEORIGIN", "DENY")
    assert saved.content == WRITTEN
    assert saved["Content-Disposition"] == f'attachment; filename="mail-{mail.pk}.eml"'


def test_a_mail_not_written_yet_has_nothing_to_show(
    world: World, client_of: Callable[[Any], Client], held: Delivery, read: Callable[..., str]
) -> None:
    client = client_of(world.coordinator)

    answers = [client.get(reverse(name, args=[held.pk])).status_code for name in ("mail_message", "mail_file")]

    assert answers == [404, 404]
    assert "Not written yet." in read(held)
    assert held.message_id not in read(held)


def test_a_mail_that_lost_its_text_says_so(mail: Delivery, read: Callable[..., str]) -> None:
    Delivery.objects.filter(pk=mail.pk).update(message=None, address="", status="sent", sent_at=NOON)

    assert "The text of this mail is not kept any more." in read(mail)


def test_a_digest_of_two_units_tells_neither_of_the_other(
    world: World, client_of: Callable[[Any], Client], read: Callable[..., str]
) -> None:
    twin = make_world("South")
    digest = digest_of(world, twin)
    lead, reader = client_of(world.lead), client_of(world.coordinator)
    listed = lead.get(reverse("mail_list")).text

    page = read(digest, "lead")
    addresses = [reverse(name, args=[digest.pk]) for name in ("mail_message", "mail_file")]
    addresses += [step(digest, "send-again")]

    assert [client.get(address).status_code for client in (lead, reader) for address in addresses] == [
        *[403, 403, 403],
        *[200, 200, 200],  # who got it reads it anyway
    ]
    assert lead.post(addresses[-1]).status_code == 403
    for text in (listed, page):
        assert ["North milestone" in text, "Digest of" in text, "South" in text] == [True, True, False]
    assert Delivery.objects.count() == 1


def test_an_export_has_the_rows_and_words_of_the_page(world: World, mail: Delivery) -> None:
    twin = make_world("South")
    mail_of(twin)
    digest_of(world, twin)
    wish = {"key": "mail_list", "query": "", "file_format": "csv", "now": timezone.now()}
    tables = []
    for role in ("lead", "viewer"):
        export = exports.request_export(actor=world.people[role], **wish)
        assert exports.make(export, clock=timezone.now)
        with export.file.open("rb") as file:
            tables.append(list(csv.reader(io.StringIO(file.read().decode("utf-8-sig")))))

    leads, viewers = tables
    digest, single = (dict(zip(leads[0], row, strict=True)) for row in leads[1:])
    assert [digest["Mail"], single["Mail"]] == ["Digest of March 2, 2026", "North mail"]
    assert [digest["About"], single["About"]] == ["North milestone", "North milestone"]
    assert ["To" in leads[0], "To" in viewers[0]] == [True, False]
    assert single["Created"] == "2026-03-02 20:00:00"


def test_sent_again_it_is_a_new_mail_with_the_name_of_who_asked(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, read: Callable[..., str]
) -> None:
    client, address = client_of(world.coordinator), step(mail, "send-again")
    assert f'href="{address}"' in read(mail)

    asked = client.get(address)
    assert (asked.status_code, Delivery.objects.count()) == (200, 1)
    done = client.post(address, follow=True)

    again = ReminderItem.objects.get(generation=2).delivery
    assert done.redirect_chain == [(again.get_absolute_url(), 302)]
    assert "This is the new mail." in done.text
    assert (again.status, again.events.get().actor) == ("queued", world.coordinator)
    assert Delivery.objects.get(pk=mail.pk).status == "cancelled"


def test_released_it_waits_its_turn(world: World, client_of: Callable[[Any], Client], held: Delivery) -> None:
    client, address = client_of(world.coordinator), step(held, "release")

    done = client.post(address, follow=True)

    assert "Released. It goes out within minutes" in done.text
    released = Delivery.objects.get(pk=held.pk)
    assert (released.status, released.events.get().actor) == ("queued", world.coordinator)


@pytest.mark.parametrize("name", ["send-again", "release"])
def test_a_second_click_does_nothing_more(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, held: Delivery, name: str
) -> None:
    client, address = client_of(world.coordinator), step({"send-again": mail, "release": held}[name], name)
    client.post(address)
    before = Delivery.objects.count()

    answers = [client.post(address), client.get(address)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert "Perhaps somebody did it already." in answers[0].text
    assert Delivery.objects.count() == before


@pytest.mark.parametrize(("name", "status"), [("send-again", "sent"), ("release", "sent"), ("release", "failed")])
def test_what_does_not_fit_its_state_is_not_offered(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, read: Callable[..., str], name: str, status: str
) -> None:
    Delivery.objects.filter(pk=mail.pk).update(status=status, sent_at=timezone.now())

    assert client_of(world.coordinator).post(step(mail, name)).status_code == 409
    assert step(mail, name) not in read(mail)
    assert Delivery.objects.get(pk=mail.pk).status == status


def test_while_all_mail_is_held_nothing_is_released(
    world: World, client_of: Callable[[Any], Client], held: Delivery
) -> None:
    MailHoldFactory(active=True)

    page = client_of(world.coordinator).post(step(held, "release"))

    assert page.status_code == 200
    assert "Sending is paused: resume it first" in page.text
    assert Delivery.objects.get(pk=held.pk).status == "held"


def test_a_mail_about_nothing_any_more_is_refused_in_words(
    world: World, client_of: Callable[[Any], Client], mail: Delivery
) -> None:
    ReminderItem.objects.update(cancelled_at=timezone.now(), cancel_reason=Reason.DUE_DATE_MOVED)

    page = client_of(world.coordinator).post(step(mail, "send-again"))

    assert "Nothing in this mail is due to this person any more." in page.text
    assert Delivery.objects.count() == 1


def test_an_uncertain_mail_may_arrive_twice(world: World, client_of: Callable[[Any], Client], mail: Delivery) -> None:
    Delivery.objects.filter(pk=mail.pk).update(status="uncertain")

    page = client_of(world.coordinator).get(step(mail, "send-again"))

    assert "This mail may have arrived. Sent again, it may arrive twice." in page.text


@pytest.mark.parametrize("status", ["uncertain", "unconfirmed", "failed"])
def test_each_reminder_of_a_digest_that_may_not_have_arrived_is_listed(
    world: World, client_of: Callable[[Any], Client], read: Callable[..., str], status: str
) -> None:
    digest = DeliveryFactory(kind="digest", digest_on=DAY, person=world.coordinator, failed=True)
    Delivery.objects.filter(pk=digest.pk).update(status=status)
    milestones = [
        MilestoneFactory(agreement=world.agreement, unit=world.unit, title=f"Promise {number}") for number in range(5)
    ]
    for milestone in milestones:
        ReminderItemFactory(plan__milestone=milestone, person=world.coordinator, delivery=digest)
    client = client_of(world.coordinator)

    listed = client.get(reverse("mail_list"), {"status": "waiting"}).text
    assert [milestone.get_absolute_url() in listed for milestone in milestones] == [True] * 5
    for milestone in milestones:
        page = " ".join(client.get(milestone.get_absolute_url()).text.split())
        assert "What to do: " in page
        assert digest.get_absolute_url() in page

    Delivery.objects.filter(pk=digest.pk).update(status="sent", sent_at=timezone.now())
    assert "and 3 more" in client.get(reverse("mail_list")).text


@pytest.mark.parametrize("name", ["send-again", "release"])
def test_who_may_not_is_told_why_and_changes_nothing(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, held: Delivery, name: str
) -> None:
    row = {"send-again": mail, "release": held}[name]
    forged = {"status": "queued", "person": world.lead.pk, "version": "1", "actor": world.lead.pk}
    roles = ("viewer", "user_admin", "nobody", "outsider")

    answers = {role: client_of(world.people[role]).post(step(row, name), forged).status_code for role in roles}

    assert answers == {"viewer": 403, "user_admin": 404, "nobody": 404, "outsider": 404}
    assert (Delivery.objects.get(pk=row.pk).status, Delivery.objects.count()) == (row.status, 2)


def test_forged_fields_of_a_step_count_for_nothing(
    world: World, client_of: Callable[[Any], Client], held: Delivery
) -> None:
    forged = {"status": "sent", "person": world.lead.pk, "address": "a@evil.example", "row": "1"}

    client_of(world.coordinator).post(step(held, "release"), forged)

    released = Delivery.objects.get(pk=held.pk)
    assert (released.status, released.person, released.address) == ("queued", held.person, "")


def test_a_step_nobody_knows_is_not_there(world: World, client_of: Callable[[Any], Client], mail: Delivery) -> None:
    assert client_of(world.coordinator).post(step(mail, "delete")).status_code == 404


def test_those_who_follow_up_see_it_and_help_it_not(
    world: World, client_of: Callable[[Any], Client], mail: Delivery
) -> None:
    """A unit that takes part."""
    outsider = world.people["outsider"]
    world.agreement.participating_units.create(unit=outsider.memberships.get().unit)
    client = client_of(outsider)
    addresses = [mail.get_absolute_url(), reverse("mail_message", args=[mail.pk]), step(mail, "send-again")]

    assert [client.get(address).status_code for address in addresses] == [200, 403, 403]


def test_everybody_reads_their_own_mail(client_of: Callable[[Any], Client], mail: Delivery) -> None:
    """Also a fallback person elsewhere, who sees nothing else of it."""
    person = UserFactory()
    Delivery.objects.filter(pk=mail.pk).update(person=person)
    client = client_of(person)

    page = client.get(mail.get_absolute_url())

    assert [page.status_code, client.get(reverse("mail_message", args=[mail.pk])).status_code] == [200, 200]
    assert "It concerns none of the milestones you can access." in page.text
    assert "North milestone" not in page.text


@pytest.mark.parametrize("status", ["failed", "uncertain", "unconfirmed", "held"])
def test_the_coordinator_concerned_is_shown_how_many_wait(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, status: str
) -> None:
    """Not a colleague's, and not what goes by itself."""
    Delivery.objects.filter(pk=mail.pk).update(status=status)
    ReminderItemFactory(plan__milestone=world.milestone, delivery__sent=True)
    world.milestone.owner = UserFactory(coordinator_in=world.unit)
    world.milestone.save()
    colleague = UserFactory(coordinator_in=world.unit)
    client = client_of(world.coordinator)

    page = client.get(reverse("my_work"))
    listed = client.get(page.context["waiting_mails"]["url"])

    assert "1 e-mail about your items needs action." in page.text
    assert [row.pk for row in listed.context["rows"]] == [mail.pk]
    assert "needs action" not in client_of(colleague).get(reverse("my_work")).text


def test_the_lead_sees_on_team_work_how_many_wait_unit_by_unit(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, held: Delivery
) -> None:
    twin = make_world("South")
    mail_of(twin)
    client = client_of(world.lead)

    for query in ({}, {"unit": world.unit.pk}):
        page = client.get(reverse("team"), query)
        listed = client.get(page.context["waiting_mails"]["url"])
        assert "2 mails failed, are uncertain or are held." in page.text
        assert {row.pk for row in listed.context["rows"]} == {mail.pk, held.pk}


def test_nothing_waits_and_nothing_is_said(world: World, client_of: Callable[[Any], Client]) -> None:
    ReminderItemFactory(plan__milestone=world.milestone, delivery__sent=True)

    pages = [client_of(world.lead).get(reverse(name)).text for name in ("my_work", "team")]

    assert ["See details" in page for page in pages] == [False, False]


def test_the_agreement_leads_to_its_mails(world: World, client_of: Callable[[Any], Client], mail: Delivery) -> None:
    ReminderItemFactory()
    client = client_of(world.lead)
    address = f"{reverse('mail_list')}?agreement={world.agreement.pk}"

    assert f'href="{address}"' in client.get(section_url(world.agreement, "work")).text
    assert [row.pk for row in client.get(address).context["rows"]] == [mail.pk]


def test_the_office_finds_a_mail_by_subject_address_and_message_id(
    world: World, client_of: Callable[[Any], Client], mail: Delivery
) -> None:
    Delivery.objects.filter(pk=mail.pk).update(address="somebody@example.org", subject="Only in this subject")

    def found(person: Any, word: str) -> list[int]:
        page = client_of(person).get(reverse("mail_list"), {"q": word})
        return [row.pk for row in page.context["rows"]]

    words = ("Only in this", "somebody@example", mail.message_id)
    assert [found(UserFactory(staff=True), word) for word in words] == [[mail.pk]] * 3
    # A subject may name milestones, an address a contact, that others may not see.
    assert [found(world.coordinator, word) for word in words] == [[]] * 3


@pytest.mark.parametrize(
    "query", ["status=gone", "person=0", "made_from=2026-02-30", f"agreement={10**30}", "unit=x", f"q={'a' * 10_000}"]
)
def test_a_bad_filter_is_named_and_breaks_nothing(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, query: str
) -> None:
    page = client_of(world.coordinator).get(f"{reverse('mail_list')}?{query}&kind=agreement")

    assert "A filter could not be applied; the others are." in page.text
    assert [row.pk for row in page.context["rows"]] == [mail.pk]


def test_a_page_costs_the_same_with_a_longer_log(
    world: World, client_of: Callable[[Any], Client], mail: Delivery, django_assert_num_queries: Any
) -> None:
    client = client_of(world.coordinator)
    client.get(mail.get_absolute_url())

    for count in (1, 3):
        for _number in range(count):
            DeliveryEventFactory(delivery=mail, actor=world.lead)
            DeliveryNoticeFactory(delivery=mail)
        with django_assert_num_queries(10):
            client.get(mail.get_absolute_url())


class TestInABrowser:
    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_a_failed_mail_is_found_read_and_sent_again(
        self, width: int, has_scripts: bool, world: World, mail: Delivery, open_page: Callable[..., Any]
    ) -> None:
        page = open_page("/", world.coordinator, width=width, has_scripts=has_scripts)

        page.get_by_role("link", name="See details").click()
        page.get_by_role("link", name="North mail").click()
        page.frame_locator("iframe.mail-frame").get_by_text("Due soon").wait_for()
        page.get_by_role("link", name="Send again").click()
        page.get_by_role("button", name="Send again").click()
        page.get_by_text("This is the new mail.").wait_for()

        assert ReminderItem.objects.get(generation=2).delivery.status == "queued"

    def test_filters_open_when_asked_for_and_are_removed_by_their_chips(
        self, world: World, mail: Delivery, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(reverse("mail_list"), world.coordinator, width=390, has_scripts=False)

        with page.expect_navigation():
            page.get_by_role("link", name="Filter", exact=True).click()
        page.get_by_text("More filters").click()
        page.get_by_label("Agreement or partner").fill("north signed")
        with page.expect_navigation():
            page.get_by_role("button", name="Apply").click()

        assert page.url.endswith("/mails/?party=north+signed")
        assert page.locator("#filter-form").count() == 0
        with page.expect_navigation():
            page.get_by_role("link", name="Remove the filter “Agreement or partner”").click()
        assert page.url.endswith("/mails/")
