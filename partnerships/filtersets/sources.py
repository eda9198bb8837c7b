from typing import Any

from partnerships.filtersets.base import ListFilterSet, containing


class SourceFilterSet(ListFilterSet):
    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return containing(queryset, value, "title", "publisher", "note")
