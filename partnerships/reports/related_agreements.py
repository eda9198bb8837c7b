"""Related agreements: frameworks above, agreements below them, predecessors and successors."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from partnerships.models import Agreement, User

# Each level costs a query. Nobody nests agreements deeper; wrong data must not cause more.
DEEPEST = 6


@dataclass
class RelatedAgreement:
    """An agreement in the tree: its relation to the one above, those below it, and how many of them are not shown."""

    agreement: Agreement
    relation: str  # "framework", "under", "follows", "followed" or "here"
    below: list["RelatedAgreement"] = field(default_factory=list)
    more: int = 0


def ids_below(agreement: int) -> set[int]:
    """Return the ids of the agreements under a framework, on every level; one query for each level."""
    return ids_below_each([agreement])[agreement]


def ids_below_each(agreements: Iterable[int]) -> dict[int, set[int]]:
    """Return the ids of the agreements under each of several; one query for each level, however many there are."""
    below: dict[int, set[int]] = {pk: set() for pk in agreements}
    # Each agreement of a level, with those of ``agreements`` that it is under or is itself.
    level = {pk: {pk} for pk in below}
    for _step in range(DEEPEST):
        following: dict[int, set[int]] = {}
        for pk, parent in Agreement.objects.filter(parent__in=level).order_by("pk").values_list("pk", "parent"):
            tops = {top for top in level[parent or 0] if top != pk and pk not in below[top]}
            for top in tops:
                below[top].add(pk)
            if tops:
                following.setdefault(pk, set()).update(tops)
        if not following:
            break
        level = following
    return below


def related_agreements(agreement: Agreement, user: User, *, at_most: int) -> list[RelatedAgreement]:
    """Return the tree of related agreements that ``user`` may see, from the top, at most ``at_most`` below each.

    Frameworks stand above, predecessors on the level of the agreement; below it stand the agreements under it and its
    successors. An agreement that the user may not see ends its branch, because a title alone can be confidential. What
    everybody who sees the agreement may read of its framework is a separate part of the page.
    """
    here = RelatedAgreement(agreement, "here")
    here.below, here.more = _under(agreement, user, at_most)
    here.below += [RelatedAgreement(row, "followed") for row in _chain(agreement, user, "successors")]
    top = [RelatedAgreement(row, "follows") for row in reversed(_chain(agreement, user, "predecessor"))] + [here]
    for framework in _chain(agreement, user, "parent"):
        others = Agreement.objects.visible_to(user).filter(parent=framework)
        above = RelatedAgreement(framework, "framework", below=top)
        above.more = others.exclude(pk__in=[shown.agreement.pk for shown in top]).count()
        top = [above]
    return top


def _under(agreement: Agreement, user: User, at_most: int) -> tuple[list[RelatedAgreement], int]:
    """Return the agreements under this one with those under each, and how many are left out. Takes three queries."""
    rows = Agreement.objects.visible_to(user).select_related("type").order_by("signed_on", "pk")
    children = list(rows.filter(parent=agreement)[: at_most + 1])
    more = rows.filter(parent=agreement).count() - at_most if len(children) > at_most else 0
    related = {row.pk: RelatedAgreement(row, "under") for row in children[:at_most]}
    for row in rows.filter(parent__in=related) if related else ():
        branch = related[row.parent_id or 0]
        if len(branch.below) < at_most:
            branch.below.append(RelatedAgreement(row, "under"))
        else:
            branch.more += 1
    return list(related.values()), more


def _chain(agreement: Agreement, user: User, relation: str) -> list[Agreement]:
    """Follow ``relation`` step by step, nearest first, until it ends, comes back, or leaves what ``user`` may see."""
    rows = Agreement.objects.visible_to(user).select_related("type")
    chain: list[Agreement] = []
    seen, last = {agreement.pk}, agreement
    while len(chain) < DEEPEST:
        found = rows.filter(predecessor=last) if relation == "successors" else _one(rows, last, relation)
        following = next((row for row in found if row.pk not in seen), None)
        if following is None:
            break
        chain.append(following)
        seen.add(following.pk)
        last = following
    return chain


def _one(rows: Any, agreement: Agreement, relation: str) -> Any:
    pk = getattr(agreement, f"{relation}_id")
    return rows.filter(pk=pk) if pk else ()
