"""The order in which to bring over what the second tree has and the first lacks.

A step needs another when its text uses the other's name; steps that need each other are one step. Names are
followed only through what is missing or different: what is alike in both trees already exists. With required
names the path is what these need; without, it is everything that is missing or different on the surface.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sim.surface.compare import Comparison, differences, visible
from sim.surface.model import Difference, Impact, SourceItem
from sim.surface.renames import translate_word
from sim.surface.require import matches, spellings


@dataclass(frozen=True, slots=True)
class PortStep:
    """Bring (or change) these items together, after the steps numbered in `after`.

    `outside` are the differences that code at the level asked for notices; `crates` are the packages that the
    items use and the first tree neither has nor depends on.
    """

    number: int
    action: str
    items: tuple[SourceItem, ...]
    impact: Impact
    outside: tuple[Difference, ...]
    after: tuple[int, ...]
    crates: tuple[str, ...]
    lines: int = 0
    """Size in the second tree, from each declaration to the end of its body."""
    inside: tuple[Difference, ...] = ()
    """Everything that differs of what is in both trees."""


@dataclass(slots=True)
class _Unit:
    """A top-level item of the second tree with its members, as far as they have to be touched."""

    item: SourceItem
    missing: bool
    touched: list[SourceItem] = field(default_factory=list)
    outside: list[Difference] = field(default_factory=list)
    inside: list[Difference] = field(default_factory=list)
    asked: list[SourceItem] = field(default_factory=list)


def migration(comparison: Comparison, names: Sequence[str], level: str = "pub") -> list[PortStep]:
    """The steps for `names`, or for the whole surface at `level` without names."""
    units = _units(comparison, names, level)
    work = {path: unit for path, unit in units.items() if unit.missing or unit.touched or unit.outside}
    if names:  # what is identical in the first tree already exists, whatever differs around it
        roots = [p for p, u in work.items() if any(item is touched for item in u.asked for touched in u.touched)]
    else:
        roots = [p for p, u in work.items() if u.outside or (u.missing and visible(u.item, level))]
    edges = _closure(work, roots)
    steps: list[PortStep] = []
    number_of: dict[str, int] = {}
    for together in _ordered(edges, work):
        members = [work[path] for path in together]
        needs = {number_of[n] for path in together for n in edges[path] if n not in together}
        outside = tuple(d for unit in members for d in unit.outside)
        lacking = {c for u in members for i in u.touched for c in _lacking(i, comparison)}
        number = len(steps) + 1
        number_of.update(dict.fromkeys(together, number))
        steps.append(
            PortStep(
                number,
                "bring" if all(unit.missing for unit in members) else "change",
                tuple(unit.item for unit in members),
                min((d.impact for d in outside), key=lambda i: i.rank, default=Impact.ADDITIVE),
                outside,
                tuple(sorted(needs)),
                tuple(sorted(lacking)),
                _lines(item for unit in members for item in unit.touched),
                tuple(d for unit in members for d in unit.inside),
            )
        )
    return steps


def _lines(items: Iterable[SourceItem]) -> int:
    """Each line once, where one item holds another."""
    return len({(i.place.file, line) for i in items for line in range(i.place.line, i.end + 1)})


def _lacking(item: SourceItem, comparison: Comparison) -> set[str]:
    """Packages that an item uses and that its package, in the first tree, does not depend on."""
    package = max((p for p in comparison.old.crates if item.path.startswith(f"{p}::")), key=len, default=None)
    if package is None:
        return set()  # unknown without a manifest
    declared = {translate_word(name, comparison.renames) for name in comparison.old.crates[package]}
    return set(item.externals) - declared


def _units(comparison: Comparison, names: Sequence[str], level: str) -> dict[str, _Unit]:
    """Every top-level item of the second tree by its path, with what has to be touched of it."""
    units: dict[str, _Unit] = {}
    tops = [p for p in comparison.pairs if p.new and not p.new.owner and p.new.kind != "re-export"]
    for one in tops:
        assert one.new is not None
        missing = one.old is None or one.old.kind == "re-export"
        units[one.new.path] = _Unit(one.new, missing, [one.new] if missing else [])
    top_of = _tops(comparison)
    for item in comparison.new.items:
        unit = units.get(top_of.get(item.path, item.path))
        if unit is None or not item.scoped or item.kind == "re-export":
            continue
        if any(matches(item, s) for name in names for s in spellings(name, comparison.renames)):
            unit.asked.append(item)
        if unit.missing and item.owner:
            unit.touched.append(item)
    for unit, difference in _changes(units, top_of, differences(comparison.pairs, "all")):
        unit.inside.append(difference)
        unit.touched += [difference.new] if difference.new is not None else []
    for unit, difference in _changes(units, top_of, differences(comparison.pairs, level)):
        if difference.change != "moved, old path kept":
            unit.outside.append(difference)
    return units


def _changes(
    units: Mapping[str, _Unit], top_of: Mapping[str, str], found: Iterable[Difference]
) -> Iterator[tuple[_Unit, Difference]]:
    """Each difference of what is in both trees, with the unit that it belongs to."""
    for difference in found:
        about = difference.new or difference.old
        assert about is not None
        unit = units.get(top_of.get(about.path, about.path))
        if unit is not None and not unit.missing:
            yield unit, difference


def _tops(comparison: Comparison) -> dict[str, str]:
    """Path of a member to the second tree's path of the top-level item it belongs to, on either side."""
    found = {p.old.path: p.new.path for p in comparison.pairs if p.old and p.new and not p.new.owner}
    owners = {p.old.path: p.old.owner for p in comparison.pairs if p.old and p.old.owner}
    owners |= {item.path: item.owner for item in comparison.new.items if item.owner}
    for path, owner in owners.items():
        while owner in owners:
            owner = owners[owner]
        found[path] = found.get(owner, owner)
    return found


