"""Numbers and labels that every metric accepts, and the error of those that none does."""

from __future__ import annotations

from sim.base.errors import SimError


class MetricsError(SimError, ValueError):
    """A number or label that no metric accepts; its reporter is at fault.

    Also a `ValueError`, because callers in production code know nothing of `SimError`.
    """


def checked_count(name: str, count: object) -> int:
    """`count` itself if it is an `int` (no bool) of 0 or more; `MetricsError` naming it otherwise."""
    if type(count) is not int:
        raise MetricsError(f"{name} is {count!r} ({type(count).__name__}); expected an int of 0 or more")
    if count < 0:
        raise MetricsError(f"{name} is {count}; expected 0 or more")
    return count


def checked_label(label: str, name: object) -> None:
    """Raise `MetricsError` unless `name`, the value of `label`, is a str: tables are sorted by it."""
    if type(name) is not str:
        raise MetricsError(f"{label} is {name!r} ({type(name).__name__}); expected a str")
