"""The approval steps that an agreement in review has gone through."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.models.agreement_types import ApprovalStep
from partnerships.models.base import DayColumn, History, LineField, OfficeModel


class ApprovalRecord(OfficeModel):
    """A recorded approval step. Another submission begins anew: these rows go then, their history stays."""

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="approval_records", verbose_name=_("agreement")
    )
    step = models.ForeignKey(ApprovalStep, models.PROTECT, related_name="records", verbose_name=_("approval step"))
    decided_on = DayColumn(_("decided on"))
    meeting = LineField(_("meeting that decided"), max_length=200, blank=True)
    number = LineField(_("number of the decision"), max_length=100, blank=True)
    note = models.TextField(_("note"), blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("recorded by")
    )

    history = History()

    class Meta:
        verbose_name = _("recorded approval step")
        verbose_name_plural = _("recorded approval steps")
        ordering = ["step__position", "pk"]
        constraints = [models.UniqueConstraint(fields=["agreement", "step"], name="approval_record_unique")]

    def __str__(self) -> str:
        return " · ".join(part for part in (str(self.step), self.meeting, self.number) if part)


def missing_approval_steps(agreement: Any) -> list[ApprovalStep]:
    """Return the steps of the agreement's type that are not recorded yet, the next one first."""
    recorded = ApprovalRecord.objects.filter(agreement=agreement.pk)
    steps = ApprovalStep.objects.filter(type=agreement.type_id).exclude(pk__in=recorded.order_by().values("step"))
    return list(steps)


def next_approval_steps(agreements: Collection[Any]) -> dict[int, ApprovalStep]:
    """Map the ids of those ``agreements`` that miss a step to the next one to record; at most two queries."""
    steps: dict[int, list[ApprovalStep]] = defaultdict(list)
    for step in ApprovalStep.objects.filter(type__in={row.type_id for row in agreements}) if agreements else ():
        steps[step.type_id].append(step)
    ids = {row.pk for row in agreements if row.type_id in steps}
    records = ApprovalRecord.objects.filter(agreement__in=ids).order_by() if ids else ApprovalRecord.objects.none()
    recorded = set(records.values_list("agreement_id", "step_id"))
    missing = {
        row.pk: [step for step in steps.get(row.type_id, ()) if (row.pk, step.pk) not in recorded] for row in agreements
    }
    return {pk: found[0] for pk, found in missing.items() if found}
