"""What each kind of difference does to a caller: the table that `sim surface` judges by.

One row per fact that an item can have. `gained`, `lost` and `changed` say what it means when the second tree
has the fact and the first has not, the other way round, or both have it and differ. Impact is judged for
code that stands on the first tree's surface and is compiled against the second's; where a language leaves
room (a caller may get away with it), the row assumes the worse reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.surface.model import Impact, SourceItem

B, H, A = Impact.BREAKING, Impact.BEHAVIOURAL, Impact.ADDITIVE


@dataclass(frozen=True, slots=True)
class FactRule:
    """A row: `whole` compares the fact as one text, otherwise its entries are a set."""

    aspect: str
    change: str
    gained: Impact
    lost: Impact
    changed: Impact
    why: str
    whole: bool = True


RUST: Sequence[FactRule] = (
    FactRule("receiver", "receiver", B, B, B, "every call is written another way"),
    FactRule("async", "async", B, B, B, "callers have to await it, or to stop awaiting it"),
    FactRule("unsafe", "unsafe", B, A, A, "callers need an unsafe block when it comes, and none when it goes"),
    FactRule("const", "const", A, B, B, "only a const fn can be called where a constant is computed"),
    FactRule("extern", "calling convention", B, B, B, "function pointers of it have another type"),
    FactRule("lifetimes", "lifetimes", B, B, B, "explicit lifetime arguments and borrows stop fitting"),
    FactRule("type parameters", "generics", B, B, B, "explicit type arguments stop fitting"),
    FactRule("bounds", "bounds", B, A, A, "a new bound shuts callers out, a dropped one lets more in", whole=False),
    FactRule("shape", "shape", B, B, B, "it is built and matched another way"),
    FactRule("open", "literal construction", A, B, B, "other code may or may not list its parts exhaustively"),
    FactRule("supertraits", "supertraits", B, B, B, "implementors must follow, users lose what it implied", False),
    FactRule("type", "type", B, B, B, "code that names or infers the old type stops fitting"),
    FactRule("value", "value", H, H, H, "the same code compiles and does something else"),
    FactRule("mutable", "mutability", B, B, B, "a mutable static needs unsafe at every use"),
    FactRule("payload", "payload", B, B, B, "it is built and matched another way"),
    FactRule("associated types", "associated types", B, B, B, "code that goes through the trait gets another type"),
    FactRule("layout", "layout", B, B, B, "code that relies on the memory layout breaks silently"),
    FactRule("deprecated", "deprecation", H, H, H, "callers are warned, or no longer"),
    FactRule("must_use", "must_use", H, H, H, "callers that drop the result are warned, or no longer"),
    FactRule("serialised form", "serialised form", H, H, H, "stored and transmitted data reads differently", False),
    FactRule("default variant", "default", H, H, H, "the default is another variant"),
    FactRule("condition", "condition", B, A, B, "it is there only under that cfg"),
    FactRule("target", "re-export target", B, B, B, "the same path names another item"),
)

RUST_BY_KIND: dict[str, Sequence[FactRule]] = {
    "trait": (FactRule("unsafe", "unsafe", B, B, B, "implementations have to say unsafe, or to stop saying it"),),
    "enum": (FactRule("open", "exhaustive matching", A, B, B, "a match needs a wildcard arm, or no longer"),),
    "variant": (FactRule("value", "discriminant", H, H, H, "a cast to an integer gives another number"),),
    "trait method": (
        FactRule("bounds", "bounds", B, B, B, "implementations have to repeat the bounds", whole=False),
        FactRule("default", "default body", A, B, B, "implementations may leave it out, or no longer"),
    ),
    "trait const": (FactRule("default", "default", A, B, H, "implementations that leave it out get it"),),
    "trait type": (FactRule("default", "default", A, B, B, "implementations that leave it out get it"),),
}
"""Rows that a kind of item has in addition to, or instead of, the ones above."""

PYTHON: Sequence[FactRule] = (
    FactRule("async", "async", B, B, B, "callers have to await it, or to stop awaiting it"),
    FactRule("called", "kind of method", B, B, B, "it is called another way"),
    FactRule("returns", "return type", A, A, B, "typed callers get another type"),
    FactRule("bases", "bases", A, B, B, "isinstance checks and inherited members come or go", whole=False),
    FactRule("decorators", "decorators", H, H, H, "what the decorator did comes or goes", whole=False),
    FactRule("type", "type", A, A, B, "typed callers get another type"),
    FactRule("value", "value", H, H, H, "the same code runs and does something else"),
    FactRule("required", "required field", B, A, A, "a constructor call without it fails"),
    FactRule("target", "re-export target", B, B, B, "the same path names another item"),
)


def rules_for(item: SourceItem) -> list[FactRule]:
    """The rows that apply to an item, the more specific instead of the general."""
    if item.language == "python":
        return list(PYTHON)
    special = {rule.aspect: rule for rule in RUST_BY_KIND.get(item.kind, ())}
    general = [rule for rule in RUST if rule.aspect not in special]
    return [*special.values(), *general]


def added(item: SourceItem, owner: SourceItem | None) -> tuple[Impact, str]:
    """What it means that the second tree has an item more; `owner` is its owner in the first tree."""
    is_open = owner is not None and bool(owner.facts.get("open"))
    if item.kind == "field" and is_open:
        return B, "code that builds or matches the struct field by field lacks it"
    if item.kind == "variant" and is_open:
        return B, "a match that lists every variant lacks it"
    if item.kind.startswith("trait ") and not item.facts.get("default"):
        return B, "implementations lack it, and it has no default"
    if item.language == "python" and item.facts.get("required"):
        return B, "a constructor call without it fails"
    return A, "nothing in use changes"


REMOVED = "whoever uses it stops working"
MOVED = "whoever names it by its path stops working"
MOVED_KEPT = "the old path still leads to it"
RENAMED = "same signature under another name; declare --rename {} if it is meant"
NARROWED = "whoever reached it from outside stops working"
WIDENED = "more code may use it"
MACRO = "what a macro makes cannot be seen"
