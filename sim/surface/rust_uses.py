"""`use` declarations, attributes and visibility: everything around a Rust declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.surface.rust_text import path_segments, text

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Use:
    """One name that a `use` brings in; `name` is `*` for a whole module."""

    path: tuple[str, ...]
    name: str
    visibility: str
    line: int
    modules: tuple[str, ...]
    cfg: tuple[str, ...]


def visibility(node: Node) -> str:
    """What the source says: `pub`, `pub(crate)`, `pub(super)`, `pub(in a::b)` or `private`."""
    for child in node.children:
        if child.type == "visibility_modifier":
            said = re.sub(r"\s+", "", text(child)).replace("(in", "(in ")
            return {"crate": "pub(crate)", "pub(in crate)": "pub(crate)", "pub(self)": "private"}.get(said, said)
    return "private"


def imports(node: Node, modules: tuple[str, ...], cfg: tuple[str, ...]) -> Iterator[Use]:
    """Every name of one `use` or `extern crate` declaration."""
    line = node.start_point[0] + 1
    seen = visibility(node)
    if node.type == "extern_crate_declaration":
        name = node.child_by_field_name("name")
        alias = node.child_by_field_name("alias") or name
        if name is not None and alias is not None:
            yield Use((text(name),), text(alias), seen, line, modules, cfg)
        return
    argument = node.child_by_field_name("argument")
    if argument is not None:
        for path, alias_name in _tree(argument, ()):
            if not path or not all(path):
                continue  # half a declaration, in a file that is listed as unclean
            yield Use(path, alias_name, seen, line, modules, cfg)


def _tree(node: Node, front: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if node.type == "use_list":
        for child in node.named_children:
            yield from _tree(child, front)
    elif node.type == "scoped_use_list":
        path = node.child_by_field_name("path")
        listed = node.child_by_field_name("list")
        if listed is not None:
            yield from _tree(listed, (*front, *(path_segments(path) if path else ())))
    elif node.type == "use_wildcard":
        inner = node.named_children[0] if node.named_children else None
        yield (*front, *(path_segments(inner) if inner else ())), "*"
    elif node.type == "use_as_clause":
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("alias")
        if path is not None and alias is not None:
            segments = _without_self((*front, *path_segments(path)))
            yield segments, text(alias)
    elif node.type not in ("line_comment", "block_comment"):
        segments = _without_self((*front, *path_segments(node)))
        if segments:
            yield segments, segments[-1]


def _without_self(path: tuple[str, ...]) -> tuple[str, ...]:
    return path[:-1] if len(path) > 1 and path[-1] == "self" else path


# -- attributes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """`#[name(arguments)]` with the blanks taken out."""

    name: str
    arguments: str


def attribute(node: Node) -> Attribute:
    """Read one attribute item."""
    inner = re.sub(r"\s+", "", text(node)).removeprefix("#").removeprefix("!")[1:-1]
    name = re.match(r"[\w:]+", inner)
    head = name.group() if name else inner
    return Attribute(head, inner[len(head) :])


def is_test(attributes: Iterable[Attribute]) -> bool:
    """Whether what follows exists only in a test build, and so is not surface."""
    return any(
        (a.name == "cfg" and re.match(r"\((all\()?test[,)]", a.arguments)) or a.name in ("test", "tokio::test")
        for a in attributes
    )


_FACTS = {
    "repr": "layout",
    "deprecated": "deprecated",
    "must_use": "must_use",
    "serde": "serialised form",
    "default": "default variant",
    "cfg": "condition",
}


def attribute_facts(attributes: Iterable[Attribute]) -> dict[str, tuple[str, ...]]:
    """The attributes that a user of the item can notice."""
    facts: dict[str, tuple[str, ...]] = {}
    for a in attributes:
        if a.name in _FACTS:
            # only the presence of a deprecation is a fact, not its text
            value = a.name if a.name in ("deprecated", "must_use") else f"{a.name}{a.arguments}"
            facts[_FACTS[a.name]] = tuple(sorted((*facts.get(_FACTS[a.name], ()), value)))
    return facts


def derived(attributes: Iterable[Attribute]) -> list[str]:
    """The traits that `#[derive(...)]` names, by their last name."""
    names: list[str] = []
    for a in attributes:
        if a.name == "derive":
            names += [part.rpartition("::")[2] for part in a.arguments.strip("()").split(",") if part]
    return names
