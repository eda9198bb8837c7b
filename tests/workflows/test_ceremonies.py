"""A ceremony is recorded whole or not at all, once, by whoever may; and its draft is kept until then."""

import uuid
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, PossibleDuplicate, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    AgreementTypeFactory,
    AssociationFactory,
    CeremonyDraftFactory,
    EnterpriseFactory,
    InstitutionFactory,
    ProgrammeFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Activity,
    Agreement,
    CeremonyDraft,
    Demand,
    Event,
    Facility,
    Milestone,
    Organization,
    OrganizationUnit,
    Participation,
    ProgrammeItem,
    ReportedFigure,
    Source,
    StatusChange,
    User,
)
from partnerships.workflows.ceremonies import (
    Ceremony,
    OpenedFacility,
    Participant,
    ReleasedDemand,
    ReportedCount,
    SignedAgreement,
    VisitedPartner,
    discard_draft,
    record_ceremony,
    save_draft,
)
from tests.together import refused, run_together
from tests.workflows.follow_ups import record_activity

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
MADE = (
    Event,
    Agreement,
    Facility,
    Demand,
    Activity,
    ReportedFigure,
    Source,
    Participation,
    ProgrammeItem,
    Milestone,
    OrganizationUnit,
)


@pytest.fixture
def actor() -> Any:
    return UserFactory(coordinator_in=UnitFactory())


def unit_of(actor: User) -> Any:
    return actor.memberships.get().unit


def whole_ceremony(actor: User, **values: Any) -> Ceremony:
    """One of everything, of the actor's unit; the new enterprise is called Panda."""
    kept = {"unit": unit_of(actor), "coordinator": actor}
    parties = ("present-0", "present-1")
    made: dict[str, Any] = {
        "event": Event(unit=unit_of(actor), name="Ceremony", starts_on=DAY),
        "kinds": ("signing_ceremony", "opening"),
        "programme": ProgrammeFactory(unit=unit_of(actor)),
        "present": (
            Participant(key="present-0", name="College", role="host", organization=InstitutionFactory()),
            Participant(key="present-1", name="Panda", role="participant", kind="enterprise"),
            Participant(key="present-2", name="Garbled ...", role="signatory"),
        ),
        "signed": (signed(AgreementTypeFactory(), parties, **kept),),
        "opened": (OpenedFacility(key="facilities-0", kind="workstation", name="Station", partners=parties, **kept),),
        "released": (ReleasedDemand(key="demands-0", organization="present-1", title="", wording="", **kept),),
        "visited": (VisitedPartner(key="visits-0", organization="present-1", on=DAY, **kept),),
        "reported": (nine(),),
        "source": Source(title="Article"),
    }
    return Ceremony(**{**made, **values})


def signed(kind: Any, parties: tuple[str, ...], **kept: Any) -> SignedAgreement:
    more = {"title_as_signed": "", "areas": (), "is_party_list_complete": True, "signs_for_members": False}
    return SignedAgreement(key="agreements-0", type=kind, title="Agreement", parties=parties, **more, **kept)


def nine(printed: str = "nine") -> ReportedCount:
    words = {"name": "Agreements signed", "printed": printed, "qualifier": "exact"}
    figure = ReportedFigure(counting_rule="event_agreements", value=Decimal(9), **words)
    return ReportedCount(key="reported-event_agreements", figure=figure)


def record(ceremony: Ceremony, actor: User, *, key: uuid.UUID | None = None, **more: Any) -> Event:
    page = {"version": 0, "today": DAY, "now": NOON}
    return record_ceremony(ceremony, actor=actor, key=key or uuid.uuid4(), **{**page, **more})


def hosts_of(event: Event) -> list[Organization]:
    return [row.organization for row in event.participations.filter(role="host").select_related("organization")]


def made() -> dict[str, int]:
    return {model.__name__: model._base_manager.count() for model in MADE}


