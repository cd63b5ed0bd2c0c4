"""One spelling for everything in a Rust signature that can be spelt in several ways.

Two trees write one type as `io::Result<()>`, `std::io::Result<()>` and `Result<(), std::io::Error>`, one
parameter list over one line or five, one bound inline or in a where clause, and name their type parameters
as they like. Comparison works on the text produced here, so none of that is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_PATHS = {"scoped_type_identifier", "scoped_identifier", "type_identifier"}
_IGNORED = {"line_comment", "block_comment", "attribute_item", "inner_attribute_item"}
_HELD = "\ud800"
"""Stands for a literal while its surroundings are tidied; no text that was decoded holds it."""
_WHOLE = {"string_literal", "raw_string_literal", "char_literal"}

_PRELUDE = {
    f"std::{path}": path.rpartition("::")[2]
    for path in (
        "option::Option",
        "result::Result",
        "string::String",
        "vec::Vec",
        "boxed::Box",
        "convert::Into",
        "convert::From",
        "convert::AsRef",
        "convert::TryFrom",
        "convert::TryInto",
        "string::ToString",
        "iter::Iterator",
        "iter::IntoIterator",
        "default::Default",
        "clone::Clone",
        "marker::Copy",
        "marker::Send",
        "marker::Sync",
        "marker::Sized",
        "marker::Unpin",
        "ops::Drop",
        "ops::Fn",
        "ops::FnMut",
        "ops::FnOnce",
        "cmp::PartialEq",
        "cmp::Eq",
        "cmp::PartialOrd",
        "cmp::Ord",
    )
}
"""Names that need no `use` in Rust are shortened, however the source spells them."""
_PRELUDE["std::fmt::Result"] = "Result<(), std::fmt::Error>"


@dataclass(slots=True)
class Scope:
    """What names mean at one place of one file.

    `uses` maps a name to the path that a `use` gave it; `local` are the crates that are being compared,
    whose types are reduced to their last name because a move inside them is reported as a move and must not come
    back as a type change in every signature. `renamed` are generic parameters and lifetimes by position.
    """

    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    renamed: dict[str, str] = field(default_factory=dict)
    self_type: str = ""

    def inside(self, self_type: str = "") -> Scope:
        """A nested scope: its generic parameters do not leak out."""
        return Scope(self.uses, self.local, dict(self.renamed), self_type or self.self_type)

    def path(self, segments: tuple[str, ...]) -> str:
        """The one spelling of a path to a type, trait or constant."""
        head, rest = segments[0], segments[1:]
        if not rest and head in self.renamed:
            return self.renamed[head]
        if rest and head in self.renamed:
            return "::".join((self.renamed[head], *rest))
        full = (*self.uses[head], *rest) if head in self.uses else segments
        if full[0] in ("core", "alloc"):
            full = ("std", *full[1:])
        if full[0] in ("crate", "super", "self") or full[0] in self.local:
            return full[-1]
        spelt = "::".join(full)
        return _PRELUDE.get(spelt, spelt)


def text(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def render(node: Node | None, scope: Scope) -> str:
    """The normalised text of a type, bound, pattern or value."""
    if node is None:
        return ""
    tokens: list[str] = []
    _collect(node, scope, tokens)
    # a literal's own blanks are part of its value: tidying must not reach them
    tokens = [token for token in tokens if token]  # what the grammar found missing is an empty token
    literals = [token for token in tokens if token[-1] in "\"'#" and len(token) > 1]
    held = [_HELD if token in literals else token for token in tokens]
    pieces = tidy(" ".join(held)).split(_HELD)
    return "".join(a + b for a, b in zip(pieces, [*literals, ""], strict=True))


def _collect(node: Node, scope: Scope, tokens: list[str]) -> None:
    if node.type in _IGNORED:
        return
    if node.type in _PATHS:
        segments = _segments(node)
        if segments:
            spelt = scope.path(segments)
            tokens.append("Self" if spelt == scope.self_type else spelt)
            return
    if node.type == "lifetime":
        tokens.append(scope.renamed.get(text(node), text(node)))
    elif node.type == "generic_type" and _is_alias_of_result(node, scope):
        tokens.append(_result(node, scope))
    elif node.type == "bounded_type":
        tokens.append(_bounded(node, scope))
    elif node.type == "generic_type":
        inner: list[str] = []
        for child in node.children:
            _collect(child, scope, inner)
        tokens += ["Self"] if tidy(" ".join(inner)) == scope.self_type else inner
    elif node.type in _WHOLE or not node.children:
        tokens.append(text(node))
    else:
        for child in node.children:
            _collect(child, scope, tokens)


def _bounded(node: Node, scope: Scope) -> str:
    """`dyn A + B` with its bounds in one order: it is the same type as `dyn B + A`."""
    bounds: list[str] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type == "bounded_type":
            waiting += one.named_children
        else:
            bounds.append(render(one, scope))
    keyword = next((word for word in ("dyn ", "impl ") if any(b.startswith(word) for b in bounds)), "")
    return keyword + " + ".join(sorted(bound.removeprefix(keyword) for bound in bounds))


def _segments(node: Node) -> tuple[str, ...]:
    """The parts of a plain path; empty where it has generic arguments or a cast inside."""
    if node.type not in _PATHS | {"identifier", "crate", "self", "super", "metavariable"}:
        return ()
    if node.type not in ("scoped_type_identifier", "scoped_identifier"):
        return (text(node),)
    name = node.child_by_field_name("name")
    path = node.child_by_field_name("path")
    if name is None:
        return ()
    if path is None:
        return (text(name),)
    front = _segments(path)
    return (*front, text(name)) if front else ()


def path_segments(node: Node) -> tuple[str, ...]:
    """The parts of a plain path node, for `use` declarations and impl headers."""
    return _segments(node)


_ALIASES = {"std::io::Result": "std::io::Error", "std::fmt::Result": "std::fmt::Error"}


def _is_alias_of_result(node: Node, scope: Scope) -> bool:
    head = node.child_by_field_name("type")
    return head is not None and render(head, scope) in _ALIASES


def _result(node: Node, scope: Scope) -> str:
    head = render(node.child_by_field_name("type"), scope)
    arguments = render(node.child_by_field_name("type_arguments"), scope)
    return f"Result{arguments[:-1]}, {_ALIASES[head]}>"


_TIDYING = (
    (re.compile(r" ?(::|<|\(|\[|!) ?"), r"\1"),
    (re.compile(r" (>|\)|\]|,|;|:(?!:)|\?)"), r"\1"),
    (re.compile(r"& "), "&"),
    (re.compile(r",(>|\])"), r"\1"),
    (re.compile(r"-> ?"), "-> "),
    (re.compile(r" ?-> "), " -> "),
    (re.compile(r"\b(dyn|impl|mut|for)(?=[<(\[])"), r"\1"),
    (re.compile(r"\s+"), " "),
)


def tidy(spaced: str) -> str:
    """Tokens joined by blanks, set as a reader expects them; only ever shown and compared, never parsed."""
    for pattern, becomes in _TIDYING:
        spaced = pattern.sub(becomes, spaced)
    return spaced.strip()


# -- generics --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Generics:
    """The generic part of a declaration: parameters by position, bounds as a sorted set."""

    lifetimes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()


def generics(node: Node, scope: Scope, mark: str = "T") -> Generics:
    """Read the type parameters and where clause of `node`, and rename them by position in `scope`.

    `mark` is the letter that stands for a type parameter here: an impl block and its methods each count
    their own.
    """
    listed = node.child_by_field_name("type_parameters")
    entries = [child for child in listed.named_children if child.type not in _IGNORED] if listed else []
    lifetimes: list[str] = []
    names: list[tuple[Node, str]] = []
    for entry in entries:
        named = entry.child_by_field_name("name") or entry
        if entry.type in ("lifetime", "lifetime_parameter"):
            lifetimes.append(f"'{mark.lower()}{len(lifetimes) + 1}")
            scope.renamed[text(named)] = lifetimes[-1]
        else:
            names.append((entry, f"{mark}{len(names) + 1}"))
            scope.renamed[text(named)] = names[-1][1]
    parameters: list[str] = []
    bounds: set[str] = set()
    for entry, new_name in names:
        parameters.append(_parameter(entry, new_name, scope))
    for entry in entries:
        named = entry.child_by_field_name("name") or entry
        bounds.update(_bounds(scope.renamed[text(named)], entry.child_by_field_name("bounds"), scope))
    for clause in (child for child in node.children if child.type == "where_clause"):
        for predicate in clause.named_children:
            if predicate.type == "where_predicate":
                left = render(predicate.child_by_field_name("left"), scope)
                bounds.update(_bounds(left, predicate.child_by_field_name("bounds"), scope))
    return Generics(tuple(lifetimes), tuple(parameters), tuple(sorted(bounds)))


def _parameter(entry: Node, new_name: str, scope: Scope) -> str:
    default = entry.child_by_field_name("default_type") or entry.child_by_field_name("value")
    shown = new_name
    if entry.type == "const_parameter":
        shown = f"const {new_name}: {render(entry.child_by_field_name('type'), scope)}"
    return f"{shown} = {render(default, scope)}" if default is not None else shown


def _bounds(subject: str, bounds: Node | None, scope: Scope) -> list[str]:
    if bounds is None:
        return []
    return [f"{subject}: {render(bound, scope)}" for bound in bounds.named_children if bound.type not in _IGNORED]


def bound_list(node: Node, scope: Scope) -> tuple[str, ...]:
    """The bounds of a trait or associated type, as a sorted set."""
    bounds = node.child_by_field_name("bounds")
    if bounds is None:
        return ()
    return tuple(sorted(render(b, scope) for b in bounds.named_children if b.type not in _IGNORED))
