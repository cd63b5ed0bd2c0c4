"""What a table is put together from, as types: a class that stands on another may have more rows, and more states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Rows: TypeAlias = tuple[Mapping[str, Any], ...]
"""Some rows of a table."""
Names: TypeAlias = tuple[str, ...]
"""Names of states, or of fields."""