def test_all_history_rows_name_the_actor(actor: User) -> None:
    event = record(whole_ceremony(actor), actor)

    agreement, facility, demand = event.agreements.get(), event.facilities.get(), event.demands.get()
    visit, panda = event.activities.get(), Organization.objects.get(name="Panda")
    assert (agreement.status, agreement.signed_on, agreement.recorded_on) == ("signed", DAY, DAY)
    assert (facility.status, facility.opened_on) == ("opened", DAY)
    assert (demand.status, demand.released_on, demand.is_content_published) == ("released", DAY, False)
    assert (visit.status, visit.completed_on, visit.agreement, visit.visit.host) == ("completed", DAY, agreement, panda)
    assert [row.owner for row in (facility, demand, visit)] == [actor] * 3
    # The college is the host of the ceremony.
    assert {str(row.organization) for row in visit.partners.all()} == {
        "Panda",
        *(str(host) for host in hosts_of(event)),
    }
    assert {row.organization for row in agreement.parties.all()} == {
        row.organization for row in facility.partners.all()
    }
    assert event.participations.get(organization=None).name_as_printed == "Garbled ..."
    assert OrganizationUnit.objects.filter(organization=panda, coordinator=actor, unit=event.unit).exists()
    rows = (
        event,
        *event.kinds.all(),
        *event.participations.all(),
        panda,
        facility,
        demand,
        agreement,
        Source.objects.get(),
    )
    assert {row.history.last().history_user for row in rows} == {actor}
    assert set(StatusChange.objects.values_list("actor", flat=True)) == {actor.pk}


def test_all_records_get_the_label_of_the_programme(actor: User) -> None:
    ceremony = whole_ceremony(actor)

    event = record(ceremony, actor)
    different = frozenset(Organization.objects.values_list("pk", flat=True))
    others = tuple(replace(one, confirmed_different=different) for one in ceremony.present)
    other = Event(unit=event.unit, name="Other", starts_on=DAY)
    lines = (replace(ceremony.signed[0], title="Another agreement"),)
    record(replace(ceremony, programme=None, event=other, present=others, signed=lines), actor)

    labelled = [event, event.agreements.get(), event.facilities.get(), event.demands.get()]
    items = ceremony.programme.items.all()
    assert [item.target for item in items] == labelled
    assert [item.history.get().history_user for item in items] == [actor] * 4
    assert ProgrammeItem.objects.count() == 4


def test_no_milestones_are_made_for_days_that_are_over(actor: User) -> None:
    long_ago = DAY.replace(year=DAY.year - 3)
    ceremony = whole_ceremony(actor, event=Event(unit=unit_of(actor), name="Ceremony", starts_on=long_ago))
    ceremony = replace(ceremony, visited=(replace(ceremony.visited[0], on=long_ago),))
    TypeMilestoneFactory(type=ceremony.signed[0].type)

    record(ceremony, actor)

    assert Milestone.objects.exists()
    assert not Milestone.objects.filter(due_on__lt=DAY).exists()


def test_only_an_association_signs_for_its_members(actor: User) -> None:
    ceremony = whole_ceremony(actor)
    association = Participant(key="present-0", name="A", role="host", organization=AssociationFactory())
    present = (association, *ceremony.present[1:])
    line = replace(ceremony.signed[0], signs_for_members=True)

    event = record(replace(ceremony, present=present, signed=(line,)), actor)

    parties = event.agreements.get().parties.values_list("organization__kind", "signs_for_members", "is_for_itself")
    assert set(parties) == {("association", True, True), ("enterprise", False, True)}


def test_a_visit_belongs_to_the_one_agreement_of_its_host(actor: User) -> None:
    ceremony = whole_ceremony(actor)
    second = replace(ceremony.signed[0], key="agreements-1")

    event = record(replace(ceremony, signed=(*ceremony.signed, second)), actor)

    assert event.activities.get().agreement is None


def test_an_agreement_of_a_title_on_record_is_asked_about(actor: User) -> None:
    ceremony = whole_ceremony(actor)
    line = ceremony.signed[0]
    known = AgreementFactory(unit=line.unit, title=line.title.upper())
    before = made()

    with pytest.raises(PossibleDuplicate) as refusal:
        record(ceremony, actor)
    assert (refusal.value.field, refusal.value.found) == ("agreements-0-is_another", {known.pk})
    assert made() == before

    confirmed = replace(whole_ceremony(actor), signed=(replace(line, confirmed_different=frozenset({known.pk})),))
    assert record(confirmed, actor).agreements.count() == 1


def test_the_longest_name_fits_generated_titles(actor: User) -> None:
    ceremony = whole_ceremony(actor)
    longest = replace(ceremony.present[1], name="x" * 200)

    event = record(replace(ceremony, present=(ceremony.present[0], longest)), actor)

    assert {len(row.title) for row in (event.activities.get(), event.demands.get())} == {200}


