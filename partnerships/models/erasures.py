"""Erasures: whose personal data was removed, when, by whom and why."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import exactly_one
from partnerships.models.organizations import Contact
from partnerships.models.users import User

LONGEST_REASON = 500


class ErasureQuerySet(models.QuerySet):
    def of(self, person: User | Contact) -> Self:
        return self.filter(**{"user" if isinstance(person, User) else "contact": person.pk})

    def unfinished(self) -> Self:
        """Return erasures after which the texts of mails are still being searched for the person."""
        return self.filter(done_at=None).order_by("pk")


class Erasure(models.Model):
    """The erasure of an account's or a contact's personal data. Their row stays, without a name.

    Old mails may name the person in texts that no query can search. The ticks read them one after the other, so far up
    to ``mails_read_to``, until ``last_mail``. Meanwhile ``words`` holds what to look for, and nothing afterwards.
    """

    user = models.OneToOneField(User, models.PROTECT, null=True, related_name="erasure", verbose_name=_("account"))
    contact = models.OneToOneField(
        Contact, models.PROTECT, null=True, related_name="erasure", verbose_name=_("contact")
    )
    at = models.DateTimeField(_("time"), auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="erasures_made", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON)
    words = models.JSONField(default=list)
    last_mail = models.PositiveBigIntegerField(default=0)  # id of the last one before the erasure
    mails_read_to = models.PositiveBigIntegerField(default=0)
    mails_cleared = models.PositiveIntegerField(_("mails without their text"), default=0)
    done_at = models.DateTimeField(null=True)

    objects = ErasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=exactly_one("user", "contact"), name="erasure_of_one_person"),
        ]

    def __str__(self) -> str:
        return str(self.user or self.contact)
