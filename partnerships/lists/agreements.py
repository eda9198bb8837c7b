import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

import django_filters
from django.db.models import Case, DateField, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.countries import country_choices
from partnerships.lists import cells
from partnerships.lists.base import THROUGH, Column, PageLink, Preset, RecordList, organizations_of
from partnerships.lists.cells import Text
from partnerships.lists.filter_fields import (
    DayFilter,
    DaysFilter,
    PersonFilter,
    SwitchFilter,
    UnitsFilter,
    linked_filter,
    people_of,
)
from partnerships.lists.filters import (
    ArrangedFilterSet,
    CountedFilterSet,
    DatedFilterSet,
    OwnedFilterSet,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.lists.honours import HonouredFilterSet
from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    Contact,
    ContactNote,
    CooperationArea,
    Milestone,
    Organization,
    OrganizationKind,
    Unit,
    User,
    quiet_agreements,
)
from partnerships.models.activities import QUIET_AFTER_DAYS, with_contacted_on
from partnerships.models.agreements import AgreementQuerySet
from partnerships.models.terms import running_period
from partnerships.models.users import read_tree
from partnerships.partial_dates import PartialDate
from partnerships.permissions import may
from partnerships.reports.promises import KeptPromises, PromiseSum, promises_of, summed
from partnerships.statuses import AgreementStatus
from partnerships.texts import name_all