@pytest.mark.parametrize(
    ("section", "change", "field"),
    [
        ("visited", {"on": DAY.replace(year=9000)}, "visits-0-on"),
        ("released", {"title": "a\nb"}, "demands-0-title"),
        ("opened", {"name": "x" * 10_000}, "facilities-0-name"),
        ("opened", {"partners": ()}, "facilities-0-"),
        ("signed", {"parties": ("present-1",)}, "agreements-0-"),
        ("signed", {"title": "a\x00b"}, "agreements-0-title"),
        ("present", {"name": "x" * 10_000}, "present-0-name"),
        ("reported", {"figure": nine("a\nb").figure}, "reported-event_agreements-printed"),
    ],
)
def test_a_refused_line_saves_nothing(section: str, change: dict[str, Any], field: str, actor: User) -> None:
    ceremony = whole_ceremony(actor)
    lines = getattr(ceremony, section)
    if section == "present":
        lines = (replace(lines[1], key="present-0"), *lines[1:])
    broken = replace(ceremony, **{section: (replace(lines[0], **change), *lines[1:])})
    before = made()

    with pytest.raises(InvalidInput) as refusal:
        record(broken, actor)

    assert (refusal.value.field, made()) == (field, before)
    assert not Organization.objects.filter(name="Panda").exists()
    assert not CeremonyDraft.objects.exists()


@pytest.mark.parametrize("section", ["signed", "opened", "released", "visited"])
def test_a_line_of_another_unit_is_refused(section: str, actor: User) -> None:
    ceremony = whole_ceremony(actor)
    line = replace(getattr(ceremony, section)[0], unit=UnitFactory(), coordinator=None)
    if section == "visited":
        ceremony = replace(ceremony, signed=())  # under an agreement of one's own unit it would be allowed
    before = made()

    with pytest.raises(NotAllowed) as refusal:
        record(replace(ceremony, **{section: (line,)}), actor)

    assert str(refusal.value.field).startswith(f"{line.key}-")
    assert made() == before


def test_a_ceremony_of_another_unit_is_refused(actor: User) -> None:
    with pytest.raises(NotAllowed):
        record(whole_ceremony(actor, event=Event(unit=UnitFactory(), name="Theirs", starts_on=DAY)), actor)

    assert not Event.objects.exists()


@pytest.mark.parametrize("section", ["signed", "opened", "released", "visited"])
def test_a_coordinator_who_may_not_see_the_record_is_refused_at_the_line(section: str, actor: User) -> None:
    ceremony = whole_ceremony(actor)
    line = replace(getattr(ceremony, section)[0], coordinator=UserFactory(coordinator_in=UnitFactory()))

    with pytest.raises(InvalidInput) as refusal:
        record(replace(ceremony, **{section: (line,)}), actor)

    assert refusal.value.field in {f"{line.key}-coordinator", f"{line.key}-owner"}


@pytest.mark.parametrize("trait", ["staff", "system_admin"])
def test_the_office_records_for_every_unit(trait: str, actor: User) -> None:
    event = record(whole_ceremony(actor), UserFactory(**{trait: True}))

    assert (event.unit, event.agreements.get().coordinator) == (unit_of(actor), actor)


def test_a_ceremony_in_the_future_is_refused(actor: User) -> None:
    event = Event(unit=unit_of(actor), name="Tomorrow", starts_on=DAY.replace(day=3))

    with pytest.raises(InvalidInput) as refusal:
        record(whole_ceremony(actor, event=event), actor)

    assert refusal.value.field == "starts_on"


def test_a_second_click_gets_the_event_of_the_first(actor: User) -> None:
    key = uuid.uuid4()
    first = record(whole_ceremony(actor), actor, key=key)
    before = made()

    again = record(whole_ceremony(actor), actor, key=key, version=99)

    assert (again, made()) == (first, before)


def test_a_page_with_an_older_version_records_nothing(actor: User) -> None:
    draft = CeremonyDraftFactory(author=actor, version=3)

    with pytest.raises(StaleVersion):
        record(whole_ceremony(actor), actor, key=draft.key, version=2)

    assert not Event.objects.exists()


