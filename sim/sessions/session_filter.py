"""Which sessions are listed, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from sim.base.errors import ConfigError, listing
from sim.sessions.git import GitPlace, former_names, look

NO_BRANCH = ""
"""In a filter: the sessions without a branch. Git allows no branch of this name."""


class SortOrder(Enum):
    """What comes first; sessions that are equal in it come with the one begun last first."""

    LATEST_ACTIVITY = "the latest activity first"
    NEWEST = "the one begun last first"
    OLDEST = "the one begun first first"


_ORDERS = {
    SortOrder.LATEST_ACTIVITY: "active_ms DESC, id DESC",
    SortOrder.NEWEST: "created_ms DESC, id DESC",
    SortOrder.OLDEST: "created_ms, id",
}


class Clauses(NamedTuple):
    """A filter in SQL."""

    where: str
    order: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class SessionFilter:
    """Which sessions, and in which order.

    - `branch`: of this branch, or of any of several names (a renamed branch has former ones); `NO_BRANCH` are those that
      were last active without one; None are those of every branch
    - `sort_by`: what comes first
    - `cwd`: that were last active in this folder; None is anywhere

    Raises `ConfigError` for anything else.
    """

    branch: str | tuple[str, ...] | None = None
    sort_by: SortOrder = SortOrder.LATEST_ACTIVITY
    cwd: Path | str | None = None

    def __post_init__(self) -> None:
        names = (self.branch,) if isinstance(self.branch, str) else self.branch
        if names is not None and not (isinstance(names, tuple) and names and all(isinstance(n, str) for n in names)):
            raise ConfigError(f"branch is {self.branch!r}; expected a name, a tuple of names, NO_BRANCH or None")
        if not isinstance(self.sort_by, SortOrder):
            orders = [f"SortOrder.{order.name}" for order in SortOrder]
            raise ConfigError(f"sort_by is {self.sort_by!r}; expected {listing(orders)}")
        if self.cwd is not None and not isinstance(self.cwd, Path | str):
            raise ConfigError(f"cwd is {self.cwd!r}; expected a path, or None")

    @classmethod
    def of_here(cls, folder: Path, place: GitPlace | None = None) -> SessionFilter:
        """Those of the branch that `folder` is on, former names included."""
        return cls(names_of(folder, (place or look(folder, brief=True)).branch))

    def clauses(self, cwd_column: str = "cwd") -> Clauses:
        """For a table `session` with the columns branch, active_ms, created_ms, id, and one for the folder."""
        conditions, values = ["1"], list[object]()
        if self.branch is not None:
            names = (self.branch,) if isinstance(self.branch, str) else self.branch
            conditions.append("(" + " OR ".join("branch IS ?" for _ in names) + ")")
            values += [None if name == NO_BRANCH else name for name in names]
        if self.cwd is not None:
            conditions.append(f"{cwd_column} IS ?")
            values.append(str(Path(self.cwd).resolve()))
        return Clauses(" AND ".join(conditions), _ORDERS[self.sort_by], tuple(values))


def names_of(folder: Path, branch: str | None) -> tuple[str, ...]:
    """The names of a branch for a filter: its own, and the former ones that no branch has now."""
    return (NO_BRANCH,) if branch is None else (branch, *former_names(folder, branch))
