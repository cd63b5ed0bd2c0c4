"""Which item of the first tree is which item of the second.

In this order, so that the surest reading wins: the same path; the old path kept alive by a re-export; a move
(the same name elsewhere, and only one candidate); a rename (another name in the same place with an identical,
telling signature, and only one candidate). Members are paired inside the pairs of their owners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from sim.surface.model import Item

_GROUPS = {
    **dict.fromkeys(("struct", "enum", "union", "trait", "type", "class"), "type"),
    **dict.fromkeys(("fn", "const", "static", "function", "attribute"), "value"),
    **dict.fromkeys(("method", "associated const", "trait method", "trait const"), "value"),
}
"""Kinds that share a namespace: a struct that becomes an enum is one item, a field and a method are two."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that are one; `how` is same, kept, moved or renamed. One side is None for a loner."""

    old: Item | None
    new: Item | None
    how: str
    owners: Pair | None = None


def group(item: Item) -> str:
    """The namespace that an item's name lives in."""
    if item.language == "python" and item.owner:
        return "member"
    return _GROUPS.get(item.kind, item.kind)


def pair(old: Sequence[Item], new: Sequence[Item]) -> list[Pair]:
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


def _key(item: Item) -> tuple[str, str]:
    return item.language, item.path


def _by_owner(items: Iterable[Item]) -> dict[tuple[str, str], list[Item]]:
    found: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.owner:
            found[item.language, item.owner].append(item)
    return found


def _match(
    old: list[Item], new: list[Item], key: Callable[[Item], Hashable], only_one: bool = False
) -> list[tuple[Item, Item]]:
    """Pairs with equal keys, taken out of both lists; among several, those with equal facts first.

    With `only_one`, a key that several unequal items share pairs nothing: it would be a guess.
    """
    at: dict[Hashable, list[Item]] = defaultdict(list)
    for item in new:
        at[key(item)].append(item)
    rivals: dict[Hashable, int] = defaultdict(int)
    for item in old:
        rivals[key(item)] += 1
    found: list[tuple[Item, Item]] = []
    for exact in (True, False):
        for item in list(old):
            candidates = at.get(key(item), [])
            fitting = [c for c in candidates if c.facts == item.facts] if exact else list(candidates)
            if not fitting or (only_one and (len(fitting) > 1 or (rivals[key(item)] > 1 and not exact))):
                continue
            chosen = fitting[0]
            found.append((item, chosen))
            at[key(item)] = [c for c in candidates if c is not chosen]
            old[:] = [o for o in old if o is not item]
            new[:] = [n for n in new if n is not chosen]
    return found


class _Pairing:
    """Items that have no owner."""

    def __init__(self, old: Sequence[Item], new: Sequence[Item]) -> None:
        self.shape = {id(item): shape for items in (old, new) for item, shape in _shapes(items)}
        self.old = [item for item in old if not item.owner]
        self.new = [item for item in new if not item.owner]
        self.pairs: list[Pair] = []

    def tops(self) -> list[Pair]:
        self._take(_match(self.old, self.new, lambda i: (i.language, group(i), i.path)), "same")
        self._kept()
        definitions_old = [item for item in self.old if item.kind != "re-export"]
        definitions_new = [item for item in self.new if item.kind != "re-export"]
        moved = _match(definitions_old, definitions_new, lambda i: (i.language, group(i), i.name), only_one=True)
        self._take(moved, "moved")
        renamed = _match(definitions_old, definitions_new, lambda i: self.shape[id(i)] or (id(i),), only_one=True)
        self._take(renamed, "renamed")
        self._fronts()
        loners = [Pair(item, None, "same") for item in self.old]
        return [*self.pairs, *loners, *(Pair(None, item, "same") for item in self.new)]

    def _take(self, found: list[tuple[Item, Item]], how: str) -> None:
        for old, new in found:
            kept = bool(old.public_paths) and old.public_paths <= new.public_paths
            self.pairs.append(Pair(old, new, "kept" if how == "moved" and kept else how))
        taken = {id(item) for pair_ in found for item in pair_}
        self.old = [item for item in self.old if id(item) not in taken]
        self.new = [item for item in self.new if id(item) not in taken]

    def _kept(self) -> None:
        """A definition that went elsewhere while a re-export stayed behind."""
        at = {(i.language, group(i), path): i for i in self.new for path in i.also_at}
        found: list[tuple[Item, Item]] = []
        for item in self.old:
            new = at.get((item.language, group(item), item.path))
            if new is not None and not any(new is taken for _, taken in found):
                found.append((item, new))
        self._take(found, "moved")

    def _fronts(self) -> None:
        """Re-exports on one side where the other defines the item itself: the path is there on both."""
        olds = {path for p in self.pairs if p.old for path in (p.old.path, *p.old.also_at)}
        news = {path for p in self.pairs if p.new for path in (p.new.path, *p.new.also_at)}
        self.old = [i for i in self.old if i.kind != "re-export" or i.path not in news]
        self.new = [i for i in self.new if i.kind != "re-export" or i.path not in olds]


def _shapes(items: Sequence[Item]) -> Iterable[tuple[Item, tuple[Hashable, ...]]]:
    """What an item looks like apart from its own name; empty where that tells too little to pair by."""
    members = _by_owner(items)
    for item in items:
        inner = sorted((m.kind, m.name, _frozen(m)) for m in members[_key(item)] if m.kind != "impl")
        telling = (
            any(item.facts.get(fact) for fact in ("parameters", "payload"))
            or item.facts.get("returns", ("()",)) not in (("()",), ())
            or bool(inner)
        )
        parent = item.path.removesuffix(item.name)
        yield (
            item,
            ((item.language, item.kind, item.visibility, parent, _frozen(item), tuple(inner)) if telling else ()),
        )


def _frozen(item: Item) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((key, value) for key, value in item.facts.items() if value))


def _members(old: list[Item], new: list[Item], owners: Pair) -> list[Pair]:
    old, new = list(old), list(new)
    same = _match(old, new, lambda i: (group(i), i.name))
    # one gone and one come with the same facts may be a rename; two of them already are a guess
    renamed = _match(
        [i for i in old if i.kind != "impl"],
        [i for i in new if i.kind != "impl"],
        lambda i: (i.kind, i.visibility, _frozen(i)),
        only_one=True,
    )
    taken = {id(item) for pair_ in renamed for item in pair_}
    pairs = [Pair(a, b, "same", owners) for a, b in same] + [Pair(a, b, "renamed", owners) for a, b in renamed]
    pairs += [Pair(item, None, "same", owners) for item in old if id(item) not in taken]
    return pairs + [Pair(None, item, "same", owners) for item in new if id(item) not in taken]
