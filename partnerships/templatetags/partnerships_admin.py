from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> Any:
    """The value under ``key``, or the key itself: a status no table knows any more still says something."""
    return mapping.get(key, key)
