"""One Rust declaration, as the syntax tree shows it.

Bodies are looked at only for the names in them, which is what the order of a migration needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sim.surface.rust_text import Generics, Scope, bound_list, generics, render, text
from sim.surface.rust_uses import Attribute, attribute, attribute_facts, is_test, visibility

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = {"function_item", "function_signature_item"}
NOISE = re.compile(
    rb"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])'|r(#*)".*?"\1|"(?:\\.|[^"\\])*\"""",
    re.DOTALL,
)
"""Comments and texts: nothing in them is a name."""

_WORD = re.compile(rb"(?:(?<!:)[A-Za-z_]\w*::)|[A-Za-z_]\w*")


@dataclass(slots=True)
class Raw:
    """A declaration before its path is known; `of` is the type an impl block names."""

    kind: str
    name: str
    visibility: str
    line: int
    modules: tuple[str, ...]
    facts: dict[str, tuple[str, ...]]
    uses: frozenset[str]
    of: str = ""
    end: int = 0
    children: list[Raw] = field(default_factory=list)


def with_attributes(block: Node) -> Iterator[tuple[Node, list[Attribute]]]:
    """Each declaration with the attributes that stand before it."""
    waiting: list[Attribute] = []
    for node in block.children:
        if node.type == "attribute_item":
            waiting.append(attribute(node))
        elif node.is_named and node.type not in ("line_comment", "block_comment"):
            yield node, waiting
            waiting = []


def name_of(node: Node) -> str:
    named = node.child_by_field_name("name")
    return text(named).removeprefix("r#") if named is not None else ""


def last_line(node: Node) -> int:
    return int(node.end_point[0]) + 1


def words(node: Node) -> frozenset[str]:
    """The identifiers in a piece of source, comments and strings left out; `a::` for the head of a path."""
    bare = NOISE.sub(b" ", node.text or b"")
    found = {re.sub(r"\s", "", word.decode("ascii", "replace")) for word in _WORD.findall(bare)}
    return frozenset(found | {word.removesuffix("::") for word in found})


def item(node: Node, attributes: list[Attribute], modules: tuple[str, ...], outer: Scope) -> Raw | None:
    """One declaration, or None for what declares nothing (an expression, an error, an empty statement)."""
    scope = outer.inside()
    kind, facts, children = "", dict[str, tuple[str, ...]](), list[Raw]()
    base = Raw(
        "", name_of(node), visibility(node), node.start_point[0] + 1, modules, {}, words(node), end=last_line(node)
    )
    if node.type in _FUNCTIONS:
        kind, facts = "fn", _function(node, scope)
    elif node.type in ("struct_item", "union_item"):
        kind = node.type.removesuffix("_item")
        facts = _generic_facts(generics(node, scope))
        children = list(_fields(node, base, scope))
        facts |= _shape(node, children, attributes)
    elif node.type == "enum_item":
        kind, facts = "enum", _generic_facts(generics(node, scope))
        children = list(_variants(node, base, scope))
        facts["open"] = () if any(a.name == "non_exhaustive" for a in attributes) else ("open",)
    elif node.type == "trait_item":
        kind, facts = "trait", _generic_facts(generics(node, scope))
        facts["supertraits"] = bound_list(node, scope)
        facts["unsafe"] = ("unsafe",) if any(c.type == "unsafe" for c in node.children) else ()
        children = list(_trait_items(node, base, scope))
    elif node.type in ("const_item", "static_item"):
        kind = node.type.removesuffix("_item")
        facts = {
            "type": (render(node.child_by_field_name("type"), scope),),
            "value": (render(node.child_by_field_name("value"), Scope()),),
            "mutable": tuple(c.type for c in node.children if c.type == "mutable_specifier"),
        }
    elif node.type in ("type_item", "associated_type"):
        kind, facts = "type", _generic_facts(generics(node, scope))
        facts["type"] = (render(node.child_by_field_name("type"), scope),)
        facts["bounds"] = tuple(sorted({*facts["bounds"], *bound_list(node, scope)}))
    elif node.type == "macro_definition":
        kind = "macro"
        exported = any(a.name == "macro_export" for a in attributes)
        base.visibility = "pub" if exported else "private"
        facts["exported"] = ("exported",) if exported else ()
    if not kind or not base.name:
        return None
    return replace(base, kind=kind, facts={**facts, **attribute_facts(attributes)}, children=children)


def _generic_facts(found: Generics) -> dict[str, tuple[str, ...]]:
    return {"lifetimes": found.lifetimes, "type parameters": found.parameters, "bounds": found.bounds}


