"""The security log: who logged in, was refused, took data out or changed what others may do."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.acts import current_address
from partnerships.models.users import ScopedQuerySet, User

# Characters that the columns take.
LONGEST = {"name": 150, "address": 45, "about": 300, "link": 300, "detail": 1000}


class AppendOnlyError(Exception):
    """The code tried to change or delete a row of the security log."""

    def __init__(self) -> None:
        super().__init__("Security events are only ever added.")


class SecurityEventQuerySet(ScopedQuerySet):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        is_reader = isinstance(user, User) and user.is_active and (user.is_superuser or user.is_auditor)
        return self if is_reader else self.none()

    def record(self, kind: str, user: User | None, **facts: str) -> "SecurityEvent":
        """Write that ``user`` did this. Call it in the transaction of the change it is about."""
        event = SecurityEvent(**self.values_of(kind, user, **facts))
        event.save()
        return event

    def values_of(self, kind: str, user: User | None, **facts: str) -> dict[str, Any]:
        """Return the columns of an event. ``facts`` are ``about``, ``link`` and ``detail``; ``name`` and ``address``, too."""
        usual = {"name": str(user or ""), "address": current_address()}
        return {"kind": kind, "user": user, **self.texts_of(**{**usual, **facts})}

    def texts_of(self, **facts: str) -> dict[str, str]:
        """Return texts as the columns hold them: one line each, and no longer than the column."""
        # Strangers can type into these columns. Without line breaks and direction marks each line reads as it was written.
        lines = {column: "".join(one if one.isprintable() else " " for one in text) for column, text in facts.items()}
        return {column: line[: LONGEST[column]] for column, line in lines.items()}

    def update(self, **changes: object) -> int:
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError


class SecurityEvent(models.Model):
    """Something that matters when an account or data may have fallen into wrong hands. Rows are only ever added.

    Only the erasure of a person changes rows: it masks the name in them.

    ``name`` is the person as they were called then; where no account has the name typed at a log-in, it is what was
    typed. ``address`` is that of the client, empty for what commands and the worker do.
    """

    class Kind(models.TextChoices):
        LOGGED_IN = "logged_in", _("Logged in")
        LOGIN_FAILED = "login_failed", _("Log-in failed")
        LOGIN_PAUSED = "login_paused", _("Log-in paused")
        LOGGED_OUT = "logged_out", _("Logged out")
        SESSION_ENDED = "session_ended", _("Session ended")
        REFUSED = "refused", _("Refused")
        DOCUMENT_DOWNLOADED = "document_downloaded", _("Document downloaded")
        CONTACTS_VIEWED = "contacts_viewed", _("Contact details viewed")
        CONTACTS_MAILED = "contacts_mailed", _("Contact details sent by mail")
        CONTACT_STOPPED = "contact_stopped", _("Contact stopped our mails")
        CONTACT_RESUMED = "contact_resumed", _("Contact allowed our mails again")
        EXPORT_MADE = "export_made", _("List exported")
        EXPORT_FETCHED = "export_fetched", _("Export downloaded")
        RESET_REQUESTED = "reset_requested", _("Password reset requested")
        LINK_SENT = "link_sent", _("Link to set a password sent")
        PASSWORD_RESET = "password_reset", _("Password set by a link")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        ACCOUNT_ADDED = "account_added", _("Account added")
        LOGIN_CHANGED = "login_changed", _("Login name or e-mail address changed")
        ROLES_CHANGED = "roles_changed", _("Roles changed")
        RIGHTS_CHANGED = "rights_changed", _("Administration rights changed")
        DEACTIVATED = "deactivated", _("Account deactivated")
        ACTIVATED = "activated", _("Account activated")
        DATA_EXPORTED = "data_exported", _("Personal data exported")
        PERSON_ERASED = "person_erased", _("Personal data erased")

    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    kind = models.CharField(_("event"), max_length=30, choices=Kind)
    # Without an index of its own: the one below begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="security_events",
        verbose_name=_("person"),
    )
    name = models.CharField(_("name"), max_length=LONGEST["name"], blank=True)
    address = models.CharField(_("address"), max_length=LONGEST["address"], blank=True)
    about = models.CharField(_("about"), max_length=LONGEST["about"], blank=True)
    link = models.CharField(max_length=LONGEST["link"], blank=True)
    detail = models.CharField(_("detail"), max_length=LONGEST["detail"], blank=True)

    objects = SecurityEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "at"], name="security_event_by_user")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        # Otherwise a new object with the id of a row would overwrite it.
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError
