"""Derived milestones: the dates that follow from a record, and how its milestones are kept up to date with them."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Max, Model, QuerySet, prefetch_related_objects
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from partnerships.dates import IsWorkday, add_months, add_workdays
from partnerships.models import (
    Activity,
    Agreement,
    AgreementParty,
    AgreementTerm,
    ApprovalStep,
    ContactNote,
    Milestone,
    MilestoneKind,
    TypeMilestone,
    User,
    workday_test,
)
from partnerships.models.activities import QUIET_AFTER_DAYS
from partnerships.models.approvals import missing_approval_steps
from partnerships.models.drafts import people_behind_draft
from partnerships.models.milestones import ACCEPTED_KINDS, ACTIVITY_KINDS, CLOSED_BY_STEP, DECISION_KINDS
from partnerships.models.terms import Period, automatic_renewals, last_term, running_period
from partnerships.partial_dates import Precision
from partnerships.statuses import AgreementStatus, EventStatus, MilestoneStatus
from partnerships.workflows.milestones import placement, take_milestone_step
from partnerships.workflows.transitions import (
    lock,
    save_as,
)

# An agreement registered long after its signing is not overdue at once: the office first gets time to make contact.
FIRST_CONTACT_DAYS = 14
# An approved agreement is to be signed within so many days, unless its signing event is planned.
SIGNING_DAYS = 30
# A new liaison is to be named within so many days after it was noted that the last one left.
NEW_LIAISON_DAYS = 14

# Closing an agreement is what these ask for.
MET_BY_CLOSING = frozenset({MilestoneKind.RECORD_END, MilestoneKind.CONFIRM_RENEWAL})

# A step, a receipt or a new liaison meets these. One is asked for again when that was taken back, or the next liaison left.
MET_BY_STEP = ACTIVITY_KINDS | CLOSED_BY_STEP | {MilestoneKind.PAYMENT, MilestoneKind.NEW_LIAISON}

# For these kinds a later date opens a new round, also when the last one was met, waived or moved by hand.
COUNTED_ANEW = frozenset(
    {
        MilestoneKind.NEXT_CONTACT,
        MilestoneKind.FACILITY_REVIEW,
        MilestoneKind.HONOUR_LAPSE,
        MilestoneKind.DEMAND_DEADLINE,
        MilestoneKind.NEW_LIAISON,
        *ACTIVITY_KINDS,
    }
)


@dataclass(frozen=True)
class Derived:
    """A milestone that a row asks for, one for each ``key``.

    ``title`` may hold a place for ``name``, what the row is called. With ``asks_late`` it is asked for even where its
    day has passed already. ``unit_id`` is set where another unit than the row's has to act. ``excluded`` are the people
    who may not decide it; None leaves those of an existing milestone as they are.
    """

    key: str
    kind: MilestoneKind
    title: str
    due_on: dt.date
    recurs_every_months: int | None = None
    name: str = ""
    asks_late: bool = False
    unit_id: int | None = None
    excluded: frozenset[int] | None = None
    name_zh: str = ""
    party_id: int | None = None  # the party that owes it

    def titles(self) -> dict[str, str]:
        """Return its title and its Chinese title; the latter is empty where it is not translated."""
        longest = Milestone._meta.get_field("title").max_length or 0
        with override("zh-hans"):
            title_zh = _(self.title)
        names = (self.name, self.name_zh or self.name)
        words = zip((self.title, title_zh), names, strict=True)
        named = [title % {"name": name} if name else title for title, name in words]
        title, title_zh = (Truncator(words).chars(longest) for words in named)
        return {"title": title, "title_zh": title_zh if title_zh != title else ""}

    def is_over(self, not_before: dt.date | None) -> bool:
        """Whether it is too late to ask for it: its day had passed when its row came to ask."""
        return not_before is not None and self.due_on < not_before and not self.asks_late


@dataclass(frozen=True)
class AgreementFacts:
    """The facts that derived dates of an agreement are counted from, beside its own columns and terms."""

    contact_on: dt.date | None
    is_workday: IsWorkday
    day: dt.date  # periods that end before it have ended
    authors: frozenset[int] | None = None  # who may not decide about it; None where they are not read
    next_step: ApprovalStep | None = None  # of an agreement in review
    without_liaison: Sequence[AgreementParty] = ()  # parties whose liaison has left


def last_contacts(agreements: Collection[Agreement]) -> dict[int, dt.date]:
    """Map agreement ids to the last contact, from which *quiet* counts: signing, completed activity or contact note."""
    latest = {agreement.pk: agreement.latest_signing for agreement in agreements if agreement.signed_on}
    done = Activity.objects.completed().filter(agreement__in=agreements).values("agreement")
    notes = ContactNote.objects.filter(agreement__in=agreements).values("agreement")
    for rows, day in ((done, "completed_on"), (notes, "happened_on")):
        # Without order_by() the model's ordering would become part of the GROUP BY.
        for agreement, contact_on in rows.order_by().annotate(day=Max(day)).values_list("agreement", "day"):
            latest[agreement] = max(latest.get(agreement, contact_on), contact_on)
    return latest


def last_contact_on(agreement: Agreement) -> dt.date | None:
    return last_contacts([agreement]).get(agreement.pk)


def derived_milestones(agreement: Agreement, basis: AgreementFacts) -> list[Derived]:
    """Return the milestones that the agreement asks for as it is now; the one formula for each derived date.

    An agreement registered after its signing asks for nothing before the day it was registered.
    """
    wanted: list[Derived] = []
    if agreement.status == AgreementStatus.IN_REVIEW and agreement.submitted_on:
        wanted.append(_approval(agreement, agreement.submitted_on, basis))
    if agreement.status == AgreementStatus.RETURNED and agreement.returned_on:
        wanted.append(_revision(agreement, agreement.returned_on, basis))
    if agreement.status == AgreementStatus.APPROVED and agreement.approved_on:
        wanted.append(_signing(agreement, agreement.approved_on))
    if agreement.is_signed and agreement.is_signing_to_confirm and agreement.recorded_on:
        wanted.append(_confirmation(agreement, agreement.recorded_on, basis))
    if agreement.is_signed:
        wanted += _from_terms(agreement, basis)
        wanted += _from_payments(agreement)
        wanted += map(_new_liaison, basis.without_liaison)
    if agreement.status == AgreementStatus.SIGNED:
        wanted += _from_last_contact(agreement, basis.contact_on)
    return wanted


def _approval(agreement: Agreement, submitted_on: dt.date, basis: AgreementFacts) -> Derived:
    title, due_on = gettext_noop("Approve the agreement or return it"), _decided_by(agreement, submitted_on, basis)
    kind, step = MilestoneKind.APPROVAL, basis.next_step
    if step is None:
        return Derived("approval", kind, title, due_on, excluded=basis.authors)
    title = gettext_noop("Approve the agreement or return it (next step: %(name)s)")
    return Derived("approval", kind, title, due_on, excluded=basis.authors, name=step.name, name_zh=step.name_zh)


def _revision(agreement: Agreement, returned_on: dt.date, basis: AgreementFacts) -> Derived:
    title, due_on = gettext_noop("Revise the agreement and submit it again"), _decided_by(agreement, returned_on, basis)
    return Derived("revision", MilestoneKind.REVISION, title, due_on)


def _signing(agreement: Agreement, approved_on: dt.date) -> Derived:
    event, due_on = agreement.event, approved_on + dt.timedelta(days=SIGNING_DAYS)
    if event and event.status == EventStatus.RECORDED and event.starts_on >= approved_on:
        due_on = event.starts_on
    return Derived("signing", MilestoneKind.SIGNING, gettext_noop("Record the signing of the agreement"), due_on)


def _confirmation(agreement: Agreement, recorded_on: dt.date, basis: AgreementFacts) -> Derived:
    title, due_on = gettext_noop("Confirm that the agreement was signed"), _decided_by(agreement, recorded_on, basis)
    kind = MilestoneKind.CONFIRM_REGISTRATION
    return Derived("confirm_registration", kind, title, due_on, asks_late=True, excluded=basis.authors)


def _decided_by(agreement: Agreement, since: dt.date, basis: AgreementFacts) -> dt.date:
    """Return by when a lead decides about an agreement, or its coordinator submits it again."""
    try:
        return add_workdays(since, agreement.type.review_workdays, basis.is_workday)
    except ValueError:  # a calendar without working days must not stop the submission
        return since + dt.timedelta(days=agreement.type.review_workdays)


def _from_terms(agreement: Agreement, basis: AgreementFacts) -> Iterable[Derived]:
    """Yield the decision or review of the running period, and what is to be recorded of those that ended."""
    period = running_period(agreement.terms.all(), basis.day)
    if period is None:
        return
    ended_on = period.ends_on if period.has_ended(basis.day) else None
    if ended_on is not None:
        yield _record_end(agreement, period.number, ended_on, basis)
        return
    if not period.is_recorded and period.term.ends_on:
        yield _confirm_renewal(agreement, period.term.number + 1, period.term.ends_on, basis)
    derived = _to_decide(agreement, period, basis.is_workday)
    if derived and (agreement.recorded_on is None or derived.due_on >= agreement.recorded_on):
        yield derived


def _to_decide(agreement: Agreement, period: Period, is_workday: IsWorkday) -> Derived | None:
    term = period.term
    if period.ends_on is None:
        return _review(term, term.review_on) if term.review_on else None
    decision = term.decision_date(is_workday, period.ends_on)
    if decision is None or term.notice_given_on:  # notice is the decision: it will not go on
        return None
    # A notice period longer than the term would put the decision before the signing.
    return _decision(period.number, max(decision.decide_on, agreement.signing_date))


def _from_payments(agreement: Agreement) -> Iterable[Derived]:
    """Yield a milestone for each promised payment that has a day and was not received in full."""
    for payment in agreement.payments.all():
        if payment.due_on is not None and not payment.is_received:
            titles = gettext_noop("Payment due: %(name)s"), gettext_noop("Contribution in kind due: %(name)s")
            title, kind = titles[payment.is_in_kind], MilestoneKind.PAYMENT
            about: dict[str, Any] = {"name": payment.purpose, "party_id": payment.party_id}
            yield Derived(payment.derived_key, kind, title, payment.due_on, **about)


def without_liaison(parties: Iterable[AgreementParty]) -> list[AgreementParty]:
    """Return the parties whose liaison no longer works there. Queries run only for liaisons with a recorded departure."""
    return [
        party
        for party in parties
        if party.withdrew_on is None
        and party.liaison is not None
        and party.liaison.departure_noted_on
        and not party.liaison.works_at(party.organization)
    ]


def _new_liaison(party: AgreementParty) -> Derived:
    organization, liaison = party.organization, party.liaison
    if liaison is None or liaison.departure_noted_on is None:
        raise ValueError("its liaison has not left")  # see ``without_liaison``
    due_on = liaison.departure_noted_on + dt.timedelta(days=NEW_LIAISON_DAYS)
    title, kind = gettext_noop("Name a new liaison at %(name)s"), MilestoneKind.NEW_LIAISON
    name, name_zh = organization.name, organization.name_zh
    return Derived(_liaison_key(party), kind, title, due_on, asks_late=True, name=name, name_zh=name_zh)


def _liaison_key(party: AgreementParty) -> str:
    return f"liaison:{party.pk}"


def _confirm_renewal(agreement: Agreement, number: int, ended_on: dt.date, basis: AgreementFacts) -> Derived:
    title, kind = gettext_noop("Confirm that the agreement was renewed"), MilestoneKind.CONFIRM_RENEWAL
    return Derived(f"confirm_renewal:{number}", kind, title, _recorded_by(agreement, ended_on, basis))


def _record_end(agreement: Agreement, number: int, ended_on: dt.date, basis: AgreementFacts) -> Derived:
    title = gettext_noop("Record the renewal, or close the agreement")
    return Derived(f"record_end:{number}", MilestoneKind.RECORD_END, title, _recorded_by(agreement, ended_on, basis))


def _recorded_by(agreement: Agreement, ended_on: dt.date, basis: AgreementFacts) -> dt.date:
    """Return by when a lead records what came after a term; counted from the registration where that was later."""
    return _decided_by(agreement, max(ended_on, agreement.recorded_on or ended_on), basis)


def _decision(number: int, due_on: dt.date) -> Derived:
    title = gettext_noop("Decide whether the agreement goes on")
    return Derived(f"decision_date:{number}", MilestoneKind.DECISION_DATE, title, due_on)


def _review(term: AgreementTerm, due_on: dt.date) -> Derived:
    return Derived(f"review:{term.number}", MilestoneKind.REVIEW, gettext_noop("Review the agreement"), due_on)


def _from_last_contact(agreement: Agreement, contact_on: dt.date | None) -> Iterable[Derived]:
    if contact_on is None:
        return
    due_on = contact_on + dt.timedelta(days=QUIET_AFTER_DAYS)
    if agreement.recorded_on:
        due_on = max(due_on, agreement.recorded_on + dt.timedelta(days=FIRST_CONTACT_DAYS))
    yield Derived("next_contact", MilestoneKind.NEXT_CONTACT, gettext_noop("Get in touch with the partners"), due_on)


def next_approval_step(agreement: Agreement) -> ApprovalStep | None:
    """Return the next approval step to record of an agreement in review; None for others, without a query."""
    missing = missing_approval_steps(agreement) if agreement.status == AgreementStatus.IN_REVIEW else []
    return missing[0] if missing else None


def derive_milestones(agreement: Agreement, *, actor: User | None, on: dt.date) -> None:
    """Update the derived milestones of an agreement as of ``on``, and its current end; see ``update_derived``."""
    with transaction.atomic():
        agreement = lock(agreement)
        prefetch_related_objects([agreement], "payments__receipts", "terms")
        is_to_decide = agreement.status == AgreementStatus.IN_REVIEW or agreement.is_signing_to_confirm
        authors = frozenset(people_behind_draft(agreement)) if is_to_decide else None
        is_workday = workday_test(agreement.unit.effective_calendar)
        liaisons = list(agreement.parties.exclude(liaison=None).select_related("liaison", "organization"))
        contact_on, next_step = last_contact_on(agreement), next_approval_step(agreement)
        basis = AgreementFacts(contact_on, is_workday, on, authors, next_step, without_liaison(liaisons))
        wanted = derived_milestones(agreement, basis)
        decided = _decided_by_terms(agreement)
        for payment in agreement.payments.all():
            if payment.is_received:
                decided[payment.derived_key] = _("Received in full.")
        for party in liaisons:
            if agreement.is_signed and party.withdrew_on is None and party not in basis.without_liaison:
                decided[_liaison_key(party)] = _("The party has a liaison.")
        if agreement.status in {AgreementStatus.APPROVED, AgreementStatus.RETURNED}:
            decided["approval"] = str(agreement.get_status_display())
        if agreement.status == AgreementStatus.IN_REVIEW:
            decided["revision"] = _("Submitted for review")
        if agreement.is_signed:
            decided["signing"] = _("Signing recorded")
        if agreement.is_signing_confirmed:
            decided["confirm_registration"] = _("Signing confirmed")
        reason = _why_not_asked(agreement, on)
        reasons = {}
        if agreement.is_signed:  # notice and renewal say nothing of a payment
            reasons[MilestoneKind.PAYMENT] = _("The payment was deleted, or has no day any more.")
        owner = agreement.coordinator
        update_derived(agreement, wanted, owner=owner, actor=actor, on=on, reason=reason, reasons=reasons, met=decided)
        update_current_end(agreement, on=on)


def _why_not_asked(agreement: Agreement, on: dt.date) -> str:
    """Return why the agreement no longer asks for a milestone, where no record says that it was met."""
    period = running_period(agreement.terms.all(), on) if agreement.is_signed else None
    if period and period.has_ended(on):
        return _("The term has ended.")
    if period and not period.is_recorded:
        return _("The agreement was renewed automatically.")
    if period and period.term.notice_given_on:
        return _("Notice was given on %(day)s.") % {"day": date_format(period.term.notice_given_on)}
    return _("The agreement no longer asks for it (%(status)s).") % {"status": agreement.get_status_display()}


def _decided_by_terms(agreement: Agreement) -> dict[str, str]:
    """Return the keys of milestones that the terms on record answer, with the evidence."""
    term = agreement.current_term
    if term is None or agreement.signed_on is None:
        return {}
    if agreement.has_ended:
        return {milestone.derived_key: str(agreement.get_status_display()) for milestone in _met_by_closing(agreement)}
    renewed = _("Renewed: term %(number)s.") % {"number": term.number}
    keys = ("decision_date", "review", "record_end", "confirm_renewal")
    decided = {f"{key}:{number}": renewed for key in keys for number in range(1, term.number)}
    return decided | {f"confirm_renewal:{term.number}": renewed}


def meet_by_closing(agreement: Agreement, *, actor: User | None, on: dt.date) -> None:
    """Meet the milestones that asked for a closed agreement's end; the caller has locked it."""
    for milestone in _met_by_closing(agreement):
        _drop(milestone, str(agreement.get_status_display()), actor=actor, on=on, reason="")


