"""Who gets which page: every address x every role, twin units, and that looking changes nothing."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from partnerships.demo.documents import png
from partnerships.factories import (
    AchievementFactory,
    CitationFactory,
    ColumnSetFactory,
    ContactFactory,
    CustodyStepFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    EventFactory,
    HonourFactory,
    HonourSchemeFactory,
    ImportFactory,
    ImportRowFactory,
    MergeFactory,
    PaymentFactory,
    ProgrammeFactory,
    RegionFactory,
    ReminderItemFactory,
    ReportedFigureFactory,
    ReportTextFactory,
    SourceFactory,
)
from partnerships.lists import exports
from partnerships.models import SecurityEvent
from partnerships.workflows.undo import record_act
from tests.services.drawing import nothing_drawn
from tests.views.sections import whole_page
from tests.views.world import ROLES, World, make_world

WRITTEN = b"Subject: Due soon\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Due <b>soon</b></p>\r\n"
# In the order of ROLES: viewer, coordinator, lead, staff, user_admin, system_admin, nobody, outsider.
EVERYBODY = [200] * 8
OWN = [200, 200, 200, 200, 404, 200, 404, 404]
SHARED = [200, 200, 200, 200, 404, 200, 404, 200]
WORKERS = [403, 200, 200, 200, 404, 200, 404, 404]
LEADS = [403, 403, 200, 200, 404, 200, 404, 404]
# Coordinators of any unit, and the office.
ENTERING = [403, 200, 200, 200, 403, 200, 403, 200]
OFFICE = [403, 403, 403, 200, 403, 200, 403, 403]
# Leads of any unit, and the office.
TEAM = [403, 403, 200, 200, 403, 200, 403, 403]
# Coordinators and leads of any unit, and the office.
WHO_ADDS = [403, 200, 200, 200, 403, 200, 403, 200]
# Everybody reads the directory, so whoever does not hold it is refused, not kept in the dark.
HOLDERS = [403, 200, 200, 200, 404, 200, 404, 403]
# Leads of the unit, and the office; everybody reads the record.
CORRECTING = [403, 403, 200, 200, 404, 200, 404, 403]
OFFICE_OF_SHARED = [403, 403, 403, 200, 404, 200, 404, 403]
SYSTEM_OF_OWN = [403, 403, 403, 403, 404, 200, 404, 404]
TABLE: dict[str, list[int]] = {
    "my_work": EVERYBODY,
    "overview": EVERYBODY,
    "overview_tables": [200, 200, 200, 200, 403, 200, 403, 200],
    "quiet": EVERYBODY,
    "quiet_log": WORKERS,
    "team": TEAM,
    "team_hand_over": TEAM,
    "team_hand_over_nobody": TEAM,
    "agreement_list": EVERYBODY,
    "agreement_add": WHO_ADDS,
    "agreement_detail": OWN,
    "agreement_edit": WORKERS,
    "agreement_step": WORKERS,
    "agreement_delete": WORKERS,
    "activity_add": WORKERS,
    # For oneself: about what, the form says.
    "activity_log": [403, 200, 200, 200, 403, 200, 403, 200],
    "organization_list": EVERYBODY,
    "organization_add": WHO_ADDS,
    "organization_detail": SHARED,
    "organization_edit": HOLDERS,
    "organization_delete": CORRECTING,
    "organization_step": CORRECTING,
    "contact_note_edit": WORKERS,
    "contact_add": HOLDERS,
    "contact_delete": WORKERS,
    "contact_edit": WORKERS,
    "contact_leave": WORKERS,
    "contact_data": SYSTEM_OF_OWN,
    # User administrators see every account, and are refused.
    "user_data": [403, 403, 403, 403, 403, 200, 404, 404],
    # The coordinator's own. User administrators see every account, and are refused.
    "person_reminders": [403, 200, 200, 200, 403, 200, 404, 404],
    "organization_compare": SHARED,
    "activity_list": EVERYBODY,
    "activity_board": EVERYBODY,
    "activity_detail": OWN,
    "activity_edit": WORKERS,
    "activity_step": WORKERS,
    "activity_attach": WORKERS,
    "activity_delete": WORKERS,
    "calendar": EVERYBODY,
    "glossary": EVERYBODY,
    "mail_list": EVERYBODY,
    "mail_detail": OWN,
    "mail_message": WORKERS,
    "mail_file": WORKERS,
    "mail_release": ENTERING,
    "mail_pauses": OFFICE,
    "mail_step": WORKERS,
    "milestone_list": EVERYBODY,
    "milestone_detail": OWN,
    "milestone_add": WORKERS,
    "milestone_step": WORKERS,
    "milestone_undo": WORKERS,
    "payment_list": EVERYBODY,
    "payment_add": WORKERS,
    "payment_edit": WORKERS,
    "payment_receive": WORKERS,
    # Promises of a signed agreement are changed by those who may amend it.
    "payment_delete": [403, 403, 200, 200, 404, 403, 404, 404],
    "event_list": EVERYBODY,
    "event_add": WHO_ADDS,
    "event_edit": HOLDERS,
    "event_detail": SHARED,
    "event_people": HOLDERS,
    "event_delete": CORRECTING,
    "event_step": CORRECTING,
    "event_ceremony": ENTERING,
    "event_ceremony_drafts": ENTERING,
    "facility_list": EVERYBODY,
    "facility_add": WHO_ADDS,
    "facility_edit": WORKERS,
    "facility_detail": OWN,
    "facility_step": WORKERS,
    "facility_delete": LEADS,
    "demand_list": EVERYBODY,
    "demand_add": WHO_ADDS,
    "demand_edit": WORKERS,
    "demand_detail": OWN,
    "demand_step": WORKERS,
    "demand_delete": WORKERS,
    "answer_step": WORKERS,
    "achievement_list": EVERYBODY,
    "achievement_add": WHO_ADDS,
    "achievement_edit": HOLDERS,
    "achievement_detail": SHARED,
    "achievement_delete": HOLDERS,
    "programme_list": EVERYBODY,
    "programme_add": WHO_ADDS,
    "programme_edit": HOLDERS,
    "programme_detail": SHARED,
    "programme_delete": HOLDERS,
    "report_list": EVERYBODY,
    "report_add": WHO_ADDS,
    "report_edit": WORKERS,
    "report_detail": OWN,
    "report_confirm": [403, 403, 200, 200, 404, 403, 404, 404],
    "report_delete": WORKERS,
    "honour_list": EVERYBODY,
    "honour_add": WHO_ADDS,
    "honour_edit": HOLDERS,
    "honour_detail": SHARED,
    # Everybody reads it, so whoever may not is refused, not kept in the dark.
    "honour_step": CORRECTING,
    "honour_delete": CORRECTING,
    "honour_scheme_list": EVERYBODY,
    "honour_scheme_detail": SHARED,
    "honour_scheme_delete": OFFICE_OF_SHARED,
    "figure_list": EVERYBODY,
    "figure_add": WHO_ADDS,
    "figure_edit": HOLDERS,
    "figure_confirm": [403, 403, 200, 200, 404, 403, 404, 403],
    "figure_detail": SHARED,
    "figure_delete": HOLDERS,
    "source_list": EVERYBODY,
    "source_add": WHO_ADDS,
    "source_edit": OFFICE_OF_SHARED,
    "citation_add": WORKERS,
    "citation_edit": OFFICE_OF_SHARED,
    "citation_delete": OFFICE_OF_SHARED,
    "custody_edit": WORKERS,
    "region_detail": SHARED,
    "source_detail": SHARED,
    "source_delete": OFFICE_OF_SHARED,
    "document_add": WORKERS,
    "document_edit": WORKERS,
    "document_replace": WORKERS,
    "document_download": OWN,
    "document_inline": OWN,
    "document_preview": OWN,
    "search": EVERYBODY,
    "operations": OFFICE,
    "history_search": OFFICE,
    "security_event_list": [403, 403, 403, 403, 403, 200, 403, 403],
    "export_list": EVERYBODY,
    "column_set_list": [200, 200, 200, 200, 403, 200, 403, 200],
    "column_set_add": WHO_ADDS,
    "column_set_edit": [403, 200, 200, 200, 404, 200, 404, 404],
    "export_detail": [404, 200, 404, 404, 404, 404, 404, 404],
    "export_download": [404, 200, 404, 404, 404, 404, 404, 404],
    "duplicates": WHO_ADDS,
    "contact_compare": WORKERS,
    "organization_merge": OFFICE_OF_SHARED,
    # Of an organization: the office alone.
    "merge_detail": [404, 404, 404, 200, 404, 200, 404, 404],
    "import_list": [403, 200, 200, 200, 403, 200, 403, 200],
    "import_add": [403, 200, 200, 200, 403, 200, 403, 200],
    "import_template": [403, 200, 200, 200, 403, 200, 403, 200],
    "import_detail": [404, 200, 200, 200, 404, 200, 404, 404],
    "import_row": [404, 200, 200, 200, 404, 200, 404, 404],
    "import_rejected": [404, 200, 200, 200, 404, 200, 404, 404],
    "import_recipe": [404, 200, 200, 200, 404, 200, 404, 404],
    "bulk_act": [404, 200, 404, 404, 404, 404, 404, 404],
    "me": EVERYBODY,
    "password_change": EVERYBODY,
    "password_change_done": EVERYBODY,
}
# Open to whoever asks, answered to POST alone, or a part of a page; each has a test of its own.
ELSEWHERE = {
    "healthz",
    "readyz",
    "login",
    "logout",
    "my_language",
    "event_ceremony_discard",
    "event_ceremony_names",
    "mail_resume",
    "operations_audit",
    "feed",
    "feed_add",
    "feed_revoke",
    "session_end",
    "session_end_others",
    "contact_mail",
    "report_file",
    "report_reopen",
    "saved_view_add",
    "saved_view_delete",
    "overview_tile",
    "column_set_delete",
    "export_add",
    "import_choose",
    "duplicate_mark",
    "merge_undo",
    "import_act",
    "import_keep",
    "import_recipe_delete",
    "bulk",
    "bulk_undo",
    "pick",
    "pick_add",
    "password_reset",
    "password_reset_done",
    "password_reset_confirm",
    "password_reset_complete",
}


def _export(world: World) -> Any:
    asked = {"actor": world.coordinator, "key": "agreement_list", "query": "", "file_format": "csv"}
    export = exports.request_export(**asked, now=timezone.now())
    exports.make(export, clock=timezone.now)
    return export


def _import_row(world: World) -> Any:
    """A row that stays out of an import of the coordinator's, checked and not made yet."""
    layout = {"headings": ["Name", "Kind"], "columns": {"0": "name", "1": "kind"}, "guessed": {}, "sheet": "List"}
    about = {"status": "checked", "counts": {"rejected": 1}, "rows_total": 1, "layout": layout}
    imported = ImportFactory(unit=world.unit, created_by=world.coordinator, **about)
    problems = [{"field": "kind", "message": "Choose what “what” means."}]
    return ImportRowFactory(imported=imported, cells=["Beta", "what"], outcome="rejected", problems=problems)


