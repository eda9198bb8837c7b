"""Each page saves: one history row per edit, with its actor, and nothing for what was not changed."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from partnerships.admin.versions import PartFormSet
from partnerships.factories import (
    AgreementFactory,
    AgreementPartyFactory,
    DocumentFactory,
    EnterpriseFactory,
    EventFactory,
    ParticipationFactory,
    UnitFactory,
)
from partnerships.models import (
    Activity,
    Agreement,
    ContactNote,
    Document,
    Enterprise,
    Institution,
    Milestone,
    Organization,
    OrganizationUnit,
    ReminderRule,
    Training,
)
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import nothing_drawn, undrawn

pytestmark = pytest.mark.django_db
EDITS = {
    "organization": ("description", "Edited"),
    "institution": ("address", "Edited"),
    "enterprise": ("description", "Edited"),
    "association": ("description", "Edited"),
    "governmentbody": ("description", "Edited"),
    "contact": ("note", "Edited"),
    "agreement": ("summary", "Edited"),
    "milestone": ("description", "Edited"),
    "activity": ("summary", "Edited"),
    "contactnote": ("summary", "Edited"),
    "event": ("summary", "Edited"),
    "document": ("title", "Edited"),
    "source": ("note", "Edited"),
    "reminderrule": ("is_enabled", ""),
    "user": ("name", "Edited"),
    "unit": ("name_zh", "Edited"),
    "agreementtype": ("name", "Edited"),
    "cooperationarea": ("name", "Edited"),
    "region": ("note", "Edited"),
    "facility": ("summary", "Edited"),
    "demand": ("field", "Edited"),
    "answer": ("summary", "Edited"),
    "achievement": ("description", "Edited"),
    "programme": ("summary", "Edited"),
    "honourscheme": ("issuer", "Edited"),
    "honour": ("evidence", "Edited"),
    "reportedfigure": ("printed", "Edited"),
}


def history_of(row):
    return [(entry.history_type, entry.history_user_id) for entry in type(row).history.filter(id=row.pk)]


def test_an_edit_on_each_page_is_one_history_row_and_none_without_a_change(world, enter):
    person = world.people["system_admin"]
    client, seen = enter(person), {}
    for name, (field, value) in EDITS.items():
        row = world.rows[name][0]
        before = len(history_of(row))
        save(client, row)
        unchanged = len(history_of(row)) - before
        save(client, row, **{field: value})
        seen[name] = (unchanged, history_of(row)[: len(history_of(row)) - before])

    assert seen == dict.fromkeys(EDITS, (0, [("~", person.pk)]))


PARTS = {
    "agreement": ("custody_steps", {"step": "filed", "desk": "Shelf 3", "since": "2026-03-05"}),
    "activity": ("training", {"headcount": "31"}),
    "event": ("kinds", {"kind": "fair"}),
    "institution": ("other_names", {"name": "Short", "kind": "short"}),
    "agreementtype": ("default_milestones", {"title": "First report", "months_after_signing": "6", "kind": "review"}),
    "user": ("memberships", {"role": "30"}),
    "facility": ("partners", {"head": "Director Li"}),
    "programme": ("targets", {"value": "25"}),
    "source": ("statements", {"text": "They met and signed the framework."}),
}


@pytest.mark.parametrize("name", sorted(PARTS))
def test_an_edit_of_a_part_is_one_row_in_its_own_history(world, enter, name):
    person, (prefix, values) = world.people["system_admin"], PARTS[name]
    client, row = enter(person), world.rows[name][0]
    data = filled(undrawn(client, change_url(row)))
    number = "0" if values.keys() <= {"headcount", "role", "head", "value", "text"} else data[f"{prefix}-TOTAL_FORMS"]
    total = str(max(int(data[f"{prefix}-TOTAL_FORMS"]), int(number) + 1))
    part = row._meta.get_field(prefix).related_model
    before, roots = part.history.count(), type(row).history.count()

    typed = {f"{prefix}-{number}-{field}": value for field, value in values.items()}
    client.post(change_url(row), data | typed | {f"{prefix}-TOTAL_FORMS": total})

    assert [entry.history_user for entry in part.history.all()[: part.history.count() - before]] == [person]
    assert type(row).history.count() == roots


def test_an_organization_is_not_listed_twice_at_an_event(world, enter):
    event, college = world.rows["event"][0], world.rows["institution"][0]
    again = {"participations-1-organization": str(college.pk), "participations-1-role": "guest"}

    response = save(enter(world.people["staff"]), event, **again, **{"participations-TOTAL_FORMS": "2"})

    assert "This organization is listed already." in response.content.decode()
    assert event.participations.count() == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("order", [(1, 0), (1, 2, 0)])
def test_lines_that_exchange_their_organizations_keep_what_they_say(world, enter, order):
    """Each organization keeps its row: what refers to a party means the organization."""
    person, draft = world.people["staff"], AgreementFactory(ready=True)
    for _ in order[2:]:
        AgreementPartyFactory(agreement=draft)
    parties = list(draft.parties.order_by("pk"))
    wanted = [parties[place].organization_id for place in order]
    typed = {f"parties-{number}-organization": str(pk) for number, pk in enumerate(wanted)}
    typed |= {f"parties-{number}-signatory_person": f"Person {number}" for number in range(len(order))}

    save(enter(person), draft, **typed)

    assert [party.organization_id for party in draft.parties.order_by("pk")] == [row.organization_id for row in parties]
    persons = dict(draft.parties.values_list("organization", "signatory_person"))
    assert persons == {pk: f"Person {number}" for number, pk in enumerate(wanted)}
    assert [history_of(party) for party in parties] == [[("~", person.pk), ("+", None)]] * len(order)


@pytest.mark.both_databases
def test_guests_of_an_event_exchange_their_roles(world, enter):
    event = EventFactory()
    first, second = (ParticipationFactory(event=event, role=role) for role in ("guest", "organizer"))
    swapped = {
        "participations-0-organization": str(second.organization_id),
        "participations-1-organization": str(first.organization_id),
    }

    save(enter(world.people["staff"]), event, **swapped)

    roles = dict(event.participations.values_list("organization", "role"))
    assert roles == {first.organization_id: "organizer", second.organization_id: "guest"}


@pytest.mark.both_databases
def test_a_part_takes_the_place_of_one_that_goes(world, enter):
    draft = AgreementFactory(ready=True)
    first, second = draft.parties.order_by("pk")

    save(
        enter(world.people["staff"]),
        draft,
        **{"parties-0-organization": str(second.organization_id), "parties-1-DELETE": "on"},
    )

    assert list(draft.parties.values_list("pk", "organization")) == [(first.pk, second.organization_id)]


def test_an_organization_added_from_a_unit_belongs_to_it(world, enter):
    client = enter(world.people["lead"])
    url = reverse("admin:partnerships_enterprise_add")

    client.post(url, filled(undrawn(client, url)) | {"name": "New Partner"})

    added = Enterprise.objects.get(name="New Partner")
    assert list(added.holders.values_list("unit", flat=True)) == [world.unit.pk]
    assert client.get(change_url(added)).context["has_change_permission"]


def test_a_lead_sees_of_anothers_organization_the_directory_alone(world, enter):
    client = enter(world.people["lead"])
    twin = world.rows["enterprise"][1]
    Organization.objects.get(pk=twin.pk).contacts.create(name="Secret engineer")

    page = client.get(change_url(twin))

    assert "Taizhou Machinery" in page.content.decode()
    assert "engineer" not in page.content.decode()
    assert page.context["inline_admin_formsets"] == []
    assert client.post(change_url(twin), {"name": "Mine", "version": "1"}).status_code == 403


def test_the_holder_of_another_unit_is_not_for_a_lead_to_change(world, enter):
    shared = world.rows["enterprise"][0]
    theirs = OrganizationUnit.objects.create(organization_id=shared.pk, unit=world.other_unit)
    client = enter(world.people["lead"])

    page = client.get(change_url(shared))

    holders = next(
        inline.formset for inline in page.context["inline_admin_formsets"] if inline.formset.prefix == "holders"
    )
    assert theirs not in holders.get_queryset()


def test_a_new_organization_with_look_alikes_waits_for_a_confirmation(world, enter):
    client = enter(world.people["staff"])
    url = reverse("admin:partnerships_institution_add")
    typed = filled(undrawn(client, url)) | {"name": "Huzhou College Co., Ltd."}

    asked = client.post(url, typed).context["adminform"].form
    assert list(asked.errors) == ["is_another"]
    assert asked.fields["is_another"].help_text == "Huzhou College"

    client.post(url, typed | {"is_another": asked.fields["is_another"].widget.names})
    assert Institution.objects.filter(name="Huzhou College Co., Ltd.").count() == 1


def test_a_credit_code_with_a_wrong_check_digit_waits_for_a_confirmation(world, enter):
    client, code = enter(world.people["staff"]), "91350211M00013FA1N"
    url = reverse("admin:partnerships_institution_add")
    typed = filled(undrawn(client, url)) | {"name": "Huzhou College Co., Ltd.", "uscc": code}

    asked = client.post(url, typed)
    assert list(asked.context["adminform"].form.errors) == ["is_code_right"]
    assert 'name="is_code_right"' in asked.text

    asked = client.post(url, typed | {"is_code_right": "on"})
    assert list(asked.context["adminform"].form.errors) == ["is_another"]
    assert 'name="is_code_right"' in asked.text
    names = asked.context["adminform"].form.fields["is_another"].widget.names
    client.post(url, typed | {"is_code_right": "on", "is_another": names})
    assert Institution.objects.filter(uscc=code).count() == 1


def test_another_title_that_the_unit_has_waits_for_a_confirmation(world, enter):
    there = AgreementFactory(unit=world.unit, title="Joint centre")
    agreement = AgreementFactory(unit=world.unit)
    client, url = enter(world.people["staff"]), change_url(agreement)
    typed = filled(undrawn(client, url)) | {"title": "Joint Centre"}

    asked = client.post(url, typed).context["adminform"].form
    assert list(asked.errors) == ["is_another"]
    assert asked.fields["is_another"].help_text == str(there)

    client.post(url, typed | {"is_another": asked.fields["is_another"].widget.names})
    assert Agreement.objects.get(pk=agreement.pk).title == "Joint Centre"


def test_archiving_waits_for_open_agreements(world, enter):
    client = enter(world.people["staff"])
    busy, idle = world.rows["enterprise"][0], EnterpriseFactory()

    refused = client.post(step_url(busy, "archive"), {"version": "1"})
    client.post(step_url(idle, "archive"), {"version": "1"})

    assert refused.context["form"].non_field_errors() == ["An agreement with it is still open."]
    assert Organization.objects.get(pk=idle.pk).archived_on == timezone.localdate()


def test_rules_for_all_units_are_the_offices(world, enter):
    lead, url = enter(world.people["lead"]), reverse("admin:partnerships_reminderrule_add")
    data = filled(undrawn(lead, url)) | {"milestone_kind": "review", "offset": "3"}

    refused = lead.post(url, data)
    lead.post(url, data | {"unit": str(world.unit.pk)})

    assert list(refused.context["adminform"].form.errors) == ["unit"]
    assert list(ReminderRule.objects.filter(milestone_kind="review").values_list("unit", flat=True)) == [world.unit.pk]


def test_a_training_goes_on_to_its_details(world, enter):
    client, url = enter(world.people["staff"]), reverse("admin:partnerships_activity_add")
    data = filled(undrawn(client, url)) | {"kind": "training", "title": "Welding", "unit": str(world.unit.pk)}

    response = client.post(url, data | {"_save": "Save"})

    added = Activity.objects.get(title="Welding")
    assert response.headers["Location"] == change_url(added)
    save(client, added, **{"training-0-headcount": "12"})
    assert Training.objects.get(activity=added).headcount == 12


def test_a_note_is_logged_by_its_verb_and_moves_the_next_contact(world, enter):
    agreement, person = world.rows["agreement"][0], world.people["staff"]
    client, url = enter(person), reverse("admin:partnerships_contactnote_add")
    today = timezone.localdate()
    data = filled(undrawn(client, url)) | {"summary": "Asked for a date.", "unit": str(world.unit.pk)}

    client.post(url, data | {"agreement": str(agreement.pk), "happened_on": today.isoformat()})

    assert ContactNote.objects.get(summary="Asked for a date.").author == person
    assert agreement.milestones.get(kind="next_contact").due_on == today + dt.timedelta(days=180)


def test_a_milestone_is_moved_with_a_reason_and_given_away(world, enter):
    client, milestone = enter(world.people["lead"]), world.rows["milestone"][0]

    client.post(step_url(milestone, "move"), {"version": "1", "due_on": "2027-05-03", "reason": "Holidays"})
    client.post(step_url(milestone, "assign"), {"version": "2", "owner": str(world.people["coordinator"].pk)})

    moved = Milestone.objects.get(pk=milestone.pk)
    assert (moved.due_on, moved.override_reason) == (dt.date(2027, 5, 3), "Holidays")
    assert moved.owner == world.people["coordinator"]


def test_due_date_and_owner_of_a_milestone_change_by_their_verbs_alone(world, enter):
    milestone = world.rows["milestone"][0]

    save(
        enter(world.people["staff"]), milestone, due_on="2030-01-01", owner="", status="met", kind="review", title="New"
    )

    saved = Milestone.objects.get(pk=milestone.pk)
    assert (saved.title, saved.due_on, saved.status) == ("New", milestone.due_on, "open")
    assert (saved.owner, saved.kind) == (milestone.owner, "agreement")


def test_nothing_is_due_before_the_agreement_was_signed(world, enter):
    client, url = enter(world.people["staff"]), reverse("admin:partnerships_milestone_add")
    agreement = AgreementFactory(signed=True)
    data = {"title": "Too early", "kind": "agreement", "unit": str(agreement.unit.pk), "due_on": "2020-01-01"}

    response = client.post(url, data | {"agreement": str(agreement.pk)})

    assert list(response.context["adminform"].form.errors) == ["due_on"]


def test_obligations_are_accepted_by_a_lead(world, enter):
    client, url = enter(world.people["staff"]), reverse("admin:partnerships_milestone_add")
    agreement = AgreementFactory(signed=True)
    data = {"title": "Owed", "kind": "obligation", "unit": str(agreement.unit.pk), "due_on": "2027-01-01"}

    client.post(url, data | {"agreement": str(agreement.pk)})

    assert Milestone.objects.get(title="Owed").requires_acceptance


def test_a_file_becomes_the_next_version_of_its_document(world, enter):
    client, document = enter(world.people["lead"]), world.rows["document"][0]
    file = SimpleUploadedFile("paper.pdf", b"%PDF-1.7")

    save(client, document, upload=file)

    assert [version.original_name for version in document.versions.all()] == ["paper.pdf", "minutes.txt"]


def test_the_page_of_an_agreement_leads_to_the_form_that_adds_a_document(world, enter):
    client, agreement = enter(world.people["lead"]), world.rows["agreement"][0]
    url = f"{reverse('admin:partnerships_document_add')}?agreement={agreement.pk}"
    assert url in client.get(change_url(agreement)).content.decode()

    upload = {
        "title": "Annex",
        "kind": "annex",
        "level": "holders",
        "upload": SimpleUploadedFile("annex.pdf", b"%PDF-1.7"),
    }
    client.post(url, filled(undrawn(client, url)) | upload)

    annex = Document.objects.get(title="Annex")
    assert (annex.agreement, annex.versions.get().uploaded_by) == (agreement, world.people["lead"])


def test_the_same_document_sent_twice_leads_to_the_one_that_was_kept(world, enter):
    client, url = enter(world.people["lead"]), reverse("admin:partnerships_document_add")
    columns = {
        "title": "Annex",
        "kind": "annex",
        "level": "holders",
        "agreement": str(world.rows["agreement"][0].pk),
        "_continue": "1",
    }

    def send():
        return client.post(url, columns | {"upload": SimpleUploadedFile("annex.pdf", b"%PDF-1.7")})

    assert [send().url for _ in range(2)] == [change_url(Document.objects.get(title="Annex"))] * 2


@pytest.mark.parametrize(("name", "content"), [("page.html", b"<html>"), ("page.pdf", b"<html>"), ("empty.pdf", b"")])
def test_a_file_of_the_wrong_kind_is_refused_on_its_field(world, enter, name, content):
    response = save(enter(world.people["staff"]), DocumentFactory(), upload=SimpleUploadedFile(name, content))

    assert list(response.context["adminform"].form.errors) == ["upload"]


def test_a_chosen_file_is_asked_for_again_when_something_else_is_refused(world, enter):
    client, url = enter(world.people["staff"]), reverse("admin:partnerships_document_add")
    columns = {"title": "", "kind": "annex", "level": "holders", "agreement": str(world.rows["agreement"][0].pk)}

    response = client.post(url, columns | {"upload": SimpleUploadedFile("annex.pdf", b"%PDF-1.7")})

    assert list(response.context["adminform"].form.errors) == ["title"]
    assert "Please choose the file again" in response.content.decode()


def test_a_new_document_needs_a_file(world, enter):
    client, url = enter(world.people["staff"]), reverse("admin:partnerships_document_add")
    target = {"agreement": str(world.rows["agreement"][0].pk)}

    response = client.post(url, {"title": "Nothing", "kind": "other", "level": "holders", **target})

    assert list(response.context["adminform"].form.errors) == ["upload"]


def test_plans_take_no_post(world, enter):
    client = enter(world.people["system_admin"])

    assert client.post(change_url(world.rows["reminderplan"][0]), {"status": "sent"}).status_code == 403


def test_a_plan_says_to_whom_it_went_and_links_the_mail(world, enter):
    plan = world.rows["reminderplan"][0]

    page = enter(world.people["lead"]).get(change_url(plan)).content.decode()

    assert "owner of the milestone" in page
    assert f'href="{plan.items.get().delivery.get_absolute_url()}"' in page


def test_a_participating_unit_reads_and_does_not_write(world, enter):
    theirs = world.rows["agreement"][1]
    theirs.participating_units.create(unit=world.unit)
    client = enter(world.people["lead"])

    assert client.get(change_url(theirs)).status_code == 200
    assert client.post(change_url(theirs), {"title": "Mine", "version": "1"}).status_code == 403


def test_a_unit_is_not_put_below_itself(world, enter):
    child = UnitFactory(parent=world.unit)

    response = save(enter(world.people["system_admin"]), world.unit, parent=str(child.pk))

    assert list(response.context["adminform"].form.errors) == ["parent"]


# All wrong counts on one page, and one of them on every page: the pages share the code that reads a count.
WRONG_COUNTS = [
    *((count, ("programme",)) for count in ("", "x", "1e3", "٣", "9" * 30, None)),
    ("-1", ("agreement", "event", "facility", "programme")),
]


@pytest.mark.parametrize("name", ["TOTAL_FORMS", "INITIAL_FORMS"])
@pytest.mark.parametrize(("count", "kinds"), WRONG_COUNTS, ids=[str(count) for count, _kinds in WRONG_COUNTS])
def test_lines_are_never_dropped_because_their_count_is_wrong(world, enter, name, count, kinds):
    client, told, untold, changed = enter(world.people["system_admin"]), set(), [], []
    for row in (world.rows[one][0] for one in kinds):
        page = undrawn(client, change_url(row))
        data, before = filled(page), row.history.count()
        for formset in (inline.formset for inline in page.context["inline_admin_formsets"]):
            if not (isinstance(formset, PartFormSet) and formset.forms):
                continue
            place = f"{formset.prefix}-{name}"
            sent = {field: value for field, value in (data | {place: count}).items() if value is not None}
            with nothing_drawn():
                refused = client.post(change_url(row), sent)
            shown = [inline.formset.non_form_errors() for inline in refused.context["inline_admin_formsets"]]
            (told.add if "The page was incomplete" in str(shown) else untold.append)(place)
        assert "The page was incomplete" in client.post(change_url(row), sent).text
        if row.history.count() != before:
            changed.append(row)

    assert (untold, changed) == ([], [])
    parts = {"agreement": "parties", "event": "participations", "facility": "partners", "programme": "organizers"}
    assert {place.partition("-")[0] for place in told} >= {parts[kind] for kind in kinds}


def test_lines_beyond_their_count_are_shown_again_and_saved_with_the_next_click(world, enter):
    client, event = enter(world.people["staff"]), world.rows["event"][0]
    more = {"participations-0-name_as_printed": "Quay Works", "participations-0-role": "guest"}
    data = filled(undrawn(client, change_url(event))) | more

    refused = client.post(change_url(event), data | {"participations-TOTAL_FORMS": "0"})
    client.post(change_url(event), filled(refused))

    assert event.participations.filter(name_as_printed="Quay Works").exists()