def _met_by_closing(agreement: Agreement) -> QuerySet[Milestone]:
    return Milestone.objects.derived_of(agreement).pending().filter(kind__in=MET_BY_CLOSING)


def update_current_end(agreement: Agreement, *, on: dt.date) -> None:
    """Store the end of the period that runs on ``on``, and how far the last term renews itself; both are derived."""
    terms = list(agreement.terms.all())
    term = last_term(terms)
    ends_on, precision, renews_until = _current_end(agreement, terms, on)
    if term and term.renews_until != renews_until:
        AgreementTerm.objects.filter(pk=term.pk).update(renews_until=renews_until)
    if (agreement.current_ends_on, agreement.current_ends_precision) != (ends_on, precision):
        agreement.current_ends_on, agreement.current_ends_precision = ends_on, precision
        # No new version: nobody edited the agreement.
        Agreement.objects.filter(pk=agreement.pk).update(
            current_ends_on=agreement.current_ends_on, current_ends_precision=agreement.current_ends_precision
        )


def is_current_end_stored(agreement: Agreement, *, on: dt.date) -> bool:
    """Whether ``update_current_end`` would leave everything as it is; without a query if the terms are prefetched."""
    terms = list(agreement.terms.all())
    term = last_term(terms)
    renews_until = term.renews_until if term else None
    stored = agreement.current_ends_on, agreement.current_ends_precision, renews_until
    return stored == _current_end(agreement, terms, on)


