"""Which item of the first tree is which item of the second.

In this order, so that the most certain reading wins: the same path; the old path kept alive by a re-export; a move
(the same name elsewhere, and only one candidate); a rename (another name in the same place with an identical,
telling signature, and only one candidate). Members are paired inside the pairs of their owners.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from sim.surface.model import SourceItem

_GROUPS = {
    **dict.fromkeys(("struct", "enum", "union", "trait", "type", "class"), "type"),
    **dict.fromkeys(("fn", "const", "static", "function", "attribute"), "value"),
    **dict.fromkeys(("method", "associated const", "trait method", "trait const"), "value"),
}
"""Kinds that share a namespace: a struct that becomes an enum is one item, a field and a method are two."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that are one; `how` is same, kept, moved or renamed. One side is None for an item without a partner."""

    old: SourceItem | None
    new: SourceItem | None
    how: str
    owners: Pair | None = None


def group(item: SourceItem) -> str:
    """The namespace that an item's name lives in."""
    if item.language == "python" and item.owner:
        return "member"
    return _GROUPS.get(item.kind, item.kind)


def pair(old: Sequence[SourceItem], new: Sequence[SourceItem]) -> list[Pair]:
    """Pair the items of two trees; the first tree's must already be in the second's words."""
    pairs = _Pairing(old, new).tops()
    members_old, members_new = _by_owner(old), _by_owner(new)
    waiting = [p for p in pairs if p.old is not None and p.new is not None]
    while waiting:
        owners = waiting.pop()
        assert owners.old is not None
        assert owners.new is not None
        inner = _members(members_old[_key(owners.old)], members_new[_key(owners.new)], owners)
        pairs += inner
        waiting += [p for p in inner if p.old is not None and p.new is not None]
    return pairs


def _key(item: SourceItem) -> tuple[str, str]:
    return item.language, item.path


def _by_owner(items: Iterable[SourceItem]) -> dict[tuple[str, str], list[SourceItem]]:
    found: dict[tuple[str, str], list[SourceItem]] = defaultdict(list)
    for item in items:
        if item.owner:
            found[item.language, item.owner].append(item)
    return found


_Pool = dict[int, SourceItem]
"""Items still without a partner, by their place in the list they came from."""

_Keys = dict[int, Hashable]
"""The key that an item is paired by; an item without a key is not paired."""


def _keys(pool: _Pool, key: Callable[[SourceItem], Hashable]) -> _Keys:
    return {at: key(item) for at, item in pool.items()}


def _match(
    old: _Pool, new: _Pool, keys: tuple[_Keys, _Keys], only_one: bool = False
) -> list[tuple[SourceItem, SourceItem]]:
    """Pairs with equal keys, taken out of both pools; among several, those with equal facts first.

    With `only_one`, a key that several unequal items share pairs nothing: it would be a guess.
    """
    candidates: dict[Hashable, list[int]] = defaultdict(list)
    for at in new:
        if at in keys[1]:
            candidates[keys[1][at]].append(at)
    rivals = Counter(keys[0][at] for at in old if at in keys[0])
    found: list[tuple[SourceItem, SourceItem]] = []
    for exact in (True, False):
        for at in [at for at in old if at in keys[0]]:
            key, item = keys[0][at], old[at]
            fitting = [c for c in candidates[key] if not exact or new[c].facts == item.facts]
            if not fitting or (only_one and (len(fitting) > 1 or (rivals[key] > 1 and not exact))):
                continue
            candidates[key].remove(fitting[0])
            found.append((old.pop(at), new.pop(fitting[0])))
    return found


