"""Milestones: everything dated that somebody must do, in one table."""

import datetime as dt
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships import wake_up
from partnerships.acts import current_act, current_cause
from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.late_inserts import current_inserts
from partnerships.models.agreements import Agreement
from partnerships.models.base import (
    DayColumn,
    History,
    SearchableModel,
    SearchEntry,
    SeededModel,
    SmallNumberColumn,
    StatusField,
    TitledModel,
    VersionedModel,
    exactly_one,
    is_one_of,
    none_of,
)
from partnerships.models.parties import AgreementParty
from partnerships.models.sort_keys import NamedModel, SortKeyField
from partnerships.models.users import Role, ScopedQuerySet, Unit, User, away_alone, left_alone
from partnerships.models.waiting import Leads, WaitsFor
from partnerships.statuses import MilestoneStatus
from partnerships.texts import LazyText

# What a milestone can belong to besides an agreement.
MILESTONE_TARGETS = ("activity", "event", "organization", "facility", "honour", "demand")
PENDING_STATUSES = (MilestoneStatus.OPEN, MilestoneStatus.SUBMITTED)


class MilestoneKind(models.TextChoices):
    AGREEMENT = "agreement", _("Agreement milestone")
    OBLIGATION = "obligation", _("Obligation")
    ACTION_POINT = "action_point", _("Action point")
    REVIEW = "review", _("Review")
    DECISION_DATE = "decision_date", _("Decision date")
    NEXT_CONTACT = "next_contact", _("Next contact")
    FACILITY_REVIEW = "facility_review", _("Facility review")
    HONOUR_LAPSE = "honour_lapse", _("Honor about to lapse")
    DEMAND_DEADLINE = "demand_deadline", _("Deadline of a demand")
    STARTING_ACTIVITY = "starting_activity", _("Activity about to start")
    UNFINISHED_ACTIVITY = "unfinished_activity", _("Activity to complete")
    APPROVAL = "approval", _("Approval of an agreement")
    ANSWER = "answer", _("Answer to a demand")
    CONFIRM_REGISTRATION = "confirm_registration", _("Registration to confirm")
    CONFIRM_RENEWAL = "confirm_renewal", _("Renewal to confirm")
    RECORD_END = "record_end", _("End to record")
    NEW_HOLDER = "new_holder", _("News of a partner")
    REVISION = "revision", _("Agreement to revise")
    SIGNING = "signing", _("Signing to record")
    PAYMENT = "payment", _("Payment due")
    NEW_LIAISON = "new_liaison", _("Liaison to replace")


# Decisions, and news to note, that wait for leads.
DECISION_KINDS = frozenset(
    {
        MilestoneKind.APPROVAL,
        MilestoneKind.ANSWER,
        MilestoneKind.CONFIRM_REGISTRATION,
        MilestoneKind.CONFIRM_RENEWAL,
        MilestoneKind.RECORD_END,
        MilestoneKind.NEW_HOLDER,
    }
)

# Steps of an agreement that its coordinator sees to: submitting a returned draft again, and the signing once it is approved.
AGREEMENT_STEP_KINDS = frozenset({MilestoneKind.REVISION, MilestoneKind.SIGNING})
# Nobody waives, moves, snoozes or reopens these.
CLOSED_BY_STEP = DECISION_KINDS | AGREEMENT_STEP_KINDS


# New milestones of these kinds are announced to whom they wait for; see ``Milestone._count_appearance``.
NEWS_KINDS = CLOSED_BY_STEP | {MilestoneKind.NEW_LIAISON}


# Derived by the workflows from other records; people do not add these by hand.
DERIVED_KINDS = frozenset(
    {
        MilestoneKind.DECISION_DATE,
        MilestoneKind.NEXT_CONTACT,
        MilestoneKind.FACILITY_REVIEW,
        MilestoneKind.HONOUR_LAPSE,
        MilestoneKind.DEMAND_DEADLINE,
        MilestoneKind.STARTING_ACTIVITY,
        MilestoneKind.UNFINISHED_ACTIVITY,
        MilestoneKind.PAYMENT,
        MilestoneKind.NEW_LIAISON,
        *CLOSED_BY_STEP,
    }
)
ACTIVITY_KINDS = frozenset({MilestoneKind.STARTING_ACTIVITY, MilestoneKind.UNFINISHED_ACTIVITY})
# A lead confirms these; for the others the owner's word is enough.
ACCEPTED_KINDS = frozenset({MilestoneKind.OBLIGATION, MilestoneKind.DECISION_DATE})

