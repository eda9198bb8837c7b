"""The last tables of the reminder pipeline: deliveries, their events and notices, and the mail server's state."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import StatusField, exactly_one
from partnerships.models.milestones import Milestone
from partnerships.models.organizations import Contact
from partnerships.models.reasons import Reason, is_reason_or_empty, reason_label
from partnerships.models.reminders import ReminderItem, ToReader
from partnerships.models.users import ScopedQuerySet, User
from partnerships.statuses import DeliveryStatus

NOT_THROUGH = (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED)


class DeliveryQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        milestones = Milestone.objects.filter(Milestone.objects.in_scope(user))
        return Q(person=user) | Q(_speaks_of(milestones))

    def needing_attention(self) -> Self:
        return self.filter(status__in=(*NOT_THROUGH, DeliveryStatus.HELD))

    def not_through(self) -> Self:
        """Nobody can say that the reader has it, and nothing happens to it by itself any more."""
        return self.filter(status__in=NOT_THROUGH)

    def held(self) -> Self:
        return self.filter(status=DeliveryStatus.HELD)

    def about(self, milestones: QuerySet[Milestone]) -> Self:
        """Mails that speak of one of ``milestones``: those a person sees, or a digest would tell what it says of others."""
        return self.filter(_speaks_of(milestones))

    def tended_by(self, user: User) -> Self:
        """About what ``user`` owns, or what belongs to an agreement they coordinate.

        Asked apart: the two in one condition on the milestones have no index, and My work asks it every time.
        """
        seen = Milestone.objects.visible_to(user)
        owned, coordinated = seen.filter(owner=user), seen.filter(agreement__coordinator=user)
        return self.filter(Q(_speaks_of(owned)) | Q(_speaks_of(coordinated)))


def _speaks_of(milestones: QuerySet[Milestone]) -> Exists:
    """Of an outer query's delivery."""
    items = ReminderItem.objects.filter(plan__milestone__in=milestones.order_by().values("pk"))
    return Exists(items.filter(delivery=OuterRef("pk")))


