from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> Any:
    """Return the value under ``key``, or the key itself, such as a status that no table has any more."""
    return mapping.get(key, key)
