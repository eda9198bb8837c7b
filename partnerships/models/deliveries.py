"""Deliveries, their events and notices, and the mail server's state: the last tables of the reminder pipeline."""

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
        """Return mails that are not known to have reached their reader and are not tried again."""
        return self.filter(status__in=NOT_THROUGH)

    def held(self) -> Self:
        return self.filter(status=DeliveryStatus.HELD)

    def about(self, milestones: QuerySet[Milestone]) -> Self:
        """Return mails about one of ``milestones``. Pass those a person sees; a digest may be about others as well."""
        return self.filter(_speaks_of(milestones))

    def tended_by(self, user: User) -> Self:
        """Return mails about milestones that ``user`` owns, or that belong to an agreement they coordinate."""
        # Two conditions, because no index serves the two in one, and My work needs this at each visit.
        seen = Milestone.objects.visible_to(user)
        owned, coordinated = seen.filter(owner=user), seen.filter(agreement__coordinator=user)
        return self.filter(Q(_speaks_of(owned)) | Q(_speaks_of(coordinated)))


def _speaks_of(milestones: QuerySet[Milestone]) -> Exists:
    """Return the condition that a delivery of the outer query is about one of ``milestones``."""
    # order_by(): the default ordering of milestones would only cost time in a subquery.
    items = ReminderItem.objects.filter(plan__milestone__in=milestones.order_by().values("pk"))
    return Exists(items.filter(delivery=OuterRef("pk")))


class Delivery(ToReader):
    """A mail to one reader with one or more reminders.

    Each claim raises ``lease_epoch``; a process with an older epoch may no longer write. The two marks stand around the
    final dot of the SMTP session: without the first the server has nothing, with the second it was sent everything.
    """

    class Kind(models.TextChoices):
        SINGLE = "single", _("Reminder")
        DIGEST = "digest", _("Digest")
        NOTICE = "notice", _("Notice of mails that did not get through")
        MONTH = "month", _("Month by mail")

    # Kinds that carry reminders. The others have no items: what they say is read when they are written.
    OF_REMINDERS = (Kind.SINGLE, Kind.DIGEST)

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="deliveries", verbose_name=_("person")
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="deliveries", verbose_name=_("contact")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SINGLE)
    digest_on = models.DateField(_("digest of"), null=True)  # the person's own date; exactly a digest has one
    month_on = models.DateField(_("month of"), null=True)  # its first day; exactly a month by mail has one
    status = StatusField(DeliveryStatus, editable=True)
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    queued_at = models.DateTimeField(_("queued at"))
    held_at = models.DateTimeField(_("held at"), null=True)  # the last time; kept when it is released
    reported_at = models.DateTimeField(null=True)  # when the people who can help were notified that it failed
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    # The soonest due date of its reminders; among due mails the most pressing goes first.
    due_on = models.DateField(_("due on"), default=timezone.localdate)
    lease_until = models.DateTimeField(null=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=150, blank=True)  # host, boot and process
    address = models.CharField(_("address"), max_length=254, blank=True)  # as sent to, frozen with the message
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    subject = models.CharField(_("subject"), max_length=400, blank=True)
    message = models.BinaryField(null=True)  # the exact bytes, frozen at the first claim
    handed_at = models.DateTimeField(_("handed over at"), null=True)
    dot_due_at = models.DateTimeField(null=True)  # everything but the final dot is written
    dot_sent_at = models.DateTimeField(null=True)  # the final dot is written
    sender_deaths = models.PositiveSmallIntegerField(default=0)  # processes that ended before they handed it over
    interruptions = models.PositiveSmallIntegerField(default=0)  # times it was put back because its session broke
    breaks = models.PositiveSmallIntegerField(default=0)  # sessions that broke at it while others' mails got through
    is_repeat = models.BooleanField(default=False)  # its outcome was unknown, and it is sent once more
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
            # A cancelled digest never left, so the day may have another.
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
            # One that was sent again is cancelled.
            models.UniqueConstraint(
                fields=["person", "month_on"],
                condition=Q(kind="month") & ~Q(status="cancelled"),
                name="delivery_one_mail_a_month",
            ),
            models.CheckConstraint(
                condition=Q(kind="month", month_on__isnull=False, person__isnull=False)
                | ~Q(kind="month") & Q(month_on__isnull=True),
                name="delivery_month_has_day",
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
                fields=["person", "month_on"], condition=Q(kind="month"), name="delivery_months"
            ),  # has the person had this one
            models.Index(
                fields=["person"],
                condition=Q(status="queued", kind="digest"),
                name="delivery_digest_waiting",
            ),  # what falls due joins it
        ]

    def __str__(self) -> str:
        # Not the subject of a digest: it names a milestone that the person who reads this may not see.
        if self.digest_on is not None:
            return gettext("Digest of %(date)s") % {"date": date_format(self.digest_on, "DATE_FORMAT")}
        if self.month_on is not None:
            return gettext("Month by mail: %(month)s") % {"month": date_format(self.month_on, "YEAR_MONTH_FORMAT")}
        return self.subject or self.get_kind_display()

    def get_absolute_url(self) -> str:
        return reverse("mail_detail", args=[self.pk])

    @property
    def reason_words(self) -> str:
        return reason_label(self.reason)


class DeliveryNotice(models.Model):
    """A failure notice: ``notice`` is the one mail that notifies ``person`` of the failed ``delivery``."""

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
    """The trouble with a mail server, shared by all processes; without failures it works."""

    name = models.CharField(max_length=300, primary_key=True)  # host:port
    failures = models.PositiveIntegerField(default=0)  # failed tries in a row
    open_until = models.DateTimeField(null=True)  # nobody tries before
    trouble = models.CharField(max_length=1000, blank=True)  # its last answer
    since = models.DateTimeField(null=True)
    alerted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.trouble}" if self.failures else self.name
