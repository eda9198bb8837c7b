"""Forms for what can be done with a mail: send again, release, pause and resume sending."""

import datetime as dt
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.numbers import number_or_none
from partnerships.mailing.holding import HeldCount, ReleaseResult, hold_all, lift_hold, release, release_many
from partnerships.mailing.resend import send_again
from partnerships.models import Delivery, MailHold, User
from partnerships.models.base import validate_visible_text
from partnerships.statuses import DeliveryStatus

MOST_MAILS = 10**9  # nobody has seen more on a page
# It is not known whether the mail server took it.
MAYBE_ARRIVED = frozenset({DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED})


class DeliveryForm(DomainFormMixin, forms.Form):
    """A verb on one ``row`` at ``now``; most have nothing to fill in."""

    def __init__(self, *args: Any, row: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.now = now


class SendAgainForm(DeliveryForm):
    """Sends the reminders of a listed mail once more."""

    @property
    def warnings(self) -> list[str]:
        if self.row.status in MAYBE_ARRIVED:
            return [_("This mail may have arrived. Sent again, it may arrive twice.")]
        return []

    def keep(self, actor: User, **about: object) -> Delivery:
        return send_again(self.row, actor=actor, now=self.now)


def restore_warning(counts: HeldCount) -> str:
    """Return a warning about mails that may have been sent before the restore, or "" if there are none."""
    if not counts.maybe_sent or counts.restored_at is None:
        return ""
    return ngettext(
        "%(count)d of them was due before the restore of %(time)s: it may have been sent already.",
        "%(count)d of them were due before the restore of %(time)s: they may have been sent already.",
        counts.maybe_sent,
    ) % {"count": counts.maybe_sent, "time": date_format(timezone.localtime(counts.restored_at), "DATETIME_FORMAT")}


class ReleaseForm(DeliveryForm):
    """Releases one held mail."""

    def __init__(self, *args: Any, counts: HeldCount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts

    @property
    def warnings(self) -> list[str]:
        if self.counts.maybe_sent:
            return [_("This mail was due before the restore: it may have been sent already.")]
        return []

    def keep(self, actor: User, **about: object) -> Delivery:
        release(self.row, actor=actor, now=self.now)
        return self.row


class ReleaseMailsForm(DeliveryForm):
    """Releases the held mails of a list: all of them, or those that were ticked. ``row`` is the list.

    Mails that were held after the page was opened stay held: nobody has seen them.
    """

    data: QueryDict

    which = forms.ChoiceField(widget=forms.HiddenInput, choices=[("all", "all"), ("ticked", "ticked")])
    seen_at = forms.CharField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=MOST_MAILS)
    leave_out = forms.BooleanField(
        label=gettext_lazy("Leave out those that were due before the restore"), required=False, initial=True
    )

    def __init__(self, *args: Any, counts: HeldCount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts
        if not counts.maybe_sent:
            del self.fields["leave_out"]

    @property
    def warnings(self) -> list[str]:
        held = ngettext(
            "%(count)d mail is held. Released, it goes out within minutes, unless what it says no longer holds.",
            "%(count)d mails are held. Released, they go out within minutes, but those that no longer hold.",
            self.counts.total,
        ) % {"count": self.counts.total}
        return [line for line in (held, restore_warning(self.counts)) if line]

    def transaction(self) -> AbstractContextManager[object]:
        return nullcontext()  # the verb commits in batches, so that it never holds thousands of locks

    @property
    def ticked(self) -> set[int]:
        """Return the ids of the ticked mails; anything that cannot be an id is left out."""
        asked = self.data.getlist("mail") if self.is_bound else []
        return {pk for text in asked if (pk := number_or_none(text)) is not None}

    def clean_seen_at(self) -> dt.datetime:
        try:
            seen_at = dt.datetime.fromisoformat(self.cleaned_data["seen_at"])
        except ValueError as error:
            raise forms.ValidationError(_("Please open this page again.")) from error
        return seen_at if timezone.is_aware(seen_at) else timezone.make_aware(seen_at)

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("which") == "ticked" and not self.ticked:
            self.add_error(None, _("Tick the mails that should go out."))

    def keep(self, actor: User, **about: object) -> ReleaseResult:
        mails: QuerySet[Delivery] = self.row.filter(held_at__lte=self.cleaned_data["seen_at"])
        if self.cleaned_data["which"] == "ticked":
            mails, asked = mails.filter(pk__in=self.ticked), len(self.ticked)
        else:
            asked = self.cleaned_data["seen"] or 0
            if self.cleaned_data.get("leave_out") and self.counts.restored_at is not None:
                mails = mails.filter(next_attempt_at__gt=self.counts.restored_at)
                asked -= self.counts.maybe_sent
        done = release_many(mails, actor=actor, now=self.now)
        return replace(done, changed=max(0, asked - done.count - done.kept))


def release_messages(done: ReleaseResult) -> list[tuple[int, str]]:
    """Level and text of each message that says what was released and what was not."""
    words = [(messages.SUCCESS, ngettext("%(count)d mail is released.", "%(count)d mails are released.", done.count))]
    kept = ngettext(
        "%(count)d is not yours to release and stays held.",
        "%(count)d are not yours to release and stay held.",
        done.kept,
    )
    changed = ngettext(
        "%(count)d was left as it is: somebody released it, or it changed, after you opened the page.",
        "%(count)d were left as they are: somebody released them, or they changed, after you opened the page.",
        done.changed,
    )
    counts = (done.count, done.kept, done.changed)
    words += [(messages.WARNING, kept), (messages.WARNING, changed)]
    return [(level, text % {"count": count}) for (level, text), count in zip(words, counts, strict=True) if count]


class PauseSendingForm(DeliveryForm):
    """Pauses the sending of all mail. There is no row yet."""

    note = forms.CharField(label=gettext_lazy("Why"), max_length=300, validators=[validate_visible_text])

    @property
    def warnings(self) -> list[str]:
        return [
            _(
                "No mail leaves the site until somebody resumes sending: reminders are made and held. What is being "
                "sent at this moment still goes."
            )
        ]

    def keep(self, actor: User, **about: object) -> MailHold:
        return hold_all(actor=actor, note=self.cleaned_data["note"], now=self.now)


class ResumeSendingForm(DeliveryForm):
    """Ends a pause."""

    @property
    def warnings(self) -> list[str]:
        return [_("New mail goes out again. What was held stays held until somebody releases it in the list of mails.")]

    def keep(self, actor: User, **about: object) -> MailHold:
        lift_hold(self.row, actor=actor, now=self.now)
        return self.row
