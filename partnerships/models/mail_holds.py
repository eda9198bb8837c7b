"""When and why no mail may leave the site."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import LineField, ScopedQuerySet


class MailHoldQuerySet(ScopedQuerySet):
    def in_scope(self, user: Any) -> Q:
        """The office's and the system administrators' alone, who see all units."""
        return Q(pk__in=[])

    def in_force(self) -> Self:
        return self.filter(is_in_force=True)


class MailHold(models.Model):
    """While one is in force nothing is claimed, and all that is made or waits is held.

    Its end lets none of it go: whoever knows what was sent before releases the mails.
    """

    class Cause(models.TextChoices):
        BY_HAND = "by_hand", _("Held by hand")
        RESTORE = "restore", _("Restored from a backup")

    cause = models.CharField(_("cause"), max_length=10, choices=Cause, default=Cause.BY_HAND)
    note = LineField(_("why"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="mail_holds", verbose_name=_("by")
    )
    backup_taken_at = models.DateTimeField(_("backup taken at"), null=True)
    # The last edit the backup knew whose reminders were still to be brought in step.
    last_mark = models.BigIntegerField(default=0)
    is_in_force = models.BooleanField(_("in force"), default=True)
    lifted_at = models.DateTimeField(_("ended at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )

    objects = MailHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("stop of all mail")
        verbose_name_plural = _("stops of all mail")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_in_force"],
                condition=Q(is_in_force=True),
                name="mail_hold_one_in_force",
                violation_error_message=_("All mail is held already."),
            ),
            models.CheckConstraint(
                condition=Q(is_in_force=True, lifted_at__isnull=True) | Q(is_in_force=False, lifted_at__isnull=False),
                name="mail_hold_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(cause="restore") | Q(backup_taken_at__isnull=False), name="mail_hold_restore_has_backup"
            ),
        ]

    def __str__(self) -> str:
        return self.note or str(self.get_cause_display())
