"""The citations of all records of a page, fetched in one query."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q

from partnerships.models import Citation

Cited = dict[tuple[int, int], list[Citation]]


def citations_of(rows: Iterable[Model | None]) -> Cited:
    """Return the citations of ``rows``, read in one query, by content type and id; templates ask with ``{% cite row "field" %}``."""
    wanted: dict[int, set[Any]] = defaultdict(set)
    for row in rows:
        if row is not None:
            wanted[ContentType.objects.get_for_model(row).pk].add(row.pk)
    condition = Q()
    for content_type, ids in wanted.items():
        condition |= Q(content_type=content_type, object_id__in=ids)
    cited: Cited = defaultdict(list)
    if wanted:
        for citation in Citation.objects.filter(condition).select_related("source"):
            cited[citation.content_type_id, citation.object_id].append(citation)
    return dict(cited)
