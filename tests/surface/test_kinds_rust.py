"""Every kind of difference between two Rust trees, classed right in both directions.

Each row holds two snippets and what is said about going from the first to the second (`there`) and from the
second to the first (`back`). The direction is the trap: a comparison that only notices "differs" cannot get
both right. Beside the table stand its saboteurs: no row may say anything about a tree and itself, and no entry
of the table of rules may be changed without a row failing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sim.surface import rules
from sim.surface.model import Impact, Surface

Files = Mapping[str, str] | str


@dataclass(frozen=True)
class Row:
    kind: str
    old: Files
    new: Files
    there: tuple[str, ...]
    back: tuple[str, ...]


def row(kind: str, old: Files, new: Files, there: str, back: str) -> Row:
    return Row(kind, old, new, _lines(there), _lines(back))


def _lines(told: str) -> tuple[str, ...]:
    return tuple(sorted(line.strip() for line in told.split("|") if line.strip()))


def body(inner: str, where: str = "pub trait T") -> str:
    return f"{where} {{ {inner} }}"


OUT = {"src/lib.rs": "pub mod a; pub mod b;", "src/a.rs": "pub fn f(x: u8) {}", "src/b.rs": ""}
MOVED = {**OUT, "src/a.rs": "", "src/b.rs": "pub fn f(x: u8) {}"}
KEPT = {**MOVED, "src/a.rs": "pub use crate::b::f;"}
HIDDEN = {"src/lib.rs": "mod a;", "src/a.rs": "pub fn f() {}"}

TABLE = (
    row("fn added", "", "pub fn f() {}", "additive added: f", "breaking removed: f"),
    row("struct added", "", "pub struct S;", "additive added: S", "breaking removed: S"),
    row("enum added", "", "pub enum E { A }", "additive added: E", "breaking removed: E"),
    row("trait added", "", body("fn m();"), "additive added: T", "breaking removed: T"),
    row("const added", "", "pub const C: u8 = 1;", "additive added: C", "breaking removed: C"),
    row("union added", "", "pub union U { a: u8 }", "additive added: U", "breaking removed: U"),
    row(
        "exported macro added",
        "",
        "#[macro_export] macro_rules! m { () => {} }",
        "additive added: m",
        "breaking removed: m",
    ),
    row(
        "renamed",
        "pub fn f(x: u8) -> bool { true }",
        "pub fn g(x: u8) -> bool { true }",
        "breaking renamed: f",
        "breaking renamed: g",
    ),
    row("moved", OUT, MOVED, "breaking moved: a::f", "breaking moved: b::f"),
    row(
        "moved, path kept by a re-export",
        OUT,
        KEPT,
        "additive moved, old path kept: a::f",
        "breaking moved: b::f",
    ),
    row(
        "kind of item",
        "pub struct S { pub a: u8 }",
        "pub union S { pub a: u8 }",
        "breaking kind of item: S",
        "breaking kind of item: S",
    ),
    # visibility
    row(
        "visibility to the crate",
        "pub fn f() {}",
        "pub(crate) fn f() {}",
        "breaking visibility: f",
        "additive visibility: f",
    ),
    row("visibility to private", "pub fn f() {}", "fn f() {}", "breaking visibility: f", "additive visibility: f"),
    row(
        "module closed",
        {**HIDDEN, "src/lib.rs": "pub mod a;"},
        HIDDEN,
        "breaking visibility: a::f",
        "additive visibility: a::f",
    ),
    row(
        "private module opened by a re-export",
        HIDDEN,
        {**HIDDEN, "src/lib.rs": "mod a; pub use a::f;"},
        "additive visibility: a::f | additive added: f",
        "breaking visibility: a::f | breaking removed: f",
    ),
    row(
        "field visibility",
        "pub struct S { pub a: u8, b: u8 }",
        "pub struct S { a: u8, b: u8 }",
        "breaking visibility: S::a",
        "additive visibility: S::a",
    ),
    row(
        "method visibility",
        "pub struct S; impl S { pub fn m(&self) {} }",
        "pub struct S; impl S { pub(super) fn m(&self) {} }",
        "breaking visibility: S::m",
        "additive visibility: S::m",
    ),
    # functions
    row("arity", "pub fn f(x: u8) {}", "pub fn f(x: u8, y: u8) {}", "breaking arity: f", "breaking arity: f"),
    row(
        "parameter type",
        "pub fn f(x: u8) {}",
        "pub fn f(x: u16) {}",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    row(
        "by reference",
        "pub fn f(x: String) {}",
        "pub fn f(x: &String) {}",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    row(
        "mutable reference",
        "pub fn f(x: &u8) {}",
        "pub fn f(x: &mut u8) {}",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    row(
        "impl Trait bound",
        "pub fn f(x: impl Into<u8>) {}",
        "pub fn f(x: impl Into<u16>) {}",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    row(
        "return type",
        "pub fn f() -> u8 { 1 }",
        "pub fn f() -> u16 { 1 }",
        "breaking return type: f",
        "breaking return type: f",
    ),
    row(
        "return type from nothing",
        "pub fn f() {}",
        "pub fn f() -> u8 { 1 }",
        "breaking return type: f",
        "breaking return type: f",
    ),
    row(
        "error type",
        "pub fn f() -> std::io::Result<u8> { Ok(1) }",
        "pub struct E; pub fn f() -> Result<u8, E> { Ok(1) }",
        "breaking error type: f | additive added: E",
        "breaking error type: f | breaking removed: E",
    ),
    row("async", "pub fn f() {}", "pub async fn f() {}", "breaking async: f", "breaking async: f"),
    row("unsafe", "pub fn f() {}", "pub unsafe fn f() {}", "breaking unsafe: f", "additive unsafe: f"),
    row("const fn", "pub fn f() {}", "pub const fn f() {}", "additive const: f", "breaking const: f"),
    row(
        "calling convention",
        "pub fn f() {}",
        'pub extern "C" fn f() {}',
        "breaking calling convention: f",
        "breaking calling convention: f",
    ),
    row(
        "other calling convention",
        'pub extern "system" fn f() {}',
        'pub extern "C" fn f() {}',
        "breaking calling convention: f",
        "breaking calling convention: f",
    ),
    row(
        "receiver",
        "pub struct S; impl S { pub fn m(&self) {} }",
        "pub struct S; impl S { pub fn m(self) {} }",
        "breaking receiver: S::m",
        "breaking receiver: S::m",
    ),
    row(
        "receiver gone",
        "pub struct S; impl S { pub fn m(&self) {} }",
        "pub struct S; impl S { pub fn m() {} }",
        "breaking receiver: S::m",
        "breaking receiver: S::m",
    ),
    row(
        "method added",
        "pub struct S; impl S { }",
        "pub struct S; impl S { pub fn m(&self) {} }",
        "additive added: S::m",
        "breaking removed: S::m",
    ),
    # generics
    row("type parameter", "pub fn f<T>() {}", "pub fn f<T, U>() {}", "breaking generics: f", "breaking generics: f"),
    row("first type parameter", "pub fn f() {}", "pub fn f<T>() {}", "breaking generics: f", "breaking generics: f"),
    row(
        "type parameter's default",
        "pub struct S<T = u8>(T);",
        "pub struct S<T = u16>(T);",
        "breaking generics: S",
        "breaking generics: S",
    ),
    row(
        "const parameter",
        "pub struct S<const N: usize>;",
        "pub struct S<const N: u8>;",
        "breaking generics: S",
        "breaking generics: S",
    ),
    row("bound", "pub fn f<T>(x: T) {}", "pub fn f<T: Clone>(x: T) {}", "breaking bounds: f", "additive bounds: f"),
    row(
        "bound in a where clause",
        "pub fn f<T: Send>(x: T) {}",
        "pub fn f<T>(x: T) where T: Send + Clone {}",
        "breaking bounds: f",
        "additive bounds: f",
    ),
    row(
        "bound of the impl block",
        "pub struct S<T>(T); impl<T> S<T> { pub fn m(&self) {} }",
        "pub struct S<T>(T); impl<T: Copy> S<T> { pub fn m(&self) {} }",
        "breaking bounds: S::m",
        "additive bounds: S::m",
    ),
    row(
        "lifetime parameter",
        "pub fn f<'a>(x: &'a u8) {}",
        "pub fn f<'a, 'b>(x: &'a u8) {}",
        "breaking lifetimes: f",
        "breaking lifetimes: f",
    ),
    row(
        "first lifetime parameter",
        "pub struct S;",
        "pub struct S<'a>;",
        "breaking lifetimes: S",
        "breaking lifetimes: S",
    ),
    row(
        "lifetime in a type",
        "pub fn f<'a>(x: &'a u8) {}",
        "pub fn f<'a>(x: &'static u8) {}",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    # constants and statics
    row("const value", "pub const C: u8 = 28;", "pub const C: u8 = 8;", "behavioural value: C", "behavioural value: C"),
    row("private const value", "const C: u8 = 28;", "const C: u8 = 8;", "behavioural value: C", "behavioural value: C"),
    row(
        "blanks in a text",
        'pub const C: &str = "a  b";',
        'pub const C: &str = "a b";',
        "behavioural value: C",
        "behavioural value: C",
    ),
    row("const type", "pub const C: u8 = 1;", "pub const C: u16 = 1;", "breaking type: C", "breaking type: C"),
    row(
        "static value", "pub static C: u8 = 1;", "pub static C: u8 = 2;", "behavioural value: C", "behavioural value: C"
    ),
    row(
        "static mut",
        "pub static C: u8 = 1;",
        "pub static mut C: u8 = 1;",
        "breaking mutability: C",
        "breaking mutability: C",
    ),
    row(
        "const to static",
        "pub const C: u8 = 1;",
        "pub static C: u8 = 1;",
        "breaking kind of item: C",
        "breaking kind of item: C",
    ),
    row(
        "associated const",
        "pub struct S; impl S { pub const C: u8 = 1; }",
        "pub struct S; impl S { pub const C: u8 = 2; }",
        "behavioural value: S::C",
        "behavioural value: S::C",
    ),
    # enums
    row("variant", "pub enum E { A }", "pub enum E { A, B }", "breaking added: E::B", "breaking removed: E::B"),
    row(
        "variant of a non-exhaustive enum",
        "#[non_exhaustive] pub enum E { A }",
        "#[non_exhaustive] pub enum E { A, B }",
        "additive added: E::B",
        "breaking removed: E::B",
    ),
    row(
        "non-exhaustive enum",
        "pub enum E { A }",
        "#[non_exhaustive] pub enum E { A }",
        "breaking exhaustive matching: E",
        "additive exhaustive matching: E",
    ),
    row(
        "variant payload",
        "pub enum E { A(u8) }",
        "pub enum E { A(u16) }",
        "breaking payload: E::A",
        "breaking payload: E::A",
    ),
    row(
        "variant payload from nothing",
        "pub enum E { A }",
        "pub enum E { A(u8) }",
        "breaking payload: E::A",
        "breaking payload: E::A",
    ),
    row(
        "variant payload field",
        "pub enum E { A { x: u8 } }",
        "pub enum E { A { y: u8 } }",
        "breaking payload: E::A",
        "breaking payload: E::A",
    ),
    row(
        "discriminant",
        "pub enum E { A = 1 }",
        "pub enum E { A = 2 }",
        "behavioural discriminant: E::A",
        "behavioural discriminant: E::A",
    ),
    row(
        "default variant",
        "#[derive(Default)] pub enum E { #[default] A, B }",
        "#[derive(Default)] pub enum E { A, #[default] B }",
        "behavioural default: E::A | behavioural default: E::B",
        "behavioural default: E::A | behavioural default: E::B",
    ),
    # structs
    row(
        "field of an open struct",
        "pub struct S { pub a: u8 }",
        "pub struct S { pub a: u8, pub b: u8 }",
        "breaking added: S::b",
        "breaking removed: S::b",
    ),
    row(
        "field of a closed struct",
        "pub struct S { pub a: u8, z: u8 }",
        "pub struct S { pub a: u8, pub b: u8, z: u8 }",
        "additive added: S::b",
        "breaking removed: S::b",
    ),
    row(
        "private field in an open struct",
        "pub struct S { pub a: u8 }",
        "pub struct S { pub a: u8, b: u8 }",
        "breaking literal construction: S",
        "additive literal construction: S",
    ),
    row(
        "field type",
        "pub struct S { pub a: u8 }",
        "pub struct S { pub a: u16 }",
        "breaking type: S::a",
        "breaking type: S::a",
    ),
    row(
        "tuple field type",
        "pub struct S(pub u8);",
        "pub struct S(pub u16);",
        "breaking type: S::0",
        "breaking type: S::0",
    ),
    row(
        "field renamed",
        "pub struct S { pub a: u8, z: u8 }",
        "pub struct S { pub b: u8, z: u8 }",
        "breaking renamed: S::a",
        "breaking renamed: S::b",
    ),
    row("unit to named", "pub struct S;", "pub struct S {}", "breaking shape: S", "breaking shape: S"),
    row(
        "non-exhaustive struct",
        "pub struct S { pub a: u8 }",
        "#[non_exhaustive] pub struct S { pub a: u8 }",
        "breaking literal construction: S",
        "additive literal construction: S",
    ),
    row(
        "layout",
        "pub struct S { a: u8 }",
        "#[repr(C)] pub struct S { a: u8 }",
        "breaking layout: S",
        "breaking layout: S",
    ),
    row(
        "other layout",
        "#[repr(packed)] pub struct S { a: u8 }",
        "#[repr(C)] pub struct S { a: u8 }",
        "breaking layout: S",
        "breaking layout: S",
    ),
    row(
        "serialised form",
        'pub struct S { #[serde(rename = "x")] pub a: u8 }',
        "pub struct S { #[serde(default)] pub a: u8 }",
        "behavioural serialised form: S::a | behavioural serialised form: S::a",
        "behavioural serialised form: S::a | behavioural serialised form: S::a",
    ),
    # traits and implementations
    row("trait method without default", body(""), body("fn m();"), "breaking added: T::m", "breaking removed: T::m"),
    row("trait method with default", body(""), body("fn m() {}"), "additive added: T::m", "breaking removed: T::m"),
    row(
        "default body", body("fn m();"), body("fn m() {}"), "additive default body: T::m", "breaking default body: T::m"
    ),
    row(
        "trait method's bound",
        body("fn m<U>();"),
        body("fn m<U: Copy>();"),
        "breaking bounds: T::m",
        "breaking bounds: T::m",
    ),
    row(
        "trait method's signature",
        body("fn m(&self);"),
        body("fn m(&self) -> u8;"),
        "breaking return type: T::m",
        "breaking return type: T::m",
    ),
    row(
        "trait constant without default",
        body(""),
        body("const C: u8;"),
        "breaking added: T::C",
        "breaking removed: T::C",
    ),
    row(
        "trait constant's default",
        body("const C: u8;"),
        body("const C: u8 = 1;"),
        "additive default: T::C",
        "breaking default: T::C",
    ),
    row("trait type", body(""), body("type A;"), "breaking added: T::A", "breaking removed: T::A"),
    row(
        "trait constant's other default",
        body("const C: u8 = 1;"),
        body("const C: u8 = 2;"),
        "behavioural default: T::C",
        "behavioural default: T::C",
    ),
    row(
        "trait type's default",
        body("type A;"),
        body("type A = u8;"),
        "additive default: T::A",
        "breaking default: T::A",
    ),
    row(
        "trait type's other default",
        body("type A = u8;"),
        body("type A = u16;"),
        "breaking default: T::A",
        "breaking default: T::A",
    ),
    row(
        "trait type's bound", body("type A;"), body("type A: Clone;"), "breaking bounds: T::A", "additive bounds: T::A"
    ),
    row("supertrait", "pub trait T {}", "pub trait T: Send {}", "breaking supertraits: T", "breaking supertraits: T"),
    row("unsafe trait", "pub trait T {}", "pub unsafe trait T {}", "breaking unsafe: T", "breaking unsafe: T"),
    row(
        "derive",
        "pub struct S;",
        "#[derive(Clone)] pub struct S;",
        "additive added: S::impl Clone",
        "breaking removed: S::impl Clone",
    ),
    row(
        "trait implementation",
        "pub struct S;",
        "pub struct S; impl Drop for S { fn drop(&mut self) {} }",
        "additive added: S::impl Drop",
        "breaking removed: S::impl Drop",
    ),
    row(
        "bound of a trait implementation",
        "pub struct S<T>(T); impl<T> Tr for S<T> {}",
        "pub struct S<T>(T); impl<T: Copy> Tr for S<T> {}",
        "breaking bounds: S::impl Tr",
        "additive bounds: S::impl Tr",
    ),
    row(
        "associated type of an implementation",
        "pub struct S; impl Iterator for S { type Item = u8; }",
        "pub struct S; impl Iterator for S { type Item = u16; }",
        "breaking associated types: S::impl Iterator",
        "breaking associated types: S::impl Iterator",
    ),
    # the rest
    row("type alias", "pub type A = u8;", "pub type A = u16;", "breaking type: A", "breaking type: A"),
    row("re-export", "", "pub use other::X;", "additive added: X", "breaking removed: X"),
    row(
        "re-export's target",
        "pub use one::X;",
        "pub use two::X;",
        "breaking re-export target: X",
        "breaking re-export target: X",
    ),
    row(
        "condition",
        "pub fn f() {}",
        '#[cfg(feature = "x")] pub fn f() {}',
        "breaking condition: f",
        "additive condition: f",
    ),
    row(
        "other condition",
        "#[cfg(unix)] pub fn f() {}",
        "#[cfg(windows)] pub fn f() {}",
        "breaking condition: f",
        "breaking condition: f",
    ),
    row(
        "deprecation",
        "pub fn f() {}",
        "#[deprecated] pub fn f() {}",
        "behavioural deprecation: f",
        "behavioural deprecation: f",
    ),
    row(
        "must_use",
        "pub fn f() -> u8 { 1 }",
        "#[must_use] pub fn f() -> u8 { 1 }",
        "behavioural must_use: f",
        "behavioural must_use: f",
    ),
)

SAME = {
    "layout of the source": (
        "pub fn f(a: u8, b: &str) -> u8 { 1 }",
        "pub fn f(\n  a: u8,\n  b: & str,\n) -> u8\n{ 2 }",
    ),
    "names of parameters": ("pub fn f(a: u8) {}", "pub fn f(mut b: u8) {}"),
    "names of type parameters": ("pub fn f<T: Copy>(x: T) {}", "pub fn f<Item: Copy>(x: Item) {}"),
    "names of lifetimes": ("pub fn f<'a>(x: &'a u8) {}", "pub fn f<'long>(x: &'long u8) {}"),
    "bounds inline or not": ("pub fn f<T: A + B>(x: T) {}", "pub fn f<T>(x: T) where T: B, T: A {}"),
    "paths through use": ("use std::path::Path; pub fn f(x: &Path) {}", "pub fn f(x: &std::path::Path) {}"),
    "io::Result": ("use std::io; pub fn f() -> io::Result<()> {}", "pub fn f() -> Result<(), std::io::Error> {}"),
    "Self": ("pub struct S; impl S { pub fn n() -> S {} }", "pub struct S; impl S { pub fn n() -> Self {} }"),
    "Self with arguments": (
        "pub struct S<T>(T); impl<T> S<T> { pub fn n(x: S<T>) -> S<T> {} }",
        "pub struct S<T>(T); impl<T> S<T> { pub fn n(x: Self) -> Self {} }",
    ),
    "order of bounds": (
        "pub fn f(x: Box<dyn A + Send + 'static>, y: impl B + C) {}",
        "pub fn f(x: Box<dyn Send + 'static + A>, y: impl C + B) {}",
    ),
    "doc comments": ("/// old\npub fn f() {}", '/// new\n#[doc(alias = "g")]\npub fn f() {}'),
    "bodies": ("pub fn f() -> u8 { 1 }", "pub fn f() -> u8 { 2 }"),
    "derive or by hand": (
        "#[derive(Clone)] pub struct S;",
        "pub struct S; impl std::clone::Clone for S { fn clone(&self) -> S { S } }",
    ),
    "tests": ("pub fn f() {}", "pub fn f() {}\n#[cfg(test)] mod tests { pub fn g() {} }\n#[test] pub fn t() {}"),
    "order": ("pub fn f() {} pub fn g() {}", "pub fn g() {} pub fn f() {}"),
    "private items": ("fn f() {}", "pub(crate) fn g() {}"),
    "grouped re-exports": ("pub use a::B; pub use a::c::D as E;", "pub use a::{B, c::{D as E}};"),
    "unwritten unit": ("pub fn f() {}", "pub fn f() -> () {}"),
}

ReadTree = Callable[..., Surface]
Tell = Callable[..., list[str]]


def test_the_table_holds_at_least_forty_kinds() -> None:
    assert len({one.kind for one in TABLE}) == len(TABLE) >= 40


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.kind)
def test_each_kind_is_classed_right_there_and_back(one: Row, read_tree: ReadTree, tell: Tell) -> None:
    old, new = read_tree(one.old), read_tree(one.new)
    assert tell(old, new) == list(one.there)
    assert tell(new, old) == list(one.back)


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.kind)
def test_a_tree_does_not_differ_from_itself(one: Row, read_tree: ReadTree, tell: Tell) -> None:
    assert tell(read_tree(one.new), read_tree(one.new)) == []


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME.keys())
def test_what_no_caller_notices_is_no_difference(old: str, new: str, read_tree: ReadTree, tell: Tell) -> None:
    assert tell(read_tree(old), read_tree(new)) == []


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME.keys())
def test_a_planted_difference_is_not_lost_in_that_noise(old: str, new: str, read_tree: ReadTree, tell: Tell) -> None:
    planted = f"{new}\npub fn planted(x: u8) {{}}"
    assert tell(read_tree(old), read_tree(planted)) == ["additive added: planted"]


# -- saboteurs of the table of rules -----------------------------------------------------------------------

NEVER_EMPTY = {"shape", "type", "value", "target", "associated types"}
"""Facts that an item always has where it has them at all (in code that compiles): they can only change."""

FLAGS = {"async", "unsafe", "const", "open", "mutable", "deprecated", "must_use", "default variant"}
"""Facts that are there or not, and cannot change."""


def _mutants() -> list[tuple[str, str, str]]:
    """Every entry of the table that some source can lead to."""
    found = []
    for kind, table in {"": rules.RUST, **rules.RUST_BY_KIND}.items():
        for rule in table:
            fields = {"gained", "lost", "changed"}
            if rule.aspect in NEVER_EMPTY:
                fields = {"changed"}
            elif rule.aspect in FLAGS or not rule.whole or (kind, rule.aspect) == ("trait method", "default"):
                fields = {"gained", "lost"}
            found += [(kind, rule.aspect, field) for field in sorted(fields)]
    return found


@pytest.mark.parametrize(("kind", "aspect", "field"), _mutants(), ids=lambda part: part or "any")
def test_no_rule_can_be_wrong_unnoticed(
    kind: str, aspect: str, field: str, read_tree: ReadTree, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = list(rules.RUST_BY_KIND[kind] if kind else rules.RUST)
    at = next(n for n, rule in enumerate(table) if rule.aspect == aspect)
    impact = getattr(table[at], field)
    wrong = Impact.ADDITIVE if impact is not Impact.ADDITIVE else Impact.BREAKING
    change = table[at].change
    planted: dict[str, Any] = {field: wrong}
    table[at] = replace(table[at], **planted)
    if kind:
        monkeypatch.setitem(rules.RUST_BY_KIND, kind, table)
    else:
        monkeypatch.setattr(rules, "RUST", table)
    rows = [one for one in TABLE if any(f" {change}: " in told for told in (*one.there, *one.back))]
    noticed = any(
        tell(read_tree(one.old), read_tree(one.new)) != list(one.there)
        or tell(read_tree(one.new), read_tree(one.old)) != list(one.back)
        for one in rows
    )
    assert noticed, f"no row of the table depends on {kind or 'any item'}: {aspect} {field}"


def test_an_addition_classed_the_wrong_way_fails_the_table(
    read_tree: ReadTree, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "added", lambda item, owner: (Impact.ADDITIVE, "planted"))
    failed = {one.kind for one in TABLE if tell(read_tree(one.old), read_tree(one.new)) != list(one.there)}
    assert failed == {
        "variant",
        "field of an open struct",
        "trait method without default",
        "trait constant without default",
        "trait type",
    }
