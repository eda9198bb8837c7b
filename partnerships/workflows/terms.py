"""The terms of a signed agreement: renewed, amended, and ended by notice; the quantities it promises."""

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import Agreement, AgreementArea, AgreementTerm, Amendment, User
from partnerships.models.terms import automatic_renewals
from partnerships.partial_dates import PartialDate, Precision
from partnerships.permissions import require
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.edits import Aggregate, check_not_in_future
from partnerships.workflows.transitions import check_day, lock_as_read, save_as

# The columns of a term that its renewals take over, and that an amendment may change.
CONDITIONS = ("renewal", "renewal_months", "renewal_limit", "notice", "notice_unit")
TAKEN_OVER = (*CONDITIONS, "lead_days")
ONE_DAY = dt.timedelta(days=1)
# The promises of a signed agreement, whose quantities change without the rest of it.
PROMISES = Aggregate(Agreement, "agreement.amend", "agreement.amend", parts=(AgreementArea,))


def lock_signed(agreement: Agreement, actor: User | None) -> Agreement:
    """Return the signed agreement, locked, for a change of what was signed; a second click is refused as stale."""
    locked = lock_as_read(agreement)
    require(actor, "agreement.amend", locked)
    if not locked.is_signed:
        raise TransitionRefused(_("Only a signed agreement can be renewed, amended or joined."))
    return locked


def confirm_renewal(agreement: Agreement, *, actor: User | None, on: dt.date) -> AgreementTerm:
    """Record the automatic renewals that began on ``on`` or before, one term for each, and return the last.

    Their decision dates and the question whether the agreement was renewed count as met.
    """
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        recorded = _record_renewals(locked, actor, on)
        if not recorded:
            raise TransitionRefused(_("There is no automatic renewal to confirm."))
        locked.touch()
        derive_milestones(locked, actor=actor, on=on)
    return recorded[-1]


def renew_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    on: dt.date,
    ends_on: dt.date | None,
    review_on: dt.date | None = None,
    starts_on: dt.date | None = None,
    is_gap_meant: bool = False,
) -> AgreementTerm:
    """Add the term that the parties agreed on, with the conditions of the current one.

    It starts on ``starts_on``, or on the day after the period that runs on ``on``. A later start leaves a gap, which has
    to be meant. Automatic renewals that began before the start are recorded first.
    """
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        if starts_on:
            check_day(starts_on, field="starts_on")
        _record_renewals(locked, actor, starts_on - ONE_DAY if starts_on else on)
        current = locked.current_term
        if current is None or current.ends_on is None:
            raise InvalidInput(_("An open-ended agreement has no end from which to renew it; amend it to give it one."))
        following = current.ends_on + ONE_DAY
        starts_on = starts_on or following
        if starts_on < following:
            raise InvalidInput(
                _("The current term runs until %(day)s.") % {"day": date_format(current.ends_on)}, field="starts_on"
            )
        if starts_on > following and not is_gap_meant:
            raise InvalidInput(_gap(following, starts_on), field="is_gap_meant")
        basis = AgreementTerm.Basis.EXPRESS
        term = _next_term(locked, current, basis, starts_on=starts_on, ends_on=ends_on, review_on=review_on)
        return _add(term, actor, on)


def amend_agreement(
    agreement: Agreement,
    *,
    actor: User | None,
    signed_on: dt.date,
    effective_on: dt.date,
    today: dt.date,
    summary: str,
    ends_on: dt.date | None = None,
    review_on: dt.date | None = None,
    conditions: Mapping[str, object] = MappingProxyType({}),
    promises: Sequence[AgreementArea] = (),
) -> Amendment:
    """Record a signed amendment and apply it.

    With an end, a review or ``conditions`` (``CONDITIONS``: how it is renewed, and the notice) a new term starts on
    ``effective_on``. Without an end or a review, that one keeps the end of the period it changes. ``promises`` are promised
    areas with the quantities that it changes; they apply to the whole term.
    """
    if not summary.strip():
        raise InvalidInput(_("Say what changed."), field="summary")
    check_not_in_future(signed_on, today=today, field="signed_on")
    check_day(effective_on, field="effective_on")
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        if signed_on < locked.signing_date:
            raise InvalidInput(_("An amendment cannot be signed before the agreement."), field="signed_on")
        term = None
        if ends_on or review_on or conditions:
            ends = {"ends_on": ends_on, "review_on": review_on}
            term = _replace_term(locked, actor, effective_on=effective_on, conditions=conditions, **ends)
            _add(term, actor, today)
        else:
            # Its next version: an edit page that was opened before the amendment is refused as stale.
            locked.touch()
        PROMISES.save_parts(locked, promises, (), actor=actor)
        amendment = Amendment(
            agreement=locked,
            number=locked.amendments.count() + 1,  # unique, because the agreement is locked
            signed_on=signed_on,
            effective_on=effective_on,
            summary=summary.strip(),
            term=term,
        )
        save_as(amendment, actor)
    return amendment


