"""Which agreements belong together: what stands below a framework, and who came before and after whom."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from partnerships.models import Agreement, User

# Nobody nests agreements deeper; a bound keeps a chain of slips from becoming a chain of queries.
DEEPEST = 6


@dataclass
class Kin:
    """An agreement in its family: ``relation`` to the one above it in the drawing, those below it, ``more`` not shown."""

    agreement: Agreement
    relation: str  # "framework", "under", "follows", "followed" or "here"
    below: list["Kin"] = field(default_factory=list)
    more: int = 0


def ids_below(agreement: int) -> list[int]:
    """Ids of the agreements under a framework on every level, without itself: one query for each level."""
    found: list[int] = []
    level: Collection[int] = [agreement]
    for _step in range(DEEPEST):
        rows = Agreement.objects.filter(parent__in=level).exclude(pk__in=[agreement, *found])
        level = list(rows.order_by("pk").values_list("pk", flat=True))
        if not level:
            break
        found += level
    return found


def family_of(agreement: Agreement, user: User, *, at_most: int) -> list[Kin]:
    """The family as ``user`` may see it, top first, with at most ``at_most`` agreements below each.

    Above: the frameworks. Beside: those it follows on. Below: those under it with theirs, then those that follow on it.
    A relative outside the person's scope ends its branch: a title says a lot already.
    """
    here = Kin(agreement, "here")
    here.below, here.more = _under(agreement, user, at_most)
    here.below += [Kin(row, "followed") for row in _chain(agreement, user, "successors")]
    top = [Kin(row, "follows") for row in reversed(_chain(agreement, user, "predecessor"))] + [here]
    for framework in _chain(agreement, user, "parent"):
        others = Agreement.objects.visible_to(user).filter(parent=framework)
        above = Kin(framework, "framework", below=top)
        above.more = others.exclude(pk__in=[kin.agreement.pk for kin in top]).count()
        top = [above]
    return top


def _under(agreement: Agreement, user: User, at_most: int) -> tuple[list[Kin], int]:
    """The children with their own children, each level cut to ``at_most``: three queries, whatever there is."""
    rows = Agreement.objects.visible_to(user).select_related("type").order_by("signed_on", "pk")
    children = list(rows.filter(parent=agreement)[: at_most + 1])
    more = rows.filter(parent=agreement).count() - at_most if len(children) > at_most else 0
    kin = {row.pk: Kin(row, "under") for row in children[:at_most]}
    for row in rows.filter(parent__in=kin) if kin else ():
        branch = kin[row.parent_id or 0]
        if len(branch.below) < at_most:
            branch.below.append(Kin(row, "under"))
        else:
            branch.more += 1
    return list(kin.values()), more


def _chain(agreement: Agreement, user: User, relation: str) -> list[Agreement]:
    """Those one reaches step by step, nearest first; it ends where it would come back or leave the person's scope."""
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
