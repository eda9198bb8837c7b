"""The shared directory of organizations; details and people only for the units that hold one."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.countries import country_name
from partnerships.forms.merges import MergeForm
from partnerships.forms.office_day import office_today
from partnerships.forms.organizations import (
    LOOK_ALIKES_SHOWN,
    ArchiveForm,
    ContactForm,
    DepartureForm,
    NewOrganizationForm,
    OrganizationForm,
    RestoreForm,
)
from partnerships.lists.agreements import PARTIES
from partnerships.lists.facilities import SIDES
from partnerships.lists.organizations import HOLDERS
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Contact,
    ContactPosition,
    Document,
    Event,
    Facility,
    Honour,
    Organization,
    OrganizationKind,
    Participation,
    Payment,
    ProgrammeOrganizer,
    User,
    hide_unseen,
)
from partnerships.models.organizations import with_parts
from partnerships.models.payments import sums_by_currency
from partnerships.models.sort_keys import ByName
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.permissions import may, works_where_entered
from partnerships.reports.organization_timeline import organization_timeline
from partnerships.reports.relations import ARRANGED, relations_of
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.duplicates import leads_to_kept, merged_answer
from partnerships.views.edits import edit_page
from partnerships.views.people_to_contact import shown_contacts
from partnerships.views.record_acts import ICONS, ActGroup, RecordAct, adding, edit_act, record_groups
from partnerships.views.related import VERSIONS, demands_among, figures_about
from partnerships.views.sections import Context, Section, by_name, head_of, section_asked, tabs_of
from partnerships.views.steps import form_page
from partnerships.views.timeline import asks_for_timeline_only, render_timeline, timeline_context
from partnerships.workflows.departures import involvement_of

ROWS_SHOWN = 8
MEMBERS_SHOWN = 50
RELATION_WORDS = {
    "agreements": gettext_lazy("Agreements"),
    "activities": gettext_lazy("Activities"),
    "facilities": gettext_lazy("Joint facilities"),
    "honours": gettext_lazy("Honors"),
    "demands": gettext_lazy("Demands"),
    "events": gettext_lazy("Events"),
    "arranged_agreements": gettext_lazy("Agreements arranged through it"),
    "arranged_activities": gettext_lazy("Activities arranged through it"),
    "arranged_demands": gettext_lazy("Demands arranged through it"),
}


@dataclass(frozen=True)
class OrganizationPage:
    """The organization with what every section of its page starts from."""

    request: UserRequest
    organization: Organization
    today: dt.date
    ids: set[int]  # its own and those of its parts
    details: dict[str, Any]

    @property
    def user(self) -> User:
        return self.request.user


@login_required
@require_safe
@leads_to_kept(Organization)
def organization_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one section of the page, or its timeline alone when htmx asks for that."""
    rows = Organization.objects.select_related("part_of", "region", "region__parent").prefetch_related(HOLDERS)
    organization = visible_or_404(rows, request, pk)
    user, today = request.user, timezone.localdate()
    sees_details = may(user, "organization.view_details", organization)
    if asks_for_timeline_only(request):
        entries = organization_timeline(organization, user, today=today, sees_details=sees_details)
        return render_timeline(request, timeline_context(request, entries))
    section = section_asked(request, SECTIONS)
    details = _details(organization, user, sees_details=sees_details)
    page = OrganizationPage(request, organization, today, with_parts(organization), details)
    people = [line for line in details["contacts"] if line.is_there]
    contact = next((line for line in people if line.sees_channels), next(iter(people), None))
    shown_lines = details["contacts"] if section.name == "overview" else [contact] if contact else []
    seen = [line.contact for line in shown_lines if line.sees_channels]
    if seen:
        note_contacts_viewed(user, seen, now=timezone.now())
    shown = section.read(page)
    context = {
        **head_of(organization),
        "organization": organization,
        "today": today,
        **details,
        "contact": contact,
        "main_act": _main_act(organization, user)
        or (None if organization.archived_on else edit_act(organization, user)),
        "acts": _acts(organization, user),
        "section": section.name,
        "tabs": tabs_of(organization, SECTIONS, section, {"files": details["document_count"]}),
        **shown,
        "cited": citations_of([organization, *shown.pop("cited", ())]),
    }
    return render(request, "partnerships/organizations/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organization_compare(request: UserRequest, pk: int, other: int) -> HttpResponse:
    """Show two look-alikes side by side; whoever may, merges the second into the first."""
    rows = Organization.objects.select_related("part_of", "region").prefetch_related(HOLDERS, "other_names", "codes")
    both = [visible_or_404(rows, request, key) for key in (pk, other)]
    today = timezone.localdate()
    relations = [relations_of(one, request.user, today) for one in both]
    may_merge = may(request.user, "organization.merge") and pk != other
    form = MergeForm(request.POST or None, kept=both[0], merged=both[1]) if may_merge else None
    if request.method == "POST":
        require_or_403(request.user, "organization.merge", both[0])
        if form and (answer := merged_answer(request, form)):
            return answer
    context = {
        "organizations": both,
        "form": form,
        "swap": reverse("organization_compare", args=[other, pk]),
        "facts": (form.facts() if form else []) + _facts_of(both, request.user, is_short=form is not None),
        "numbers": [
            (words, list(zip(both, (one[name] for one in relations), strict=True)))
            for name, words in RELATION_WORDS.items()
            if any(one[name].count for one in relations)
        ],
    }
    status = 409 if form and form.errors else 200
    return render(request, "partnerships/organizations/compare.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organization_add(request: UserRequest) -> HttpResponse:
    """``?name=`` is the name that was looked for in vain, Chinese or not."""
    require_or_403(request.user, "organization.add")
    name = request.GET.get("name", "")[:200]
    initial = {"name" if name.isascii() else "name_zh": name}
    form = NewOrganizationForm(request.POST or None, user=request.user, initial=initial)
    title, back = _("Add an organization"), reverse("organization_list")
    return edit_page(request, None, form, title=title, template="organizations/form", back=back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@leads_to_kept(Organization)
def organization_edit(request: UserRequest, pk: int) -> HttpResponse:
    organization = visible_or_404(Organization.objects.select_related("region__parent"), request, pk)
    require_or_403(request.user, "organization.edit", organization)
    form = OrganizationForm(request.POST or None, user=request.user, instance=organization)
    return edit_page(request, organization, form, title=_("Edit the organization"), template="organizations/form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contact_add(request: UserRequest, pk: int) -> HttpResponse:
    organization = visible_or_404(Organization.objects.all(), request, pk)
    contact = Contact(organization=organization)
    require_or_403(request.user, "contact.edit", contact)
    form = ContactForm(request.POST or None, user=request.user, instance=contact)
    return edit_page(request, organization, form, title=_("Add a person"), template="organizations/contact_form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@leads_to_kept(Contact)
def contact_edit(request: UserRequest, pk: int) -> HttpResponse:
    contact = visible_or_404(Contact.objects.select_related("organization"), request, pk)
    require_or_403(request.user, "contact.edit", contact)
    note_contacts_viewed(request.user, [contact], now=timezone.now())
    form = ContactForm(request.POST or None, user=request.user, instance=contact)
    return edit_page(request, contact, form, title=_("Edit the person"), template="organizations/contact_form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@leads_to_kept(Contact)
def contact_leave(request: UserRequest, pk: int) -> HttpResponse:
    """Show the agreements, associations and events a contact is involved in, and record that they left."""
    contact = visible_or_404(Contact.objects.select_related("organization", "unit"), request, pk)
    require_or_403(request.user, "contact.edit", contact)
    today = office_today(contact)
    form = DepartureForm(request.POST or None, row=contact, today=today, user=request.user)
    shown = {"involvement": involvement_of(contact, request.user, today=today)}
    template = "partnerships/organizations/departure.html"
    return form_page(
        request, contact, form, title=_("Record departure"), done=_("Saved."), template=template, shown=shown
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organization_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
    """Take an organization out of the directory, or bring it back."""
    if step not in {"archive", "restore"}:
        raise Http404(f"no step {step}")
    organization = visible_or_404(Organization.objects.all(), request, pk)
    require_or_403(request.user, "organization.archive", organization)
    is_archiving = step == "archive"
    title = _("Archive") if is_archiving else _("Unarchive")
    form_class = ArchiveForm if is_archiving else RestoreForm
    form = form_class(request.POST or None, row=organization, today=office_today(organization))
    done = _("Archived.") if is_archiving else _("Unarchived.")
    template = "partnerships/organizations/archive.html"
    return form_page(request, organization, form, title=title, done=done, template=template)


def _main_act(organization: Organization, user: User) -> RecordAct | None:
    if organization.archived_on or not may(user, "activity.add"):
        return None
    return RecordAct(_("Log an activity"), f"{reverse('activity_log')}?organization={organization.pk}")


def _acts(organization: Organization, user: User) -> list[ActGroup]:
    """Return what ``user`` may do with the organization now."""
    pk, main = organization.pk, _main_act(organization, user)
    follow_up = [main] if main else []
    if may(user, "agreement.add"):
        address = f"{reverse('agreement_add')}?organization={pk}"
        follow_up.append(RecordAct(_("Register an agreement"), address, ICONS["paper"]))
    beside = []
    if may(user, "contact.edit", organization):
        beside.append(RecordAct(_("Add a person"), reverse("contact_add", args=[pk]), ICONS["person"]))
    if may(user, "organization.merge"):
        beside.append(RecordAct(_("Merge with a duplicate"), reverse("organization_merge", args=[pk]), ICONS["renew"]))
    if may(user, "organization.archive", organization):
        name, label = ("restore", _("Unarchive")) if organization.archived_on else ("archive", _("Archive"))
        beside.append(RecordAct(label, reverse("organization_step", args=[pk, name]), ICONS["end"]))
    adds = adding(user, "demand", "facility", "honour", "achievement", "figure", organization=pk)
    return record_groups(organization, user, follow_up=follow_up, adds=adds, beside=beside)


def _facts_of(both: list[Organization], user: User, *, is_short: bool = False) -> list[dict[str, object]]:
    """Return the values to compare and whether they differ; details only if the user may see those of both.

    ``is_short``: without the columns of the organizations themselves, which the form that merges them shows.
    """
    sees_details = all(may(user, "organization.view_details", one) for one in both)
    facts = [
        (_("Other names"), ["; ".join(str(name) for name in one.other_names.all()) for one in both]),
        (_("Held by"), ["; ".join(str(holder.unit) for holder in one.holders.all()) for one in both]),
    ]
    if sees_details:
        facts.append((_("External codes"), ["; ".join(str(code) for code in one.codes.all()) for one in both]))
    if not is_short:
        facts = [
            (_("Name"), [one.name for one in both]),
            (_("Chinese name"), [one.name_zh for one in both]),
            (_("Kind"), [one.get_kind_display() for one in both]),
            (pgettext("of an organization", "Part of"), [str(one.part_of or "") for one in both]),
            (_("Country or region"), [country_name(one.country) for one in both]),
            (_("Region"), [str(one.region or "") for one in both]),
            *facts,
        ]
        if sees_details:
            facts += [
                (_("Unified social credit code"), [one.uscc or "" for one in both]),
                (_("Address"), [one.address for one in both]),
                (_("Website"), [one.website for one in both]),
            ]
    return [
        {"label": label, "values": list(zip(both, values, strict=True)), "differs": values[0] != values[1]}
        for label, values in facts
    ]


def _overview(page: OrganizationPage) -> Context:
    organization, user = page.organization, page.user
    names = list(organization.other_names.select_related("source"))
    agreements, activities = _agreements(page.ids, user), _activities(page.ids, user)
    relations = relations_of(organization, user, page.today, ids=page.ids)
    return {
        "names": names,
        "parts": page.ids - {organization.pk},
        "agreements": agreements,
        "activities": activities,
        "relations": relations,
        "has_arranged": any(relations[f"arranged_{words}"].count for words in ARRANGED),
        "look_alikes": _look_alikes(organization, user),
        "cited": [*names, *agreements, *activities],
    }


def _related(page: OrganizationPage) -> Context:
    """Return what the organization and its parts run, ask, hold and belong to."""
    organization, user, ids = page.organization, page.user, page.ids
    memberships = list(organization.association_rows.select_related("association"))
    members = list(organization.member_rows.select_related("member")[:MEMBERS_SHOWN])
    of_associations = [organization, *(row.association for row in memberships)]
    liaisons = shown_contacts((one.members_liaison_id for one in of_associations), user)
    liaison_of = {one.pk: liaisons[pk].at(one) for one in of_associations if (pk := one.members_liaison_id) in liaisons}
    for row in memberships:
        row.members_liaison = liaison_of.get(row.association_id)  # type: ignore[attr-defined]
    records, has_memberships = _records(ids, user), bool(memberships or members or organization.pk in liaison_of)
    parts = list(organization.parts.select_related("region")[:MEMBERS_SHOWN])
    payment_sums = _payment_sums(ids, user)
    about = [*memberships, *members, *(row.event for row in records["participations"])]
    return {
        **records,
        "parts": parts,
        "memberships": memberships,
        "members": members,
        "member_count": len(members) if len(members) < MEMBERS_SHOWN else organization.member_rows.count(),
        "members_liaison": liaison_of.get(organization.pk),
        "has_memberships": has_memberships,
        "has_related": any(records.values()) or has_memberships or bool(parts or payment_sums),
        "is_association": organization.kind == OrganizationKind.ASSOCIATION,
        "relations": relations_of(organization, user, page.today, ids=ids),
        "payment_sums": payment_sums,
        "cited": [*about, *(row for rows in records.values() for row in rows)],
    }


def _files(page: OrganizationPage) -> Context:
    organization, user = page.organization, page.user
    documents = Document.objects.visible_to(user).filter(organization=organization).prefetch_related(VERSIONS)
    return {
        "documents": list(documents) if page.details["sees_details"] else [],
        "may_upload": may(user, "document.upload", Document(organization=organization)),
        "figures": figures_about(user, organization=organization),
    }


def _history(page: OrganizationPage) -> Context:
    sees_details = page.details["sees_details"]
    entries = organization_timeline(page.organization, page.user, today=page.today, sees_details=sees_details)
    return timeline_context(page.request, entries)


SECTIONS = by_name(
    Section("overview", pgettext_lazy("section", "Overview"), _overview),
    Section("related", gettext_lazy("Related records"), _related),
    Section("files", gettext_lazy("Files and figures"), _files),
    Section("history", pgettext_lazy("of a record", "History"), _history),
)


def _payment_sums(ids: set[int], user: User) -> list[dict[str, object]]:
    """Return what an organization and its parts promised to pay, was received and is open, a row for each currency."""
    payments = Payment.objects.visible_to(user).agreed().with_received().of_organizations(ids)
    return sums_by_currency(payments.select_related("agreement").prefetch_related("receipts"))


def _look_alikes(organization: Organization, user: User) -> list[Organization]:
    alike = Organization.objects.visible_to(user).resembling(organization)
    return list(alike.select_related("region")[:LOOK_ALIKES_SHOWN])


def _records(ids: set[int], user: User) -> dict[str, list[Any]]:
    """Return the records of an organization or its parts, each list cut to its first rows."""
    honours = Honour.objects.visible_to(user).recorded().of_organizations(ids)
    achievements = Achievement.objects.visible_to(user).of_organizations(ids)
    facilities = Facility.objects.visible_to(user).of_organizations(ids)
    programmes = ProgrammeOrganizer.objects.filter(organization__in=ids)
    return {
        "participations": _participations(ids, user),
        "facilities": list(facilities.prefetch_related(SIDES)[:ROWS_SHOWN]),
        "demands": demands_among(user, organization__in=ids)[:ROWS_SHOWN],
        "honours": list(honours.select_related("scheme__next_scheme", "organization")[:ROWS_SHOWN]),
        "achievements": list(achievements.select_related("organization")[:ROWS_SHOWN]),
        "programme_rows": list(programmes.select_related("programme", "organization")[:ROWS_SHOWN]),
    }


def _details(organization: Organization, user: User, *, sees_details: bool) -> dict[str, Any]:
    """Return what only holders see; viewers among them get personal data masked."""
    sees_contacts = may(user, "contact.view", organization)
    contacts = _contacts(organization, user) if sees_contacts else []
    documents = Document.objects.visible_to(user).filter(organization=organization)
    return {
        "sees_details": sees_details,
        "sees_contacts": sees_contacts,
        "codes": list(organization.codes.all()) if sees_details else [],
        "document_count": documents.count() if sees_details else 0,
        "may_register": may(user, "agreement.add"),
        "may_add_contacts": may(user, "contact.edit", organization),
        "may_erase": may(user, "person.erase"),
        "contacts": contacts,
        "has_masked": any(line.is_masked for line in contacts),
    }


@dataclass(frozen=True)
class ContactLine:
    """A contact with what the reader sees of the channels: all, their ends (``is_masked``), or nothing.

    ``here`` are their positions at the organization of the page, ``elsewhere`` those at others.
    """

    contact: Contact
    here: list[ContactPosition]
    elsewhere: list[ContactPosition]
    sees_channels: bool
    is_masked: bool
    may_edit: bool

    @property
    def is_there(self) -> bool:
        return self.contact.is_active and any(position.until is None for position in self.here)


def _contacts(organization: Organization, user: User) -> list[ContactLine]:
    contacts = Contact.objects.ever_at([organization.pk])
    positions = Prefetch("positions", ContactPosition.objects.select_related("organization"))
    contacts = contacts.select_related("organization", "unit").prefetch_related(positions).order_by(ByName(), "pk")
    works_here = may(user, "contact.edit", organization)
    lines = []
    for contact in contacts:
        is_own = works_where_entered(user, contact)
        held = contact.all_positions
        here = [one for one in held if one.organization_id == organization.pk]
        elsewhere = [one for one in held if one.organization_id != organization.pk]
        works_here_now = contact.organization_id == organization.pk or any(one.until is None for one in here)
        is_own = is_own and (works_here_now or user.sees_all_units or contact.unit_id is not None)
        sees = works_here and (is_own or (contact.is_shared and works_here_now))
        is_near = works_here_now and (contact.is_open_to_holders or contact.unit_id in user.scope.unit_ids)
        may_do = {"is_masked": is_near and not sees, "may_edit": works_here and is_own}
        lines.append(ContactLine(contact, here, elsewhere, sees, **may_do))
    return sorted(lines, key=lambda line: not line.is_there)


def _agreements(ids: set[int], user: User) -> list[Agreement]:
    rows = Agreement.objects.visible_to(user).of_organizations(ids)
    return list(rows.select_related("unit", "type").prefetch_related(PARTIES)[:ROWS_SHOWN])


def _activities(ids: set[int], user: User) -> list[Activity]:
    rows = Activity.objects.visible_to(user).of_organizations(ids).prefetch_related("partners__organization")
    found = list(rows.select_related("agreement", "owner")[:ROWS_SHOWN])
    hide_unseen(found, user)
    return found


def _participations(ids: set[int], user: User) -> list[Participation]:
    events = Event.objects.visible_to(user).recorded().values("pk")
    rows = Participation.objects.filter(organization__in=ids, event__in=events)
    return list(rows.select_related("event", "organization")[:ROWS_SHOWN])