def _current_end(
    agreement: Agreement, terms: Collection[AgreementTerm], on: dt.date
) -> tuple[dt.date | None, str, dt.date | None]:
    """Return the end of the period that runs on ``on``, its precision, and the last day of the last renewal."""
    renewals, term = automatic_renewals(terms), last_term(terms)
    precision = term.ends_precision if term else Precision.DAY
    return agreement.end_of_period(on, terms), precision, renewals.until if renewals else None


def update_derived(
    row: Model,
    wanted: Iterable[Derived],
    *,
    owner: User | None,
    actor: User | None,
    on: dt.date,
    reason: str,
    reasons: Mapping[MilestoneKind, str] = MappingProxyType({}),
    met: Mapping[str, str] | None = None,
    not_before: dt.date | None = None,
) -> None:
    """Create, move, reopen or close the derived milestones of ``row``, which the caller has locked.

    One that was moved by hand keeps its date, one that was met or waived stays so, unless a later date of a kind in
    ``COUNTED_ANEW`` asks for the next round. What is no longer wanted is met where ``met`` (key -> evidence) says so,
    and cancelled otherwise, with the reason of its kind in ``reasons`` or else with ``reason``. What lies before ``not_before`` is not asked for, and stays where it was.
    """
    missing = {derived.key: derived for derived in wanted}
    for milestone in Milestone.objects.derived_of(row).select_for_update(no_key=True, of=("self",)):
        derived = missing.pop(milestone.derived_key, None)
        if derived is not None:
            _follow(row, milestone, derived, actor=actor, on=on, not_before=not_before)
        elif milestone.is_pending:
            why = reasons.get(MilestoneKind(milestone.kind), reason)
            _drop(milestone, (met or {}).get(milestone.derived_key), actor=actor, on=on, reason=why)
    for derived in missing.values():
        if not derived.is_over(not_before):
            _make(row, derived, owner=owner, actor=actor)


