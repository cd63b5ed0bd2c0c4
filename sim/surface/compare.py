"""The differences between two surfaces, each with its impact."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.surface import rules
from sim.surface.model import Difference, Impact, SourceItem, Surface
from sim.surface.pair import Pair, pair
from sim.surface.python_items import FIELD
from sim.surface.renames import Rename, translate

LEVELS = ("pub", "crate", "all")
"""How far in a comparison looks: what other crates see, what the crate sees, everything."""

_RESULT = re.compile(r"Result<(?P<ok>.*), (?P<error>[^,]+)>")
_CONSTANTS = {"const", "static", "associated const"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two surfaces side by side: what pairs with what, and every difference at the level asked for."""

    old: Surface
    new: Surface
    renames: tuple[Rename, ...]
    pairs: tuple[Pair, ...]
    differences: tuple[Difference, ...]
    translated: int
    """Pairs that fit only because of a declared rename."""

    def of(self, impact: Impact) -> list[Difference]:
        return [difference for difference in self.differences if difference.impact is impact]


def compare(old: Surface, new: Surface, renames: Sequence[Rename] = (), level: str = "pub") -> Comparison:
    """Pair the scoped items of two surfaces and judge what differs."""
    pairs = pair(translate([i for i in old.items if i.scoped], renames), [i for i in new.items if i.scoped])
    found = differences(pairs, level)
    translated = sum(1 for p in pairs if p.old and p.new and p.old.original not in ("", p.old.path))
    return Comparison(old, new, tuple(renames), tuple(pairs), tuple(found), translated)


def differences(pairs: Sequence[Pair], level: str) -> list[Difference]:
    """Every difference of these pairs that someone at `level` can notice, worst first."""
    paths = {p.old.path: p.new.path for p in pairs if p.old and p.new}
    gone = {p.old.path for p in pairs if p.old and not p.new}
    come = {p.new.path for p in pairs if p.new and not p.old}
    found: list[Difference] = []
    for one in pairs:
        if one.owners is not None and _opened_or_closed(one.owners, level):
            continue  # reported once, for the owner
        if one.old is not None and one.new is not None:
            found += _both(one.old, one.new, one.how, (level, paths))
        else:
            found += _loner(one, level, gone, come)
    return sorted(found, key=_order)


def _order(d: Difference) -> tuple[int, str, str, str]:
    return d.impact.rank, d.subject.path, d.change, d.before


def visible(item: SourceItem, level: str) -> bool:
    """Whether someone at this level can see the item."""
    return level == "all" or item.reach == "public" or (level == "crate" and item.reach == "crate")


def _opened_or_closed(one: Pair, level: str) -> bool:
    assert one.old is not None
    assert one.new is not None
    return visible(one.old, level) != visible(one.new, level)


def _loner(one: Pair, level: str, gone: set[str], come: set[str]) -> list[Difference]:
    item = one.old or one.new
    assert item is not None
    if not visible(item, level):
        return []
    if item.kind == "re-export" and item.facts["target"][0] in (gone if one.old else come):
        return []  # reported once, for the item it shows
    if one.old is not None:
        return [Difference(Impact.BREAKING, "removed", item.kind, item, None, _fact(item), "", rules.REMOVED)]
    impact, why = rules.added(item, one.owners.old if one.owners else None)
    return [Difference(impact, "added", item.kind, None, item, "", _fact(item), why)]


def _fact(item: SourceItem) -> str:
    """One informative fact about an item, for the row that says it was added or removed."""
    if "parameters" in item.facts:
        told = [p.split(FIELD)[1] if FIELD in p else item.told((p,)) for p in item.facts["parameters"]]
        given = ", ".join(told)
        returned = "".join(f" -> {item.told((r,))}" for r in item.facts.get("returns", ()) if r != "()")
        return f"({given}){returned}"
    for fact in ("target", "type", "payload"):
        if item.facts.get(fact):
            return item.told(item.facts[fact])
    return ""


