"""What is read of a tree: who can reach an item, what re-exports show, what is left aside, what cannot be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sim.surface.model import SourceItem, Surface
from sim.surface.trees import SurfaceError

ReadTree = Callable[..., Surface]
Tell = Callable[..., list[str]]


def one(surface: Surface, name: str, kind: str = "") -> SourceItem:
    (item,) = [i for i in surface.items if i.name == name and kind in ("", i.kind)]
    return item


@pytest.mark.parametrize(
    ("said", "shown", "reach"),
    [
        ("pub", "pub", "public"),
        ("pub(crate)", "pub(crate)", "crate"),
        ("pub ( crate )", "pub(crate)", "crate"),
        ("pub(in crate)", "pub(crate)", "crate"),
        ("pub(super)", "pub(super)", "crate"),
        ("pub(in crate::a)", "pub(in crate::a)", "crate"),
        ("pub(self)", "private", "private"),
        ("", "private", "private"),
    ],
)
def test_visibility_is_what_the_source_says(said: str, shown: str, reach: str, read_tree: ReadTree) -> None:
    item = one(read_tree(f"{said} fn f() {{}}"), "f")
    assert (item.visibility, item.reach) == (shown, reach)


def test_pub_in_a_private_module_reaches_only_the_crate(read_tree: ReadTree) -> None:
    files = {"src/lib.rs": "mod a;", "src/a.rs": "pub fn f() {}"}
    assert one(read_tree(files), "f").reach == "crate"


def test_pub_in_a_public_module_reaches_everyone(read_tree: ReadTree) -> None:
    files = {"src/lib.rs": "pub mod a;", "src/a.rs": "pub fn f() {}"}
    assert one(read_tree(files), "f").reach == "public"


@pytest.mark.parametrize(
    "use", ["pub use a::f;", "pub use self::a::f;", "pub use crate::a::*;", "pub use a::{f};", "pub use b::f; mod b;"]
)
def test_a_re_export_opens_a_private_module(use: str, read_tree: ReadTree) -> None:
    files = {"src/lib.rs": f"mod a; {use}", "src/a.rs": "pub fn f() {}", "src/b.rs": "pub use super::a::f;"}
    item = one(read_tree(files), "f", "fn")
    assert item.reach == "public"
    assert "crate::f" in item.also_at


@pytest.mark.parametrize("use", ["use a::f;", "pub(crate) use a::f;", "pub use a::g;"])
def test_other_uses_do_not_open_it(use: str, read_tree: ReadTree) -> None:
    files = {"src/lib.rs": f"mod a; {use}", "src/a.rs": "pub fn f() {} pub fn g() {}"}
    assert one(read_tree(files), "f", "fn").reach == "crate"


def test_a_re_export_from_a_sibling_crate_is_followed(read_tree: ReadTree) -> None:
    files = {
        "core/Cargo.toml": '[package]\nname = "my-core"',
        "core/src/lib.rs": "mod auth;",
        "core/src/auth.rs": "pub fn save() {}",
        "login/src/lib.rs": "pub use my_core::auth::save;",
    }
    surface = read_tree(files)
    assert one(surface, "save", "fn").also_at == ("login::save",)
    assert one(surface, "save", "re-export").facts["target"] == ("core::auth::save",)


def test_an_impl_in_another_file_belongs_to_its_type(read_tree: ReadTree) -> None:
    files = {
        "src/lib.rs": "pub mod a; mod b;",
        "src/a.rs": "pub struct S;",
        "src/b.rs": "use crate::a::S; impl S { pub fn m(&self) {} }",
    }
    assert one(read_tree(files), "m").path == "crate::a::S::m"


def test_a_path_attribute_names_the_module(read_tree: ReadTree) -> None:
    files = {"src/lib.rs": '#[path = "odd.rs"] pub mod a;', "src/odd.rs": "pub fn f() {}"}
    assert one(read_tree(files), "f").path == "crate::a::f"


@pytest.mark.parametrize(
    "files",
    [
        {"src/lib.rs": "#[cfg(test)] mod t;", "src/t.rs": "pub fn f() {}"},
        {"src/lib.rs": "#[cfg(all(test, unix))] pub mod t { pub fn f() {} }"},
        {"src/lib.rs": "#[cfg(test)] pub fn f() {}"},
        {"src/lib.rs": "", "tests/it.rs": "pub fn f() {}"},
        {"src/lib.rs": "", "benches/b.rs": "pub fn f() {}"},
        {"a.py": "", "test_a.py": "def f(): ..."},
        {"a.py": "", "tests/b.py": "def f(): ..."},
    ],
    ids=["file", "inline", "item", "tests", "benches", "python", "python folder"],
)
def test_tests_are_no_surface(files: Mapping[str, str], read_tree: ReadTree) -> None:
    assert not [i for i in read_tree(files).items if i.name == "f"]


def test_cfg_any_test_is_surface_because_it_can_be_built_without(read_tree: ReadTree) -> None:
    assert one(read_tree('#[cfg(any(test, feature = "x"))] pub fn f() {}'), "f").reach == "public"


def test_what_a_macro_makes_is_said_to_be_unseen(read_tree: ReadTree) -> None:
    surface = read_tree("pub fn f() {}\nlazy_static! { pub static ref HIDDEN: u8 = 3; }")
    (unseen,) = surface.unseen
    assert (unseen.macro, str(unseen.place)) == ("lazy_static", "src/lib.rs:2")
    assert "HIDDEN" in unseen.words
    assert not [i for i in surface.items if i.name == "HIDDEN"]


def test_a_macro_call_inside_a_body_is_no_gap(read_tree: ReadTree) -> None:
    assert read_tree('pub fn f() { println!("x"); }').unseen == ()


def test_a_file_that_does_not_parse_is_listed_and_the_rest_of_it_read(read_tree: ReadTree) -> None:
    surface = read_tree({"src/lib.rs": "pub fn f() {}", "src/a.rs": "pub fn g() {}\nfn broken( {\n"})
    assert [str(u.place) for u in surface.unclean] == ["src/a.rs:2"]
    assert one(surface, "g").reach == "public"


EVERYTHING = """
use a::{b::C, D as E, *}; pub use self::m::F;
#[derive(Clone)] #[cfg(unix)] pub struct S<'a, T: Copy = u8, const N: usize = 3>(pub &'a [T; N], u8) where T: Send;
pub enum V { A(u8), B { x: Box<dyn Fn(u8) -> u8 + Send> }, C = 4 }
pub trait Tr: Send { type A: Clone; const K: u8 = 1; fn r(&self, x: u8) -> io::Result<()>; }
impl<'a, T: Copy> Tr for S<'a, T> where T: X { type A = u8; fn r(&self, x: u8) -> io::Result<()> { m!(x) } }
pub async unsafe fn f<T>(mut x: impl Into<T>, (a, b): (u8, u8), ...) -> Result<(), E> { let _ = r#"}"#; g() }
macro_rules! m { () => {} } m! { pub fn h() {} } pub const Z: &str = "}"; mod m { pub fn F() {} }
"""


@pytest.mark.parametrize("part", range(8))
def test_source_that_ends_anywhere_is_read_or_refused_but_never_crashes(part: int, read_tree: ReadTree) -> None:
    for end in range(part, len(EVERYTHING), 8):
        for text in (EVERYTHING[:end], EVERYTHING[:end] + EVERYTHING[end + 5 :], EVERYTHING[end:]):
            surface = read_tree({"src/lib.rs": "pub fn sound() {}", "src/part.rs": text})
            assert one(surface, "sound").reach == "public"


def test_a_replacement_character_in_a_text_is_a_character(read_tree: ReadTree, tell: Tell) -> None:
    old, new = (read_tree(f'pub const C: [&str; 2] = ["a", "{text}"];') for text in ("\ufffd", "\ufffd\ufffd"))
    assert tell(old, new) == ["behavioural value: C"]


def test_a_clean_file_is_not_listed(read_tree: ReadTree) -> None:
    assert (
        read_tree("pub async fn f<'a>(x: &'a dyn Fn(u8) -> u8) -> impl Iterator<Item = u8> { todo!() }").unclean == ()
    )


def test_broken_python_is_listed_with_its_line(read_tree: ReadTree) -> None:
    surface = read_tree({"a.py": "x = 1", "b.py": "x = 1\ndef f(:\n"})
    assert [str(u.place) for u in surface.unclean] == ["b.py:2"]


def test_a_tree_that_is_broken_throughout_is_an_error(read_tree: ReadTree) -> None:
    with pytest.raises(SurfaceError, match=r"src/lib.rs:1: is not Rust.*nothing in this tree could be read"):
        read_tree("pub fn broken( {")


def test_text_in_another_encoding_is_listed(read_tree: ReadTree) -> None:
    from sim.surface.read import read
    from sim.surface.trees import Tree

    tree = Tree("t", "", {"src/lib.rs": b"pub fn f() {}", "src/a.rs": b"// caf\xe9"}, ())
    assert [u.reason for u in read(tree, (), ()).unclean] == ["is not UTF-8 text"]


def test_the_scope_bounds_what_is_compared_but_not_where_a_name_is_looked_for(read_tree: ReadTree) -> None:
    files = {"src/a.rs": "pub fn f() {}", "src/b.rs": "pub fn wanted() {}", "src/c.rs": "pub fn other() {}"}
    surface = read_tree(files, only=("src/a.rs",), names=("wanted",))
    assert {i.name: i.scoped for i in surface.items} == {"f": True, "wanted": False}


def test_a_scope_that_matches_nothing_is_an_error(read_tree: ReadTree) -> None:
    with pytest.raises(SurfaceError, match="no source file matches --only nowhere"):
        read_tree("pub fn f() {}", only=("nowhere",))


def test_fields_and_methods_of_one_name_are_two_items(read_tree: ReadTree, tell: Tell) -> None:
    both = "pub struct S { pub code: u8 } impl S { pub fn code(&self) -> u8 { 1 } }"
    assert tell(read_tree(both), read_tree(both.replace("fn code(&self)", "fn code(self)"))) == [
        "breaking receiver: S::code"
    ]


def test_a_move_between_two_candidates_is_not_guessed(read_tree: ReadTree, tell: Tell) -> None:
    old = {"src/lib.rs": "pub mod a; pub mod b; pub mod c;", "src/a.rs": "pub fn f(x: u8) {}"}
    new = {**old, "src/a.rs": "", "src/b.rs": "pub fn f(x: u16) {}", "src/c.rs": "pub fn f(x: u32) {}"}
    assert tell(read_tree(old), read_tree(new)) == [
        "additive added: b::f",
        "additive added: c::f",
        "breaking removed: a::f",
    ]


def test_what_the_crate_sees_is_compared_only_when_asked(read_tree: ReadTree, tell: Tell) -> None:
    old, new = read_tree("pub(crate) fn f() {}"), read_tree("pub(crate) fn f(x: u8) {}")
    assert tell(old, new) == []
    assert tell(old, new, level="crate") == ["breaking arity: f"]


SHIM = {
    "login/src/lib.rs": "use shim::Mode; pub fn f(x: Mode) {}",
    "proto/src/lib.rs": "pub mod inner;",
    "proto/src/inner.rs": "pub enum Mode { A } pub enum Other { A }",
    "shim/src/lib.rs": "pub use proto::inner::Mode;",
}


def test_a_type_is_the_same_whichever_crate_passes_it_on(read_tree: ReadTree, tell: Tell) -> None:
    straight = {**SHIM, "login/src/lib.rs": "use proto::inner::Mode; pub fn f(x: Mode) {}"}
    old, new = (read_tree(files, only=("login/*",)) for files in (straight, SHIM))
    assert one(new, "f").facts["parameters"] == ("proto::inner::Mode",)
    assert tell(old, new) == []


def test_a_planted_other_type_behind_the_same_name_is_seen(read_tree: ReadTree, tell: Tell) -> None:
    planted = {**SHIM, "shim/src/lib.rs": "pub use proto::inner::Other as Mode;"}
    old, new = (read_tree(files, only=("login/*",)) for files in (SHIM, planted))
    assert tell(old, new) == ["breaking parameter type: f"]


@pytest.mark.parametrize(
    "root",
    ["mod a; pub use a::inner;", "mod a; pub use a::inner as inner;", "mod a; pub mod b { pub use crate::a::inner; }"],
)
def test_a_re_exported_module_opens_what_is_in_it(root: str, read_tree: ReadTree) -> None:
    files = {
        "src/lib.rs": root,
        "src/a.rs": "pub mod inner;",
        "src/a/inner.rs": "pub fn f() {} mod deep { pub fn g() {} }",
    }
    surface = read_tree(files)
    assert one(surface, "f").reach == "public"
    assert one(surface, "f").also_at == (("crate::b::inner::f",) if "mod b" in root else ("crate::inner::f",))
    assert one(surface, "g").reach == "crate"


def test_a_path_through_a_re_exported_module_leads_to_the_type(read_tree: ReadTree) -> None:
    files = {
        **SHIM,
        "shim/src/lib.rs": "pub use proto::inner;",
        "login/src/lib.rs": "pub fn f(x: shim::inner::Mode) {}",
    }
    files["login/src/lib.rs"] = "use shim::inner::Mode; " + files["login/src/lib.rs"]
    assert one(read_tree(files, only=("login/*",)), "f").facts["parameters"] == ("proto::inner::Mode",)


def test_a_ring_of_re_exports_ends(read_tree: ReadTree) -> None:
    files = {
        "src/lib.rs": "pub mod a; pub mod b;",
        "src/a.rs": "pub use crate::b::x;",
        "src/b.rs": "pub use crate::a::x;",
    }
    assert {item.kind for item in read_tree(files).items} == {"re-export"}


def test_a_glob_of_variants_is_a_re_export(read_tree: ReadTree, tell: Tell) -> None:
    enum = "pub enum E { A }"
    assert tell(read_tree(enum), read_tree(f"{enum} pub use E::*;")) == ["additive added: E::*"]


def test_what_steers_a_terminal_is_not_printed(read_tree: ReadTree) -> None:
    from sim.surface.compare import compare
    from sim.surface.decide import decide
    from sim.surface.render import markdown, plain
    from sim.surface.report import Judged, Report

    old, new = (read_tree(f'pub const C: &str = "{text}";') for text in ("a", "\x1b[2J\u202e"))
    found = compare(old, new)
    report = Report("t", (old, new), (Judged(found, decide(found, ())),), ())
    for text in (plain(report), markdown(report)):
        assert "[2J" in text
        assert not {"\x1b", "\u202e"} & set(text)
