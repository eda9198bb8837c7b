"""The index: what needs attention with its worst case, the mail of today, and recent changes."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    BigIntegerField,
    Count,
    Func,
    Min,
    Model,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.admin.navigation import Attention, Tier, WorstCase, since
from partnerships.lists.cells import partners_of
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
    (gettext_lazy("Import a spreadsheet"), "import_add", "import.run"),
    (gettext_lazy("Possible duplicates"), "duplicates", "organization.merge"),
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
    """Return a card for each list that may need somebody, the most pressing first.

    One query counts them all, and one or two for each kind of record read the worst cases.
    """
    user = user_of(request)
    checks = list(_checks(site, request, today))
    counts = _count(checks, user)
    words = _worst_cases(checks, [pk for _number, pk in counts], user, today)
    cards = list(_mail_cards(user))
    for check, (number, _pk), worst in zip(checks, counts, words, strict=True):
        shown = check.attention
        cards.append(Card(shown.tier, shown.rank, shown.label, shown.act, number, check.link, worst))
    return sorted(cards, key=lambda card: (card.tier, card.rank))


class Check(NamedTuple):
    """A list of the admin that may need somebody, and its rows."""

    attention: Attention
    rows: QuerySet
    link: str


def _checks(site: "PartnershipsAdminSite", request: HttpRequest, today: dt.date) -> Iterator[Check]:
    for model, admin in site._registry.items():
        for key, attention in getattr(admin, "attention", {}).items():
            if attention.is_on_index and admin.has_view_permission(request):
                link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                rows = attention.select(admin.get_queryset(request), today)
                yield Check(attention, rows, f"{link}?attention={key}")


def _count(checks: Sequence[Check], user: User) -> list[tuple[int, int | None]]:
    """Return how many rows each check finds, and the id of the worst of them: one query for all."""
    columns: list[Subquery] = []
    for check in checks:
        rows, worst = check.rows.order_by(), check.attention.worst
        # In a query of its own, so that no join or DISTINCT of the rows stands beside the COUNT.
        counted = rows.model._base_manager.filter(pk__in=rows.values("pk")).order_by()
        columns.append(Subquery(counted.annotate(number=Func("pk", function="COUNT")).values("number")))
        first = rows.order_by(worst.column, "pk") if worst else rows.none()
        columns.append(Subquery(first.values("pk")[:1], output_field=BigIntegerField()))
    if not columns:
        return []
    found = list(User.objects.filter(pk=user.pk).order_by().values_list(*columns).get())
    return list(zip(found[::2], found[1::2], strict=True))


def _worst_cases(checks: Sequence[Check], ids: Sequence[int | None], user: User, today: dt.date) -> list[str]:
    """Return words for the worst row of each check; empty where there is none."""
    wanted: dict[type[Model], set[int]] = defaultdict(set)
    related: dict[type[Model], set[str]] = defaultdict(set)
    for check, pk in zip(checks, ids, strict=True):
        if check.attention.worst and pk is not None:
            wanted[check.rows.model].add(pk)
            related[check.rows.model].update(check.attention.worst.related)
    found: dict[tuple[type[Model], int | None], Model] = {}
    for model, keys in wanted.items():
        rows = model._base_manager.filter(pk__in=keys)
        found |= {(model, row.pk): row for row in rows.select_related(*sorted(related[model]))}
    hide_unseen(found.values(), user)
    agreements = [one for row in found.values() if isinstance(one := _agreement_of(row), Agreement)]
    prefetch_related_objects(agreements, "unit", "parties__organization")
    return [
        _describe(check.attention.worst, row, today)
        if check.attention.worst and (row := found.get((check.rows.model, pk)))
        else ""
        for check, pk in zip(checks, ids, strict=True)
    ]


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
        yield Card(Tier.TODAY, 4, label, gettext_lazy("Resolve"), count, f"{link}?status=waiting", worst)


def _oldest_mail(mails: Any) -> str:
    mail = mails.select_related("person", "contact").defer("message").order_by("queued_at", "pk").first()
    if mail is None:  # sent meanwhile
        return ""
    return f"{mail.get_status_display()}: {mail.reader}, {since(timezone.localdate(mail.queued_at))}"


def _name(row: Any) -> str:
    """Return the first partner of an agreement, or of that of a milestone, before the title of the row."""
    agreement = _agreement_of(row)
    first = partners_of(agreement)[:1] if isinstance(agreement, Agreement) else []
    title = str(getattr(row, "display_title", row))
    words = _("%(partner)s: %(title)s") % {"partner": first[0].organization, "title": title} if first else title
    return Truncator(words).chars(LONGEST_NAME)


def _agreement_of(row: Any) -> Any:
    return row.agreement if isinstance(row, Milestone) else row


def _describe(worst: WorstCase, row: Any, today: dt.date) -> str:
    day = getattr(row, worst.column)
    when = worst.words(day, today) if day else ""
    return _("%(name)s, %(when)s") % {"name": _name(row), "when": when} if when else _name(row)


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
