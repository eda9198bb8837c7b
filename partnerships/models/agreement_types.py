"""The reference data that agreements choose from: areas of cooperation, types and their default milestones."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import (
    BilingualModel,
    History,
    OfficeModel,
    ReferenceModel,
    SmallNumberColumn,
    TitledModel,
)
from partnerships.models.sort_keys import ByName
from partnerships.models.terms import LONGEST_PERIOD_DAYS, LONGEST_PERIOD_MONTHS

LONGEST_REVIEW_WORKDAYS = 60  # about a quarter


class CooperationArea(BilingualModel, ReferenceModel):
    """An area of cooperation that parties promise: training, technical research, consulting, ..."""

    code = models.SlugField(_("code"), max_length=50, unique=True)
    is_active = models.BooleanField(_("offered for new agreements"), default=True)

    history = History()

    class Meta:
        verbose_name = _("cooperation area")
        verbose_name_plural = _("cooperation areas")
        ordering = [ByName(), "pk"]


class AgreementType(BilingualModel, ReferenceModel):
    """Framework, strategic cooperation, memorandum, ...: the office's rules for agreements of this type."""

    code = models.SlugField(_("code"), max_length=50, unique=True)
    is_active = models.BooleanField(_("offered for new agreements"), default=True)
    review_months = SmallNumberColumn(
        _("review every (months)"),
        default=12,
        validators=[MaxValueValidator(LONGEST_PERIOD_MONTHS)],
        help_text=_("An open-ended agreement is reviewed at this interval, counted from its signing."),
    )
    lead_days = SmallNumberColumn(
        _("lead time (days)"),
        default=30,
        validators=[MaxValueValidator(LONGEST_PERIOD_DAYS)],
        help_text=_("What the office needs to decide before notice has to be given."),
    )
    review_workdays = SmallNumberColumn(
        _("time to approve (working days)"),
        default=5,
        db_default=5,
        validators=[MaxValueValidator(LONGEST_REVIEW_WORKDAYS)],
        help_text=_("An agreement submitted for review should be approved or returned within this time."),
    )

    history = History()

    class Meta:
        verbose_name = _("agreement type")
        verbose_name_plural = _("agreement types")
        ordering = [ByName(), "pk"]


class TypeMilestone(TitledModel, OfficeModel):
    """A milestone that every new agreement of a type gets when it is signed."""

    type = models.ForeignKey(
        AgreementType, models.CASCADE, related_name="default_milestones", verbose_name=_("agreement type")
    )
    kind = models.CharField(
        _("kind"),
        max_length=30,
        choices=[("agreement", _("Agreement milestone")), ("obligation", _("Obligation")), ("review", _("Review"))],
        default="agreement",
    )
    months_after_signing = SmallNumberColumn(
        _("months after signing"), validators=[MaxValueValidator(LONGEST_PERIOD_MONTHS)]
    )
    requires_acceptance = models.BooleanField(_("a lead accepts it"), default=False)

    history = History()

    class Meta:
        verbose_name = _("default milestone")
        verbose_name_plural = _("default milestones")
        ordering = ["months_after_signing", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "title"],
                name="type_milestone_unique",
                violation_error_code="title",
                violation_error_message=_("This type has a milestone of this title already."),
            ),
        ]


class ApprovalStep(BilingualModel):
    """A step that an agreement of a type goes through before it is approved: legal check, president's meeting, seal."""

    type = models.ForeignKey(
        AgreementType, models.CASCADE, related_name="approval_steps", verbose_name=_("agreement type")
    )
    position = SmallNumberColumn(_("order of the step"), help_text=_("The steps are recorded in this order."))
    needs_meeting = models.BooleanField(
        _("decided by a meeting"), default=False, help_text=_("Its record names the meeting and the number.")
    )

    history = History()

    class Meta:
        verbose_name = _("approval step")
        verbose_name_plural = _("approval steps")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "position"],
                name="approval_step_position_unique",
                violation_error_code="position",
                violation_error_message=_("This type has a step at this position already."),
            ),
        ]