def _closure(work: dict[str, _Unit], roots: Iterable[str]) -> dict[str, set[str]]:
    """Which unit needs which, from the roots on."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for path, unit in work.items():
        by_name[unit.item.name].append(path)
    edges: dict[str, set[str]] = {}
    waiting = sorted(roots)
    while waiting:
        path = waiting.pop()
        if path in edges:
            continue
        unit = work[path]
        words = {word for item in unit.touched for word in item.uses}
        needs = {n for word in words for n in _nearest(by_name.get(word, []), unit, work)}
        edges[path] = needs - {path}
        waiting += sorted(needs)
    return edges


def _nearest(paths: list[str], unit: _Unit, work: dict[str, _Unit]) -> list[str]:
    """Among items of one name, those in the user's own file, otherwise in its own crate, otherwise all."""
    for same in (
        [p for p in paths if work[p].item.place.file == unit.item.place.file],
        [p for p in paths if _crate(p) == _crate(unit.item.path)],
    ):
        if same:
            return same
    return paths


def _crate(path: str) -> str:
    return path.partition("::")[0].partition(".")[0]


def _ordered(edges: dict[str, set[str]], work: dict[str, _Unit]) -> list[list[str]]:
    """Groups of units, each after all it needs: Tarjan's strongly connected components."""

    def place(path: str) -> tuple[str, int]:
        return work[path].item.place.file, work[path].item.place.line

    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []
    for root in sorted(edges, key=place):
        if root in index:
            continue
        calls = [(root, iter(sorted(edges[root], key=place)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while calls:
            path, needs = calls[-1]
            for need in needs:
                if need not in index:
                    index[need] = low[need] = len(index)
                    stack.append(need)
                    calls.append((need, iter(sorted(edges[need], key=place))))
                    break
                if need in stack:
                    low[path] = min(low[path], index[need])
            else:
                calls.pop()
                if calls:
                    low[calls[-1][0]] = min(low[calls[-1][0]], low[path])
                if low[path] == index[path]:
                    at = stack.index(path)
                    groups.append(sorted(stack[at:], key=place))
                    del stack[at:]
    return groups