def test_an_organization_that_was_deleted_meanwhile_is_refused_at_its_line(actor: User) -> None:
    ceremony = whole_ceremony(actor)
    Organization.objects.all().delete()

    with pytest.raises(InvalidInput) as stopped:
        record(ceremony, actor)

    assert (stopped.value.field, Event.objects.count()) == ("present-0-choice", 0)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_ceremony(actor: User) -> None:
    key = uuid.uuid4()
    ceremonies = [whole_ceremony(actor, source=None, reported=()) for _click in range(2)]

    results = run_together(*(partial(record, ceremony, actor, key=key) for ceremony in ceremonies))

    assert refused(results) == []
    assert results[0] == results[1]
    assert (Event.objects.count(), Organization.objects.filter(name="Panda").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_ceremonies_with_the_same_guests_do_not_deadlock(actor: User) -> None:
    here, there = EnterpriseFactory(), EnterpriseFactory()
    calls = []
    for pair in ((here, there), (there, here)):
        present = tuple(
            Participant(key=f"present-{number}", name="x", role="guest", organization=one)
            for number, one in enumerate(pair)
        )
        ceremony = whole_ceremony(actor, present=present, source=None, reported=())
        lines = (replace(ceremony.signed[0], title=f"Agreement {len(calls)}"),)
        calls.append(partial(record, replace(ceremony, signed=lines), actor))

    assert refused(run_together(*calls)) == []
    assert Event.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_visit_and_a_ceremony_do_not_deadlock(actor: User) -> None:
    kept = {"unit": unit_of(actor), "coordinator": actor}
    more = {"signed": (), "opened": (), "released": (), "source": None, "reported": ()}
    for _round in range(4):
        host = EnterpriseFactory()
        present = (Participant(key="present-0", name="x", role="guest", organization=host),)
        visited = (VisitedPartner(key="visits-0", organization="present-0", on=DAY, **kept),)
        visit = {"unit": unit_of(actor), "kind": "visit", "title": "Another", "starts_on": DAY, "organizations": [host]}

        results = run_together(
            partial(record, whole_ceremony(actor, present=present, visited=visited, **more), actor),
            partial(record_activity, actor=actor, on=DAY, no_next_step_reason="None", **visit),
        )

        assert refused(results) == []
        Activity.objects.update(title="Earlier")


# Drafts


def keep(actor: User, key: uuid.UUID, name: str, **more: Any) -> CeremonyDraft:
    page = {"version": 0, "now": NOON}
    return save_draft(actor=actor, key=key, content={"name": [name]}, **{**page, **more})


def test_a_page_saves_on_top_of_its_own_last_version(actor: User) -> None:
    key = uuid.uuid4()

    drafts = [keep(actor, key, name, version=version) for version, name in enumerate(("One", "Two"))]

    assert [draft.version for draft in drafts] == [1, 2]
    assert str(CeremonyDraft.objects.get()) == "Two"


def test_a_tab_saves_on_top_of_the_current_version_only(actor: User) -> None:
    key = uuid.uuid4()
    keep(actor, key, "One")
    keep(actor, key, "Two", version=1)

    with pytest.raises(StaleVersion) as refusal:
        keep(actor, key, "Three")

    assert (refusal.value.current, str(CeremonyDraft.objects.get())) == (2, "Two")


def test_two_people_with_the_same_key_have_two_drafts(actor: User) -> None:
    key, other = uuid.uuid4(), UserFactory()

    keep(actor, key, "Mine")
    keep(other, key, "Theirs")

    assert {str(draft) for draft in CeremonyDraft.objects.of(actor)} == {"Mine"}
    assert CeremonyDraft.objects.count() == 2


def test_a_recorded_ceremony_is_no_longer_a_draft(actor: User) -> None:
    key = uuid.uuid4()
    keep(actor, key, "Ceremony")
    event = record(whole_ceremony(actor), actor, key=key, version=1)
    draft = CeremonyDraft.objects.get()

    discard_draft(draft)
    with pytest.raises(TransitionRefused):
        keep(actor, key, "Typed on")

    draft.refresh_from_db()
    assert (draft.event, draft.content) == (event, {})
    assert list(CeremonyDraft.objects.unfinished()) == []


def test_a_draft_takes_any_input(actor: User) -> None:
    draft = keep(actor, uuid.uuid4(), "a\x00\r\n\u202e" + "x" * 10_000)

    assert CeremonyDraft.objects.get(pk=draft.pk).content["name"][0].startswith("a\r\n\u202ex")
    assert len(str(draft)) == 200
    assert str(CeremonyDraftFactory(content={"name": [" "], "name_zh": ["签约仪式"]})) == "签约仪式"
    assert str(CeremonyDraftFactory(content={})) == "Signing event without a name"