class AgreementFilterSet(
    OwnedFilterSet[AgreementQuerySet],
    ArrangedFilterSet[AgreementQuerySet],
    CountedFilterSet[AgreementQuerySet],
    HonouredFilterSet[AgreementQuerySet],
    DatedFilterSet[AgreementQuerySet],
):
    FRONT = ("status", "party", "unit", "coordinator")
    OWNER = "coordinator"

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("open", pgettext_lazy("agreements", "Open")), *AgreementStatus.choices],
        method="filter_status",
    )
    party = django_filters.CharFilter(label=_("Partner (incl. its parts)"), method="filter_party", max_length=200)
    unit = unit_filter()
    coordinator = PersonFilter(label=_("Coordinator"), field_name="coordinator")
    type = django_filters.ModelChoiceFilter(label=_("Type"), queryset=AgreementType.objects.all())
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"),
        queryset=CooperationArea.objects.all(),
        method="filter_area",
    )
    kind = django_filters.ChoiceFilter(
        label=_("Kind of partner"), choices=OrganizationKind.choices, method="filter_kind"
    )
    country = django_filters.ChoiceFilter(
        label=_("Country or region of a partner"), choices=country_choices, method="filter_country"
    )
    region = region_filter(_("Region of a partner (incl. sub-regions)"))
    signed_from = DayFilter(label=_("Signed from"), field_name="signed_on", lookup_expr="gte")
    signed_until = DayFilter(label=_("Signed until"), field_name="signed_on", lookup_expr="lte")
    ended_from = DayFilter(label=_("Ended from"), method="filter_ended_from")
    ended_until = DayFilter(label=_("Ended until"), method="filter_ended_until")
    ran_from = DayFilter(label=_("Ran on or after"), method="filter_later")
    ran_until = DayFilter(label=_("Ran on or before"), method="filter_later")
    in_force_on = DayFilter(label=_("In force on"), method="filter_in_force_on")
    ends_from = DayFilter(label=_("Term ends from"), field_name="current_ends_on", lookup_expr="gte")
    ends_until = DayFilter(label=_("Term ends until"), field_name="current_ends_on", lookup_expr="lte")
    expiring = DaysFilter(label=_("Expires within (days)"), method="filter_expiring")
    contact_from = DayFilter(label=_("Last contact from"), method="filter_contact_from")
    contact_until = DayFilter(label=_("Last contact until"), method="filter_contact_until")
    quiet_days = DaysFilter(label=_("No contact for (days)"), method="filter_quiet_days")
    quiet_since = DayFilter(label=_("No contact since"), method="filter_quiet_since")
    in_force = SwitchFilter(label=_("In force today"), method="filter_in_force")
    quiet = SwitchFilter(label=_("Without contact"), method="filter_quiet")
    dates = SwitchFilter(label=_("Dates to complete"), method="filter_dates")
    to_confirm = SwitchFilter(label=_("Renewal to confirm"), method="filter_to_confirm")
    overdue = SwitchFilter(label=_("Something is overdue"), method="filter_overdue")
    paper = django_filters.CharFilter(label=_("Original is with"), method="filter_paper", max_length=200)
    liaison = django_filters.CharFilter(label=_("Liaison"), method="filter_liaison", max_length=200)
    organization = linked_filter(_("With (incl. its parts)"), Organization, method="filter_organization")
    beside = UnitsFilter(label=_("Outside of"), method="filter_beside")
    under = linked_filter(_("Under the framework"), Agreement, field_name="parent")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "coordinator": people_of(Agreement.objects.visible_to(self.user), "coordinator"),
            "region": regions_with(Organization.objects.visible_to(self.user)),
        }

    def filter_status(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.not_closed() if value == "open" else queryset.filter(status=value)

    def filter_to_confirm(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.with_standing(self.today).filter(is_renewal_to_confirm=True)

    def filter_area(self, queryset: AgreementQuerySet, name: str, value: CooperationArea) -> AgreementQuerySet:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))

    def filter_party(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=AgreementParty.objects.filter(organization__in=found).values("agreement"))

    def filter_kind(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.filter(Exists(_partners().filter(organization__kind=value)))

    def filter_country(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.filter(Exists(_partners().filter(organization__country=value)))

    def filter_holders(self, queryset: AgreementQuerySet, honours: QuerySet) -> AgreementQuerySet:
        return queryset.filter(Exists(_partners().filter(organization__in=honours.order_by().values("organization"))))

    def filter_expiring(self, queryset: AgreementQuerySet, name: str, value: int) -> AgreementQuerySet:
        return queryset.expiring(self.today, until=self.today + dt.timedelta(days=value))

    def filter_in_force(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.in_force(self.today)

    def filter_in_force_on(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return queryset.in_force(value)

    def filter_queryset(self, queryset: AgreementQuerySet) -> AgreementQuerySet:
        """Apply both ends of "ran" to the same term."""
        first, last = (self.form.cleaned_data.get(name) for name in ("ran_from", "ran_until"))
        filtered = super().filter_queryset(queryset)
        return filtered.ran_between(first or dt.date.min, last or dt.date.max) if first or last else filtered

    def filter_ended_from(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return queryset.with_ended_on(self.today).filter(ended_on__gte=value)

    def filter_ended_until(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return queryset.with_ended_on(self.today).filter(ended_on__lte=value)

    def filter_contact_from(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return with_contacted_on(queryset, self.today).filter(contacted_on__gte=value)

    def filter_contact_until(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return with_contacted_on(queryset, self.today).filter(contacted_on__lte=value)

    def filter_beside(self, queryset: AgreementQuerySet, name: str, value: Collection[Unit]) -> AgreementQuerySet:
        """Leave out the agreements of some units and those below."""
        units = read_tree(Unit).with_descendants([unit.pk for unit in value])
        return queryset.exclude(unit__in=units) if value else queryset

    def filter_quiet(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return quiet_agreements(queryset, self.today)

    def filter_quiet_days(self, queryset: AgreementQuerySet, name: str, value: int) -> AgreementQuerySet:
        return quiet_agreements(queryset, self.today, since=self.today - dt.timedelta(days=value))

    def filter_quiet_since(self, queryset: AgreementQuerySet, name: str, value: dt.date) -> AgreementQuerySet:
        return quiet_agreements(queryset, self.today, since=value)

    def filter_dates(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.with_dates_to_complete()

    def filter_paper(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        return queryset.with_paper().filter(paper_desk__icontains=value)

    def filter_liaison(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        named = _liaisons(self.user).filter(liaison__name__icontains=value)
        return queryset.filter(pk__in=named.values("agreement"))

    def filter_overdue(self, queryset: AgreementQuerySet, name: str, value: str) -> AgreementQuerySet:
        late = Milestone.objects.overdue(self.today).filter(agreement=OuterRef("pk"))
        return queryset.filter(Exists(late))


def _partners() -> QuerySet:
    """Return the parties of an outer query's agreement but our own organization, which is a party of each."""
    parties = AgreementParty.objects.filter(agreement=OuterRef("pk"))
    return parties.exclude(organization=Coalesce(OuterRef("unit__organization"), 0))


PARTIES = Prefetch("parties", AgreementParty.objects.select_related("organization"))


CLOSED = (AgreementStatus.COMPLETED, AgreementStatus.TERMINATED, AgreementStatus.CANCELLED)

# Columns that the list's query adds.
_is_in_force: Callable[[Agreement], bool] = attrgetter("is_in_force")
_is_expired: Callable[[Agreement], bool] = attrgetter("is_expired")
_is_renewal_to_confirm: Callable[[Agreement], bool] = attrgetter("is_renewal_to_confirm")
_next_due_on: Callable[[Agreement], dt.date | None] = attrgetter("next_due_on")
_last_contact_on: Callable[[Agreement], dt.date | None] = attrgetter("last_contact_on")
_paper_desk: Callable[[Agreement], str | None] = attrgetter("paper_desk")
_paper_since: Callable[[Agreement], dt.date | None] = attrgetter("paper_since")


def _status(row: Agreement, today: dt.date) -> SafeString:
    """Return the badge of the status; that of a signed agreement says whether it is in force and what it needs."""
    if _is_renewal_to_confirm(row) or _is_expired(row):
        return cells.tone(_status_words(row), "warning")
    return cells.tone(_status_words(row), "success") if _is_in_force(row) else cells.status(row)


def _status_words(row: Agreement) -> str:
    """Return the status as the list and its file name it."""
    if _is_renewal_to_confirm(row):
        return str(_("Renewal to confirm"))
    if _is_expired(row):
        return str(_("Expired"))
    return str(_("In force") if _is_in_force(row) else row.get_status_display())


def _runs_until(row: Agreement, today: dt.date) -> str:
    if row.runs_until is None and row.signed_on:
        return cells.quiet(_("open-ended"))
    return cells.show(row.runs_until)


def _next_due(row: Agreement, today: dt.date) -> str:
    due_on = _next_due_on(row)
    return "" if due_on is None else cells.due(due_on, today)


def _last_contact(row: Agreement, today: dt.date) -> str:
    return cells.ago(_last_contact_on(row), today, old_after=QUIET_AFTER_DAYS)


def _starts(row: Agreement) -> PartialDate | None:
    first = min(row.terms.all(), key=lambda term: term.number, default=None)
    return first.starts if first else None


def _notice_by(row: Agreement) -> dt.date | None:
    """Return the last day on which notice can be given in the running period; None without a period of notice."""
    period = running_period(row.terms.all(), _batch(row).today)
    if period is None or period.ends_on is None or not period.term.notice or not row.is_signed:
        return None
    return period.term.notice_by(period.ends_on)


def _amount(row: Agreement, today: dt.date) -> str:
    return "" if row.amount is None else f"{cells.grouped(row.amount, 2).removesuffix('.00')} {row.currency}".strip()


# Agreements whose promises are added up above the list.
MOST_SUMMED = 500


# An attribute that the list adds to its rows.
_batch: Callable[[Agreement], "_AgreementBatch"] = attrgetter("batch")


class _AgreementBatch:
    """The values of optional columns, read for all rows of a list when the first of them is asked for."""

    def __init__(self, rows: Sequence[Agreement], user: User, today: dt.date) -> None:
        self.rows, self.user, self.today = rows, user, today

    @cached_property
    def kept(self) -> dict[int, KeptPromises]:
        return promises_of(self.rows, self.user, today=self.today)

    def of(self, row: Agreement) -> PromiseSum:
        kept = self.kept[row.pk]
        return summed(kept.in_term(promise) for promise in kept.promised)

    @cached_property
    def liaisons(self) -> dict[int, list[str]]:
        """The names of the liaisons whom the user may see, by the agreement's id."""
        named = _liaisons(self.user).filter(agreement__in=self.rows, withdrew_on=None).order_by("pk")
        found: dict[int, list[str]] = defaultdict(list)
        for agreement, name in named.values_list("agreement", "liaison__name"):
            found[agreement].append(name)
        return found

    @cached_property
    def phones(self) -> dict[int, list[str]]:
        """The liaisons with the phones that the user may read, by the agreement's id."""
        seen = AgreementParty.objects.filter(liaison__in=Contact.objects.with_personal_data_for(self.user))
        named = seen.filter(agreement__in=self.rows, withdrew_on=None).exclude(liaison__phone="").order_by("pk")
        found: dict[int, list[str]] = defaultdict(list)
        for agreement, name, phone in named.values_list("agreement", "liaison__name", "liaison__phone"):
            found[agreement].append(f"{name} {phone}")
        return found


def _liaisons(user: User) -> QuerySet[AgreementParty]:
    """Return the parties whose liaison the user may see."""
    return AgreementParty.objects.filter(liaison__in=Contact.objects.visible_to(user))


def _promises(row: Agreement) -> str:
    found = _batch(row).of(row)
    if not found.promised:
        return ""
    return _("%(delivered)s of %(promised)s") % {"delivered": found.delivered, "promised": found.promised}


def _delivered(row: Agreement, today: dt.date) -> str:
    found = _batch(row).of(row)
    return cells.meter(found.delivered, found.promised) if found.promised else ""


def _with_next_due(rows: QuerySet) -> QuerySet:
    pending = Milestone.objects.pending().filter(agreement=OuterRef("pk")).order_by("due_on")
    return rows.annotate(next_due_on=Subquery(pending.values("due_on")[:1]))


def _with_last_contact(rows: QuerySet) -> QuerySet:
    """Add ``last_contact_on``, the day of the last completed activity or contact note."""
    done = Activity.objects.completed().filter(agreement=OuterRef("pk")).order_by("-completed_on")
    notes = ContactNote.objects.filter(agreement=OuterRef("pk")).order_by("-happened_on")
    completed = Subquery(done.values("completed_on")[:1], output_field=DateField())
    noted = Subquery(notes.values("happened_on")[:1], output_field=DateField())
    # The greatest of a day and null is null on SQLite.
    return rows.annotate(last_contact_on=Greatest(Coalesce(completed, noted), Coalesce(noted, completed)))


class AgreementList(RecordList[Agreement]):
    key = "agreement_list"
    title = _("Agreements")
    caption = _("Agreements you can access")
    empty = _("No agreement yet.")
    model = Agreement
    filterset_class = AgreementFilterSet
    default_sort = "next_due_on"
    presets = (
        Preset(_("Due soonest")),
        Preset(pgettext_lazy("view of a list", "Mine"), "mine=yes", is_counted=True),
        Preset(_("Ends within 6 months"), "expiring=183", is_counted=True),
        Preset(_("To be confirmed"), "to_confirm=yes", is_counted=True),
        Preset(_("No contact for 180 days"), "quiet=yes", is_counted=True),
        Preset(_("Unassigned"), "orphaned=yes", is_counted=True),
        Preset(_("Most recently signed"), "sort=-signed_on"),
    )
    columns = (
        Column(
            "partners",
            _("Partner"),
            lambda row: organizations_of(cells.partners_of(row)),
            cell=lambda row, today: cells.organizations(cells.partners_of(row)),
            width="name",
            is_fixed=True,
            phone="name",
            select=("unit",),
            prefetch=(PARTIES,),
        ),
        Column(
            "title",
            _("Agreement"),
            str,
            "title",
            width="title",
            is_row_title=True,
            is_fixed=True,
            cites=("title", "title_zh"),
            phone="title",
        ),
        Column(
            "status",
            _("Status"),
            _status_words,
            "status",
            cell=_status,
            width="status",
            phone="status",
            add=lambda rows, user, today: rows.with_standing(today),
        ),
        Column(
            "until",
            pgettext_lazy("column", "Ends"),
            lambda row: row.runs_until,
            "current_ends_on",
            cell=_runs_until,
            width="day",
            phone="end",
        ),
        Column(
            "due",
            _("Next due"),
            _next_due_on,
            "next_due_on",
            cell=_next_due,
            width="due",
            phone="due",
            add=lambda rows, user, today: _with_next_due(rows),
        ),
        Column(
            "contact",
            _("Last contact"),
            _last_contact_on,
            "last_contact_on",
            cell=_last_contact,
            width="ago",
            from_width=1400,
            add=lambda rows, user, today: _with_last_contact(rows),
        ),
        Column("delivered", _("Delivered"), _promises, cell=_delivered, width="meter", from_width=1400),
        Column(
            "coordinator",
            _("Owner"),
            lambda row: row.coordinator,
            "coordinator__name",
            cell=lambda row, today: cells.owner(row.coordinator),
            width="person",
            from_width=1024,
            select=("coordinator",),
        ),
        Column("reference", _("Reference"), lambda row: row.reference, "reference", is_shown_at_first=False),
        Column("type", _("Type"), lambda row: row.type, "type__name", is_shown_at_first=False, select=("type",)),
        Column(
            "amount",
            _("Amount"),
            lambda row: row.amount,
            "amount",
            cell=_amount,
            width="money",
            is_shown_at_first=False,
        ),
        Column("currency", _("Currency"), lambda row: row.currency, "currency", width="num", is_shown_at_first=False),
        Column(
            "area",
            _("Area promised"),
            lambda row: name_all(promise.area for promise in row.promised_areas.all()),
            is_shown_at_first=False,
            prefetch=("promised_areas__area",),
        ),
        Column(
            "signed",
            _("Signed on"),
            lambda row: row.signed,
            "signed_on",
            width="day",
            cites=("signed_on",),
            is_shown_at_first=False,
        ),
        Column("starts", _("Starts on"), _starts, width="day", is_shown_at_first=False, prefetch=("terms",)),
        Column("notice", _("Notice by"), _notice_by, width="day", is_shown_at_first=False, prefetch=("terms",)),
        Column(
            "unit",
            _("Unit"),
            lambda row: row.unit,
            "unit__name",
            is_shown_at_first=False,
            select=("unit",),
        ),
        Column(
            "liaisons",
            _("Liaisons"),
            lambda row: name_all(_batch(row).liaisons.get(row.pk, ())),
            is_shown_at_first=False,
            is_personal=True,
        ),
        Column(
            "phones",
            _("Liaisons and phones"),
            lambda row: "; ".join(_batch(row).phones.get(row.pk, ())),
            is_shown_at_first=False,
            is_personal=True,
        ),
        THROUGH,
        Column(
            "archive_number",
            _("Archive number"),
            lambda row: row.archive_number,
            "archive_number",
            is_shown_at_first=False,
        ),
        Column(
            "paper",
            _("Original is with"),
            _paper_desk,
            is_shown_at_first=False,
            add=lambda rows, user, today: rows.with_paper(),
        ),
        Column(
            "paper_since",
            _("There since"),
            _paper_since,
            "paper_since",
            cell=lambda row, today: cells.ago(_paper_since(row), today),
            width="ago",
            is_shown_at_first=False,
            add=lambda rows, user, today: rows.with_paper(),
        ),
    )

    def usual_order(self) -> Sequence[Any]:
        """Return the order of work: next due first; of those with nothing due, the open ones, the latest signed first."""
        is_closed = Case(When(status__in=CLOSED, then=1), default=0)
        return F("next_due_on").asc(nulls_last=True), is_closed, F("signed_on").desc(nulls_last=True)

    def for_sorting(self, rows: AgreementQuerySet) -> QuerySet:
        return _with_last_contact(_with_next_due(rows.with_paper()))

    def rows(self, ids: Iterable[int], columns: Sequence[Column[Agreement]] | None = None) -> list[Agreement]:
        rows = super().rows(ids, columns)
        batch = _AgreementBatch(rows, self.user, self.today)
        for row in rows:
            row.batch = batch  # type: ignore[attr-defined]
        return rows

    def summary(self) -> str:
        """Return what is delivered of promised in all agreements found: those of a unit, a party or an area."""
        if "delivered" not in self.chosen_columns:
            return ""
        ids = list(self.ids()[: MOST_SUMMED + 1])
        if len(ids) > MOST_SUMMED:
            most = {"count": MOST_SUMMED}
            return _("Delivered of promised is added up for at most %(count)s agreements: filter the list.") % most
        kept = promises_of(list(Agreement.objects.filter(pk__in=ids)), self.user, today=self.today)
        total = summed(one.in_term(promise) for one in kept.values() for promise in one.promised)
        words = {"delivered": total.delivered, "promised": total.promised, "planned": total.planned}
        return _("%(delivered)s of %(promised)s promised delivered, %(planned)s planned") % words

    def links(self) -> list[PageLink]:
        return self._register(_("Register an agreement"))

    def empty_links(self) -> list[PageLink]:
        return self._register(_("Register the first one"))

    def _register(self, label: Text) -> list[PageLink]:
        may_register = may(self.user, "agreement.add")
        return [PageLink(label, reverse("agreement_add"), is_main=True)] if may_register else []