def is_up_to_date(
    row: Model, milestones: Iterable[Milestone], wanted: Iterable[Derived], *, not_before: dt.date | None = None
) -> bool:
    """Whether ``update_derived`` would leave the derived ``milestones`` of ``row`` as they are; asks no database."""
    missing = {derived.key: derived for derived in wanted}
    for milestone in milestones:
        derived = missing.pop(milestone.derived_key, None)
        if derived is None and milestone.is_pending:
            return False
        if derived is not None and _asks_again(milestone, derived, not_before):
            return False
        if derived is not None and milestone.is_pending and _differences(row, milestone, derived):
            return False
    return all(derived.is_over(not_before) for derived in missing.values())


def _make(row: Any, derived: Derived, *, owner: User | None, actor: User | None) -> None:
    milestone = Milestone(
        **_placement(row, derived),
        **derived.titles(),
        owner=None if derived.kind in DECISION_KINDS else owner,
        excluded_ids=sorted(derived.excluded) if derived.excluded else None,
        kind=derived.kind,
        due_on=derived.due_on,
        derived_key=derived.key,
        recurs_every_months=derived.recurs_every_months,
        requires_acceptance=derived.kind in ACCEPTED_KINDS,
        is_sample=row.is_sample,
    )
    setattr(milestone, row._meta.model_name, row)
    save_as(milestone, actor)


