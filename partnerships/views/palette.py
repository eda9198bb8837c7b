"""The palette's offers beside records: acts such as "log call zhongyi", and pages by their names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Model
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, override, pgettext

from partnerships.models import Agreement, Organization, User
from partnerships.models.hidden_records import search_as
from partnerships.permissions import may
from partnerships.templatetags.frame import MORE_PLACES, OFFICE_PLACES, may_go, places_of

# Records to which one act is offered, when words follow those that name the act.
TARGETS = 4


@dataclass(frozen=True)
class Offer:
    """A line of the palette. ``is_first`` is what Enter opens."""

    url: str
    label: str
    icon: str
    is_first: bool = False


class OfferGroup(NamedTuple):
    label: str
    offers: list[Offer]


class PaletteAct(NamedTuple):
    """An act that the palette offers. ``about`` is the model of the record it may be about, ``address`` leads to its form."""

    label: Promise
    icon: str
    action: str
    address: Callable[[Model | None], str]
    about: type[Model] | None = None
    needs_record: bool = False


def _form(name: str, parameter: str = "") -> Callable[[Model | None], str]:
    def address(row: Model | None) -> str:
        return reverse(name) + (f"?{parameter}={row.pk}" if row is not None else "")

    return address


def _call(row: Model | None) -> str:
    return f"{reverse('agreement_detail', args=[row.pk])}#log" if row is not None else reverse("quiet")


ACTS = (
    PaletteAct(
        gettext_lazy("Log an activity"),
        "event_available",
        "activity.add",
        _form("activity_log", "organization"),
        Organization,
    ),
    PaletteAct(gettext_lazy("Log a call"), "call", "activity.add", _call, Agreement, needs_record=True),
    PaletteAct(
        gettext_lazy("Register an agreement"),
        "handshake",
        "agreement.add",
        _form("agreement_add", "organization"),
        Organization,
    ),
    PaletteAct(gettext_lazy("Add an organization"), "domain_add", "organization.add", _form("organization_add")),
    PaletteAct(gettext_lazy("Record a signing event"), "account_balance", "event.add", _form("event_ceremony")),
    PaletteAct(gettext_lazy("Hand over work"), "groups", "team.view", _form("team")),
)


def palette_offers(words: str, user: User) -> list[OfferGroup]:
    """Return the acts and pages that fit the words; without words, every act."""
    tokens = words.split()
    acts = [offer for act in ACTS if may(user, act.action) for offer in _offers_of(act, tokens, user)]
    pages = [
        Offer(reverse(place.name), str(place.label), place.icon)
        for place in (*places_of(user), *MORE_PLACES, *OFFICE_PLACES)
        if tokens and _matched(place.label, tokens) == len(tokens) and may_go(user, place.needs)
    ]
    groups = [OfferGroup(pgettext("palette", "Actions"), acts), OfferGroup(pgettext("palette", "Pages"), pages)]
    return list(_with_first_marked(group for group in groups if group.offers))


def _offers_of(act: PaletteAct, tokens: list[str], user: User) -> Iterable[Offer]:
    matched = _matched(act.label, tokens)
    rest = tokens[matched:]
    if not rest and not (act.needs_record and not tokens):
        yield Offer(act.address(None), str(act.label), act.icon)
    elif matched and act.about is not None:
        for row in _records(act.about, " ".join(rest), user):
            yield Offer(
                act.address(row), pgettext("between a kind and a name", ": ").join([str(act.label), str(row)]), act.icon
            )


def _matched(label: Promise, tokens: list[str]) -> int:
    """Return how many of the first tokens begin a word of the label, in the person's language or in English."""
    with override("en"):
        english = str(label)
    names = {str(label).casefold(), english.casefold()}
    best = 0
    for name in names:
        parts = name.split()
        count = 0
        for token in (token.casefold() for token in tokens):
            is_part = any(part.startswith(token) for part in parts) or (not token.isascii() and token in name)
            if not is_part:
                break
            count += 1
        best = max(best, count)
    return best


def _records(model: type[Model], words: str, user: User) -> list[Model]:
    if model is Organization:
        return list(search_as(user, Organization.objects.not_archived().visible_to(user), words)[:TARGETS])
    followed = Agreement.objects.followed_up_by(user).visible_to(user)
    return list(search_as(user, followed, words)[:TARGETS])


def _with_first_marked(groups: Iterable[OfferGroup]) -> Iterable[OfferGroup]:
    for number, group in enumerate(groups):
        first, *others = group.offers
        if number == 0:
            first = Offer(first.url, first.label, first.icon, is_first=True)
        yield OfferGroup(group.label, [first, *others])
