"""The records that every part of `sim surface` hands to the next one.

A declaration is flattened to a `SourceItem` whose `facts` are tuples of normalised strings: both languages
then share one comparison, and a rule about a fact can be a row of a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Facts = Mapping[str, tuple[str, ...]]


class Impact(Enum):
    """What a difference does to code that uses the first tree's surface."""

    BREAKING = "breaking"
    BEHAVIOURAL = "behavioural"
    ADDITIVE = "additive"

    @property
    def rank(self) -> int:
        """0 is the worst; for `min` and for the order in which differences are shown."""
        return list(Impact).index(self)


@dataclass(frozen=True, slots=True, order=True)
class SourceLine:
    """A file, relative to the tree's root, and a line counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One declaration.

    `visibility` is what the source says (`pub`, `pub(crate)`, `private`, ...); `reach` is what it amounts
    to once modules and re-exports are followed: `public`, `crate` or `private`. `also_at` holds the paths
    under which re-exports show the item as well. `uses` are the identifiers in its text, `externals` the
    foreign crates among them. `scoped` is False for what was read only to find a required name.
    """

    language: str
    kind: str
    path: str
    name: str
    owner: str
    visibility: str
    reach: str
    place: SourceLine
    facts: Facts
    uses: frozenset[str] = frozenset()
    externals: frozenset[str] = frozenset()
    also_at: tuple[str, ...] = ()
    direct: bool = True
    """Whether the item's own path can be named from outside, apart from what re-exports show."""
    scoped: bool = True
    original: str = ""
    end: int = 0
    """The last line of its text."""
    spelt: Mapping[str, str] = field(default_factory=dict)
    """Facts that a declared rename changed, to what they were: for showing, not for comparing."""

    @property
    def public_paths(self) -> frozenset[str]:
        """Every path under which other code can name the item."""
        if self.reach != "public":
            return frozenset()
        return frozenset({self.path, *self.also_at} if self.direct else self.also_at)

    def told(self, entries: tuple[str, ...]) -> str:
        """Entries of a fact as the item's own tree spells them."""
        return ", ".join(self.spelt.get(entry, entry) for entry in entries)

    @property
    def shown(self) -> str:
        """The path as its own tree spells it, before any declared rename."""
        return self.original or self.path


@dataclass(frozen=True, slots=True)
class Unclean:
    """A file that could not be read completely: from which line on, and why."""

    place: SourceLine
    reason: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """A macro call where declarations could be: what it makes cannot be seen, only its words."""

    place: SourceLine
    macro: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mention:
    """How often a name occurs anywhere in a tree's sources, comments and tests included."""

    count: int
    files: int


@dataclass(frozen=True, slots=True)
class Surface:
    """Everything that was read of one tree."""

    label: str
    revision: str
    items: tuple[SourceItem, ...]
    unclean: tuple[Unclean, ...]
    unseen: tuple[Unseen, ...]
    files: int
    left_aside: int
    """Source files of tests, examples and benchmarks, which are not surface."""
    crates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each package, by the first part of its items' paths: the dependencies it declares."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """The packages that the tree holds, by the identifier that code uses, with their folders."""
    folder: str = ""
    """The folder inside the revision, if the tree came from one."""
    mentions: Mapping[str, Mention] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two paired items, or an item without a partner."""

    impact: Impact
    change: str
    """What happened, in two or three words: `added`, `parameter type`, `visibility`, ..."""
    kind: str
    """What it happened to: `fn`, `struct`, `field`, ..."""
    old: SourceItem | None
    new: SourceItem | None
    before: str
    after: str
    why: str

    @property
    def subject(self) -> SourceItem:
        """The item to name it by: the first tree's if it exists."""
        item = self.old or self.new
        assert item is not None
        return item