def _follow(
    row: Model,
    milestone: Milestone,
    derived: Derived,
    *,
    actor: User | None,
    on: dt.date,
    not_before: dt.date | None,
) -> None:
    changes = _differences(row, milestone, derived)
    if _asks_again(milestone, derived, not_before):
        reason = _("It is needed again.")
        milestone = take_milestone_step(milestone, "reopen", actor=actor, on=on, reason=reason, is_consequence=True)
    if milestone.is_pending and changes:
        for name, value in changes.items():
            setattr(milestone, name, value)
        save_as(milestone, actor)


def _asks_again(milestone: Milestone, derived: Derived, not_before: dt.date | None) -> bool:
    """Whether a closed milestone is to be done again: it was cancelled, undone, or a new round began."""
    if milestone.is_pending or derived.is_over(not_before):
        return False
    is_undone = milestone.status == MilestoneStatus.MET and derived.kind in MET_BY_STEP
    return milestone.status == MilestoneStatus.CANCELLED or is_undone or _is_new_round(milestone, derived)


def _is_new_round(milestone: Milestone, derived: Derived) -> bool:
    return derived.kind in COUNTED_ANEW and derived.due_on > _counted_day(milestone)


def _differences(row: Any, milestone: Milestone, derived: Derived) -> dict[str, Any]:
    """Return the columns in which ``milestone`` is not what ``derived`` asks for, with what they should hold."""
    # Only a title with a name in it can change, and that of an approval, which names its next step. The others are fixed.
    may_change = derived.name or derived.kind == MilestoneKind.APPROVAL
    wanted: dict[str, Any] = {**_placement(row, derived), **(derived.titles() if may_change else {})}
    if derived.excluded is not None:
        wanted["excluded_ids"] = sorted(derived.excluded) or None
    is_kept = milestone.overridden_at is not None and not _is_new_round(milestone, derived)
    if milestone.due_on != derived.due_on and not is_kept:
        gone = dict.fromkeys(("recurs_from", "scheduled_on", "overridden_at", "snoozed_until"))
        wanted |= {**gone, "due_on": derived.due_on, "override_reason": "", "snooze_reason": ""}
    return {name: value for name, value in wanted.items() if getattr(milestone, name) != value}


