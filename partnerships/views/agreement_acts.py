"""The acts that the page of an agreement offers to a person, in groups."""

import datetime as dt
from collections.abc import Iterator
from functools import partial

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.forms.steps import StepOffer
from partnerships.forms.terms import term_verbs
from partnerships.models import Agreement, ApprovalStep, Document, Facility, Payment, User
from partnerships.permissions import may
from partnerships.statuses import AgreementStatus
from partnerships.texts import LazyText
from partnerships.views.milestones import may_add_action_point
from partnerships.views.record_acts import ICONS, ActGroup, RecordAct, citing_act, groups_of

# Steps without a reason that end an agreement all the same.
ENDINGS = frozenset({"complete", "end_by_notice"})
ICON_OF_TERM_VERB = {"renew": "renew", "confirm-renewal": "renew", "notice": "bell", "take-back-notice": "bell"}


def agreement_acts(
    agreement: Agreement,
    user: User,
    today: dt.date,
    *,
    offers: dict[str, list[StepOffer]],
    missing_step: ApprovalStep | None,
) -> list[ActGroup]:
    """Return every act that ``user`` may take now; groups without an act are left out."""
    step = partial(_step, agreement)
    steps = [one.transition for one in offers["open"]]
    forward = [step(one.label, one.name) for one in steps if one.is_forward and one.name not in ENDINGS]
    endings = [step(one.label, one.name, "end") for one in steps if not one.is_forward or one.name in ENDINGS]
    corrections = [step(one.transition.label, one.transition.name, "renew") for one in offers["corrections"]]
    groups = (
        ("steps", _("Next steps"), [*forward, *_confirmations(agreement, user, missing_step)], True),
        ("follow-up", _("Follow up"), list(_follow_up(agreement, user)), True),
        ("terms", _("Terms and parties"), [*_of_terms(agreement, user, today), *_of_parties(agreement, user)], True),
        ("record", _("Record"), list(_of_record(agreement, user)), False),
        ("end", _("Pause or end"), endings, False),
        ("corrections", _("Correct a mistake"), corrections, False),
    )
    return groups_of(groups)


def may_log_activity(agreement: Agreement, user: User) -> bool:
    return agreement.status != AgreementStatus.CANCELLED and may(user, "activity.add", agreement)


def log_address(agreement: Agreement) -> str:
    """Return the address of the fast entry, opened for the agreement."""
    return f"{reverse('activity_log')}?{urlencode({'agreement': agreement.pk})}"


def _step(agreement: Agreement, label: LazyText, name: str, icon: str = "step") -> RecordAct:
    address = reverse("agreement_step", args=[agreement.pk, name])
    return RecordAct(label, address, ICONS[icon], is_forward=icon == "step")


def _confirmations(agreement: Agreement, user: User, missing_step: ApprovalStep | None) -> Iterator[RecordAct]:
    if agreement.is_signing_to_confirm and may(user, "agreement.confirm_signing", agreement):
        yield _step(agreement, _("Confirm the signing"), "confirm-signing")
    if missing_step and may(user, "agreement.record_approval", agreement):
        yield _step(agreement, _("Record: %(step)s") % {"step": missing_step}, "record-approval")


def _follow_up(agreement: Agreement, user: User) -> Iterator[RecordAct]:
    may_plan = may_log_activity(agreement, user)
    if agreement.is_signed and may_plan:
        yield RecordAct(_("Log an activity"), log_address(agreement), ICONS["plus"])
    if agreement.is_signed and may(user, "contact_note.add", agreement):
        yield _step(agreement, _("Log a call"), "log", "phone")
    if may_plan:
        yield RecordAct(_("Plan an activity"), reverse("activity_add", args=[agreement.pk]), ICONS["plus"])
    if may_add_action_point(user, agreement):
        address = reverse("milestone_add", args=["agreement", agreement.pk])
        yield RecordAct(_("Add an action point"), address, ICONS["plus"])
        yield _step(agreement, _("Add a milestone or obligation"), "milestone", "plus")


def _of_terms(agreement: Agreement, user: User, today: dt.date) -> Iterator[RecordAct]:
    for verb in term_verbs(agreement, user, today):
        yield _step(agreement, verb.label, verb.name, ICON_OF_TERM_VERB.get(verb.name, "paper"))


def _of_parties(agreement: Agreement, user: User) -> Iterator[RecordAct]:
    if not agreement.is_signed or not may(user, "agreement.amend", agreement):
        return
    yield _step(agreement, _("Add a later party"), "accede", "person")
    if any(party.withdrew_on is None for party in agreement.parties.all()):
        yield _step(agreement, _("Record a withdrawal"), "withdraw", "person")


def _of_record(agreement: Agreement, user: User) -> Iterator[RecordAct]:
    if may(user, "agreement.edit", agreement):
        yield RecordAct(_("Edit the agreement"), reverse("agreement_edit", args=[agreement.pk]), ICONS["paper"])
        if not agreement.has_ended:
            yield _step(agreement, _("Reassign"), "assign", "person")
        if agreement.parties.all():
            yield _step(agreement, _("Name liaisons"), "people", "person")
        yield _step(agreement, _("Units taking part"), "units", "person")
        yield _step(agreement, _("Record where the original is"), "custody", "paper")
    if may(user, "document.upload", Document(agreement=agreement)):
        address = reverse("document_add", args=["agreement", agreement.pk])
        yield RecordAct(_("Add a document"), address, ICONS["paper"])
    if agreement.is_signed and may(user, "facility.add", Facility(agreement=agreement, unit=agreement.unit)):
        address = f"{reverse('facility_add')}?{urlencode({'agreement': agreement.pk})}"
        yield RecordAct(_("Add a joint facility"), address, ICONS["paper"])
    if citing := citing_act(agreement, user):
        yield citing
    if may(user, "payment.edit", Payment(agreement=agreement)):
        address = reverse("payment_add", args=[agreement.pk])
        yield RecordAct(_("Add a promised payment"), address, ICONS["paper"])
    if may(user, "agreement.delete", agreement):
        label = pgettext("record", "Delete: entered by mistake")
        yield RecordAct(label, reverse("agreement_delete", args=[agreement.pk]), ICONS["end"])
