"""The index: what needs attention with its worst case, the mail of today, and recent changes."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Min, Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.admin.navigation import Tier
from partnerships.lists.cells import days_from, partners_of
from partnerships.models import (
    Activity,
    Agreement,
    Delivery,
    Demand,
    Facility,
    MailHold,
    Milestone,
    StatusChange,
    User,
    hide_unseen,
)
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.operations.pipeline_state import day_bounds
from partnerships.permissions import may
from partnerships.reports.timeline_sources import past_label
from partnerships.requests import user_of
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus
from partnerships.texts import LazyText

if TYPE_CHECKING:
    from partnerships.admin.site import PartnershipsAdminSite

CHANGES_SHOWN = 5
LONGEST_NAME = 90
# Records whose names need no further query.
CHANGED: tuple[type[Model], ...] = (Agreement, Milestone, Activity, Facility, Demand)
ACTS: tuple[tuple[LazyText, str, str], ...] = (
    (
        gettext_lazy("Register a signed agreement"),
        "admin:partnerships_agreement_register_signed",
        "agreement.record_signed",
    ),
    (gettext_lazy("Draft an agreement"), "admin:partnerships_agreement_add", "agreement.add"),
    (gettext_lazy("Record a signing event"), "event_ceremony", "event.add"),
    (gettext_lazy("Add an organization"), "admin:partnerships_organization_add", "organization.add"),
    (gettext_lazy("Hand over work"), "team", "team.view"),
)


@dataclass(frozen=True)
class Card:
    """A number on the index, with the list of exactly as many rows."""

    tier: Tier
    rank: int
    label: LazyText
    act: LazyText
    count: int
    link: str
    worst: str = ""


@dataclass(frozen=True)
class MailToday:
    """The mails of a day in the reader's time zone, and those that wait for somebody."""

    sent: int
    waiting: int
    next_at: dt.datetime | None
    failed: int
    held: int


@dataclass(frozen=True)
class RecentChange:
    """A step that somebody took."""

    actor: User | None
    words: str
    record: Model
    at: dt.datetime


def index_context(site: "PartnershipsAdminSite", request: HttpRequest) -> dict[str, object]:
    user, today = user_of(request), timezone.localdate()
    cards = attention_cards(site, request, today=today)
    found = [card for card in cards if card.count]
    tiers = [(tier, [card for card in found if card.tier == tier]) for tier in Tier]
    return {
        "today": today,
        "attention": cards,
        "tiers": [(tier, of_tier) for tier, of_tier in tiers if of_tier],
        "attention_count": len(found),
        "clear": [card for card in cards if not card.count],
        "acts": [(label, reverse(name)) for label, name, action in ACTS if may(user, action)],
        "mail": mail_today(today) if user.sees_all_units else None,
        "changes": recent_changes() if user.sees_all_units else [],
    }


def attention_cards(site: "PartnershipsAdminSite", request: HttpRequest, *, today: dt.date) -> list[Card]:
    """Return a card for each list that may need somebody, the most pressing first; a query each, and one or two for the worst."""
    cards = list(_mail_cards(user_of(request)))
    for model, admin in site._registry.items():
        for key, attention in getattr(admin, "attention", {}).items():
            if attention.is_on_index and admin.has_view_permission(request):
                rows = attention.select(admin.get_queryset(request), today)
                count = rows.count()
                worst = attention.worst(rows, today, user_of(request)) if count and attention.worst else ""
                link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                link = f"{link}?attention={key}"
                shown = (attention.tier, attention.rank, attention.label, attention.act)
                cards.append(Card(*shown, count, link, worst))
    return sorted(cards, key=lambda card: (card.tier, card.rank))