def _function(node: Node, scope: Scope) -> dict[str, tuple[str, ...]]:
    facts = _generic_facts(generics(node, scope))
    modifiers = next((c for c in node.children if c.type == "function_modifiers"), None)
    words = [text(c) for c in modifiers.children] if modifiers else []
    for flag in ("async", "unsafe", "const"):
        facts[flag] = (flag,) if flag in words else ()
    facts["extern"] = tuple(word for word in words if word.startswith("extern"))
    receiver: tuple[str, ...] = ()
    parameters: list[str] = []
    listed = node.child_by_field_name("parameters")
    for one in listed.named_children if listed else ():
        pattern = one.child_by_field_name("pattern")
        if one.type == "self_parameter":
            receiver = (render(one, scope).removeprefix("mut "),)
        elif pattern is not None and pattern.type == "self":
            receiver = (f"self: {render(one.child_by_field_name('type'), scope)}",)
        elif one.type == "parameter":
            parameters.append(render(one.child_by_field_name("type"), scope))
        elif one.type == "variadic_parameter":
            parameters.append("...")
    facts["receiver"] = receiver
    facts["parameters"] = tuple(parameters)
    facts["returns"] = (render(node.child_by_field_name("return_type"), scope) or "()",)
    facts["default"] = ("default",) if node.type == "function_item" else ()
    return facts


def _shape(node: Node, fields: list[Raw], attributes: list[Attribute]) -> dict[str, tuple[str, ...]]:
    """Named, tuple or unit; and whether other code may build it field by field."""
    body = node.child_by_field_name("body")
    shape = "unit" if body is None else "tuple" if body.type.startswith("ordered") else "named"
    closed = any(a.name == "non_exhaustive" for a in attributes) or any(f.visibility != "pub" for f in fields)
    return {"shape": (shape,), "open": () if closed else ("open",)}


def _fields(node: Node, owner: Raw, scope: Scope) -> Iterator[Raw]:
    body = node.child_by_field_name("body")
    if body is None:
        return
    if body.type == "field_declaration_list":
        for one, attributes in with_attributes(body):
            if one.type == "field_declaration" and not is_test(attributes):
                facts = {
                    "type": (render(one.child_by_field_name("type"), scope),),
                    **attribute_facts(attributes),
                }
                yield _child(owner, "field", name_of(one), one, (visibility(one), facts))
        return
    position, seen = 0, "private"
    for one in body.named_children:
        if one.type == "visibility_modifier":
            # `visibility` looks at children, so it is asked about the list's last modifier by itself
            seen = re.sub(r"\s+", "", text(one))
        elif one.type not in ("attribute_item", "line_comment", "block_comment"):
            yield _child(owner, "field", str(position), one, (seen, {"type": (render(one, scope),)}))
            position, seen = position + 1, "private"


def _child(owner: Raw, kind: str, name: str, node: Node, rest: tuple[str, dict[str, tuple[str, ...]]]) -> Raw:
    seen, facts = rest
    return Raw(kind, name, seen, node.start_point[0] + 1, owner.modules, facts, words(node), end=last_line(node))


def _variants(node: Node, owner: Raw, scope: Scope) -> Iterator[Raw]:
    body = node.child_by_field_name("body")
    for one, attributes in with_attributes(body) if body else ():
        if one.type != "enum_variant" or is_test(attributes):
            continue
        held = one.child_by_field_name("body")
        payload: tuple[str, ...] = ()
        if held is not None:
            named = held.type == "field_declaration_list"
            parts = list(_fields(one, owner, scope))
            payload = tuple(f"{p.name}: {p.facts['type'][0]}" if named else p.facts["type"][0] for p in parts)
            payload = payload or ("{}" if named else "()",)
        facts = {
            "payload": payload,
            "value": (render(one.child_by_field_name("value"), Scope()),),
            **attribute_facts(attributes),
        }
        yield _child(owner, "variant", name_of(one), one, (owner.visibility, facts))


def _trait_items(node: Node, owner: Raw, scope: Scope) -> Iterator[Raw]:
    body = node.child_by_field_name("body")
    kinds = {"fn": "trait method", "const": "trait const", "type": "trait type"}
    for one, attributes in with_attributes(body) if body else ():
        raw = None if is_test(attributes) else item(one, attributes, owner.modules, scope)
        if raw is not None:
            raw.kind, raw.visibility = kinds.get(raw.kind, raw.kind), owner.visibility
            if raw.kind != "trait method":  # what a free constant is, a trait's is only by default
                (given,) = raw.facts.pop("value" if raw.kind == "trait const" else "type", ("",))
                raw.facts["default"] = (given,) if given else ()
            yield raw