# Dates that cost something when they pass: nobody switches their reminders off, nor snoozes them beyond the date.
FIRM_KINDS = frozenset({MilestoneKind.DECISION_DATE, MilestoneKind.OBLIGATION, MilestoneKind.PAYMENT, *CLOSED_BY_STEP})


def _is_of(user: User, today: dt.date) -> Q:
    away = Q(owner__deputy=user, owner__absent_from__lte=today, owner__absent_until__gte=today)
    return Q(owner=user) | away


class MilestoneQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for milestones of the user's units or under an agreement the user sees."""
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        return Q(unit__in=user.scope.unit_ids) | Q(agreement__in=agreements.values("pk"))

    def search(self, text: str, *, reader: User | None = None) -> Self:
        """Find milestones by their own words and by those of their agreement, for a reader if they see that agreement."""
        own = SearchEntry.objects.matching(Milestone, text)
        agreements = Agreement.objects.search(text)
        if reader:
            agreements = agreements.visible_to(reader)
        return self.filter(Q(pk__in=own) | Q(agreement__in=agreements.values("pk")))

    def pending(self) -> Self:
        """Open or submitted: something is still to be done."""
        return self.filter(is_one_of("status", PENDING_STATUSES))

    def pending_on(self, day: dt.date) -> Self:
        """Return what was still to be done at the end of ``day``, by the due dates and steps on record now."""
        later = Q(met_on__gt=day) | Q(waived_on__gt=day) | Q(cancelled_on__gt=day)
        return self.filter(is_one_of("status", PENDING_STATUSES) | later)

    def overdue(self, today: dt.date) -> Self:
        return self.pending().filter(due_on__lt=today)

    def due_between(self, first: dt.date, last: dt.date) -> Self:
        return self.pending().filter(due_on__range=(first, last))

    def orphaned(self) -> Self:
        """Pending, waiting for its owner, and the owner is missing, inactive or without an address."""
        return self.pending().filter(left_alone("owner"), waits_for=WaitsFor.OWNER)

    def owner_away(self, today: dt.date) -> Self:
        """Pending, waiting for its owner, and the owner is absent without a deputy."""
        return self.pending().filter(away_alone("owner", today), waits_for=WaitsFor.OWNER)

    def derived_of(self, row: models.Model) -> Self:
        """Return the derived milestones whose target is ``row``."""
        return self.derived_of_all([row])

    def derived_of_all(self, rows: Collection[models.Model]) -> Self:
        """Return the derived milestones whose target is one of ``rows``, which are of one model."""
        name = str(next(iter(rows))._meta.model_name)
        # The agreement is also set on the milestones of its activities and facilities, which are not its own.
        others = none_of(*MILESTONE_TARGETS) if name not in MILESTONE_TARGETS else Q()
        return self.filter(others, **{f"{name}__in": rows}).exclude(derived_key="")

    def looked_after_by(self, user: User, today: dt.date) -> Self:
        """Return milestones of ``user``, and of absent people whose deputy is ``user``."""
        return self.filter(_is_of(user, today))

    def waiting_for(self, user: User, today: dt.date) -> Self:
        """Return the pending milestones that wait for ``user``, in person, as a deputy, or as a lead.

        It is ``waiting_people`` asked for one person.
        """
        return self.pending().filter(Q(_is_of(user, today), waits_for=WaitsFor.OWNER) | self._for_lead(user))

    def to_decide_by(self, user: User) -> Self:
        """Return the pending milestones that wait for ``user`` as a lead, or as staff of the office."""
        return self.pending().filter(self._for_lead(user))

    def waiting_for_any(self, people: Collection[User]) -> Self:
        """Return the pending milestones that wait for one of ``people``, in person or as a lead."""
        in_person = Q(owner__in=[person.pk for person in people], waits_for=WaitsFor.OWNER)
        return self.pending().filter(in_person | self._for_leads({person.pk for person in people}))

    def _for_lead(self, user: User) -> Q:
        """Return the condition for what waits for ``user`` as a lead; four queries for leads and staff, none else."""
        if not user.is_staff and not user.scope.has(Role.LEAD):
            return Q(pk__in=[])
        return self._for_leads({user.pk})

    def _for_leads(self, people: AbstractSet[int]) -> Q:
        """Return the condition for what waits for one of ``people`` as a lead; four queries, however many they are."""
        leads = Leads.load()
        above = {unit for person in people for unit in leads.units_above(person)}
        units = {unit for person in people for unit in leads.units_of(person)}
        waiting = self.model._base_manager.filter(is_one_of("status", PENDING_STATUSES), waits_for=WaitsFor.LEADS)
        # Rows that exclude people are looked at one by one: who decides depends on whom each excludes. They are few.
        excluding = waiting.filter(excluded_ids__isnull=False, unit__in=above).order_by()
        theirs = [
            pk
            for pk, unit, excluded in excluding.values_list("pk", "unit_id", "excluded_ids")
            if people & leads.responsible(unit, but=excluded)
        ]
        general = Q(waits_for=WaitsFor.LEADS, excluded_ids__isnull=True, unit__in=units)
        return general | Q(pk__in=theirs)