def state_quantities(agreement: Agreement, *, actor: User | None, promises: Sequence[AgreementArea]) -> Agreement:
    """Record how much a signed agreement promises in its areas, where the record did not say so."""
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        if PROMISES.save_parts(locked, promises, (), actor=actor):
            locked.touch()
    return locked


def give_notice(agreement: Agreement, *, actor: User | None, on: dt.date, today: dt.date) -> AgreementTerm:
    """Record that a party gave notice on ``on``: the agreement is not renewed after the period that notice is in time for.

    Renewals that happened before are recorded first, so that the notice stands with the period it was given in.
    """
    check_not_in_future(on, today=today, field="on")
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        if on < locked.signing_date:
            raise InvalidInput(_("Notice cannot be given before the signing."), field="on")
        _record_renewals(locked, actor, on)
        term = _renewing_term(locked)
        if term.notice_given_on:
            raise TransitionRefused(_("Notice was given already."))
        if on < term.starts_on and term.number > 1:
            day = date_format(term.starts_on)
            raise InvalidInput(_("A renewal from %(day)s on is on record.") % {"day": day}, field="on")
        term.notice_given_on = on
        _save_condition(locked, term, actor, today)
    return term


def take_back_notice(agreement: Agreement, *, actor: User | None, on: dt.date) -> AgreementTerm:
    """Record that the notice was taken back, or was recorded in error: the agreement renews itself as before."""
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        term = _renewing_term(locked)
        if term.notice_given_on is None:
            raise TransitionRefused(_("No notice was given."))
        term.notice_given_on = None
        _save_condition(locked, term, actor, on)
    return term


def complete_dates(
    agreement: Agreement,
    *,
    actor: User | None,
    today: dt.date,
    signed_on: dt.date | None = None,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
) -> Agreement:
    """Record the days of dates that were known to the month or year only, or not at all.

    ``starts_on`` is that of the first term, ``ends_on`` that of the last. Each day has to be one that the date may be;
    another one corrects the signing or amends the term.
    """
    with transaction.atomic():
        locked = lock_signed(agreement, actor)
        terms = list(locked.terms.order_by("number"))
        if signed_on:
            check_not_in_future(signed_on, today=today, field="signed_on")
            _check_possible(locked.signed, signed_on, "signed_on")
            locked.signed_on, locked.signed_precision, locked.signed_at_latest = signed_on, Precision.DAY, None
            save_as(locked, actor)
        if starts_on and terms:
            _check_possible(terms[0].starts, starts_on, "starts_on")
            terms[0].starts_on, terms[0].starts_precision = starts_on, Precision.DAY
            save_as(terms[0], actor)
        if ends_on and terms:
            _check_possible(terms[-1].ends, ends_on, "ends_on")
            terms[-1].ends_on, terms[-1].ends_precision = ends_on, Precision.DAY
            save_as(terms[-1], actor)
        if not signed_on:
            locked.touch()
        derive_milestones(locked, actor=actor, on=today)
    return locked


def _check_possible(known: PartialDate | None, day: dt.date, field: str) -> None:
    check_day(day, field=field)
    if known is None or known.is_complete:
        raise InvalidInput(_("This day is known already."), field=field)
    if not known.first <= day <= known.last:
        raise InvalidInput(_("On record is: %(date)s.") % {"date": known}, field=field)


def _renewing_term(agreement: Agreement) -> AgreementTerm:
    term = agreement.current_term
    if term is None or term.renewal != AgreementTerm.Renewal.AUTOMATIC:
        raise TransitionRefused(_("It does not renew itself, so no notice is needed: let it end, or terminate it."))
    return term


def _save_condition(agreement: Agreement, term: AgreementTerm, actor: User | None, on: dt.date) -> None:
    save_as(term, actor)
    agreement.touch()
    derive_milestones(agreement, actor=actor, on=on)


