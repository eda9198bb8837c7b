"""Earlier suspensions of agreements; the last one is in the agreement's own columns."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class PastSuspension(models.Model):
    """A suspension that is over and was followed by another one, or by a correction of the agreement's status.

    The agreement was not in force from ``suspended_on`` on, and again from ``resumed_on`` on.
    """

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="past_suspensions", verbose_name=_("agreement")
    )
    suspended_on = models.DateField(_("suspended on"))
    resumed_on = models.DateField(_("resumed on"))

    class Meta:
        verbose_name = _("past suspension")
        verbose_name_plural = _("past suspensions")
        ordering = ["suspended_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(resumed_on__gt=F("suspended_on")), name="past_suspension_resumed_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suspended_on.isoformat()} – {self.resumed_on.isoformat()}"
