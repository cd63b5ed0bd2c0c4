"""The declarations of one Rust file.

Paths are not known here: a file cannot say which module it is. `rust_crate` puts the files together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from sim.surface.model import SourceLine, Unclean, Unseen
from sim.surface.rust_items import Raw, item, last_line, name_of, with_attributes, words
from sim.surface.rust_text import Generics, Scope, generics, path_segments, render, text
from sim.surface.rust_uses import Attribute, Use, attribute_facts, derived, imports, is_test, visibility

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


@dataclass(frozen=True, slots=True)
class RustModule:
    """A `mod` declaration: how visible, whether only for tests, and the file it names itself."""

    path: tuple[str, ...]
    visibility: str
    test: bool
    file: str
    inline: bool


@dataclass(slots=True)
class RustFile:
    """What one file says."""

    file: str
    items: list[Raw] = field(default_factory=list)
    modules: list[RustModule] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    unclean: list[Unclean] = field(default_factory=list)


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_rust

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))


def read_rust(file: str, source: bytes, local: frozenset[str]) -> RustFile:
    """Read one file; `local` are the crate names under comparison."""
    found = RustFile(file)
    root = _parser().parse(source).root_node
    found.unclean.extend(_errors(file, root))
    _Reader(found, local).block(root, ())
    return found


def _errors(file: str, root: Node) -> list[Unclean]:
    """The first place where parsing failed, and how many more there are."""
    if not root.has_error:
        return []
    places: list[int] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            places.append(node.start_point[0] + 1)
        else:
            waiting.extend(child for child in node.children if child.has_error or child.is_missing)
    more = f" (and at {len(places) - 1} more)" if len(places) > 1 else ""
    return [Unclean(SourceLine(file, min(places)), f"is not Rust that the grammar accepts{more}")]


class _Reader:
    """Walks item positions of one file: the root, inline modules, trait and impl blocks."""

    def __init__(self, found: RustFile, local: frozenset[str]) -> None:
        self.found = found
        self.local = local

    def block(self, block: Node, modules: tuple[str, ...]) -> None:
        """Read every item of a module's body; a `use` applies to the whole body, wherever it is."""
        entries = list(with_attributes(block))
        uses = [
            use
            for node, attributes in entries
            if node.type in ("use_declaration", "extern_crate_declaration") and not is_test(attributes)
            for use in imports(node, modules, attribute_facts(attributes).get("condition", ()))
        ]
        self.found.uses += uses
        scope = Scope({use.name: use.path for use in uses if use.name != "*"}, self.local)
        for node, attributes in entries:
            if is_test(attributes) and node.type != "mod_item":
                continue
            if node.type == "mod_item":
                self.module(node, attributes, modules)
            elif node.type == "impl_item":
                self.implementation(node, attributes, modules, scope)
            elif node.type == "foreign_mod_item":
                self.foreign(node, modules, scope)
            elif node.type in ("macro_invocation", "expression_statement"):
                self.macro(node)
            else:
                raw = item(node, attributes, modules, scope)
                if raw is not None:
                    self.found.items.append(raw)
                    self.found.items += _derives(raw, attributes)

    def module(self, node: Node, attributes: list[Attribute], modules: tuple[str, ...]) -> None:
        path = (*modules, name_of(node))
        body = node.child_by_field_name("body")
        named = next((a.arguments[2:-1] for a in attributes if a.name == "path"), "")
        test = is_test(attributes)
        self.found.modules.append(RustModule(path, visibility(node), test, named, body is not None))
        if body is not None and not test:
            self.block(body, path)

    def foreign(self, node: Node, modules: tuple[str, ...], scope: Scope) -> None:
        body = node.child_by_field_name("body")
        for inner, attributes in with_attributes(body) if body else ():
            raw = item(inner, attributes, modules, scope)
            if raw is not None:
                raw.facts["extern"] = ("extern",)
                self.found.items.append(raw)

    def macro(self, node: Node) -> None:
        call = node if node.type == "macro_invocation" else next(iter(node.named_children), None)
        if call is None or call.type != "macro_invocation":
            return
        name = call.child_by_field_name("macro")
        place = SourceLine(self.found.file, call.start_point[0] + 1)
        self.found.unseen.append(Unseen(place, text(name) if name else "?", words(call)))

    def implementation(self, node: Node, attributes: list[Attribute], modules: tuple[str, ...], outer: Scope) -> None:
        of = node.child_by_field_name("type")
        trait = node.child_by_field_name("trait")
        if of is None:
            return
        type_name = _base_name(of)
        scope = outer.inside()
        on = generics(node, scope, "S")
        scope.self_type = render(of, scope)
        if trait is not None:
            self.found.items.append(_trait_impl(node, trait, of, (type_name, modules, scope, on), attributes))
            return
        body = node.child_by_field_name("body")
        for inner, inner_attributes in with_attributes(body) if body else ():
            if inner.type == "macro_invocation" or inner.type == "expression_statement":
                self.macro(inner)
            if is_test(inner_attributes):
                continue
            raw = item(inner, [*inner_attributes, *_conditions(attributes)], modules, scope)
            if raw is not None:
                raw.kind = {"fn": "method", "const": "associated const"}.get(raw.kind, raw.kind)
                raw.of = type_name
                bounds = {*raw.facts.get("bounds", ()), *on.bounds}
                raw.facts["bounds"] = tuple(sorted(bounds))
                self.found.items.append(raw)