def _both(old: SourceItem, new: SourceItem, how: str, about: tuple[str, Mapping[str, str]]) -> list[Difference]:
    level, paths = about

    def said(impact: Impact, change: str, before: str, after: str, why: str) -> Difference:
        return Difference(impact, change, new.kind, old, new, before, after, why)

    seen = visible(old, level), visible(new, level)
    if not any(seen):
        return _facts(old, new, said, only="value") if old.kind in _CONSTANTS else []
    if seen[0] != seen[1]:
        impact, why = (Impact.BREAKING, rules.NARROWED) if seen[0] else (Impact.ADDITIVE, rules.WIDENED)
        return [said(impact, "visibility", _seen(old), _seen(new), why)]
    found: list[Difference] = []
    if _width(old) != _width(new):
        narrower = _width(new) < _width(old)
        impact, why = (Impact.BREAKING, rules.NARROWED) if narrower else (Impact.ADDITIVE, rules.WIDENED)
        found.append(said(impact, "visibility", _seen(old), _seen(new), why))
    if how == "moved":
        found.append(said(Impact.BREAKING, "moved", old.shown, new.shown, rules.MOVED))
    elif how == "kept" and old.direct:
        found.append(said(Impact.ADDITIVE, "moved, old path kept", old.shown, new.shown, rules.MOVED_KEPT))
    elif how == "renamed":
        why = rules.RENAMED.format(f"{old.name}={new.name}")
        found.append(said(Impact.BREAKING, "renamed", old.name, new.name, why))
    if old.kind != new.kind:
        why = "it is used another way"
        return [*found, said(Impact.BREAKING, "kind of item", old.kind, new.kind, why)]
    if old.kind == "re-export":
        same = paths.get(old.facts["target"][0], old.facts["target"][0]) == new.facts["target"][0]
        return found if same else found + _facts(old, new, said)
    return found + _facts(old, new, said)


_REACHES = ("private", "crate", "public")


def _width(item: SourceItem) -> tuple[int, bool]:
    """How much code can reach an item: `pub(super)` stays inside its crate like `pub(crate)`, and is less."""
    part = item.visibility.startswith("pub(") and item.visibility != "pub(crate)"
    return _REACHES.index(item.reach), not part


def _seen(item: SourceItem) -> str:
    """What the source says, and what it amounts to if that is less."""
    if item.visibility == "pub" and item.reach != "public":
        return "pub in a type that is not" if item.owner else "pub inside a private module"
    return item.visibility


class _Say(Protocol):
    """Makes a difference of two given items."""

    def __call__(self, impact: Impact, change: str, before: str, after: str, why: str) -> Difference: ...


def _facts(old: SourceItem, new: SourceItem, said: _Say, only: str = "") -> list[Difference]:
    found: list[Difference] = []
    for rule in rules.rules_for(new):
        before, after = old.facts.get(rule.aspect, ()), new.facts.get(rule.aspect, ())
        if before == after or (only and rule.aspect != only):
            continue
        if rule.whole:
            impact = rule.gained if not before else rule.lost if not after else rule.changed
            found.append(said(impact, rule.change, old.told(before), new.told(after), rule.why))
            continue
        gone = [entry for entry in before if entry not in after]
        come = [entry for entry in after if entry not in before]
        found += [said(rule.lost, rule.change, old.told((entry,)), "", rule.why) for entry in gone]
        found += [said(rule.gained, rule.change, "", entry, rule.why) for entry in come]
    if new.language == "python":
        return found + _python_parameters(old, new, said)
    return found + _rust_signature(old, new, said)


