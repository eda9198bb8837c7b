"""Reminder rules, plans and items, the first tables of the pipeline (rule -> plan -> item -> delivery).

A reminder is identified by milestone, rule, due date and reader. Time, zone and wording are not part of it, so no change
of clock, zone or text can double a reminder. Columns of a unique key are never null in the rows it covers.
"""

import datetime as dt
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.models.agreement_types import AgreementType
from partnerships.models.agreements import Agreement
from partnerships.models.base import (
    History,
    SeededModel,
    SmallNumberColumn,
    StatusField,
    VersionedModel,
    exactly_one,
    none_of,
)
from partnerships.models.milestones import Milestone, MilestoneKind
from partnerships.models.organizations import Contact
from partnerships.models.reasons import Reason, is_reason_or_empty, reason_label
from partnerships.models.users import ScopedQuerySet, Unit, User
from partnerships.statuses import DeliveryStatus, PlanStatus

# More than ten years of lead time is a typing error, and 10^9 days would leave the calendar.
LONGEST_OFFSET = 3650
LONGEST_WAIT = 60  # working days for an answer: about a quarter
OWED_KINDS = (MilestoneKind.AGREEMENT, MilestoneKind.OBLIGATION, MilestoneKind.PAYMENT)  # what a party can owe


class ReminderRuleQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the rules for all units, those of the user's units, and those of agreements the user sees."""
        if not user.scope.roles:
            return Q(pk__in=[])
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        general = Q(unit__isnull=True) | Q(unit__in=user.scope.unit_ids)
        return Q(agreement__isnull=True) & general | Q(agreement__in=agreements.values("pk"))

    def enabled(self) -> Self:
        return self.filter(is_enabled=True)


