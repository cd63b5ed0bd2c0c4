"""Named dependencies: where each of them is in each tree, or that it is nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.surface.model import Mention, SourceItem, SourceLine, Surface
from sim.surface.renames import Rename, translate_word


@dataclass(frozen=True, slots=True)
class Holding:
    """What one tree has under one name.

    `unseen` are macro calls that contain the word: the name may be declared there, which cannot be known.
    """

    tree: str
    definitions: tuple[SourceItem, ...]
    reexports: tuple[SourceItem, ...]
    unseen: tuple[SourceLine, ...]
    mention: Mention

    @property
    def present(self) -> bool:
        return bool(self.definitions or self.reexports)


@dataclass(frozen=True, slots=True)
class Required:
    """One required name and what each tree has for it, in the order of the trees."""

    name: str
    answers: tuple[Holding, ...]


def spellings(name: str, renames: Sequence[Rename]) -> set[str]:
    """The name itself and what a declared rename makes of it."""
    front, mark, last = name.rpartition("::")
    return {name, f"{front}{mark}{translate_word(last, renames)}"}


def matches(item: SourceItem, name: str) -> bool:
    """Whether an item is what `name` asks for: by its name, or by the end of its path (`Options::mode`)."""
    for mark in ("::", "."):
        if mark in name:
            return item.shown == name or item.shown.endswith(mark + name)
    return item.name == name


def find(name: str, surface: Surface, renames: Sequence[Rename] = ()) -> Holding:
    """Look for one name in everything that was read of a tree."""
    wanted = spellings(name, renames)
    hits = [item for item in surface.items if any(matches(item, one) for one in wanted)]
    hits.sort(key=lambda item: (not item.scoped, item.place))
    words = {one.rpartition("::")[2].rpartition(".")[2] for one in wanted}
    return Holding(
        surface.label,
        tuple(item for item in hits if item.kind != "re-export"),
        tuple(item for item in hits if item.kind == "re-export"),
        tuple(macro.place for macro in surface.unseen if words & macro.words),
        surface.mentions.get(name, Mention(0, 0)),
    )
