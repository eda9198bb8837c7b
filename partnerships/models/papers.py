"""The whereabouts of the signed paper of an agreement."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import DayColumn, History, LineField


class CustodyStep(models.Model):
    """A step of the signed paper; the latest one says where the paper is and since when."""

    class Step(models.TextChoices):
        PRINTED = "printed", _("Printed")
        SENT = "sent", _("Sent for signature")
        SEALED = "sealed", _("Sealed")
        RETURNED = "returned", _("Returned")
        FILED = "filed", _("Filed")

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="custody_steps", verbose_name=_("agreement")
    )
    step = models.CharField(_("step"), max_length=20, choices=Step)
    desk = LineField(_("location"), max_length=200, help_text=_("A person, an organization or a shelf."))
    since = DayColumn(_("since"))

    history = History()

    class Meta:
        verbose_name = _("custody step")
        verbose_name_plural = _("paper custody")
        ordering = ["since", "pk"]

    def __str__(self) -> str:
        return f"{self.get_step_display()} · {self.desk}"
