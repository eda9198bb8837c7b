"""Reads the description of the sample office."""

import tomllib
from collections.abc import Mapping
from typing import Any

from partnerships.seeding.reference import FIXTURES


def read_sample() -> Mapping[str, list[Mapping[str, Any]]]:
    return tomllib.loads((FIXTURES / "sample.toml").read_text(encoding="utf-8"))