def mail_of(world: World) -> Any:
    """A mail to the owner of the milestone that did not get through."""
    mail = {"failed": True, "subject": f"{world.name} mail", "message": WRITTEN}
    item = {f"delivery__{name}": value for name, value in mail.items()}
    return ReminderItemFactory(plan__milestone=world.milestone, plan__status="expanded", **item).delivery


def addresses(world: World) -> dict[str, str]:
    agreement, milestone, activity = [world.agreement.pk], [world.milestone.pk], [world.activity.pk]
    mail = [mail_of(world).pk]
    ReminderItemFactory(plan__milestone=world.milestone, delivery__status="held", delivery__held_at=timezone.now())
    of_agreement = {"document__agreement": world.agreement}
    image = DocumentVersionFactory(
        **of_agreement, original_name="gate.png", content_type="image/png", content=png(2, 2)
    )
    row = _import_row(world)
    report = [ReportTextFactory(report__unit=world.unit).report_id]
    arguments: dict[str, list[Any]] = {
        "import_template": ["register"],
        "import_detail": [row.imported_id],
        "import_row": [row.imported_id, row.pk],
        "import_rejected": [row.imported_id],
        "import_recipe": [row.imported_id],
        "quiet_log": agreement,
        "team_hand_over": [world.coordinator.pk],
        "agreement_detail": agreement,
        "agreement_step": [world.draft.pk, "submit"],
        "agreement_edit": [world.draft.pk],
        "agreement_delete": [world.draft.pk],
        "activity_add": agreement,
        "organization_detail": [world.enterprise.pk],
        "organization_edit": [world.enterprise.pk],
        "organization_delete": [world.enterprise.pk],
        "organization_step": [world.enterprise.pk, "archive"],
        "contact_note_edit": [world.note.pk],
        "contact_add": [world.enterprise.pk],
        "contact_delete": [world.contact.pk],
        "contact_edit": [world.contact.pk],
        "contact_leave": [world.contact.pk],
        "contact_data": [world.contact.pk],
        "user_data": [world.coordinator.pk],
        "person_reminders": [world.coordinator.pk],
        "document_add": ["agreement", world.agreement.pk],
        "document_edit": [world.version.document_id],
        "document_replace": [world.version.document_id],
        "organization_compare": [world.enterprise.pk, EnterpriseFactory(name=f"{world.name} Works Group").pk],
        "organization_merge": [world.enterprise.pk],
        "contact_compare": [world.contact.pk, ContactFactory(organization=world.enterprise, unit=world.unit).pk],
        "merge_detail": [MergeFactory(kept_id=world.enterprise.pk).pk],
        "activity_detail": activity,
        "activity_step": [*activity, "complete"],
        "activity_attach": activity,
        "activity_delete": activity,
        "activity_edit": activity,
        "mail_detail": mail,
        "mail_message": mail,
        "mail_file": mail,
        "mail_step": [*mail, "send-again"],
        "milestone_detail": milestone,
        "milestone_add": ["agreement", world.agreement.pk],
        "milestone_step": [*milestone, "meet"],
        "milestone_undo": milestone,
        "event_detail": [EventFactory(unit=world.unit).pk],
        "event_edit": [EventFactory(unit=world.unit).pk],
        "facility_edit": [world.facility.pk],
        "demand_edit": [world.demand.pk],
        "achievement_edit": [AchievementFactory(unit=world.unit).pk],
        "programme_edit": [ProgrammeFactory(unit=world.unit).pk],
        "honour_edit": [HonourFactory(unit=world.unit).pk],
        "event_people": [EventFactory(unit=world.unit).pk],
        "event_step": [EventFactory(unit=world.unit).pk, "withdraw"],
        "event_delete": [EventFactory(unit=world.unit).pk],
        "payment_add": agreement,
        "payment_edit": [PaymentFactory(agreement=world.agreement).pk],
        "payment_receive": [PaymentFactory(agreement=world.agreement).pk],
        "payment_delete": [PaymentFactory(agreement=world.agreement).pk],
        "facility_detail": [world.facility.pk],
        "facility_step": [world.facility.pk, "open"],
        "facility_delete": [world.facility.pk],
        "demand_detail": [world.demand.pk],
        "demand_delete": [world.demand.pk],
        "demand_step": [world.demand.pk, "ask"],
        "answer_step": [world.answer.pk, "choose"],
        "achievement_detail": [AchievementFactory(unit=world.unit).pk],
        "achievement_delete": [AchievementFactory(unit=world.unit).pk],
        "programme_detail": [ProgrammeFactory(unit=world.unit).pk],
        "report_detail": report,
        "report_edit": report,
        "report_confirm": report,
        "report_delete": report,
        "programme_delete": [ProgrammeFactory(unit=world.unit).pk],
        "honour_detail": [HonourFactory(unit=world.unit).pk],
        "honour_delete": [HonourFactory(unit=world.unit).pk],
        "honour_step": [HonourFactory(unit=world.unit).pk, "withdraw"],
        "honour_scheme_detail": [HonourSchemeFactory().pk],
        "figure_detail": [ReportedFigureFactory(unit=world.unit, compared=True).pk],
        "figure_confirm": [ReportedFigureFactory(unit=world.unit, compared=True).pk],
        "figure_edit": [ReportedFigureFactory(unit=world.unit, compared=True).pk],
        "source_edit": [SourceFactory().pk],
        "citation_add": ["demand", world.demand.pk],
        "citation_edit": [CitationFactory(record=world.demand).pk],
        "citation_delete": [CitationFactory(record=world.demand).pk],
        "custody_edit": [CustodyStepFactory(agreement=world.agreement).pk],
        "region_detail": [RegionFactory().pk],
        "honour_scheme_delete": [HonourSchemeFactory().pk],
        "figure_delete": [ReportedFigureFactory(unit=world.unit, compared=True).pk],
        "source_delete": [SourceFactory().pk],
        "source_detail": [SourceFactory().pk],
        "column_set_edit": [ColumnSetFactory(unit=world.unit).pk],
        "export_detail": [_export(world).pk],
        "export_download": [_export(world).pk],
        "bulk_act": [record_act("reassign", [], actor=world.coordinator, now=timezone.now()).pk],
        "document_download": [world.version.document_id, world.version.number],
        "document_inline": [image.document_id, image.number],
        "document_preview": [image.document_id, image.number],
    }
    return {name: reverse(name, args=arguments.get(name, [])) for name in TABLE}