def _rust_signature(old: SourceItem, new: SourceItem, said: _Say) -> list[Difference]:
    before, after = old.facts.get("parameters", ()), new.facts.get("parameters", ())
    found: list[Difference] = []
    if len(before) != len(after):
        why = "every call is written another way"
        found.append(said(Impact.BREAKING, "arity", old.told(before), new.told(after), why))
    else:
        for position, (one, two) in enumerate(zip(before, after, strict=True), 1):
            if one != two:
                why = f"parameter {position} takes another type"
                found.append(
                    said(
                        Impact.BREAKING,
                        "parameter type",
                        f"{position}: {old.told((one,))}",
                        f"{position}: {two}",
                        why,
                    )
                )
    given, gets = old.facts.get("returns", ("",))[0], new.facts.get("returns", ("",))[0]
    if given != gets:
        ours, theirs = _RESULT.fullmatch(given), _RESULT.fullmatch(gets)
        same_ok = ours and theirs and ours["ok"] == theirs["ok"]
        change = "error type" if same_ok else "return type"
        found.append(said(Impact.BREAKING, change, old.told((given,)), gets, f"callers get another {change}"))
    return found


# -- Python parameters -------------------------------------------------------------------------------------


def _python_parameters(old: SourceItem, new: SourceItem, said: _Say) -> list[Difference]:
    before, after = _parameters(old), _parameters(new)
    named = {one[1]: one for one in after}
    known = {one[1] for one in before}
    found: list[Difference] = []
    for one in before:
        if one[1] in named:
            found += _python_parameter(one, named[one[1]], said)
        else:
            found.append(said(Impact.BREAKING, "parameter removed", one[1], "", "calls that pass it fail"))
    last_old = max((p for p, one in enumerate(after) if one[1] in known and _positional(one)), default=-1)
    for position, one in enumerate(after):
        if one[1] in known:
            continue
        if one[3] == "" and not one[0].startswith("*"):
            found.append(said(Impact.BREAKING, "parameter added", "", one[1], "calls without it fail"))
        elif _positional(one) and position < last_old:
            found.append(said(Impact.BREAKING, "parameter added", "", one[1], "positional arguments after it shift"))
        else:
            found.append(said(Impact.ADDITIVE, "parameter added", "", one[1], "calls go on without it"))
    order = [[one[1] for one in side if _positional(one)] for side in (before, after)]
    common = [[name for name in names if all(name in other for other in order)] for names in order]
    if common[0] != common[1]:
        why = "positional arguments land elsewhere"
        found.append(said(Impact.BREAKING, "parameter order", ", ".join(order[0]), ", ".join(order[1]), why))
    return found


def _parameters(item: SourceItem) -> list[list[str]]:
    """Kind, name, annotation, default of each; a positional-only one is identified by its place, not its name."""
    split = [one.split(FIELD) for one in item.facts.get("parameters", ())]
    return [
        [kind, f"({place})" if kind == "positional-only" else name, *rest]
        for place, (kind, name, *rest) in enumerate(split, 1)
    ]


def _positional(one: list[str]) -> bool:
    return one[0] in ("normal", "positional-only")


_LOOSER = {("keyword-only", "normal"), ("positional-only", "normal")}


def _python_parameter(old: list[str], new: list[str], said: _Say) -> list[Difference]:
    found: list[Difference] = []
    name = old[1]
    if old[0] != new[0]:
        impact = Impact.ADDITIVE if (old[0], new[0]) in _LOOSER else Impact.BREAKING
        why = "it is passed another way"
        found.append(said(impact, "kind of parameter", f"{name}: {old[0]}", f"{name}: {new[0]}", why))
    if old[2] != new[2]:
        impact = Impact.BREAKING if old[2] and new[2] else Impact.ADDITIVE
        why = "typed callers pass another type"
        found.append(said(impact, "parameter type", f"{name}: {old[2]}", f"{name}: {new[2]}", why))
    if old[3] != new[3]:
        if not new[3]:
            found.append(said(Impact.BREAKING, "default removed", f"{name} = {old[3]}", name, "calls without it fail"))
        elif not old[3]:
            found.append(said(Impact.ADDITIVE, "default added", name, f"{name} = {new[3]}", "calls may leave it out"))
        else:
            why = "calls that leave it out do something else"
            found.append(said(Impact.BEHAVIOURAL, "default value", f"{name} = {old[3]}", f"{name} = {new[3]}", why))
    return found
