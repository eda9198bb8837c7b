"""Figures as JSON and back, so that a report keeps them as they were confirmed."""

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Value = TypeVar("Value")


def to_json(value: Any) -> Any:
    """Return dataclasses, mappings and sequences as objects and lists of JSON, and days in ISO form."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_json(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def from_json(kind: type[Value], value: Any) -> Value:
    """Return a value of ``kind`` from what ``to_json`` made of it.

    Fields that a newer version added take their defaults, and those that it no longer has are left out.
    """
    return _read(kind, value)


def _read(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        # Either of one kind or nothing, or of kinds that JSON has itself.
        rest = [one for one in arguments if one is not type(None)]
        return _read(rest[0], value) if value is not None and len(rest) == 1 else value
    if origin is not None and issubclass(origin, Mapping):
        return {key: _read(arguments[1], one) for key, one in value.items()}
    if origin is not None and issubclass(origin, Sequence):
        return [_read(arguments[0], one) for one in value]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        types_of = typing.get_type_hints(kind)
        known = {one.name for one in dataclasses.fields(kind)} & value.keys()
        return kind(**{name: _read(types_of[name], value[name]) for name in known})
    return dt.date.fromisoformat(value) if kind is dt.date else value