class Delivery(ToReader):
    """An envelope to one reader with one or more items: a row before it is a message.

    ``lease_epoch`` is incremented by each claim; whoever holds an older epoch may no longer write. The two marks stand
    around the final dot of the SMTP session: without the first the server has nothing, with the second the mail was on
    its way.
    """

    class Kind(models.TextChoices):
        SINGLE = "single", _("Reminder")
        DIGEST = "digest", _("Digest")
        NOTICE = "notice", _("Notice of mails that did not get through")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="deliveries", verbose_name=_("person")
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="deliveries", verbose_name=_("contact")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SINGLE)
    digest_on = models.DateField(_("digest of"), null=True)  # the person's own date; exactly a digest has one
    status = StatusField(DeliveryStatus, editable=True)
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    queued_at = models.DateTimeField(_("queued at"))
    held_at = models.DateTimeField(_("held at"), null=True)  # last; stays when it is let go
    reported_at = models.DateTimeField(null=True)  # when those who can help were told that it did not get through
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    # The soonest of its reminders' dates: of what may go at the same time, the most pressing goes first.
    due_on = models.DateField(_("due on"), default=timezone.localdate)
    lease_until = models.DateTimeField(null=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=150, blank=True)  # host, boot and process
    address = models.CharField(_("address"), max_length=254, blank=True)  # as sent to, frozen with the message
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    subject = models.CharField(_("subject"), max_length=400, blank=True)
    message = models.BinaryField(null=True)  # the exact bytes, frozen at the first claim
    handed_at = models.DateTimeField(_("handed over at"), null=True)
    dot_due_at = models.DateTimeField(null=True)  # all is written but the final dot
    dot_sent_at = models.DateTimeField(null=True)  # the final dot is written
    sender_deaths = models.PositiveSmallIntegerField(default=0)  # processes that ended before they handed it over
    interruptions = models.PositiveSmallIntegerField(default=0)  # times it was put back because its session broke
    breaks = models.PositiveSmallIntegerField(default=0)  # sessions that broke at it while others' mails got through
    is_repeat = models.BooleanField(default=False)  # what became of it was unknown, and it goes out once more
    sent_at = models.DateTimeField(_("sent at"), null=True)
    smtp_code = models.PositiveSmallIntegerField(_("SMTP code"), null=True)
    smtp_reply = models.TextField(_("SMTP reply"), blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=exactly_one("person", "contact"), name="delivery_has_one_reader"),
            # One that was cancelled never left: the day may have another.
            models.UniqueConstraint(
                fields=["person", "digest_on"],
                condition=Q(kind="digest") & ~Q(status="cancelled"),
                name="delivery_one_digest_a_day",
            ),
            models.CheckConstraint(
                condition=Q(kind="digest", digest_on__isnull=False, person__isnull=False)
                | ~Q(kind="digest") & Q(digest_on__isnull=True),
                name="delivery_digest_has_day",
            ),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="delivery_status_known"),
            models.CheckConstraint(condition=is_reason_or_empty("reason"), name="delivery_reason_known"),
            models.CheckConstraint(
                condition=~Q(status="sent") | Q(sent_at__isnull=False), name="delivery_sent_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["claimed", "handing"]) | Q(lease_until__isnull=False),
                name="delivery_claimed_has_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(status__in=["queued", "retry"]),
                name="delivery_due",
            ),  # is there anything to send
            models.Index(
                fields=["due_on", "next_attempt_at", "id"],
                condition=Q(status__in=["queued", "retry"]),
                name="delivery_order",
            ),  # the claim
            models.Index(
                fields=["handed_at"], condition=Q(handed_at__isnull=False), name="delivery_handed"
            ),  # the rate of the last minute
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["claimed", "handing"]),
                name="delivery_leased",
            ),  # the rescue
            models.Index(fields=["status", "-id"], name="delivery_by_status"),  # the list of failures
            models.Index(
                fields=["id"],
                condition=Q(status__in=["failed", "uncertain", "unconfirmed"], reported_at__isnull=True)
                & ~Q(kind="notice"),
                name="delivery_unreported",
            ),
            models.Index(fields=["person", "-id"], condition=Q(kind="notice"), name="delivery_notices"),
            models.Index(
                fields=["person"],
                condition=Q(status="queued", kind="digest"),
                name="delivery_digest_waiting",
            ),  # what falls due joins it
        ]

    def __str__(self) -> str:
        """For whoever sees that it went: the subject of a digest names its most pressing reminder, of whichever unit."""
        if self.digest_on is not None:
            return gettext("Digest of %(date)s") % {"date": date_format(self.digest_on, "DATE_FORMAT")}
        return self.subject or self.get_kind_display()

    def get_absolute_url(self) -> str:
        return reverse("mail_detail", args=[self.pk])

    @property
    def reason_words(self) -> str:
        return reason_label(self.reason)


class DeliveryNotice(models.Model):
    """A failure notice: ``notice`` is the one mail that tells ``person`` that ``delivery`` failed."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="notices", verbose_name=_("delivery"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="delivery_notices", verbose_name=_("person")
    )
    notice = models.ForeignKey(Delivery, models.PROTECT, related_name="tells_of", verbose_name=_("notice"))

    class Meta:
        verbose_name = _("notice of a mail that did not get through")
        verbose_name_plural = _("notices of mails that did not get through")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["delivery", "person"], name="delivery_notice_unique")]

    def __str__(self) -> str:
        return f"{self.delivery} → {self.person}"


class DeliveryEvent(models.Model):
    """One step in the life of a delivery. Append-only."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="events", verbose_name=_("delivery"))
    at = models.DateTimeField(_("at"))
    from_status = models.CharField(_("from"), max_length=20)
    to_status = models.CharField(_("to"), max_length=20)
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    note = models.TextField(_("note"), blank=True)  # in the words of the mail server
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="delivery_events",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("event of a delivery")
        verbose_name_plural = _("events of a delivery")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=is_reason_or_empty("reason"), name="delivery_event_reason_known"),
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"

    @property
    def to_words(self) -> str:
        return str(dict(DeliveryStatus.choices).get(self.to_status, self.to_status))

    @property
    def note_words(self) -> str:
        return " ".join(part for part in (reason_label(self.reason), self.note) if part)


class MailRelay(models.Model):
    """A mail server in trouble, as all processes know it; without failures all is well."""

    name = models.CharField(max_length=300, primary_key=True)  # host:port
    failures = models.PositiveIntegerField(default=0)  # tries in a row
    open_until = models.DateTimeField(null=True)  # nobody tries before
    trouble = models.CharField(max_length=1000, blank=True)  # what it said last
    since = models.DateTimeField(null=True)
    alerted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.trouble}" if self.failures else self.name
