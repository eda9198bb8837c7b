"""One ceremony, one form: the two articles in one go each, drafts, refusals, and what must not happen twice."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AgreementTypeFactory,
    CeremonyDraftFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    InstitutionFactory,
    OrganizationNameFactory,
    ProgrammeFactory,
    RegionFactory,
    SourceFactory,
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
    Participation,
    Source,
    User,
)
from tests.views.ceremony_page import CeremonyPage, controls
from tests.views.sections import section_url, whole_page
from tests.views.world import World

pytestmark = pytest.mark.django_db
PAGE = "/events/ceremony/"
WHICH = "Which of these is it? If none, say that it is new, or keep the name as printed."


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


@pytest.fixture
def form(client: Client) -> CeremonyPage:
    return CeremonyPage(client)


def start(form: CeremonyPage, **values: Any) -> None:
    form.fill(**{"name": "Docking meeting", "starts_on": "2024-06-04", "kinds": ["signing_ceremony"], **values})


def recorded(form: CeremonyPage) -> Event:
    """Records it and follows to the page of the event."""
    answer = form.press("record")
    assert answer.status_code == 302, problems(form)
    event = Event.objects.get()
    assert answer.url == event.get_absolute_url()
    return event


def problems(form: CeremonyPage) -> list[str]:
    form = form.answer.context["form"]
    return [
        f"{place} · {label}: {error}" if place else f"{label}: {error}"
        for place, _anchor, label, error in form.problems
    ]


# The two articles


def test_the_ceremony_of_shengzhou_in_one_go(form: CeremonyPage, client: Client) -> None:
    shengzhou = RegionFactory(name="Shengzhou")
    framework = AgreementTypeFactory(name="Framework agreement")
    areas = [CooperationAreaFactory(name=f"Area {number}") for number in range(7)]
    members = ["Zhongyi Machinery", "Shuangniao Group", "Fengli Crushing Equipment", "Special Chain Wheel"]
    members += ["Tiansheng Machinery", "Gaoxiang Industry and Trade", "Universal Spring"]
    start(form, place="Shengzhou", region=str(shengzhou.pk), kinds=["docking_meeting", "signing_ceremony"])
    form.fill(more_took_part="on", more_followed="on")
    hosts = form.name_present("Shengzhou Machinery Industry Association", "Zhejiang Industrial College", role="host")
    form.fill(hosts[0], kind="association")
    form.fill(hosts[1], kind="institution")
    enterprises = form.name_present(*members)
    [line] = form.add("agreements", 1, framework)
    printed = "Framework Agreement on Integration of Industry and Education, School Bank (Enterprise) Cooperation"
    form.fill(line, title="Framework agreement on industry and education", title_as_signed=printed)
    form.fill(line, ours=hosts[1], partner=hosts[0], others=enterprises, areas=[str(area.pk) for area in areas])
    form.fill(line, for_members="on", more_signed="on")
    for visit, host in zip(form.add("visits", 4), (enterprises[0], enterprises[1], *enterprises[4:6]), strict=True):
        form.fill(visit, organization=host, on="2024-06-04")

    event = recorded(form)

    shown = whole_page(client, event)
    assert "9 taking part · 9 new organizations · 1 agreement · 4 visits" in shown
    assert [name in shown for name in members] == [True] * 7
    assert shown.count("list incomplete") == 2
    agreement = Agreement.objects.get(event=event)
    of_agreement = whole_page(client, agreement)
    assert printed in of_agreement
    assert [str(area) in of_agreement for area in areas] == [True] * 7
    assert (agreement.status, agreement.signed_on, agreement.recorded_on) == ("signed", event.starts_on, DAY)
    assert (agreement.parties.count(), agreement.is_party_list_complete) == (9, False)
    assert agreement.parties.get(signs_for_members=True).organization.kind == "association"
    visits = Activity.objects.filter(event=event, agreement=agreement, status="completed")
    assert {(visit.completed_on, visit.visit.host.name) for visit in visits} == {
        (event.starts_on, members[number]) for number in (0, 1, 4, 5)
    }


def test_no_milestones_are_made_for_days_that_are_over(form: CeremonyPage) -> None:
    start(form)
    hosts = form.name_present("Some College", "Some Works")
    [line] = form.add("agreements", 1, AgreementTypeFactory())
    form.fill(line, title="Agreement", ours=hosts[0], partner=hosts[1])
    [visit] = form.add("visits", 1)
    form.fill(visit, organization=hosts[1])

    event = recorded(form)

    assert Milestone.objects.filter(activity__event=event).count() == 0
    asked = Milestone.objects.filter(agreement__event=event)
    assert (asked.exists(), asked.filter(due_on__lt=DAY).exists()) == (True, False)


def test_the_conference_of_nanjing_in_one_go(form: CeremonyPage, client: Client, world: World) -> None:
    """What the article names, and its counts beside that: 9 agreements, 8 bases, 8 workstations, 3 demands."""
    university = InstitutionFactory(name="Nanjing University of Industrial Vocational Technology")
    OrganizationNameFactory(organization=university, name="Nanjing Industrial Vocational and Technical University")
    start(form, name="Promotion conference", starts_on="2024-01-12", kinds=["conference", "signing_ceremony"])
    [host] = form.name_present("Nanjing Industrial Vocational and Technical University", role="host")
    form.fill(host, choice=str(university.pk))
    form.name_present(
        "Bureau of Industry", "Committee of the University Town", role="organizer", kind="government_body"
    )
    railway, panda, aliyun = form.name_present("Nanjing High Precision Railway", "Panda Electronic", "Aliyun Center")
    [garbled] = form.name_present("General Institute of Technology for the Land Industry ... Ltd.")
    form.fill(garbled, choice="printed", role="signatory")
    [base] = form.add("facilities", 1, "employment_base")
    form.fill(base, partner=railway)
    [station] = form.add("facilities", 1, "workstation")
    form.fill(station, partner=panda)
    [demand] = form.add("demands", 1)
    form.fill(demand, organization=aliyun, is_unpublished="on")
    counts = {"agreements": 9, "employment_bases": 8, "workstations": 8, "demands": 3, "participants": 200}
    for name, value in counts.items():
        form.fill(f"reported-event_{name}", value=str(value))
    form.fill("reported-event_participants", qualifier="nearly", printed="nearly 200 enterprise representatives")
    form.fill(source_title="Thousands of Schools: the conference was held", more_took_part="on")

    event = recorded(form)

    figures = {figure.counting_rule: figure for figure in client.get(section_url(event, "files")).context["figures"]}
    assert {rule: (int(figure.value), figure.recorded_count) for rule, figure in figures.items()} == {
        "event_agreements": (9, 0),
        "event_employment_bases": (8, 1),
        "event_workstations": (8, 1),
        "event_demands": (3, 1),
        "event_participants": (200, 3),
    }
    assert {figure.source for figure in figures.values()} == {Source.objects.get()}
    shown = whole_page(client, event)
    assert "“General Institute of Technology for the Land Industry ... Ltd.”" in shown
    assert "not identified" in shown
    assert "nearly 200" in shown
    released = Demand.objects.get(event=event)
    assert (released.title, released.is_content_published) == ("Demand of Aliyun Center", False)
    opened = Facility.objects.filter(event=event)
    assert {(row.name, row.status, row.opened_on) for row in opened} == {
        ("Employment base · Nanjing High Precision Railway", "opened", event.starts_on),
        ("Professor (doctoral) workstation · Panda Electronic", "opened", event.starts_on),
    }
    assert {partner.organization for row in opened for partner in row.partners.filter(organization=university)} == {
        university
    }
    assert Organization.objects.filter(name=university.name).count() == 1


def test_everything_that_was_counted_fits_in_one_go(form: CeremonyPage, world: World) -> None:
    """9 agreements of one type at once, 8 bases, 8 workstations and 3 demands, with an enterprise each."""
    strategic = AgreementTypeFactory(name="Strategic cooperation agreement")
    start(form)
    form.name_present("The College", role="host", kind="institution")
    partners = [
        line
        for first in (0, 14)
        for line in form.name_present(*(f"Partner {n} Works" for n in range(first, first + 14)))
    ]
    agreements = form.add("agreements", 9, strategic)
    facilities = form.add("facilities", 8, "employment_base") + form.add("facilities", 8, "workstation")
    for line, partner in zip([*agreements, *facilities], partners, strict=False):
        form.fill(line, partner=partner)
    for line, partner in zip(form.add("demands", 3), partners[25:], strict=True):
        form.fill(line, organization=partner, title="Vision", wording="Find scratches")

    event = recorded(form)

    assert set(event.agreements.values_list("title", "type", "coordinator")) == {
        ("Strategic cooperation agreement", strategic.pk, world.coordinator.pk)
    }
    assert (event.agreements.count(), event.facilities.count(), event.demands.count()) == (9, 16, 3)
    assert event.participations.count() == 29


# Organizations


def test_a_name_on_record_is_matched_with_its_organization(form: CeremonyPage) -> None:
    known = EnterpriseFactory(name="Panda Electronic Co., Ltd.")
    start(form)
    form.name_present("panda electronic")

    event = recorded(form)

    assert event.participations.get().organization_id == known.pk


def test_look_alikes_are_offered_before_a_new_organization_is_made(form: CeremonyPage) -> None:
    known = EnterpriseFactory(name="Panda Electronic Equipment")
    start(form)
    [line] = form.name_present("Panda Electronic")
    assert "Panda Electronic Equipment" in form.answer.text
    assert f"{line}-choice" not in form.fields

    form.press("record")
    assert problems(form) == [
        f"Participants, line 4 · Which organization it is: {WHICH}",
    ]
    form.fill(line, choice="new")

    event = recorded(form)

    assert event.participations.get().organization.name == "Panda Electronic"
    assert Organization.objects.filter(pk=known.pk).exists()


def test_an_organization_archived_meanwhile_has_to_be_chosen_again(form: CeremonyPage) -> None:
    start(form)
    chosen = EnterpriseFactory(name="Zebra Holdings")
    [line] = form.name_present("As printed in the press")
    form.fields[f"{line}-choice"] = [str(chosen.pk)]
    form.press("draft")
    Organization.objects.filter(pk=chosen.pk).update(archived_on=DAY)

    answer = form.press("record")

    assert WHICH in answer.text
    assert not Organization.objects.filter(name="As printed in the press").exists()


def test_a_new_organization_with_look_alikes_is_warned_about_once(form: CeremonyPage) -> None:
    start(form)
    [line] = form.name_present("Panda Electronic")
    EnterpriseFactory(name="Panda Electronic Equipment")  # somebody else was quicker
    form.fill(line, choice="new")

    form.press("record")
    assert "Similar names are on record" in problems(form)[0]
    recorded(form)

    assert Organization.objects.filter(name__startswith="Panda").count() == 2


def test_typing_a_name_suggests_organizations_on_record(client: Client) -> None:
    known = EnterpriseFactory(name="Zhongyi Machinery", name_zh="中益机械有限公司")
    EnterpriseFactory(name="Nothing of the kind")
    archived = EnterpriseFactory(name="Zhongyi Old", archived_on=DAY)
    address = reverse("event_ceremony_names", args=[3])

    found = [client.get(address, {"present-3-name": words}).text for words in ("中益", "machin", "zhongyi")]
    nothing = client.get(address, {"present-3-name": " "}).text

    assert [f'name="present-3-choice" value="{known.pk}"' in text for text in found] == [True] * 3
    assert [f'value="{archived.pk}"' in text for text in found] == [False] * 3
    assert "radio" not in nothing
    assert client.get(f"{PAGE}names/x/").status_code == 404


def test_an_organization_listed_twice_is_refused_at_the_second_line(form: CeremonyPage) -> None:
    known = EnterpriseFactory(name="Panda Electronic")
    start(form)
    lines = form.name_present("Panda Electronic", "Panda")
    form.fill(lines[1], choice=str(known.pk))

    form.press("record")

    assert problems(form) == ["Participants, line 5 · Organization: This organization is listed already."]


def test_a_name_kept_as_printed_cannot_sign(form: CeremonyPage) -> None:
    start(form)
    lines = form.name_present("Some College", "Garbled ... Ltd.")
    form.fill(lines[1], choice="printed")
    [line] = form.add("agreements", 1, AgreementTypeFactory())
    form.fill(line, ours=lines[0], partner=lines[1], title="Agreement")

    form.press("record")

    assert problems(form) == [
        "Agreements signed, line 1 · Partner: This name is kept as printed: say above which organization it is."
    ]


def test_an_agreement_of_a_title_on_record_is_confirmed_at_its_line(form: CeremonyPage, world: World) -> None:
    start(form)
    college, works = form.name_present("Some College", "Some Works")
    [line] = form.add("agreements", 1, AgreementTypeFactory())
    form.fill(line, ours=college, partner=works, title="Agreement")
    assert f"{line}-is_another" not in form.answer.text
    known = AgreementFactory(unit=world.unit, title="Agreement")

    form.press("record")
    assert problems(form) == [
        "Agreements signed, line 1 · This is a different agreement: This unit has an agreement of this title already."
    ]
    form.fill(line, is_another=str(known.pk))
    form.press("draft")
    assert form.fields[f"{line}-is_another"] == [str(known.pk)]  # the tick stays

    assert recorded(form).agreements.get().pk != known.pk


# Lines


def test_lines_are_added_and_removed_without_scripts(form: CeremonyPage) -> None:
    college, works = form.name_present("Some College", "Some Works")
    first, second, third = form.add("agreements", 3, AgreementTypeFactory(name="Framework agreement"))
    form.fill(second, title="Kept", ours=college, partner=works)
    assert form.fields[f"{first}-title"] == ["Framework agreement"]

    form.press(f"remove-{first}")
    assert form.lines("agreements") == [second, third]
    form.press(f"remove-{works}")
    assert (form.fields[f"{second}-ours"], form.fields[f"{second}-partner"]) == ([college], [""])
    assert works not in str(CeremonyDraft.objects.get().content)
    [new] = form.name_present("Others")

    assert new == works  # its number is free again, and nobody chose it
    assert form.fields[f"{second}-partner"] == [""]
    assert form.fields[f"{second}-title"] == ["Kept"]


@pytest.mark.parametrize(("asked", "made"), [("0", 1), ("7", 7), ("31", 30), ("10000000", 30), ("x", 1), ("-3", 1)])
def test_an_invalid_number_of_lines_to_add(asked: str, made: int, form: CeremonyPage) -> None:
    assert len(form.add("visits", asked)) == made  # type: ignore[arg-type]


def test_a_section_holds_sixty_lines(form: CeremonyPage) -> None:
    form.add("demands", 30)
    form.add("demands", 30)

    assert form.add("demands", 1) == []
    assert "Sixty lines are enough for one part" in form.answer.text
    assert len(form.lines("demands")) == 60


def test_a_new_line_starts_like_the_last_one(form: CeremonyPage) -> None:
    host, other = form.name_present("Some College", "Some School")
    form.fill(host, role="host")
    [first] = form.add("facilities", 1, "workstation")
    assert form.fields[f"{first}-ours"] == [host]
    form.fill(first, ours=other)

    [second] = form.add("facilities", 1, "workstation")

    assert form.fields[f"{second}-ours"] == [other]


def test_reported_figures_are_compared_with_the_lines(form: CeremonyPage) -> None:
    form.add("facilities", 2, "workstation")
    form.fill("reported-event_workstations", value="8")
    form.fill("reported-event_agreements", value="9")

    form.press("draft")

    figures = {figure.rule: figure for figure in form.answer.context["form"].figures}
    assert [
        (figures[f"event_{name}"].named, figures[f"event_{name}"].missing) for name in ("workstations", "agreements")
    ] == [
        (2, 6),
        (0, 9),
    ]


# What is missing or wrong


def test_all_errors_are_shown_at_once_and_nothing_is_lost(form: CeremonyPage) -> None:
    works = form.name_present("Some Works")[0]
    [agreement] = form.add("agreements", 1, AgreementTypeFactory(name="Framework agreement"))
    [facility] = form.add("facilities", 1, "workstation")
    [demand] = form.add("demands", 1)
    form.fill(demand, organization=works, wording="Find scratches", is_unpublished="on")
    [visit] = form.add("visits", 1)
    form.fill(visit, on="2024-13-45")
    form.fill("reported-event_agreements", printed="nine")

    form.press("record")

    assert problems(form) == [
        "Name of the event: This field is required.",
        "Date: This field is required.",
        "What it was: Select all that apply.",
        "Agreements signed, line 1 · Our side: This field is required.",
        "Agreements signed, line 1 · Partner: This field is required.",
        "Joint facilities opened, line 1 · Partner: This field is required.",
        "Demands released, line 1 · Title: This field is required.",
        "Demands released, line 1 · Wording: There is a wording, so it is known.",
        "Visits after the meeting, line 1 · Visited: This field is required.",
        "Visits after the meeting, line 1 · Date: There is no such day. Enter a date such as 2026-03-05 or March 5, 2026.",
        "Agreements reported · Reported: This field is required.",
    ]
    assert (form.fields[f"{visit}-on"], form.fields[f"{demand}-wording"]) == (["2024-13-45"], ["Find scratches"])
    assert form.fields[f"{facility}-kind"] == ["workstation"]
    assert form.fields[f"{agreement}-title"] == ["Framework agreement"]
    assert (Event.objects.count(), Organization.objects.filter(name="Some Works").count()) == (0, 0)
    assert CeremonyDraft.objects.get().content["reported-event_agreements-printed"] == ["nine"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"starts_on": "2026-03-03"}, "Date: This day lies in the future."),
        ({"starts_on": "0024-06-04"}, "Date: 0024-06-04 is too far away: please check the year."),
        ({"ends_on": "2024-06-03"}, "Last day: An event cannot end before it starts."),
        ({"name": "x" * 10_000}, "Name of the event: Ensure this value has at most 200 characters (it has 10000)."),
        (
            {"name": "a\r\nBcc: b@example.org"},
            "Name of the event: This contains an invisible or line-breaking character after “a” (U+000D). Please delete it or type the text again.",
        ),
        ({"place": "a\x00b"}, "Place: Null characters are not allowed."),
        ({"kinds": ["picnic"]}, "What it was: Select a valid choice. picnic is not one of the available choices."),
        ({"unit": "999999"}, "Unit: Select a valid choice. 999999 is not one of the available choices."),
        ({"programme-words": "zi\0jin"}, "Program: Choose one of those found."),
        ({"programme-words": "x" * 10_000}, "Program: Choose one of those found."),
        ({"region": "x"}, "Region: Select a valid choice. That choice is not one of the available choices."),
        ({"source_url": "javascript:alert(1)"}, "Address: Enter a valid URL."),
        ({"source_title": "An article"}, "What it says about the event, as printed: Say what it prints about the event, or give a number it reports."),
        ({"source_printed": "was held"}, "Or a new one: its title: Which source says this?"),
        ({"reported-event_demands-value": "3"}, "Or a new one: its title: Which source says this?"),
        ({"reported-event_demands-value": "-3"}, "Demands reported · Reported: Ensure this value is greater than or equal to 0."),
        ({"reported-event_demands-value": "9" * 50}, "Demands reported · Reported: Ensure this value is less than or equal to 1000000000."),
    ],
)  # fmt: skip
def test_bad_input_is_refused_at_its_field(values: dict[str, Any], said: str, form: CeremonyPage) -> None:
    start(form)
    form.fill(**values)

    answer = form.press("record")

    assert (answer.status_code, said in problems(form)) == (200, True)
    assert all(problem.startswith(said.partition(": ")[0]) for problem in problems(form))
    assert Event.objects.count() == 0


@pytest.mark.parametrize("text", ["x" * 10_000, "a\x00b", "a\r\nb", "<script>alert(1)</script>", "a\u202eb"])
def test_bad_names_in_a_line(text: str, form: CeremonyPage) -> None:
    start(form)
    [line] = form.name_present("Some Works")
    form.fill(line, name=text, choice="new")
    answer = form.press("record")

    if answer.status_code == 302:
        assert Participation.objects.get().organization.name == "<script>alert(1)</script>"
        return
    assert {problem.partition(": ")[0] for problem in problems(form)} == {"Participants, line 4 · Organization"}
    assert Organization.objects.filter(name__contains="a").exclude(name__contains="North").count() == 0


def test_forged_lines_and_keys_are_refused_without_a_crash(client: Client, form: CeremonyPage, world: World) -> None:
    start(form)
    stranger = world.people["outsider"]
    forged = {
        "agreements": ["0", "0", "x", "99999999", "-1", "٣"],
        "agreements-0-title": ["Agreement"],
        "agreements-0-type": ["x"],
        "agreements-0-ours": ["present-77"],
        "agreements-0-partner": ["present-0"],
        "agreements-0-others": ["present-5", "'"],
        "agreements-0-areas": ["1", "x"],
        "agreements-0-unit": [str(stranger.memberships.get().unit_id)],
        "agreements-0-coordinator": [str(stranger.pk)],
        "present-0-choice": ["9" * 40],
        "programme": ["999999999999999999999\0"],
        "key": ["x"],
        "version": ["x"],
        "is_superuser": ["1"],
    }
    answer = client.post(PAGE, {**form.fields, **forged, "action": "record"})

    assert answer.status_code == 200
    labels = {label for _place, _anchor, label, _error in answer.context["form"].problems}
    own = {"Type", "Our side", "Partner", "Further parties", "Areas promised", "Unit", "Coordinator"}
    assert labels == {
        "Program",
        "Organization",
        "Which organization it is",
        "",
        *own,
    }  # "": lines that could not be read
    assert Event.objects.count() == 0
    for action in ("remove-agreements-x", "add-", "remove-", "add-nothing", "\x00", "remove-present-0-name"):
        assert client.post(PAGE, {**form.fields, **forged, "action": action}).status_code == 200
    assert client.post(PAGE, {}).status_code == 200


@pytest.mark.parametrize("listed", [[], ["0"], ["0", "x"], ["0", "-1"]])
def test_lines_missing_from_their_list_come_back_and_nothing_is_recorded(
    listed: list[str], form: CeremonyPage, world: World
) -> None:
    start(form)
    form.name_present("Quay Works", "Harbor Works", kind="enterprise")
    form.fields["present"] = listed

    form.press("record")

    assert any("Participants: The page was incomplete" in problem for problem in problems(form))
    assert (Event.objects.count(), Organization.objects.filter(name="Harbor Works").count()) == (0, 0)
    names = {form.fields[f"{line}-name"][0] for line in form.lines("present")}
    assert names >= {"Quay Works", "Harbor Works"}
    assert form.press("record").status_code == 302


def test_a_box_ticked_twice_counts_once(form: CeremonyPage) -> None:
    start(form, kinds=["signing_ceremony", "signing_ceremony"])

    assert [row.kind for row in recorded(form).kinds.all()] == ["signing_ceremony"]


def test_null_characters_in_a_forged_field_name_are_dropped(form: CeremonyPage, client: Client) -> None:
    start(form)
    form.fields["evil\0"] = ["x"]

    assert client.post(PAGE, {**form.fields, "action": "draft"}).status_code < 400
    assert "evil" in CeremonyDraft.objects.get().content


def test_the_programme_is_found_by_its_words_and_put_on_all_records(
    world: World, form: CeremonyPage, client: Client
) -> None:
    programme = ProgrammeFactory(name="Zijin action", unit=world.unit)
    ProgrammeFactory(name="Zijin action of others")
    start(form)
    works = form.name_present("Some Works")[0]
    [demand] = form.add("demands", 1)
    form.fill(demand, organization=works, title="Vision", wording="Find scratches")
    form.fill(**{"programme-words": "zijin"})

    found = form.show(client.post(PAGE, {**form.fields, "look": "programme"}))
    assert found.text.count('name="programme" value=') == 2  # it, and none
    form.fill(programme=str(programme.pk))
    form.press("draft")
    again = CeremonyPage(client, CeremonyDraft.objects.get().get_absolute_url())
    event = recorded(again)

    assert [item.target for item in programme.items.all()] == [event, event.demands.get()]
    assert programme.get_absolute_url() in client.get(event.get_absolute_url()).text


def test_a_source_on_record_is_quoted(form: CeremonyPage, client: Client) -> None:
    source = SourceFactory()
    start(form)
    form.fill(source=str(source.pk), source_printed="was successfully held")

    event = recorded(form)

    assert "was successfully held" in client.get(event.get_absolute_url()).text
    assert Source.objects.get() == source


def test_a_visit_in_the_future_is_planned(form: CeremonyPage) -> None:
    start(form)
    [works] = form.name_present("Some Works")
    [visit] = form.add("visits", 1)
    form.fill(visit, organization=works, on="2026-03-20")

    event = recorded(form)

    planned = Activity.objects.get(event=event)
    assert (planned.status, str(planned.starts_on)) == ("planned", "2026-03-20")
    assert Milestone.objects.filter(activity=planned).count() == 2


def test_titles_are_entered_in_the_readers_language_and_generated_in_both(world: World, client: Client) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(language="zh-hans")
    form = CeremonyPage(client)
    start(form, name="", name_zh="对接会")
    college, works = form.name_present("Some College", "Some Works")
    [line] = form.add("agreements", 1, AgreementTypeFactory(name="Framework agreement", name_zh="框架协议"))
    assert (form.fields[f"{line}-title_zh"], form.fields[f"{line}-title"]) == (["框架协议"], [""])
    form.fill(line, title_zh="校企合作协议", ours=college, partner=works)
    known, unknown = form.add("demands", 2)
    form.fill(known, organization=works, title="Vision", title_zh="视觉检测", wording="Find scratches")
    form.fill(unknown, organization=works, is_unpublished="on")
    [visit] = form.add("visits", 1)
    form.fill(visit, organization=works, on="2026-03-20")

    event = recorded(form)

    titles = [
        sorted(rows.values_list("title", "title_zh"))
        for rows in (event.agreements, event.demands, Activity.objects.filter(event=event))
    ]
    assert titles == [
        [("校企合作协议", "校企合作协议")],
        [("Demand of Some Works", "Some Works的需求"), ("Vision", "视觉检测")],
        [("Visit to Some Works", "走访Some Works")],
    ]


# Whose it is


def test_a_line_may_belong_to_another_unit_of_the_person(client_of: Callable[[Any], Client], world: World) -> None:
    below = UnitFactory(name="North laboratory", parent=world.unit)
    colleague = UserFactory(coordinator_in=below)
    form = CeremonyPage(client_of(world.lead))
    start(form, unit=str(world.unit.pk))
    college, works = form.name_present("Some College", "Some Works")
    [line] = form.add("facilities", 1, "workstation")
    form.fill(line, ours=college, partner=works, unit=str(below.pk), coordinator=str(colleague.pk))

    event = recorded(form)

    facility = event.facilities.get()
    assert (event.unit, facility.unit, facility.owner) == (world.unit, below, colleague)


def test_a_coordinator_who_may_not_see_the_record_is_refused_at_the_line(
    client_of: Callable[[Any], Client], world: World
) -> None:
    below = UserFactory(coordinator_in=UnitFactory(name="North laboratory", parent=world.unit))
    form = CeremonyPage(client_of(world.lead))
    start(form, unit=str(world.unit.pk))
    college, works = form.name_present("Some College", "Some Works")
    [line] = form.add("facilities", 1, "workstation")
    form.fill(line, ours=college, partner=works, coordinator=str(below.pk))

    form.press("record")

    assert problems(form)[0].startswith("Joint facilities opened, line 1 · Coordinator: ")
    assert "This person may not see the joint facility" in problems(form)[0]
    assert (Event.objects.count(), Organization.objects.filter(name="Some Works").count()) == (0, 0)


def test_only_units_of_the_person_are_offered(form: CeremonyPage, world: World) -> None:
    UnitFactory(name="South school")

    assert "South school" not in form.answer.text
    assert form.fields["unit"] == [str(world.unit.pk)]
    assert form.fields["coordinator"] == [str(world.coordinator.pk)]


@pytest.mark.parametrize("role", ["viewer", "user_admin", "nobody"])
def test_people_without_permission_are_refused_at_every_address(
    role: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.people[role])
    draft = CeremonyDraftFactory()
    doors = [PAGE, reverse("event_ceremony_names", args=[3]), reverse("event_ceremony_drafts")]

    assert [client.get(door).status_code for door in doors] == [403] * 3
    assert client.post(PAGE, {"action": "record", "name": "x"}).status_code == 403
    assert client.post(reverse("event_ceremony_discard", args=[draft.key])).status_code == 404
    assert ["Record a signing event" in client.get(door).text for door in ("/", "/events/")] == [False, False]


def test_people_with_permission_see_the_link_to_the_page(client: Client) -> None:
    assert f'href="{PAGE}"' in client.get("/events/").text


# Drafts


def test_a_draft_is_continued_as_it_was_saved(form: CeremonyPage, client: Client) -> None:
    start(form)
    [works] = form.name_present("Some Works")
    [visit] = form.add("visits", 1)
    form.fill(visit, organization=works)
    form.press("draft")

    listed = client.get(reverse("event_ceremony_drafts")).text
    draft = CeremonyDraft.objects.get()
    later = CeremonyPage(client, draft.get_absolute_url())

    assert f'href="{draft.get_absolute_url()}">Docking meeting</a>' in listed
    own = ("key", "version")
    assert {name: sent for name, sent in later.fields.items() if name not in own} == {
        name: sent for name, sent in form.fields.items() if name not in own
    }
    assert "1 unfinished signing event" in client.get(PAGE).text
    assert recorded(later).participations.count() == 1
    assert "None: what you entered is recorded." in client.get(reverse("event_ceremony_drafts")).text


def test_an_autosave_answers_with_the_state_of_the_draft_alone(form: CeremonyPage, client: Client) -> None:
    form.fill(name="Typed so far")
    sent = form.fields

    answer = client.post(PAGE, sent, headers={"HX-Request": "true"})
    version = controls(f"<form id=ceremony>{answer.text}</form>")["version"]
    again = client.post(PAGE, {**sent, "version": version}, headers={"HX-Request": "true"})

    draft = CeremonyDraft.objects.get()
    assert (str(draft), answer.headers["HX-Replace-Url"]) == ("Typed so far", draft.get_absolute_url())
    assert ["Draft saved" in text and "<form" not in text for text in (answer.text, again.text)] == [True, True]


def test_the_older_of_two_tabs_is_warned_and_chooses_to_overwrite(form: CeremonyPage, client: Client) -> None:
    form.fill(name="First")
    form.press("draft")
    other = CeremonyPage(client, CeremonyDraft.objects.get().get_absolute_url())
    other.fill(name="Second")
    other.press("draft")
    form.fill(name="First, longer")

    kept = form.press("draft")
    typing = client.post(PAGE, form.fields, headers={"HX-Request": "true"})

    assert (kept.status_code, form.fields["name"], str(CeremonyDraft.objects.get())) == (
        409,
        ["First, longer"],
        "Second",
    )
    assert ["changed in another tab" in text for text in (kept.text, typing.text)] == [True, True]
    assert form.press("record").status_code == 409
    version = CeremonyDraft.objects.get().version
    other.fill(name="Second, longer")
    other.press("draft")
    assert form.press("", overwrite=version).status_code == 409  # the warning spoke of an older one
    assert form.press("", overwrite=version + 1).status_code == 200
    assert str(CeremonyDraft.objects.get()) == "First, longer"
    assert form.press("draft").status_code == 200


def test_a_draft_is_visible_to_its_author_alone(
    form: CeremonyPage, world: World, client_of: Callable[[Any], Client]
) -> None:
    form.fill(name="Private")
    form.press("draft")
    draft = CeremonyDraft.objects.get()
    lead = client_of(world.lead)

    assert lead.get(draft.get_absolute_url()).status_code == 404
    assert lead.post(reverse("event_ceremony_discard", args=[draft.key])).status_code == 404
    assert "Private" not in lead.get(reverse("event_ceremony_drafts")).text
    lead.post(PAGE, {"key": str(draft.key), "name": "Mine", "version": draft.version, "action": "draft"})
    draft.refresh_from_db()
    assert (str(draft), CeremonyDraft.objects.filter(author=world.lead).count()) == ("Private", 1)


def test_a_draft_is_discarded(client: Client, world: World) -> None:
    draft = CeremonyDraftFactory(author=world.coordinator)
    address = reverse("event_ceremony_discard", args=[draft.key])

    assert client.get(address).status_code == 405
    assert client.post(address, follow=True).text.count("“Docking meeting” is discarded.") == 1
    assert CeremonyDraft.objects.count() == 0
    assert client.get(draft.get_absolute_url()).status_code == 404
    assert client.get(f"{PAGE}?draft=x").status_code == 404


def test_typing_in_a_draft_discarded_elsewhere_saves_it_again(form: CeremonyPage, client: Client) -> None:
    form.fill(name="Typed so far")
    form.press("draft")
    client.post(reverse("event_ceremony_discard", args=[CeremonyDraft.objects.get().key]))

    assert form.press("draft").status_code == 200
    assert str(CeremonyDraft.objects.get()) == "Typed so far"


def test_a_double_click_records_one_ceremony(form: CeremonyPage, client: Client) -> None:
    start(form)
    form.name_present("Some Works")
    event = recorded(form)

    again = form.press("record")
    back = client.get(f"{PAGE}?draft={form.fields['key'][0]}")
    saved = form.press("draft")
    typing = client.post(PAGE, form.fields, headers={"HX-Request": "true"})

    assert [answer.url for answer in (again, back, saved)] == [event.get_absolute_url()] * 3
    assert f'<a href="{event.get_absolute_url()}">' in typing.text  # its own page was sent, and must not be led away
    assert (Event.objects.count(), Organization.objects.filter(name="Some Works").count()) == (1, 1)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_drafts_costs_the_same_for_one_and_three(
    rows: int, client: Client, world: World, django_assert_num_queries: Any
) -> None:
    for _row in range(rows):
        CeremonyDraftFactory(author=world.coordinator, key=uuid.uuid4())

    with django_assert_num_queries(5):
        client.get(reverse("event_ceremony_drafts"))


@pytest.mark.parametrize("lines", [1, 9])
def test_the_page_costs_the_same_for_one_line_and_nine(
    lines: int, form: CeremonyPage, client: Client, django_assert_num_queries: Any
) -> None:
    EnterpriseFactory(name="Partner Works")
    form.name_present(*(f"Partner {number}" for number in range(lines)))
    for section in ("agreements", "facilities", "demands", "visits"):
        form.add(section, lines)
    draft = CeremonyDraft.objects.get()

    with django_assert_num_queries(13):
        client.get(draft.get_absolute_url())