def _mail_cards(user: User) -> Iterator[Card]:
    """Yield the cards of mails. Their lists are pages outside the admin."""
    if may(user, "mail_hold.edit"):
        pause = MailHold.objects.active().first()
        label, link = gettext_lazy("Sending paused"), reverse("mail_pauses")
        worst = f"{since(timezone.localdate(pause.since))} {pause.note}" if pause else ""
        yield Card(Tier.TODAY, 0, label, gettext_lazy("Resume"), int(pause is not None), link, worst)
    if may(user, "delivery.view"):
        mails, link = Delivery.objects.visible_to(user).needing_attention(), reverse("mail_list")
        count = mails.count()
        worst = _oldest_mail(mails) if count else ""
        label = gettext_lazy("Mails needing action")
        yield Card(Tier.TODAY, 4, label, gettext_lazy("See to it"), count, f"{link}?status=waiting", worst)


def _oldest_mail(mails: Any) -> str:
    mail = mails.select_related("person", "contact").defer("message").order_by("queued_at", "pk").first()
    if mail is None:  # sent meanwhile
        return ""
    return f"{mail.get_status_display()}: {mail.reader}, {since(timezone.localdate(mail.queued_at))}"


def since(day: dt.date | None) -> str:
    return _("since %(day)s") % {"day": date_format(day)} if day else ""


def worst_by(column: str, *related: str, words: Callable[[dt.date, dt.date], str] = days_from) -> Callable[..., str]:
    """Return a function that names the row whose day in ``column`` comes first, with ``words`` for the day."""

    def worst(rows: Any, today: dt.date, user: User) -> str:
        row = rows.select_related(*related).order_by(column, "pk").first()
        if row is None:  # somebody saw to it meanwhile
            return ""
        hide_unseen([row], user)
        value = getattr(row, column)
        when = words(value, today) if value else ""
        return _("%(name)s, %(when)s") % {"name": _name(row), "when": when} if when else _name(row)

    return worst


def _name(row: Any) -> str:
    """Return the first partner of an agreement, or of that of a milestone, before the title of the row."""
    agreement = row.agreement if isinstance(row, Milestone) else row
    first = partners_of(agreement)[:1] if isinstance(agreement, Agreement) else []
    title = str(getattr(row, "display_title", row))
    words = _("%(partner)s: %(title)s") % {"partner": first[0].organization, "title": title} if first else title
    return Truncator(words).chars(LONGEST_NAME)


def mail_today(today: dt.date) -> MailToday:
    """Return the numbers of the day; three queries, each over an index that holds few rows or one day."""
    begin, end = day_bounds(today, timezone.get_current_timezone())
    sent = Delivery.objects.filter(handed_at__gte=begin, handed_at__lt=end, status=DeliveryStatus.SENT)
    coming = Delivery.objects.filter(status__in=WAITING_DELIVERIES, next_attempt_at__lt=end)
    ahead = coming.aggregate(count=Count("pk"), next_at=Min("next_attempt_at"))
    stuck = Delivery.objects.needing_attention().order_by().values_list("status").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(stuck)
    failed = sum(counts.get(status, 0) for status in NOT_THROUGH)
    return MailToday(sent.count(), ahead["count"], ahead["next_at"], failed, counts.get(DeliveryStatus.HELD, 0))


def recent_changes() -> list[RecentChange]:
    """Return the last steps of people, for those who see all units; a query for each kind of record."""
    kinds = ContentType.objects.get_for_models(*CHANGED)
    steps = StatusChange.objects.filter(content_type__in=kinds.values(), actor__isnull=False).order_by("-pk")
    found = list(steps.select_related("actor")[:CHANGES_SHOWN])
    ids: dict[int, set[int]] = defaultdict(set)
    for step in found:
        ids[step.content_type_id].add(step.object_id)
    records = {kind.pk: model._base_manager.in_bulk(ids[kind.pk]) for model, kind in kinds.items() if kind.pk in ids}
    models = {kind.pk: model for model, kind in kinds.items()}
    return [
        RecentChange(step.actor, past_label(models[step.content_type_id], step.transition), record, step.at)
        for step in found
        if (record := records[step.content_type_id].get(step.object_id)) is not None
    ]