def _conditions(attributes: list[Attribute]) -> list[Attribute]:
    return [a for a in attributes if a.name == "cfg"]


def _base_name(of: Node) -> str:
    """The type that an impl block is about: `P` in `P<'_, T>`, `&mut a::P` or `P`."""
    node: Node | None = of
    while node is not None and node.type in ("generic_type", "reference_type", "pointer_type"):
        node = node.child_by_field_name("type")
    segments = path_segments(node) if node is not None else ()
    return segments[-1] if segments else text(of)


def _trait_impl(
    node: Node,
    trait: Node,
    of: Node,
    about: tuple[str, tuple[str, ...], Scope, Generics],
    attributes: list[Attribute],
) -> Raw:
    type_name, modules, scope, on = about
    on_type = render(of, scope)
    scope.self_type = ""
    shown = render(trait, scope)
    short = re.sub(r"[\w:]+::(\w)", r"\1", shown)  # a derive cannot say where its trait comes from
    negative = any(c.type == "!" for c in node.children)
    body = node.child_by_field_name("body")
    types = [
        f"{name_of(c)} = {render(c.child_by_field_name('type'), scope)}"
        for c in (body.named_children if body else ())
        if c.type == "type_item"
    ]
    facts = {
        "bounds": on.bounds,
        "associated types": tuple(sorted(types)),
        "unsafe": ("unsafe",) if any(c.type == "unsafe" for c in node.children) else (),
        **attribute_facts(_conditions(attributes)),
    }
    name = f"impl {'!' if negative else ''}{short}"
    if on_type.startswith("&"):
        name += f" for {on_type}"
    line = node.start_point[0] + 1
    return Raw("impl", name, "pub", line, modules, facts, words(node), of=type_name, end=last_line(node))


def _derives(raw: Raw, attributes: list[Attribute]) -> list[Raw]:
    """A derive is an implementation like any other: writing it by hand makes no difference."""
    implementations: list[Raw] = []
    for trait in derived(attributes):
        parameters = [p.partition(" =")[0] for p in raw.facts.get("type parameters", ()) if p[0] == "T"]
        bounds = tuple(sorted(f"S{n}: {trait}" for n, _ in enumerate(parameters, 1)))
        facts: dict[str, tuple[str, ...]] = {"bounds": bounds, "associated types": (), "unsafe": ()}
        implementations.append(
            Raw("impl", f"impl {trait}", "pub", raw.line, raw.modules, facts, frozenset(), of=raw.name, end=raw.line)
        )
    return implementations