def _record_renewals(agreement: Agreement, actor: User | None, day: dt.date) -> list[AgreementTerm]:
    """Add a term for each automatic renewal that began on ``day`` or before and is not on record yet."""
    renewals = automatic_renewals(agreement.terms.all())
    recorded = []
    for period in renewals.elapsed(day) if renewals else ():
        basis = AgreementTerm.Basis.TACIT
        # Counted from an end of which only the year is known, no more is known of this one.
        ends: dict[str, Any] = {"ends_on": period.ends_on, "ends_precision": period.term.ends_precision}
        term = _next_term(agreement, period.term, basis, starts_on=period.starts_on, **ends)
        term.number, term.notice_given_on = period.number, period.term.notice_given_on
        save_as(term, actor)
        recorded.append(term)
    return recorded


def _replace_term(
    agreement: Agreement,
    actor: User | None,
    *,
    effective_on: dt.date,
    ends_on: dt.date | None,
    review_on: dt.date | None,
    conditions: Mapping[str, object],
) -> AgreementTerm:
    """End the current term the day before a new one starts, so that no day is covered by both; return the new one."""
    _record_renewals(agreement, actor, effective_on - ONE_DAY)
    current = agreement.current_term
    if current is None or effective_on <= current.starts_on:
        raise InvalidInput(_("The change has to take effect after the current term began."), field="effective_on")
    ends: dict[str, Any] = {"ends_on": ends_on, "ends_precision": Precision.DAY, "review_on": review_on}
    if not (ends_on or review_on):
        ends = {name: getattr(current, name) for name in ends}
    renewals = automatic_renewals(agreement.terms.all())
    term = _next_term(agreement, current, AgreementTerm.Basis.AMENDMENT, starts_on=effective_on, **ends)
    if renewals and term.renewal_months is None:
        # The new term is only the rest of the old one. It is still renewed by the length of the whole.
        term.renewal_months = renewals.months
    for name, value in conditions.items():
        if name not in CONDITIONS:
            raise ValueError(f"{name} is no condition of a term")
        setattr(term, name, value)
    if term.ends_on is None and term.renewal == AgreementTerm.Renewal.AUTOMATIC:
        if "renewal" in conditions:
            raise InvalidInput(_("Only a term with an end can renew automatically."), field="renewal")
        term.renewal = AgreementTerm.Renewal.NONE
    _take_over_notice(current, term)
    if current.ends_on is None or current.ends_on >= effective_on:
        current.ends_on, current.ends_precision = effective_on - ONE_DAY, Precision.DAY
        save_as(current, actor)
    return term


def _take_over_notice(current: AgreementTerm, term: AgreementTerm) -> None:
    """Keep the notice that was given in the term that ``term`` replaces. Another end or renewal may contradict it."""
    if current.notice_given_on and (term.ends_on, term.renewal) != (current.ends_on, current.renewal):
        day = date_format(current.notice_given_on)
        words = _("Notice was given on %(day)s. Take it back before you change the end or the renewal.")
        raise TransitionRefused(words % {"day": day})
    term.notice_given_on = current.notice_given_on


def _next_term(
    agreement: Agreement,
    current: AgreementTerm,
    basis: str,
    *,
    starts_on: dt.date,
    ends_on: dt.date | None,
    ends_precision: str = Precision.DAY,
    review_on: dt.date | None = None,
) -> AgreementTerm:
    taken_over = {name: getattr(current, name) for name in TAKEN_OVER}
    if ends_on is None:
        taken_over["renewal"] = AgreementTerm.Renewal.NONE
    return AgreementTerm(
        agreement=agreement,
        number=current.number + 1,
        starts_on=starts_on,
        ends_on=ends_on,
        ends_precision=ends_precision,
        review_on=review_on,
        basis=basis,
        **taken_over,
    )


def _add(term: AgreementTerm, actor: User | None, on: dt.date) -> AgreementTerm:
    if term.ends_on is not None and term.ends_on < term.starts_on:
        raise InvalidInput(
            _("The new term starts on %(day)s; it cannot end before that.") % {"day": term.starts_on.isoformat()},
            field="ends_on",
        )
    for field, day in (("ends_on", term.ends_on), ("review_on", term.review_on)):
        if day:
            check_day(day, field=field)
    if term.ends_on is None and term.review_on is None:
        raise InvalidInput(_("Give an end, or a date of review when it is open-ended."), field="ends_on")
    save_as(term, actor)
    term.agreement.touch()
    derive_milestones(term.agreement, actor=actor, on=on)
    return term


def _gap(following: dt.date, starts_on: dt.date) -> str:
    days = {"first": date_format(following), "last": date_format(starts_on - ONE_DAY)}
    return _("From %(first)s to %(last)s it would not be in force. Please confirm that this gap is intended.") % days