def status(client: Client, address: str) -> int:
    """Reads the answer to its end, so that a file is closed."""
    response = client.get(address)
    b"".join(response)
    return response.status_code


def test_every_address_is_in_the_table() -> None:
    names = {name for name in get_resolver("partnerships.urls").reverse_dict if isinstance(name, str)}

    assert names == TABLE.keys() | ELSEWHERE


# The pages of a lead are drawn below, where looking changes nothing; those of the others look like one of these.
DRAWN = {"viewer", "coordinator", "system_admin"}


def test_every_page_answers_every_role_as_the_table_says(world: World, client_of: Callable[[Any], Client]) -> None:
    pages = addresses(world)

    for number, role in enumerate(ROLES):
        client = client_of(world.people[role])
        with nullcontext() if role in DRAWN else nothing_drawn():
            answers = {name: status(client, address) for name, address in pages.items()}
        assert answers == {name: TABLE[name][number] for name in pages}, role


def test_without_a_login_every_page_asks_for_one(world: World) -> None:
    for address in addresses(world).values():
        response = Client().get(address)

        assert (response.status_code, response.url) == (302, f"{reverse('login')}?next={address}")


def test_a_post_without_the_secret_changes_nothing(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.lead)
    typed = {"version": 1, "on": "2026-03-02", "evidence": "x", "language": "zh-hans"}
    posts = addresses(world) | {name: reverse(name) for name in ("my_language", "logout")}
    before = _everything()

    answers = {name: client.post(address, typed).status_code for name, address in posts.items()}

    # 409: the page that holds what was typed.
    assert {name: code for name, code in answers.items() if code not in {403, 405, 409}} == {}
    assert _everything() == before


