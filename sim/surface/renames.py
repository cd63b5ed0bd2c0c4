"""Systematic renames between two trees, declared by the user as OLD=NEW.

A rename acts on whole identifiers: `load=read` leaves `load_all` alone. A star stands for the rest of an
identifier, on the same side or sides of both: `codex_*=code_*` is a prefix, `*_codex_*=*_code_*` an infix.
Renames translate the first tree into the second's words before anything is compared; text inside string
literals is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.surface.model import SourceItem
from sim.surface.trees import SurfaceError

_WORD = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_]\w*')
_SIDE = re.compile(r"\*?[A-Za-z_]\w*\*?")


@dataclass(frozen=True, slots=True)
class Rename:
    """One declared rename; `old` and `new` as written."""

    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.old}={self.new}"

    def apply(self, word: str) -> str:
        """The new word, or the same one if the rename does not fit."""
        core, becomes = self.old.strip("*"), self.new.strip("*")
        front, back = self.old.startswith("*"), self.old.endswith("*")
        if front and back:
            return word.replace(core, becomes)
        if back and word.startswith(core):
            return becomes + word[len(core) :]
        if front and word.endswith(core):
            return word[: -len(core)] + becomes
        return becomes if word == core else word


def parse_rename(said: str) -> Rename:
    """Read OLD=NEW; raises an error that says what is wrong with it."""
    old, equals, new = said.partition("=")
    stars = [(side.startswith("*"), side.endswith("*")) for side in (old, new)]
    if not equals or not _SIDE.fullmatch(old) or not _SIDE.fullmatch(new) or stars[0] != stars[1]:
        raise SurfaceError(
            f"--rename {said}: not OLD=NEW with identifiers; a star for the rest of a word must be on "
            "the same side of both, as in codex_*=code_*"
        )
    return Rename(old, new)


def translate_word(word: str, renames: Sequence[Rename]) -> str:
    """One identifier in the second tree's words; the first rename that fits wins."""
    for rename in renames:
        new = rename.apply(word)
        if new != word:
            return new
    return word


def translate_text(text: str, renames: Sequence[Rename]) -> str:
    """Every identifier of a path or signature translated, string literals left alone."""

    def one(match: re.Match[str]) -> str:
        word = match.group()
        return word if word.startswith('"') else translate_word(word, renames)

    return _WORD.sub(one, text)


def translate(items: Sequence[SourceItem], renames: Sequence[Rename]) -> list[SourceItem]:
    """The first tree's items in the second tree's words; `original` keeps their own path."""
    if not renames:
        return list(items)
    return [_translated(item, renames) for item in items]


def _translated(item: SourceItem, renames: Sequence[Rename]) -> SourceItem:
    facts = {key: tuple(translate_text(v, renames) for v in value) for key, value in item.facts.items()}
    pairs = ((n, o) for key in facts for n, o in zip(facts[key], item.facts[key], strict=True))
    return replace(
        item,
        path=translate_text(item.path, renames),
        name=translate_text(item.name, renames),
        owner=translate_text(item.owner, renames),
        also_at=tuple(translate_text(path, renames) for path in item.also_at),
        facts=facts,
        spelt={new: old for new, old in pairs if new != old},
        uses=frozenset(translate_word(word, renames) for word in item.uses),
        original=item.path,
    )
