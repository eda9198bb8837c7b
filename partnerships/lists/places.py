"""Position of a record in the list that its reader came from, with the records before and after."""

from typing import NamedTuple

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from partnerships.lists import LISTS
from partnerships.lists.memory import query_as_left

# In a longer list no place is shown: all its ids would be read for each record.
LONGEST = 500


class ListPlace(NamedTuple):
    """The number of a record in its list, and the pages of the records before and after it; empty at the ends."""

    number: int
    of: int
    previous: str
    next: str


def place_in_list(request: HttpRequest, key: str, pk: int) -> ListPlace | None:
    """Return the place of a record in the list as its reader left it; None without such a list, or if it is not in it."""
    query = query_as_left(request, key)
    if query is None:
        return None
    listed = LISTS[key](QueryDict(query), user=request.user, today=timezone.localdate())  # type: ignore[arg-type]  # pages with crumbs require a log-in
    ids = list(listed.ids()[: LONGEST + 1])
    if pk not in ids or len(ids) > LONGEST:
        return None
    at = ids.index(pk)
    name = request.resolver_match.view_name if request.resolver_match else ""
    before, after = ids[max(at - 1, 0) : at], ids[at + 1 : at + 2]
    previous, following = ("".join(reverse(name, args=[one]) for one in beside) for beside in (before, after))
    return ListPlace(at + 1, len(ids), previous, following)
