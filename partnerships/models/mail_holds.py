"""Pauses of all sending, and why they were made."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.base import LineField
from partnerships.models.users import ScopedQuerySet, User


class MailHoldQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return none: only the office and system administrators see pauses, and they see all units."""
        return Q(pk__in=[])

    def active(self) -> Self:
        return self.filter(is_active=True)


class MailHold(models.Model):
    """A pause of all sending: while one is active, no mail is claimed and every queued or new one is held.

    Ending it sends nothing. The held mails are released by a person who knows what was sent before.
    """

    class Cause(models.TextChoices):
        BY_HAND = "by_hand", _("Paused manually")
        RESTORE = "restore", _("Restored from a backup")

    cause = models.CharField(_("cause"), max_length=10, choices=Cause, default=Cause.BY_HAND)
    note = LineField(_("why"), max_length=300, blank=True)
    since = models.DateTimeField(_("since"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="mail_holds", verbose_name=_("by")
    )
    backup_taken_at = models.DateTimeField(_("backup taken at"), null=True)
    # Id of the last reminder mark in the backup: edits after it are unknown to the restored site.
    last_mark = models.BigIntegerField(default=0)
    is_active = models.BooleanField(pgettext_lazy("mail hold", "active"), default=True)
    lifted_at = models.DateTimeField(_("ended at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ended by")
    )

    objects = MailHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("sending pause")
        verbose_name_plural = _("sending pauses")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=Q(is_active=True),
                name="mail_hold_one_active",
                violation_error_message=_("Sending is paused already."),
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, lifted_at__isnull=True) | Q(is_active=False, lifted_at__isnull=False),
                name="mail_hold_ended_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(cause="restore") | Q(backup_taken_at__isnull=False), name="mail_hold_restore_has_backup"
            ),
        ]

    def __str__(self) -> str:
        return self.note or str(self.get_cause_display())
