"""The timeline of an agreement and of everything that belongs to it."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementUnit,
    Amendment,
    ApprovalRecord,
    ApprovalStep,
    CustodyStep,
    Facility,
    Milestone,
    MilestoneKind,
    Payment,
    Receipt,
    ReminderItem,
    StatusChange,
    User,
)
from partnerships.models.milestones import ACTIVITY_KINDS, CLOSED_BY_STEP
from partnerships.partial_dates import partial_date
from partnerships.reports.timeline import TimelineEntries, TimelineEntry, entry_at
from partnerships.reports.timeline_sources import (
    completed_entries,
    edit_entries,
    note_entries,
    one_per_save,
    part_entry,
    past_label,
    read_documents,
    with_earlier,
)
from partnerships.statuses import ActivityStatus

PARTS = (AgreementParty, AgreementTerm, AgreementArea, AgreementUnit, Payment)
# Milestones of these kinds are met by a step, a call, a receipt or the naming of a liaison.
MET_BY_ANOTHER_ACT = (CLOSED_BY_STEP | ACTIVITY_KINDS) - {MilestoneKind.NEW_HOLDER} | {
    MilestoneKind.NEXT_CONTACT,
    MilestoneKind.PAYMENT,
    MilestoneKind.NEW_LIAISON,
}
MODELS_UNDER_AN_AGREEMENT: tuple[type[Milestone | Activity | Facility], ...] = (Milestone, Activity, Facility)


def agreement_timeline(agreement: Agreement, user: User) -> TimelineEntries:
    """Return the entries in a bounded number of queries.

    Users who see an agreement see everything under it but documents that are for fewer readers.
    """
    timeline = TimelineEntries()
    timeline.read(_status_changes(agreement), _status_entries)
    completed = agreement.activities.filter(status=ActivityStatus.COMPLETED).select_related("owner")
    timeline.read(completed.order_by("-completed_on", "-pk"), completed_entries)
    timeline.read(agreement.contact_notes.select_related("author"), note_entries)
    sent = ReminderItem.objects.filter(plan__milestone__agreement=agreement, delivery__sent_at__isnull=False)
    sent = sent.filter(cancelled_at__isnull=True).select_related("delivery", "plan__milestone", "person", "contact")
    timeline.read(sent.order_by("-delivery__sent_at", "-pk"), _reminder_entries)
    of_others = Q(milestone__agreement=agreement) | Q(activity__agreement=agreement)
    read_documents(timeline, user, Q(agreement=agreement) | of_others)
    timeline.read(_creations(Amendment, agreement), _amendment_entries)
    timeline.read(_creations(CustodyStep, agreement), _custody_entries)
    timeline.read(_creations(ApprovalRecord, agreement), _approval_entries)
    receipts = Receipt.objects.filter(payment__agreement=agreement).select_related("payment__party__organization")
    timeline.read(receipts.order_by("-received_on", "-pk"), _receipt_entries)
    _read_edits(timeline, agreement)
    return timeline


# Status changes


def _status_changes(agreement: Agreement) -> "QuerySet[StatusChange]":
    """Return the changes of the agreement and of everything under it, newest first."""
    about = Q(content_type=ContentType.objects.get_for_model(Agreement), object_id=agreement.pk)
    for model in MODELS_UNDER_AN_AGREEMENT:
        rows = model._default_manager.filter(agreement=agreement)
        about |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=rows.values("pk"))
    return StatusChange.objects.filter(about).select_related("actor").order_by("-at", "-pk")


def _status_entries(changes: list[StatusChange]) -> Iterator[TimelineEntry]:
    rows = _rows_of(changes)
    for change in changes:
        model = ContentType.objects.get_for_id(change.content_type_id).model_class()
        row = rows.get((change.content_type_id, change.object_id))
        is_done = isinstance(row, Activity) and row.status == ActivityStatus.COMPLETED
        if is_done and change.transition == "complete":
            continue  # ``completed_entries`` shows it on the day the work was done
        if isinstance(row, Milestone) and change.transition == "meet" and row.kind in MET_BY_ANOTHER_ACT:
            continue  # the act that met it has an entry of its own
        step = past_label(model, change.transition)
        if row is None:
            yield entry_at(change.at, change.actor, step, detail=change.reason)
            continue
        what = _("%(step)s: %(title)s") % {"step": step, "title": row}
        kind = {Milestone: "due", Activity: "done"}.get(type(row), "step")
        url = row.get_absolute_url()
        yield entry_at(change.at, change.actor, what, detail=change.reason, kind=kind, url=url)


def _rows_of(changes: list[StatusChange]) -> dict[tuple[int, int], Milestone | Activity | Facility]:
    """Load the rows under the agreement that the changes are about, with one query per model."""
    ids: dict[int, set[int]] = defaultdict(set)
    for change in changes:
        ids[change.content_type_id].add(change.object_id)
    found: dict[tuple[int, int], Milestone | Activity | Facility] = {}
    for model in MODELS_UNDER_AN_AGREEMENT:
        content_type = ContentType.objects.get_for_model(model).pk
        if ids[content_type]:
            rows = model._default_manager.in_bulk(ids[content_type])
            found |= {(content_type, pk): row for pk, row in rows.items()}
    return found


def _reminder_entries(items: list[ReminderItem]) -> Iterator[TimelineEntry]:
    for item in items:
        milestone, sent_at = item.plan.milestone, item.delivery.sent_at
        if sent_at is not None:
            what = _("Reminder to %(person)s: %(title)s") % {"person": item.reader, "title": milestone}
            yield entry_at(sent_at, None, what, kind="mail", url=milestone.get_absolute_url())


# Amendments and custody


def _creations(model: Any, agreement: Agreement) -> "QuerySet[Any]":
    """Return the first history rows, newest first: they say who made a row, the rows themselves do not."""
    rows = model.history.filter(history_type="+", agreement=agreement).select_related("history_user")
    return rows.order_by("-history_date", "-history_id")


def _amendment_entries(history: list[Any]) -> Iterator[TimelineEntry]:
    for row in history:
        what = _("Amendment %(number)s signed") % {"number": row.number}
        yield TimelineEntry(row.signed_on, None, row.history_user, what, row.summary, kind="paper")


def _custody_entries(history: list[Any]) -> Iterator[TimelineEntry]:
    for row in history:
        yield TimelineEntry(row.since, None, row.history_user, row.get_step_display(), row.desk, kind="paper")


def _approval_entries(history: list[Any]) -> Iterator[TimelineEntry]:
    # A step that the type no longer has may be gone.
    steps = ApprovalStep.objects.in_bulk([row.step_id for row in history])
    for row in history:
        what = _("Approval step recorded: %(step)s") % {"step": steps.get(row.step_id, "–")}
        detail = " · ".join(part for part in (row.meeting, row.number, row.note) if part)
        yield TimelineEntry(row.decided_on, None, row.history_user, what, detail, kind="step")


def _receipt_entries(receipts: list[Receipt]) -> Iterator[TimelineEntry]:
    entered = Receipt.history.filter(history_type="+", id__in=[receipt.pk for receipt in receipts])
    people = {row.id: row.history_user for row in entered.select_related("history_user")}
    for receipt in receipts:
        payment = receipt.payment
        amount = f"{receipt.amount:,.2f} {payment.currency}"
        what = _("Received: %(amount)s, %(purpose)s") % {"amount": amount, "purpose": payment}
        detail = " · ".join(part for part in (str(payment.party), receipt.note) if part)
        yield TimelineEntry(receipt.received_on, None, people.get(receipt.pk), what, detail, kind="done")


# Edits


def _read_edits(timeline: TimelineEntries, agreement: Agreement) -> None:
    """Add the edits of the agreement with its parts, then those of activities and milestones under their own names."""
    own = TimelineEntries()
    own.read(agreement.history.select_related("history_user"), edit_entries)
    for part in PARTS:
        rows = part.history.filter(agreement=agreement).select_related("history_user")
        own.read(rows.order_by("-history_date", "-history_id"), _part_entries)
    payments = Payment.history.filter(agreement=agreement).values("id")  # those that were deleted, too
    receipts = Receipt.history.filter(payment__in=payments).select_related("history_user")
    own.read(receipts.order_by("-history_date", "-history_id"), _part_entries)
    timeline.merge(own, one_per_save(own.entries))
    for model, kind in ((Activity, "done"), (Milestone, "due")):
        rows = model.history.filter(agreement=agreement).select_related("history_user")
        timeline.read(
            rows.order_by("-history_date", "-history_id"),
            partial(edit_entries, title_of=_title, kind_of_new=kind),
        )


def _title(row: Any) -> str:
    """Return the title in the reader's language; a history row does not have the methods of its model."""
    title_zh = getattr(row, "title_zh", "") if (get_language() or "").startswith("zh") else ""
    return str(title_zh or row.title)


