"""The access table, written by hand, against ``may`` and ``visible_to``."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from partnerships.exceptions import NotAllowed
from partnerships.factories import (
    AgreementFactory,
    AnswerFactory,
    DocumentFactory,
    EventFactory,
    HonourFactory,
    MilestoneFactory,
    OrganizationFactory,
    ProgrammeFactory,
    ReminderItemFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Contact,
    ContactNote,
    Delivery,
    Demand,
    Document,
    Event,
    Facility,
    Honour,
    Milestone,
    Organization,
    Programme,
    ReminderRule,
    Report,
    ReportedFigure,
    Role,
    Source,
    Unit,
    User,
)
from partnerships.models.milestones import CLOSED_BY_STEP
from partnerships.permissions import ACTIONS, may, refusal, require
from tests.scope import PLACES, ROLES, Twins, make_twins

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

#                            viewer, coordinator, lead, staff, user admin, system admin
EVERYBODY = ("opx", "opx", "opx", "opx", "", "opx")
OWN = ("o", "o", "o", "opx", "", "opx")
OWN_WORK = ("", "o", "o", "opx", "", "opx")
OWN_LEAD = ("", "", "o", "opx", "", "opx")
SEE = ("op", "op", "op", "opx", "", "opx")
FOLLOW_UP = ("", "op", "op", "opx", "", "opx")
LEAD_ALONE = ("", "", "o", "", "", "")
LEAD_AND_OFFICE = ("", "", "o", "opx", "", "")
OFFICE = ("", "", "", "opx", "", "opx")
ACCOUNTS = ("", "", "", "", "opx", "opx")

ACCESS: dict[str, tuple[str, ...]] = {
    "organization.view": EVERYBODY,
    "organization.view_details": OWN,
    "organization.add": ("", "opx", "opx", "opx", "", "opx"),
    "organization.edit": OWN_WORK,
    "organization.archive": OWN_LEAD,
    "organization.merge": OFFICE,
    "contact.view": OWN,
    "contact.view_personal": OWN_WORK,
    "contact.edit": OWN_WORK,
    "agreement.view": SEE,
    "agreement.add": OWN_WORK,
    "agreement.edit": OWN_WORK,
    "agreement.submit": OWN_WORK,
    "agreement.record_approval": OWN_WORK,
    "agreement.cancel": OWN_WORK,
    "agreement.record_signed": OWN_WORK,
    "agreement.approve": LEAD_ALONE,
    "agreement.return": LEAD_ALONE,
    "agreement.suspend": LEAD_ALONE,
    "agreement.resume": LEAD_ALONE,
    "agreement.complete": LEAD_ALONE,
    "agreement.terminate": LEAD_ALONE,
    "agreement.end_by_notice": LEAD_ALONE,
    "agreement.correct": LEAD_ALONE,
    "agreement.sign": LEAD_AND_OFFICE,
    "agreement.confirm_signing": LEAD_AND_OFFICE,
    "agreement.amend": LEAD_AND_OFFICE,
    "agreement.delete": ("", "", "", "", "", ""),  # these are signed; drafts have their own test
    "agreement.follow_up": FOLLOW_UP,
    "payment.view": SEE,
    "payment.edit": LEAD_AND_OFFICE,  # of signed agreements; tests/workflows/test_payments.py has the others
    "payment.receive": FOLLOW_UP,
    "payment.correct_receipt": OWN_WORK,
    "milestone.view": SEE,
    "milestone.add": FOLLOW_UP,
    "milestone.edit": OWN_WORK,
    "milestone.act": OWN_WORK,
    "milestone.move": OWN_WORK,
    "milestone.snooze": OWN_WORK,
    "milestone.assign": OWN_WORK,
    "milestone.accept": OWN_LEAD,
    "milestone.waive": OWN_LEAD,
    "milestone.correct": OWN_LEAD,
    "activity.view": SEE,
    "activity.add": FOLLOW_UP,
    "activity.edit": OWN_WORK,
    "activity.correct": OWN_WORK,
    "contact_note.view": SEE,
    "contact_note.add": FOLLOW_UP,
    "contact_note.edit": OWN_WORK,
    "document.view": SEE,
    "document.upload": FOLLOW_UP,
    "document.replace": OWN_WORK,
    "event.view": EVERYBODY,
    "event.view_minutes": OWN,
    "event.add": OWN_WORK,
    "event.edit": OWN_WORK,
    "event.correct": OWN_LEAD,
    "facility.view": SEE,
    "facility.add": FOLLOW_UP,
    "facility.edit": OWN_WORK,
    "facility.correct": OWN_LEAD,
    "demand.view": SEE,
    "demand.add": OWN_WORK,
    "demand.edit": OWN_WORK,
    "demand.correct": OWN_WORK,
    "answer.edit": FOLLOW_UP,
    "achievement.view": EVERYBODY,
    "achievement.edit": OWN_WORK,
    "programme.view": EVERYBODY,
    "programme.edit": OWN_WORK,
    "honour.view": EVERYBODY,
    "honour.edit": OWN_WORK,
    "honour.correct": OWN_LEAD,
    "figure.view": EVERYBODY,
    "figure.edit": OWN_WORK,
    "figure.confirm": LEAD_AND_OFFICE,
    "report.view": OWN,
    "report.edit": OWN_WORK,
    "report.reopen": OWN_WORK,
    "report.confirm": LEAD_AND_OFFICE,
    "source.view": EVERYBODY,
    "source.add": ("", "opx", "opx", "opx", "", "opx"),
    "source.edit": OFFICE,
    "citation.add": OWN_WORK,
    "citation.edit": OFFICE,
    "reference.view": EVERYBODY,
    "reference.edit": OFFICE,
    "reminder_rule.view": EVERYBODY,
    "reminder_rule.edit": OWN_LEAD,
    "delivery.view": SEE,
    "delivery.view_body": OWN_WORK,
    "delivery.resend": OWN_WORK,
    "delivery.release": OWN_WORK,
    "mail_hold.edit": OFFICE,
    "operations.view": OFFICE,
    "team.view": ("", "", "opx", "opx", "", "opx"),
    "history.view": SEE,
    "history.search": OFFICE,
    "security.view": ("", "", "", "", "", "opx"),
    "feed.own": ("", "", "", "", "", ""),  # everybody, for their own
    "session.own": ("", "", "", "", "", ""),  # everybody, for their own
    "user.edit_preferences": ("", "", "", "", "", ""),  # everybody, for their own
    "user.view_reminders": OWN_LEAD,
    "export": EVERYBODY,
    "column_set.edit": OWN_WORK,
    "import.view": OWN_WORK,
    "import.run": OWN_WORK,
    "import.undo": OWN_WORK,
    "import_recipe.edit": ("", "", "", "", "", ""),  # everybody, for their own
    "unit.view": ("opx", "opx", "opx", "opx", "opx", "opx"),
    "unit.edit": ACCOUNTS,
    "role.grant": ACCOUNTS,
    "user.view": ACCOUNTS,
    "user.edit": ACCOUNTS,
    "user.edit_login": ACCOUNTS,
    "user.grant_admin": ("", "", "", "", "", "opx"),
    "person.export_data": ("", "", "", "", "", "opx"),
    "person.erase": ("", "", "", "", "", "opx"),
}
KINDS = {
    "person": "contact",
    "feed": "milestone",
    "session": "milestone",
    "reference": "source",
    "history": "agreement",
    "export": "agreement",
    "column_set": "organization",
    "import": "organization",
    "import_recipe": "milestone",
    "operations": "agreement",
    "security": "agreement",
    "team": "agreement",
    "mail_hold": "agreement",
}


def test_the_table_has_every_action() -> None:
    assert sorted(ACCESS) == sorted(ACTIONS)


def test_every_action_of_every_role_in_every_place() -> None:
    twins = make_twins()
    found = {action: tuple(reach(twins, role, action) for role in ROLES) for action in ACCESS}
    assert found == ACCESS


def reach(twins: Twins, role: str, action: str) -> str:
    """The places where the role may take the action, and that a refusal comes with words."""
    area = action.partition(".")[0]
    rows = twins.rows[KINDS.get(area, area)]
    person = User.objects.get(pk=twins.people[role].pk)
    return "".join(letter for place, letter in PLACES.items() if may(person, action, rows[place]))


def test_a_refusal_comes_with_words() -> None:
    row = AgreementFactory()
    viewer = UserFactory(viewer_in=row.unit)
    stranger = UserFactory(viewer_in=UnitFactory())
    words = {
        "agreement.view": (stranger, "This belongs to another unit."),
        "agreement.edit": (viewer, "Only a coordinator or lead of its unit may do this."),
        "agreement.approve": (viewer, "Only a lead of its unit may do this."),
        "user.edit": (viewer, "Only administrators may do this."),
    }
    assert {action: str(refusal(person, action, row)) for action, (person, _) in words.items()} == {
        action: text for action, (_, text) in words.items()
    }
    with pytest.raises(NotAllowed, match="another unit"):
        require(stranger, "agreement.view", row)


def test_an_action_misspelled_is_an_error() -> None:
    with pytest.raises(KeyError):
        may(UserFactory(system_admin=True), "agreement.aprove")


@pytest.mark.parametrize(
    "trait",
    [{"staff": True}, {"system_admin": True}, {"user_admin": True}, {"staff": True, "system_admin": True}],
)
def test_nobody_inactive_may_do_or_see_anything(trait: dict[str, bool]) -> None:
    twins = make_twins()
    left = UserFactory(deactivated=True, lead_in=twins.rows["unit"]["own"], **trait)
    assert [action for action in ACTIONS if may(left, action)] == []
    assert {str(refusal(left, action)) for action in ACTIONS} == {"Please log in."}
    assert seen_by(left, twins) == {}


def test_nobody_without_a_role_or_a_login_may_do_or_see_anything() -> None:
    twins = make_twins()
    for person in (UserFactory(), AnonymousUser()):
        allowed = [
            action
            for action in ACTIONS
            for rows in twins.rows.values()
            for row in rows.values()
            if action.startswith(row._meta.model_name) and may(person, action, row)
        ]
        assert allowed == []
        assert seen_by(person, twins) == {}


# What exists for whom

MODELS: dict[str, Any] = {
    "agreement": Agreement,
    "milestone": Milestone,
    "activity": Activity,
    "contact_note": ContactNote,
    "document": Document,
    "delivery": Delivery,
    "organization": Organization,
    "contact": Contact,
    "event": Event,
    "reminder_rule": ReminderRule,
    "source": Source,
    "facility": Facility,
    "demand": Demand,
    "achievement": Achievement,
    "programme": Programme,
    "honour": Honour,
    "report": Report,
    "figure": ReportedFigure,
    "unit": Unit,
    "user": User,
}


def seen_by(person: Any, twins: Twins) -> dict[str, str]:
    """Kind -> the places whose row is visible; kinds of which nothing is seen are left out."""
    if isinstance(person, User):
        person = User.objects.get(pk=person.pk)
    seen = {}
    for kind, model in MODELS.items():
        pks = set(model.objects.visible_to(person).values_list("pk", flat=True))
        seen[kind] = "".join(letter for place, letter in PLACES.items() if twins.rows[kind][place].pk in pks)
    return {kind: places for kind, places in seen.items() if places}


MEMBER_SEES = {
    "agreement": "op",
    "milestone": "op",
    "activity": "op",
    "contact_note": "op",
    "document": "op",
    "delivery": "op",
    "organization": "opx",
    "contact": "o",
    "event": "opx",
    "reminder_rule": "o",
    "source": "opx",
    "facility": "op",
    "demand": "op",
    "achievement": "opx",
    "programme": "opx",
    "honour": "opx",
    "report": "o",
    "figure": "opx",
    "unit": "o",
    "user": "o",
}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("viewer", MEMBER_SEES),
        ("coordinator", MEMBER_SEES),
        ("lead", MEMBER_SEES),
        ("staff", dict.fromkeys(MODELS, "opx")),
        ("user_admin", {"unit": "opx", "user": "opx"}),
        ("system_admin", dict.fromkeys(MODELS, "opx")),
    ],
)
def test_which_rows_exist_for_whom(role: str, expected: dict[str, str]) -> None:
    twins = make_twins()
    assert seen_by(twins.people[role], twins) == expected


@pytest.mark.parametrize("role", ROLES)
def test_nobody_may_touch_what_they_do_not_see(role: str) -> None:
    twins = make_twins()
    person = User.objects.get(pk=twins.people[role].pk)
    seen = seen_by(person, twins)
    shared = {"unit.view", "reminder_rule.view"}  # words for those who fill in a form, not a page of the row
    beyond = {
        (action, place)
        for kind in MODELS
        for action in ACTIONS
        if action.startswith(f"{kind}.") and action not in shared and not action.endswith(".add")
        for place, letter in PLACES.items()
        if may(person, action, twins.rows[kind][place]) and letter not in seen.get(kind, "")
    }
    assert beyond == set()


def test_a_role_reaches_the_units_below_not_those_above() -> None:
    college = UnitFactory()
    department = UnitFactory(parent=UnitFactory(parent=college))
    dean, head = UserFactory(lead_in=college), UserFactory(lead_in=department)
    above, below = AgreementFactory(unit=college), AgreementFactory(unit=department)
    assert [may(dean, "agreement.edit", row) for row in (above, below)] == [True, True]
    assert [may(head, "agreement.edit", row) for row in (above, below)] == [False, True]
    assert set(Agreement.objects.visible_to(head)) == {below}
    assert dean.scope.roles == {college.pk: Role.LEAD, department.parent_id: Role.LEAD, department.pk: Role.LEAD}


def test_the_higher_role_counts_where_two_meet() -> None:
    college = UnitFactory()
    department = UnitFactory(parent=college)
    person = UserFactory(viewer_in=college, lead_in=department)
    assert person.scope.roles == {college.pk: Role.VIEWER, department.pk: Role.LEAD}
    assert UserFactory(lead_in=college, viewer_in=department).scope.role_in(department.pk) == Role.LEAD


# The exceptions


def test_drafts_are_deleted_by_their_creator_or_from_above() -> None:
    draft = AgreementFactory()
    unit = draft.unit
    people = {
        "creator": draft.created_by,
        "colleague": UserFactory(coordinator_in=unit),
        "viewer": UserFactory(viewer_in=unit),
        "lead": UserFactory(lead_in=unit),
        "staff": UserFactory(staff=True),
        "system_admin": UserFactory(system_admin=True),
        "stranger": UserFactory(lead_in=UnitFactory()),
    }
    allowed = {name for name, person in people.items() if may(person, "agreement.delete", draft)}
    assert allowed == {"creator", "lead", "staff", "system_admin"}


def test_being_staff_as_well_does_not_let_an_administrator_sign() -> None:
    agreement = AgreementFactory(approved=True)
    both = UserFactory(staff=True, system_admin=True, lead_in=agreement.unit)
    assert [may(both, f"agreement.{verb}", agreement) for verb in ("sign", "approve", "amend")] == [False] * 3
    assert may(both, "agreement.record_signed", agreement)


def test_a_participants_owner_works_on_their_milestone_and_on_no_other() -> None:
    partner = UnitFactory()
    agreement = AgreementFactory(signed=True, units=[partner])
    owner = UserFactory(coordinator_in=partner)
    given, others = MilestoneFactory(agreement=agreement, owner=owner), MilestoneFactory(agreement=agreement)
    assert [may(owner, "milestone.act", row) for row in (given, others)] == [True, False]
    assert [may(owner, "milestone.move", row) for row in (given, others)] == [True, False]
    assert not may(owner, "milestone.waive", given)


@pytest.mark.parametrize("kind", sorted(CLOSED_BY_STEP))
@pytest.mark.parametrize("action", ["waive", "snooze", "correct"])
def test_what_its_step_closes_is_not_closed_by_hand(kind: str, action: str) -> None:
    unit = UnitFactory()
    milestone = MilestoneFactory(unit=unit, kind=kind, owner=None)
    people = (UserFactory(lead_in=unit), UserFactory(staff=True), UserFactory(system_admin=True))

    assert [may(person, f"milestone.{action}", milestone) for person in people] == [False] * 3


def test_an_owner_whose_unit_no_longer_takes_part_does_not() -> None:
    owner = UserFactory(coordinator_in=UnitFactory())
    milestone = MilestoneFactory(owner=owner)
    assert not may(owner, "milestone.act", milestone)
    assert not Milestone.objects.visible_to(owner).exists()


def test_everybody_sees_their_own_mail() -> None:
    item = ReminderItemFactory(person=UserFactory(viewer_in=UnitFactory()))
    assert may(item.person, "delivery.view_body", item.delivery)
    assert not may(item.person, "delivery.resend", item.delivery)
    assert list(Delivery.objects.visible_to(item.person)) == [item.delivery]


def test_a_digest_of_several_units_is_read_by_whoever_sees_them_all() -> None:
    first, second = UnitFactory(), UnitFactory()
    item = ReminderItemFactory(plan__milestone__agreement__unit=first)
    ReminderItemFactory(plan__milestone__agreement__unit=second, person=item.person, delivery=item.delivery)
    one, both = UserFactory(lead_in=first), UserFactory(lead_in=first, coordinator_in=second)
    assert [may(person, "delivery.view", item.delivery) for person in (one, both)] == [True, True]
    assert [may(person, "delivery.view_body", item.delivery) for person in (one, both)] == [False, True]
    assert [may(person, "delivery.resend", item.delivery) for person in (one, both)] == [False, True]
    assert [may(person, "delivery.release", item.delivery) for person in (one, both)] == [False, True]


def test_documents_of_shared_rows_are_the_units_that_hold_them() -> None:
    unit = UnitFactory()
    documents = [
        DocumentFactory(event=EventFactory(unit=unit)),
        DocumentFactory(organization=OrganizationFactory(held_by=unit)),
        DocumentFactory(milestone=MilestoneFactory(agreement__unit=unit)),
        DocumentFactory(programme=ProgrammeFactory(unit=unit)),
        DocumentFactory(honour=HonourFactory(unit=unit)),
    ]
    own, other = UserFactory(viewer_in=unit), UserFactory(lead_in=UnitFactory())
    assert [may(own, "document.view", row) for row in documents] == [True] * 5
    assert [may(other, "document.view", row) for row in documents] == [False] * 5
    assert set(Document.objects.visible_to(own)) == set(documents)
    assert not Document.objects.visible_to(other).exists()


def test_whoever_asked_chooses_among_the_answers() -> None:
    answer = AnswerFactory(proposed=True)
    asked, asking = UserFactory(lead_in=answer.unit), UserFactory(coordinator_in=answer.demand.unit)
    assert [may(person, "demand.edit", answer) for person in (asked, asking)] == [False, True]
    assert [may(person, "answer.edit", answer) for person in (asked, asking)] == [True, True]
    assert not may(UserFactory(lead_in=UnitFactory()), "answer.edit", answer)


def test_a_user_administrator_does_not_change_accounts_above_their_own() -> None:
    administrator = UserFactory(user_admin=True)
    accounts = [
        UserFactory(),
        UserFactory(lead_in=UnitFactory()),
        UserFactory(staff=True),
        UserFactory(system_admin=True),
    ]
    assert [may(administrator, "user.edit", account) for account in accounts] == [True, True, False, False]
    assert [may(administrator, "history.view", account) for account in accounts] == [True, True, True, True]
    assert not may(administrator, "user.grant_admin", accounts[0])
    assert all(may(UserFactory(system_admin=True), "user.edit", account) for account in accounts)


def test_an_auditor_reads_the_log_and_every_history_and_nothing_else() -> None:
    twins, auditor = make_twins(), UserFactory(auditor=True)
    rows = [row for places in twins.rows.values() for row in places.values()]
    allowed = {action for action in ACTIONS for row in (None, *rows) if _may_or_fails(auditor, action, row)}
    assert allowed == {"security.view", "history.search", "history.view"}
    assert all(may(auditor, "history.view", row) for row in rows)
    assert seen_by(auditor, twins) == {}


def _may_or_fails(person: User, action: str, row: Any) -> bool:
    """Some actions cannot be asked about some kinds of rows."""
    try:
        return may(person, action, row)
    except AttributeError:
        return False


def test_an_auditors_account_is_changed_by_system_administrators_alone() -> None:
    account = UserFactory(auditor=True)
    assert not may(UserFactory(user_admin=True), "user.edit", account)
    assert may(UserFactory(system_admin=True), "user.edit", account)


def test_a_rule_for_all_units_is_the_offices() -> None:
    rule = ReminderRuleFactory(unit=None)
    lead = UserFactory(lead_in=UnitFactory())
    assert (may(lead, "reminder_rule.view", rule), may(lead, "reminder_rule.edit", rule)) == (True, False)
    assert list(ReminderRule.objects.visible_to(lead)) == [rule]
    assert may(UserFactory(staff=True), "reminder_rule.edit", rule)


@pytest.mark.parametrize("kind", ["activity", "contact_note", "facility", "milestone"])
def test_what_is_added_under_an_agreement_is_of_a_unit_that_takes_part_or_ones_own(kind: str) -> None:
    own, owner = UnitFactory(), UnitFactory()
    agreement = AgreementFactory(unit=owner, signed=True, units=[own])
    person = UserFactory(coordinator_in=own)
    models = {"activity": Activity, "contact_note": ContactNote, "facility": Facility, "milestone": Milestone}
    units = (own, UnitFactory(parent=own), owner, UnitFactory())

    added = [may(person, f"{kind}.add", models[kind](agreement=agreement, unit=unit)) for unit in units]

    assert added == [True, True, True, False]
    assert may(UserFactory(staff=True), f"{kind}.add", models[kind](agreement=agreement, unit=units[-1]))


def test_own_organizations_are_those_ones_units_hold() -> None:
    unit = UnitFactory()
    held, _other = OrganizationFactory(held_by=unit), OrganizationFactory()
    assert list(Organization.objects.held_by_scope_of(UserFactory(viewer_in=unit))) == [held]
    assert not Organization.objects.held_by_scope_of(UserFactory()).exists()
    assert not Organization.objects.held_by_scope_of(UserFactory(deactivated=True, staff=True)).exists()
    assert Organization.objects.held_by_scope_of(UserFactory(staff=True)).count() == 2


def test_asking_costs_few_queries(django_assert_num_queries: Any) -> None:
    agreement = AgreementFactory(signed=True, units=[UnitFactory()])
    person = User.objects.get(pk=UserFactory(lead_in=agreement.unit).pk)
    with django_assert_num_queries(2):  # the memberships, the tree of units
        assert may(person, "agreement.edit", agreement)
    with django_assert_num_queries(0):
        assert may(person, "agreement.sign", agreement)


@pytest.mark.parametrize(("kind", "is_read"), [("policy", True), ("minutes", False), ("other", False)])
def test_the_policy_documents_of_a_programme_are_read_by_all_who_read_it(kind: str, is_read: bool) -> None:
    document = DocumentFactory(programme=ProgrammeFactory(), kind=kind)
    reader, accounts = UserFactory(viewer_in=UnitFactory()), UserFactory(user_admin=True)
    people = (reader, accounts)
    assert [may(person, "document.view", document) for person in people] == [is_read, False]
    assert [Document.objects.visible_to(person).exists() for person in people] == [is_read, False]
    assert not may(UserFactory(lead_in=UnitFactory()), "document.upload", document)


def test_a_policy_document_of_anything_else_stays_with_its_unit() -> None:
    document, reader = DocumentFactory(event=EventFactory(), kind="policy"), UserFactory(viewer_in=UnitFactory())
    assert not may(reader, "document.view", document)
    assert not Document.objects.visible_to(reader).exists()