def _placement(row: Any, derived: Derived) -> dict[str, int | None]:
    own = {"unit_id": derived.unit_id, "party_id": derived.party_id}
    return placement(row) | {name: value for name, value in own.items() if value is not None}


def _counted_day(milestone: Milestone) -> dt.date:
    """Return the day that was counted for it, before somebody moved it."""
    return milestone.scheduled_on or milestone.due_on


def _drop(milestone: Milestone, evidence: str | None, *, actor: User | None, on: dt.date, reason: str) -> None:
    if evidence and milestone.status == MilestoneStatus.OPEN:
        take_milestone_step(milestone, "meet", actor=actor, on=on, evidence=evidence, is_consequence=True)
    else:
        take_milestone_step(milestone, "cancel", actor=actor, on=on, reason=reason, is_consequence=True)


def make_type_milestones(agreement: Agreement, *, actor: User | None, not_before: dt.date) -> None:
    """Create the milestones that every agreement of this type has, counted in months from its signing.

    One that is there already (signed again after a correction) is reopened and moved, not doubled.
    """
    on = agreement.latest_signing
    existing = {(milestone.kind, milestone.title): milestone for milestone in agreement.milestones.all()}
    for template in agreement.type.default_milestones.all():
        due_on = add_months(on, template.months_after_signing)
        if due_on < not_before:
            continue  # registered after its signing: what was due before is history
        known = existing.get((template.kind, template.title))
        if known is None:
            _make_from_type(agreement, template, due_on, actor=actor)
        elif known.status == MilestoneStatus.CANCELLED:
            reason = _("The agreement was signed again.")
            take_milestone_step(known, "reopen", actor=actor, on=on, reason=reason, is_consequence=True, due_on=due_on)


def _make_from_type(agreement: Agreement, template: TypeMilestone, due_on: dt.date, *, actor: User | None) -> None:
    milestone = Milestone(
        unit_id=agreement.unit_id,
        agreement=agreement,
        owner_id=agreement.coordinator_id,
        kind=template.kind,
        title=template.title,
        title_zh=template.title_zh,
        due_on=due_on,
        requires_acceptance=template.requires_acceptance,
        is_sample=agreement.is_sample,
    )
    save_as(milestone, actor)