def _part_entries(history: list[Any]) -> Iterator[TimelineEntry]:
    names = dict(zip((row.history_id for row in history), _part_names(history), strict=True))
    for row, earlier in with_earlier(history):
        act = _term_act(row, earlier) if isinstance(row, AgreementTerm.history.model) else ""
        if act:
            yield entry_at(row.history_date, row.history_user, act)
        if row.history_type == "+" and isinstance(row, Receipt.history.model):
            continue  # ``_receipt_entries`` shows it on the day of the receipt
        if act and row.history_type != "~":
            continue
        entry = part_entry(row, earlier, names[row.history_id])
        if entry:
            yield entry


def _term_act(row: Any, earlier: Any | None) -> str:
    """Return what a history row of a term records, where that is a renewal or a notice; empty otherwise."""
    ends = partial_date(row.ends_on, row.ends_precision)
    if row.history_type == "+" and row.basis == AgreementTerm.Basis.TACIT:
        return _("Renewed automatically until %(day)s") % {"day": ends}
    if row.history_type == "+" and row.basis == AgreementTerm.Basis.EXPRESS:
        return _("Renewed until %(day)s") % {"day": ends} if ends else _("Renewed without an end")
    if row.history_type != "~" or earlier is None or row.notice_given_on == earlier.notice_given_on:
        return ""
    if row.notice_given_on is None:
        return _("Took back the notice")
    return _("Recorded a notice (%(day)s)") % {"day": date_format(row.notice_given_on)}


def _part_names(history: list[Any]) -> list[str]:
    """Name each part: by its organization, area or unit, loaded in one query, a payment by its purpose, a term by its days.

    A receipt has the purpose of its payment, its amount and its day.
    """
    fields = {field.name for row in history[:1] for field in row._meta.fields}
    if "purpose" in fields:
        return [row.purpose for row in history]
    if "received_on" in fields:
        payments = Payment.objects.in_bulk([row.payment_id for row in history])
        return [
            f"{payments.get(row.payment_id, '—')}, {date_format(row.received_on)}: {row.amount:,.2f}" for row in history
        ]
    relation = next((name for name in ("organization", "area", "unit") if name in fields), None)
    if relation is None:
        return [f"{_known(row, 'starts')} – {_known(row, 'ends')}" for row in history]
    model = type(history[0])._meta.get_field(relation).related_model
    ids = [getattr(row, f"{relation}_id") for row in history]
    names = model._default_manager.in_bulk(ids)
    return [str(names.get(pk, "—")) for pk in ids]


def _known(term: Any, end: str) -> str:
    """Return the start or the end in a history row of a term, as far as it was known."""
    return str(partial_date(getattr(term, f"{end}_on"), getattr(term, f"{end}_precision")) or "…")
