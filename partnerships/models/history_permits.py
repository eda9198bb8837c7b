"""Permits to change history, which the database keeps append-only."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partnerships.models.users import User

# No row has this id, so a permit that refers to it can only be committed once it is closed.
OPEN = -1
LONGEST_REASON = 200


class HistoryPermitQuerySet(models.QuerySet):
    @contextmanager
    def granted(self, kind: str, *, by: User | None = None, reason: str = "") -> Iterator[None]:
        """Permit changes of history inside. All of it is one transaction, and the permit stays as its record."""
        with transaction.atomic():
            permit = self.create(kind=kind, by=by, reason=reason[:LONGEST_REASON], open_until_id=OPEN)
            yield
            self.filter(pk=permit.pk).update(open_until=None)


class HistoryPermit(models.Model):
    """A change of rows that are otherwise only added: histories, status changes and the security log.

    Triggers (``history_triggers``) refuse such a change without an open permit. A permit is open while ``open_until``
    names a permit that does not exist. Foreign keys are checked at commit, so that no open permit is ever committed,
    and it holds for the transaction that wrote it alone.
    """

    class Kind(models.TextChoices):
        ERASURE = "erasure", _("Personal data erased")
        MERGE = "merge", _("Records merged")
        SAMPLE = "sample", _("Sample entered or removed")
        RESTORE = "restore", _("Backup restored or archive imported")
        RETENTION = "retention", _("Kept long enough")

    kind = models.CharField(_("cause"), max_length=20, choices=Kind)
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="history_permits", verbose_name=_("by")
    )
    at = models.DateTimeField(_("time"), auto_now_add=True)
    open_until = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, db_index=False, related_name="+", editable=False
    )

    objects = HistoryPermitQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of history")
        verbose_name_plural = _("changes of history")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(open_until__isnull=True) | Q(open_until=OPEN), name="history_permit_open_or_closed"
            ),
        ]
        indexes = [
            # Asked for each row that is changed.
            models.Index(fields=["open_until"], condition=Q(open_until__isnull=False), name="history_permit_open"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