class Milestone(TitledModel, NamedModel, SeededModel, SearchableModel, VersionedModel):
    """Something dated that somebody must do.

    Its target is the one of ``MILESTONE_TARGETS`` that is set; when none is, the agreement itself. ``agreement`` is also
    set with another target that belongs to one, so that lists need no joins through the targets. A derived milestone
    has a ``derived_key``, unique on its target, and follows what it derives from unless somebody moved it
    (``overridden_at``).
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="milestones", verbose_name=_("unit"))
    kind = models.CharField(_("kind"), max_length=30, choices=MilestoneKind, default=MilestoneKind.AGREEMENT)
    sort_key = SortKeyField("title")
    sort_key_zh = SortKeyField("title_zh", "title")
    description = models.TextField(_("details"), blank=True)
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("agreement"),
    )
    activity = models.ForeignKey(
        "partnerships.Activity",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("activity"),
    )
    event = models.ForeignKey(
        "partnerships.Event",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("event"),
    )
    organization = models.ForeignKey(
        "partnerships.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("organization"),
    )
    facility = models.ForeignKey(
        "partnerships.Facility",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("joint facility"),
    )
    honour = models.ForeignKey(
        "partnerships.Honour",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("honor"),
    )
    demand = models.ForeignKey(
        "partnerships.Demand",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("demand"),
    )
    party = models.ForeignKey(
        AgreementParty,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="obligations",
        verbose_name=_("owed by"),
    )
    due_on = DayColumn(_("due on"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="milestones",
        verbose_name=_("owner"),
    )
    # Kept by save(): a submitted milestone and a decision wait for the leads.
    waits_for = models.CharField(
        _("waits for"),
        max_length=10,
        choices=WaitsFor,
        default=WaitsFor.OWNER,
        db_default=WaitsFor.OWNER.value,
        editable=False,
    )
    # Counts each change of whom it waits for. A rule that speaks "when it appears" speaks once for each appearance.
    appearance = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # The people who may not decide it, such as those behind a draft; null where nobody is excluded.
    excluded_ids = models.JSONField(null=True, editable=False)
    requires_acceptance = models.BooleanField(
        _("a lead accepts it"), default=False, help_text=_("Otherwise the owner marks it as done.")
    )
    recurs_every_months = SmallNumberColumn(
        _("repeats every (months)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
    )
    recurs_from = models.DateField(null=True, blank=True, editable=False)  # months are counted from here, unchained
    evidence = models.TextField(pgettext_lazy("of a milestone", "evidence"), blank=True)
    scheduled_on = models.DateField(null=True, editable=False)  # the day it had before somebody moved it
    derived_key = models.CharField(max_length=50, blank=True, editable=False)
    overridden_at = models.DateTimeField(_("moved by hand at"), null=True, editable=False)
    override_reason = models.TextField(_("reason of the move"), blank=True, editable=False)
    snoozed_until = models.DateField(_("snoozed until"), null=True, editable=False)  # on that day it is back
    snooze_reason = models.TextField(_("reason of the snooze"), blank=True, editable=False)

    status = StatusField(MilestoneStatus)
    submitted_on = models.DateField(_("submitted on"), null=True, editable=False)
    met_on = models.DateField(_("done on"), null=True, editable=False)
    waived_on = models.DateField(_("waived on"), null=True, editable=False)
    cancelled_on = models.DateField(_("cancelled on"), null=True, editable=False)

    objects = MilestoneQuerySet.as_manager()
    history = History()

    # Whom the row waited for when it was read: ``waits_for`` and owner; None for a new or a closed one.
    _responsible_read: tuple[str, int | None] | None = None
    # An undo puts it back to those who had it before, for whom it is no news.
    is_put_back = False

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=none_of(*MILESTONE_TARGETS) & Q(agreement__isnull=False) | exactly_one(*MILESTONE_TARGETS),
                name="milestone_has_one_target",
                violation_error_message=_("A milestone belongs to one thing: an agreement, an activity, an event, ..."),
            ),
            models.UniqueConstraint(
                fields=["agreement", "derived_key"],
                condition=~Q(derived_key="") & none_of(*MILESTONE_TARGETS),
                name="milestone_derived_once_per_agreement",
            ),
            *(
                models.UniqueConstraint(
                    fields=[target, "derived_key"],
                    condition=~Q(derived_key="") & Q(**{f"{target}__isnull": False}),
                    name=f"milestone_derived_once_per_{target}",
                )
                for target in MILESTONE_TARGETS
            ),
            models.CheckConstraint(condition=Q(status__in=MilestoneStatus.values), name="milestone_status_known"),
            models.CheckConstraint(condition=Q(kind__in=MilestoneKind.values), name="milestone_kind_known"),
            models.CheckConstraint(
                condition=Q(status="met", met_on__isnull=False) | ~Q(status="met") & Q(met_on__isnull=True),
                name="milestone_met_has_date",
            ),
            models.CheckConstraint(
                condition=Q(overridden_at__isnull=True) | ~Q(override_reason=""),
                name="milestone_override_has_reason",
                violation_error_message=_("A date moved by hand needs a reason."),
            ),
            models.CheckConstraint(
                condition=Q(snoozed_until__isnull=True, snooze_reason="")
                | Q(snoozed_until__isnull=False, status__in=PENDING_STATUSES) & ~Q(snooze_reason=""),
                name="milestone_snooze_has_reason",
                violation_error_message=_("Only an open milestone is snoozed, and with a reason."),
            ),
            models.CheckConstraint(
                condition=Q(party__isnull=True) | Q(agreement__isnull=False),
                name="milestone_party_needs_agreement",
                violation_error_code="party",
                violation_error_message=_("Only a milestone of an agreement can be owed by a party."),
            ),
            models.CheckConstraint(
                condition=Q(due_on__range=(EARLIEST_DAY, LATEST_DAY)),
                name="milestone_due_on_sane",
                violation_error_code="due_on",
                violation_error_message=_("Please check the year of the due date."),
            ),
            models.CheckConstraint(
                condition=Q(recurs_every_months__isnull=True) | Q(recurs_every_months__range=(1, 120)),
                name="milestone_recurrence_sane",
                violation_error_code="recurs_every_months",
                violation_error_message=_("It can come back every 1 to 120 months."),
            ),
        ]
        indexes = [
            # My work, team work, the calendar and the reminders each read a narrow slice of what is pending.
            models.Index(
                fields=["owner", "due_on"],
                condition=Q(status__in=["open", "submitted"]),
                name="milestone_pending_by_owner",
            ),
            models.Index(
                fields=["unit", "due_on"],
                condition=Q(status__in=["open", "submitted"]),
                name="milestone_pending_by_unit",
            ),
            models.Index(
                fields=["due_on", "id"],
                condition=Q(status__in=["open", "submitted"]),
                name="milestone_pending_by_due",
            ),
            models.Index(
                fields=["unit", "due_on"],
                condition=Q(status__in=["open", "submitted"], waits_for="leads"),
                name="milestone_waiting_for_leads",
            ),
            models.Index(fields=["agreement", "due_on"], name="milestone_by_agreement"),  # the agreement's page
        ]

    def save(self, *args: object, **kwargs: object) -> None:
        """Save with a mark in the same transaction, so that the next tick updates the reminders."""
        self.waits_for = self._present_waits_for()
        is_brought = self._count_appearance()
        with transaction.atomic():
            super().save(*args, **kwargs)
            ReminderMark.objects.create(milestone=self, appearance=self.appearance if is_brought else 0)
        self._responsible_read = self._responsible()

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row._responsible_read = row._responsible() if not row.get_deferred_fields() else None
        return row

    def _responsible(self) -> tuple[str, int | None] | None:
        """Return whom it waits for: a person, or the leads of a unit; None once it is closed."""
        if not self.is_pending:
            return None
        return self.waits_for, self.unit_id if self.waits_for == WaitsFor.LEADS else self.owner_id

    def _count_appearance(self) -> bool:
        """Count a change of whom it waits for, and return whether somebody's act brought the milestone to them.

        What a person gives to themselves is no news, nor what the system or an import writes, or an undo puts back. A new milestone is news only as a
        decision, a step of its agreement or a liaison to replace: others are entered by the office and have reminders of
        their own.
        """
        before, now = self._responsible_read, self._responsible()
        if now is None or now == before:
            return False
        self.appearance += 1
        actor = getattr(self, "_history_user", None)  # set by the verbs, see save_as()
        is_own = actor is not None and now == (WaitsFor.OWNER, actor.pk)
        if actor is None or is_own or self.is_put_back or current_cause():
            return False
        return before is not None or self.kind in NEWS_KINDS

    def _present_waits_for(self) -> WaitsFor:
        """Return whom it waits for. A unit's leads may give an answer to a person, who is then its owner."""
        is_decision = self.kind in DECISION_KINDS and self.owner_id is None
        return WaitsFor.LEADS if self.status == MilestoneStatus.SUBMITTED or is_decision else WaitsFor.OWNER

    def get_absolute_url(self) -> str:
        return reverse("milestone_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.title, self.title_zh, self.description, self.evidence]

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING_STATUSES

    @property
    def responsible(self) -> User | LazyText | None:
        """The owner; without one, the words for the leads if it waits for them; None if nobody looks after it."""
        return self.owner or (WaitsFor.LEADS.label if self.waits_for == WaitsFor.LEADS else None)

    @property
    def is_derived(self) -> bool:
        return bool(self.derived_key)

    @property
    def target(self) -> models.Model | None:
        return next((getattr(self, name) for name in MILESTONE_TARGETS if getattr(self, f"{name}_id")), self.agreement)

    def is_snoozed(self, today: dt.date) -> bool:
        return self.is_pending and self.snoozed_until is not None and today < self.snoozed_until

    def is_overdue(self, today: dt.date) -> bool:
        return self.is_pending and self.due_on < today


class ReminderMark(models.Model):
    """A mark that the reminders of a milestone may be out of date; the reconciler reads and removes it.

    It is written in the transaction of the edit, so that there is never one without the other.
    """

    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="reminder_marks")
    act = models.CharField(max_length=60, blank=True, default=current_act)  # "": of no person's act
    # The appearance that the edit brought about, as ``Milestone.appearance``; 0 for other edits.
    appearance = models.PositiveIntegerField(default=0, db_default=0)
    # When the edit was made, which may be long before a run reads the mark; null where that is not known.
    made_at = models.DateTimeField(null=True, auto_now_add=True)

    def __str__(self) -> str:
        return str(self.milestone_id)

    def save(self, *args: Any, **kwargs: Any) -> None:
        inserts = current_inserts()
        if inserts is not None:
            inserts.keep(ReminderMark, self)
        else:
            super().save(*args, **kwargs)
        wake_up.wake_after_commit()

    @staticmethod
    def leave_on(milestones: QuerySet[Milestone]) -> None:
        """Mark ``milestones`` in the transaction of an edit elsewhere that concerns their reminders."""
        # distinct(): a condition on plans finds a milestone once for each of its plans.
        marks = [ReminderMark(milestone=row) for row in milestones.order_by("pk").distinct()]
        if marks:
            # bulk_create() does not call save(), which would wake the worker.
            ReminderMark.objects.bulk_create(marks)
            wake_up.wake_after_commit()