class _Pairing:
    """Items that have no owner."""

    def __init__(self, old: Sequence[SourceItem], new: Sequence[SourceItem]) -> None:
        self.shapes = _shapes(old), _shapes(new)
        self.old = {at: item for at, item in enumerate(old) if not item.owner}
        self.new = {at: item for at, item in enumerate(new) if not item.owner}
        self.pairs: list[Pair] = []

    def tops(self) -> list[Pair]:
        self._pair(lambda i: (i.language, group(i), i.path), "same")
        self._kept()
        self._pair(lambda i: (i.language, group(i), i.name), "moved")
        self._take(_match(self.old, self.new, self.shapes, only_one=True), "renamed")
        self._fronts()
        loners = [Pair(item, None, "same") for item in self.old.values()]
        return [*self.pairs, *loners, *(Pair(None, item, "same") for item in self.new.values())]

    def _pair(self, key: Callable[[SourceItem], Hashable], how: str) -> None:
        # a re-export elsewhere is another way to an item, not the item: only its own path pairs it
        old, new = (
            {n: i for n, i in pool.items() if how == "same" or i.kind != "re-export"} for pool in (self.old, self.new)
        )
        self._take(_match(self.old, self.new, (_keys(old, key), _keys(new, key)), only_one=how == "moved"), how)

    def _take(self, found: list[tuple[SourceItem, SourceItem]], how: str) -> None:
        for old, new in found:
            kept = bool(old.public_paths) and old.public_paths <= new.public_paths
            self.pairs.append(Pair(old, new, "kept" if how == "moved" and kept else how))

    def _kept(self) -> None:
        """A definition that moved elsewhere, leaving a re-export."""
        at = {(i.language, group(i), path): n for n, i in self.new.items() for path in i.also_at}
        found: list[tuple[SourceItem, SourceItem]] = []
        for number, item in list(self.old.items()):
            there = at.get((item.language, group(item), item.path))
            if there in self.new:
                found.append((self.old.pop(number), self.new.pop(there)))
        self._take(found, "moved")

    def _fronts(self) -> None:
        """Re-exports on one side where the other defines the item itself: the path is there on both."""
        olds = {path for p in self.pairs if p.old for path in (p.old.path, *p.old.also_at)}
        news = {path for p in self.pairs if p.new for path in (p.new.path, *p.new.also_at)}
        self.old = {n: i for n, i in self.old.items() if i.kind != "re-export" or i.path not in news}
        self.new = {n: i for n, i in self.new.items() if i.kind != "re-export" or i.path not in olds}


def _shapes(items: Sequence[SourceItem]) -> _Keys:
    """What each item looks like apart from its own name, where that tells enough to pair by."""
    members = _by_owner(items)
    shapes: _Keys = {}
    for at, item in enumerate(items):
        if item.owner or item.kind == "re-export":
            continue
        inner = sorted((m.kind, m.name, _frozen(m)) for m in members[_key(item)] if m.kind != "impl")
        telling = (
            any(item.facts.get(fact) for fact in ("parameters", "payload"))
            or item.facts.get("returns", ("()",)) not in (("()",), ())
            or bool(inner)
        )
        if telling:
            parent = item.path.removesuffix(item.name)
            shapes[at] = (item.language, item.kind, item.visibility, parent, _frozen(item), tuple(inner))
    return shapes


def _frozen(item: SourceItem) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((key, value) for key, value in item.facts.items() if value))


def _members(olds: list[SourceItem], news: list[SourceItem], owners: Pair) -> list[Pair]:
    old, new = dict(enumerate(olds)), dict(enumerate(news))

    def named(item: SourceItem) -> Hashable:
        return group(item), item.name

    pairs = [Pair(a, b, "same", owners) for a, b in _match(old, new, (_keys(old, named), _keys(new, named)))]
    # one removed and one added with the same facts may be a rename; with two of them it is a guess
    alike = _alike(old), _alike(new)
    pairs += [Pair(a, b, "renamed", owners) for a, b in _match(old, new, alike, only_one=True)]
    pairs += [Pair(item, None, "same", owners) for item in old.values()]
    return pairs + [Pair(None, item, "same", owners) for item in new.values()]


def _alike(pool: _Pool) -> _Keys:
    return {at: (i.kind, i.visibility, _frozen(i)) for at, i in pool.items() if i.kind != "impl"}