class ReminderRule(SeededModel, VersionedModel):
    """One lead time for one kind of milestone: how long before or after the due date, at what hour, to whom.

    For that kind of milestone, the enabled rules of an agreement replace those of its type, which replace the general
    ones. All rules of one level apply, those of a unit as well as those for all units.
    """

    class OffsetUnit(models.TextChoices):
        DAYS = "days", _("days")
        WEEKS = "weeks", _("weeks")
        MONTHS = "months", _("months")

    class Direction(models.TextChoices):
        BEFORE = "before", _("before the due date")
        AFTER = "after", _("after the due date")
        UNANSWERED = "unanswered", _("after an unanswered reminder")
        APPEARS = "appears", _("as soon as it appears")

    class Shift(models.TextChoices):
        NONE = "none", _("send on that very day")
        PREVIOUS = "previous", _("the working day before")
        NEXT = "next", _("the next working day")

    class Audience(models.TextChoices):
        OWNER = "owner", _("The owner")
        DEPUTY = "deputy", _("The owner's deputy")
        LEAD = "lead", _("The unit's leads")
        NAMED = "named", _("A named person")
        PARTY = "party", _("Contacts of the party that owes it")
        NOBODY = "nobody", _("Nobody (no reminder)")

    milestone_kind = models.CharField(_("kind of milestone"), max_length=30, choices=MilestoneKind)
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("unit"),
        help_text=_("With the units below it. Empty: all units."),
    )
    agreement_type = models.ForeignKey(
        AgreementType,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("agreement type"),
        help_text=_("Rules of a type replace the general rules for this kind of milestone."),
    )
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reminder_rules",
        verbose_name=_("agreement"),
        help_text=_("Rules of an agreement replace those of its type and the general ones for this kind of milestone."),
    )
    offset = SmallNumberColumn(_("how long"), default=0, validators=[MaxValueValidator(LONGEST_OFFSET)])
    offset_unit = models.CharField(_("counted in"), max_length=10, choices=OffsetUnit, default=OffsetUnit.DAYS)
    direction = models.CharField(
        pgettext_lazy("reminder rule", "when"),
        max_length=10,
        choices=Direction,
        default=Direction.BEFORE,
        help_text=_(
            "After an unanswered reminder: working days after the owner's reminder, when nobody has changed the "
            "milestone or logged a contact since."
        ),
    )
    send_time = models.TimeField(
        pgettext_lazy("reminder rule", "at"),
        default=dt.time(8, 0),
        help_text=_("In the time zone of the milestone's unit."),
    )
    shift = models.CharField(_("when that is a day off"), max_length=10, choices=Shift, default=Shift.NONE)
    audience = models.CharField(
        pgettext_lazy("reminder rule", "to"),
        max_length=10,
        choices=Audience,
        default=Audience.OWNER,
        help_text=_(
            "Contacts of the party: by e-mail, once the agreement is signed, without those whom not everybody may contact; "
            "where there is none, the owner. Nobody: silences what a rule of a type or an agreement replaces."
        ),
    )
    named_person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="named_in_rules",
        verbose_name=_("named person"),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)

    objects = ReminderRuleQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        ordering = ["milestone_kind", "direction", "-offset", "pk"]
        constraints = [
            models.UniqueConstraint(
                F("milestone_kind"),
                F("offset"),
                F("offset_unit"),
                F("direction"),
                F("audience"),
                # In a unique constraint NULL differs from NULL, so empty columns count as 0.
                Coalesce("unit", 0),
                Coalesce("agreement_type", 0),
                Coalesce("agreement", 0),
                Coalesce("named_person", 0),
                name="reminder_rule_unique",
                violation_error_code="offset",
                violation_error_message=_("There is such a rule already; two would remind twice."),
            ),
            models.CheckConstraint(
                condition=Q(audience="named", named_person__isnull=False)
                | ~Q(audience="named") & Q(named_person__isnull=True),
                name="reminder_rule_names_person",
                violation_error_code="named_person",
                violation_error_message=_("Name a person exactly when the rule is for a named person."),
            ),
            models.CheckConstraint(
                condition=~Q(direction="appears") | Q(offset=0) & ~Q(audience="party"),
                name="reminder_rule_appears_at_once",
                violation_error_code="direction",
                violation_error_message=_("A rule for new items has no number of days and notifies colleagues only."),
            ),
            models.CheckConstraint(
                condition=Q(offset__lte=LONGEST_OFFSET),
                name="reminder_rule_offset_sane",
                violation_error_code="offset",
                violation_error_message=_("Enter at most ten years."),
            ),
            models.CheckConstraint(
                condition=Q(agreement__isnull=True) | none_of("unit", "agreement_type"),
                name="reminder_rule_has_one_scope",
                violation_error_code="agreement",
                violation_error_message=_("A rule for one agreement names neither a unit nor a type: it has its own."),
            ),
            models.CheckConstraint(
                condition=~Q(audience="nobody") | ~none_of("agreement_type", "agreement"),
                name="reminder_rule_silences_something",
                violation_error_code="audience",
                violation_error_message=_("Only a rule for a type or an agreement can turn off others: choose one."),
            ),
            models.CheckConstraint(
                condition=~Q(audience="party") | Q(milestone_kind__in=OWED_KINDS),
                name="reminder_rule_party_owes_it",
                violation_error_code="audience",
                violation_error_message=_(
                    "Only an obligation, a payment or an agreement milestone is owed by a party."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(direction="unanswered") | Q(offset__range=(1, LONGEST_WAIT), offset_unit="days"),
                name="reminder_rule_waits_in_working_days",
                violation_error_code="offset",
                violation_error_message=_("Wait 1 to 60 working days for an answer, counted in days."),
            ),
        ]

    def __str__(self) -> str:
        kind = self.get_milestone_kind_display()
        if self.audience == self.Audience.NOBODY:
            return _("%(kind)s: no reminders") % {"kind": kind}
        if self.direction == self.Direction.APPEARS:
            return _("%(kind)s: as soon as it appears") % {"kind": kind}
        if not self.offset:
            return _("%(kind)s: on the due date") % {"kind": kind}
        return _("%(kind)s: %(offset)s %(direction)s") % {
            "kind": kind,
            "offset": self.offset_in_words,
            "direction": self.get_direction_display(),
        }

    @property
    def offset_in_words(self) -> str:
        """Return words such as "1 day" or "3 months"."""
        match self.offset_unit:
            case _ if self.direction == self.Direction.UNANSWERED:
                words = ngettext("%(count)d working day", "%(count)d working days", self.offset)
            case self.OffsetUnit.DAYS:
                words = ngettext("%(count)d day", "%(count)d days", self.offset)
            case self.OffsetUnit.WEEKS:
                words = ngettext("%(count)d week", "%(count)d weeks", self.offset)
            case _:
                words = ngettext("%(count)d month", "%(count)d months", self.offset)
        return words % {"count": self.offset}

    def clean(self) -> None:
        if self.audience == self.Audience.NOBODY:
            self.offset = 0  # one rule silences all, so its time says nothing
        keeps_direction = {self.Direction.UNANSWERED, self.Direction.APPEARS}
        if self.offset == 0 and (self.direction not in keeps_direction or self.audience == self.Audience.NOBODY):
            self.direction = self.Direction.BEFORE  # "0 days after" is the same day: one rule, not two
            self.offset_unit = self.OffsetUnit.DAYS
        if self.audience == self.Audience.NAMED and self.named_person is None:
            raise ValidationError({"named_person": _("Name the person.")})


class ReminderPlanQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the plans of milestones that the user sees."""
        return Q(milestone__in=Milestone.objects.visible_to(user).order_by().values("pk"))


class ReminderPlan(models.Model):
    """When a rule will send a reminder of a milestone's due date. Plans are written by the reconciler alone.

    A moved due date makes a new plan; moved back, it finds the old one. The end of a snooze (``wakes_on``) has a plan of
    its own, which takes time of day and audience from a rule. A rule that speaks when something appears has one plan for
    each appearance: moving the due date makes no other. ``reason`` says why a plan does not become mail.
    """

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="reminder_plans", verbose_name=_("milestone"))
    rule = models.ForeignKey(ReminderRule, models.PROTECT, related_name="plans", verbose_name=_("rule"))
    due_on = models.DateField(_("due on"))
    wakes_on = models.DateField(_("end of a snooze"), null=True)  # set for the reminder at the end of a snooze
    # For a rule that speaks when the milestone appears: which appearance (``Milestone.appearance``), and on which day.
    appearance = models.PositiveIntegerField(null=True)
    appeared_on = models.DateField(_("appeared on"), null=True)
    send_at = models.DateTimeField(_("send at"))
    time_zone = models.CharField(_("time zone"), max_length=50)  # in which send_at was computed
    expires_at = models.DateTimeField(_("expires at"))  # after this it is missed, not mailed
    is_provisional = models.BooleanField(_("provisional"), default=False)  # beyond the known working days
    # The unanswered reminder, for rules that wait for an answer: since when, to whom, and its delivery status.
    unanswered_at = models.DateTimeField(_("unanswered since"), null=True)
    unanswered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("unanswered by")
    )
    unanswered_status = models.CharField(max_length=20, choices=DeliveryStatus, blank=True)
    status = StatusField(PlanStatus, editable=True)
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt at"))  # send_at, or later while nobody can be notified
    # The edit, import or rule change that made the plan; "" if none did, or if it is known not to make too many mails.
    act = models.CharField(max_length=60, blank=True)

    objects = ReminderPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("planned reminder")
        verbose_name_plural = _("planned reminders")
        ordering = ["send_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone", "rule", "due_on"],
                condition=Q(wakes_on__isnull=True, appearance__isnull=True),
                name="reminder_plan_unique",
            ),
            models.UniqueConstraint(
                fields=["milestone", "rule", "appearance"],
                condition=Q(appearance__isnull=False),
                name="reminder_plan_appears_once",
            ),
            models.UniqueConstraint(
                fields=["milestone", "due_on", "wakes_on"],
                condition=Q(wakes_on__isnull=False),
                name="reminder_plan_wakes_once",
            ),
            models.CheckConstraint(condition=Q(status__in=PlanStatus.values), name="reminder_plan_status_known"),
            models.CheckConstraint(condition=is_reason_or_empty("reason"), name="reminder_plan_reason_known"),
        ]
        indexes = [
            # The expansion of due plans reads only these, however many plans there are.
            models.Index(fields=["next_attempt_at", "id"], condition=Q(status="planned"), name="reminder_plan_due"),
            models.Index(fields=["act"], condition=~Q(act=""), name="reminder_plan_act"),
        ]

    def __str__(self) -> str:
        return f"{self.milestone} · {self.occasion}"

    @property
    def occasion(self) -> str:
        """Return the words for the rule's lead time, or for the end of a snooze."""
        return gettext("End of the snooze") if self.wakes_on else str(self.rule)

    @property
    def reason_words(self) -> str:
        return reason_label(self.reason)


class ToReader(models.Model):
    """A row for one reader: a user or a partner's contact."""

    person: models.ForeignKey[User | None, User | None]
    person_id: int | None
    contact: models.ForeignKey[Contact | None, Contact | None]
    contact_id: int | None

    class Meta:
        abstract = True

    @property
    def reader(self) -> User | Contact:
        reader = self.person or self.contact
        if reader is None:
            raise ValueError("neither a person nor a contact")  # a constraint prevents this
        return reader

    @property
    def reader_code(self) -> str:
        return reader_code(self.person_id, self.contact_id)


def reader_code(person: int | None, contact: int | None) -> str:
    """Return a code such as "p12" or "c12", because users and contacts may have the same number."""
    return f"c{contact}" if person is None else f"p{person}"


class ReminderItem(ToReader):
    """One reminder for one reader, in exactly one envelope; a repeat on request is a new generation."""

    class Why(models.TextChoices):
        OWNER = "owner", _("owner of the milestone")
        STAND_IN = "stand-in", _("deputy of the owner, who is away")
        DEPUTY = "deputy", _("deputy of the owner")
        LEAD = "lead", _("lead of the unit")
        NAMED = "named", _("named in the reminder rule")
        FALLBACK = "fallback", _("fallback person, because nobody else can be notified")
        PARTY = "party", _("contact of the party that owes it")
        FOR_PARTY = "for-party", _("owner, because no contact of the party may be written to")

    plan = models.ForeignKey(ReminderPlan, models.PROTECT, related_name="items", verbose_name=_("plan"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="reminder_items", verbose_name=_("person")
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="reminder_items", verbose_name=_("contact")
    )
    generation = models.PositiveSmallIntegerField(_("generation"), default=1)
    delivery = models.ForeignKey(
        "partnerships.Delivery", models.PROTECT, related_name="items", verbose_name=_("delivery")
    )
    why = models.CharField(_("why this person"), max_length=200)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True)
    cancel_reason = models.CharField(_("why not"), max_length=30, choices=Reason, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=exactly_one("person", "contact"), name="reminder_item_has_one_reader"),
            models.UniqueConstraint(
                fields=["plan", "person", "generation"],
                condition=Q(person__isnull=False),
                name="reminder_item_unique",
            ),
            models.UniqueConstraint(
                fields=["plan", "contact", "generation"],
                condition=Q(contact__isnull=False),
                name="reminder_item_unique_for_contact",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | ~Q(cancel_reason=""),
                name="reminder_item_cancelled_has_reason",
            ),
            models.CheckConstraint(condition=is_reason_or_empty("cancel_reason"), name="reminder_item_reason_known"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} → {self.reader}"

    @property
    def why_words(self) -> str:
        return str(self.Why(self.why).label)

    @property
    def cancel_words(self) -> str:
        return reason_label(self.cancel_reason)