LISTS = (
    "my_work",
    "mail_list",
    "agreement_list",
    "milestone_list",
    "activity_list",
    "facility_list",
    "payment_list",
    "demand_list",
    "search",
)


@pytest.mark.parametrize("role", ["viewer", "coordinator", "lead"])
def test_two_units_see_nothing_of_each_other(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    twin = make_world("South")
    for one in (world, twin):
        mail_of(one)
        PaymentFactory(agreement=one.agreement, purpose=f"{one.name} scholarship")
    query = {"q": "signed"}

    for here, there in ((world, twin), (twin, world)):
        client = client_of(here.people[role])
        pages = "".join(client.get(reverse(name)).text for name in LISTS)
        pages += client.get(reverse("search"), query).text + whole_page(client, here.agreement)
        assert f"{here.name} signed" in pages
        assert f"{there.name} signed" not in pages
        assert f"{there.name} milestone" not in pages
        assert f"{there.name} training" not in pages
        assert f"{there.name} school" not in pages
        assert [f"{here.name} {kind}" in pages for kind in ("base", "demand")] == [True, True]
        assert [f"{there.name} {kind}" in pages for kind in ("base", "demand")] == [False, False]
        assert [f"{one.name} mail" in pages for one in (here, there)] == [True, False]
        assert [f"{one.name} scholarship" in pages for one in (here, there)] == [True, False]


@pytest.mark.parametrize("role", ["viewer", "coordinator", "lead"])
def test_the_twins_steps_and_papers_do_not_exist(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    twin = make_world("South")
    client = client_of(world.people[role])
    inside = {"agreement_detail", "agreement_step", "activity_add", "activity_detail", "activity_step", "activity_edit"}
    inside |= {
        "contact_note_edit",
        "agreement_edit",
        "citation_add",
        "custody_edit",
        "contact_edit",
        "contact_leave",
        "document_add",
        "document_edit",
        "document_replace",
    }
    inside |= {"milestone_detail", "milestone_step", "milestone_add", "document_download", "answer_step"}
    inside |= {"document_inline", "document_preview"}
    inside |= {"payment_add", "payment_edit", "payment_receive", "payment_delete"}
    inside |= {"facility_detail", "facility_step", "demand_detail", "demand_step"}
    inside |= {f"{kind}_delete" for kind in ("agreement", "contact", "activity", "facility", "demand")}
    inside |= {"mail_detail", "mail_message", "mail_file", "mail_step"}

    answers = {name: client.post(address).status_code for name, address in addresses(twin).items() if name in inside}

    refused = dict.fromkeys(inside, 404)
    reading = ("agreement", "activity", "milestone", "facility", "demand")
    refused |= dict.fromkeys(
        (*(f"{name}_detail" for name in reading), "document_download", "document_inline", "document_preview"), 405
    )
    refused |= dict.fromkeys(("mail_detail", "mail_message", "mail_file"), 405)
    assert answers == refused


def test_a_directory_entry_keeps_its_people_to_the_holders(world: World, client_of: Callable[[Any], Client]) -> None:
    address = world.enterprise.get_absolute_url()

    own = client_of(world.coordinator).get(address).text
    masked = client_of(world.people["viewer"]).get(address).text
    foreign = client_of(world.people["outsider"]).get(address).text

    assert [world.contact.phone in page for page in (own, masked, foreign)] == [True, False, False]
    assert [world.contact.name in page for page in (own, masked, foreign)] == [True, True, False]


def _everything() -> dict[str, Any]:
    """Every row of the product with its values, but for the security log, which says who looked."""
    models = [model for model in apps.get_app_config("partnerships").get_models() if model is not SecurityEvent]
    return {model.__name__: sorted(map(repr, model._base_manager.values_list())) for model in models}


def test_looking_changes_nothing(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.lead)
    pages = [address for name, address in addresses(world).items() if TABLE[name][2] == 200]  # as the lead
    before = _everything()

    answers = [status(client, address) for address in pages]

    assert set(answers) == {200}
    assert _everything() == before


def test_the_refusal_says_why(world: World, client_of: Callable[[Any], Client]) -> None:
    response = client_of(world.people["viewer"]).get(reverse("milestone_step", args=[world.milestone.pk, "meet"]))

    assert response.status_code == 403
    assert "Only a coordinator or lead of its unit may do this." in response.text


def test_somebody_without_a_role_is_told_what_to_do(world: World, client_of: Callable[[Any], Client]) -> None:
    response = client_of(world.people["nobody"]).get(reverse("my_work"))

    assert "Your account has no role in a unit yet" in response.text


def test_a_user_administrator_without_a_role_is_led_to_the_accounts(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    page = client_of(world.people["user_admin"]).get(reverse("my_work")).text

    assert f'href="{reverse("admin:partnerships_user_changelist")}"' in page
    assert "Ask the person who manages accounts" not in page


def test_the_administration_is_offered_to_those_who_may_enter(world: World, client_of: Callable[[Any], Client]) -> None:
    offered = {role: reverse("admin:index") in client_of(person).get("/").text for role, person in world.people.items()}

    assert {role for role, is_offered in offered.items() if is_offered} == {
        "lead",
        "staff",
        "user_admin",
        "system_admin",
    }


def test_participating_units_follow_up_and_no_more(world: World, client_of: Callable[[Any], Client]) -> None:
    outsider = world.people["outsider"]
    world.agreement.participating_units.create(unit=outsider.memberships.get().unit)
    client = client_of(outsider)
    pages = addresses(world)

    assert client.get(pages["agreement_detail"]).status_code == 200
    assert client.get(pages["activity_add"]).status_code == 200
    assert client.get(pages["milestone_step"]).status_code == 403
    assert client.get(pages["activity_edit"]).status_code == 403
