"""How far in a comparison looks: what each level notices of a visibility that changes, and what it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from sim.surface import compare as comparing
from sim.surface.compare import LEVELS, Comparison, compare
from sim.surface.decide import decide
from sim.surface.model import Surface
from sim.surface.renames import parse_rename

ReadTree = Callable[..., Surface]
Tell = Callable[..., list[str]]
Files = Mapping[str, str]


def _at(declared: str, module: str = "pub mod m;") -> Files:
    return {"src/lib.rs": module, "src/m.rs": declared}


SHUT = "mod m;"
"""The module of an item that only its crate can reach, whatever the item says of itself."""


@dataclass(frozen=True)
class Change:
    """Two trees in which one thing is visible to fewer in the second, and the levels at which that is noticed."""

    wide: Files
    narrow: Files
    noticed: tuple[str, ...]


NARROWED = {
    "pub to pub(crate)": Change(_at("pub fn f() {}"), _at("pub(crate) fn f() {}"), LEVELS),
    "pub to private": Change(_at("pub fn f() {}"), _at("fn f() {}"), LEVELS),
    "pub to pub(super)": Change(_at("pub fn f() {}"), _at("pub(super) fn f() {}"), LEVELS),
    "a module that closes": Change(_at("pub fn f() {}"), _at("pub fn f() {}", SHUT), LEVELS),
    "pub(crate) to private": Change(_at("pub(crate) fn f() {}"), _at("fn f() {}"), ("crate", "all")),
    "pub(crate) to pub(super)": Change(_at("pub(crate) fn f() {}"), _at("pub(super) fn f() {}"), ("crate", "all")),
    "pub(super) to private": Change(_at("pub(super) fn f() {}"), _at("fn f() {}"), ("crate", "all")),
    "pub in a closed module to private": Change(_at("pub fn f() {}", SHUT), _at("fn f() {}", SHUT), ("crate", "all")),
}
"""One function, in ever fewer hands."""

ALIKE = {
    "pub in a closed module or pub(crate)": Change(_at("pub fn f() {}", SHUT), _at("pub(crate) fn f() {}", SHUT), ()),
    "pub(self) or nothing": Change(_at("pub(self) fn f() {}"), _at("fn f() {}"), ()),
}
"""Written otherwise, and the same code can reach it."""


def _each(table: Mapping[str, Change]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("change", table.values(), ids=table.keys())


@pytest.mark.parametrize("level", LEVELS)
@_each(NARROWED)
def test_what_fewer_can_reach_breaks_and_what_more_can_reach_does_not(
    change: Change, level: str, read_tree: ReadTree, tell: Tell
) -> None:
    wide, narrow = read_tree(change.wide), read_tree(change.narrow)
    noticed = level in change.noticed
    assert tell(wide, narrow, level=level) == (["breaking visibility: m::f"] if noticed else [])
    assert tell(narrow, wide, level=level) == (["additive visibility: m::f"] if noticed else [])


@pytest.mark.parametrize("names", [(), ("f",)], ids=["as a whole", "required"])
@pytest.mark.parametrize("level", LEVELS)
@_each(NARROWED)
def test_it_is_a_no_go_at_every_level_that_notices(
    change: Change, level: str, names: tuple[str, ...], read_tree: ReadTree
) -> None:
    def go(old: Files, new: Files) -> bool:
        return decide(compare(read_tree(old), read_tree(new), (), level), names, level).go

    assert go(change.wide, change.narrow) is (level not in change.noticed)
    assert go(change.narrow, change.wide)


@pytest.mark.parametrize("level", LEVELS)
@_each(ALIKE)
def test_another_spelling_of_the_same_reach_is_no_difference(
    change: Change, level: str, read_tree: ReadTree, tell: Tell
) -> None:
    wide, narrow = read_tree(change.wide), read_tree(change.narrow)
    assert tell(wide, narrow, level=level) == tell(narrow, wide, level=level) == []


def test_a_comparison_that_takes_all_reaches_for_one_is_caught(
    read_tree: ReadTree, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_width", lambda item: (0, True))
    change = NARROWED["pub to pub(crate)"]
    assert tell(read_tree(change.wide), read_tree(change.narrow), level="crate") == []


# -- other differences, where only the crate can see them ----------------------------------------------------

HIDDEN_OLD = _at("pub struct S { a: u8 } impl S { fn one(&self) {} }\npub(crate) fn f(x: u8) {}\nfn deep(x: u8) {}")
HIDDEN_NEW = _at("pub struct S { a: u16 } impl S { fn one(&self, y: u8) {} }\npub(crate) fn f() {}\nfn deep() {}")


def _told(level: str, read_tree: ReadTree, tell: Tell) -> list[str]:
    return tell(read_tree(HIDDEN_OLD), read_tree(HIDDEN_NEW), level=level)


def test_each_level_sees_what_the_one_before_it_sees_and_more(read_tree: ReadTree, tell: Tell) -> None:
    assert _told("pub", read_tree, tell) == []
    assert _told("crate", read_tree, tell) == ["breaking arity: m::f"]
    assert _told("all", read_tree, tell) == [
        "breaking arity: m::S::one",
        "breaking arity: m::deep",
        "breaking arity: m::f",
        "breaking type: m::S::a",
    ]


@pytest.mark.parametrize(
    ("level", "name", "go"),
    [("pub", "f", True), ("crate", "f", False), ("crate", "deep", True), ("all", "deep", False)],
)
def test_a_required_name_is_judged_at_the_level_asked_for(level: str, name: str, go: bool, read_tree: ReadTree) -> None:
    comparison = compare(read_tree(HIDDEN_OLD), read_tree(HIDDEN_NEW), (), level)
    assert decide(comparison, [name], level).go is go


def test_of_what_comes_or_goes_a_level_tells_what_it_sees(read_tree: ReadTree, tell: Tell) -> None:
    old, new = read_tree(_at("")), read_tree(_at("pub fn a() {}\npub(crate) fn b() {}\nfn c() {}"))
    seen = {"pub": ["a"], "crate": ["a", "b"], "all": ["a", "b", "c"]}
    for level, names in seen.items():
        assert tell(old, new, level=level) == [f"additive added: m::{name}" for name in names]
        assert tell(new, old, level=level) == [f"breaking removed: m::{name}" for name in names]


def test_what_a_type_that_closes_holds_is_told_once_for_the_type(read_tree: ReadTree, tell: Tell) -> None:
    held = "struct S { pub a: u8 } impl S { pub fn m(&self) {} }"
    wide, narrow = read_tree(_at(f"pub {held}")), read_tree(_at(held.replace("u8", "u16")))
    assert tell(wide, narrow) == ["breaking visibility: m::S"]
    assert tell(narrow, wide) == ["additive visibility: m::S"]


def test_of_what_closes_nothing_else_is_told_and_of_everything_else_it_is(read_tree: ReadTree, tell: Tell) -> None:
    old = "".join(f"pub struct {name} {{ pub x: u8 }}\n" for name in "ABC") + "pub fn f(x: u8) {}"
    new = (
        old.replace("u8 }", "u16 }").replace("pub struct B", "struct B").replace("pub fn f(x: u8)", "pub(crate) fn f()")
    )
    assert tell(read_tree(_at(old)), read_tree(_at(new))) == [
        "breaking type: m::A::x",
        "breaking type: m::C::x",
        "breaking visibility: m::B",
        "breaking visibility: m::f",
    ]


# -- the words beside a difference --------------------------------------------------------------------------


def _only(old: Files, new: Files, read_tree: ReadTree, level: str = "pub") -> tuple[str, str]:
    found: Comparison = compare(read_tree(old), read_tree(new), (), level)
    (difference,) = found.differences
    return difference.before, difference.after


def test_a_change_of_visibility_says_what_the_source_says_and_where_that_ends(read_tree: ReadTree) -> None:
    assert _only(_at("pub fn f() {}"), _at("pub(crate) fn f() {}"), read_tree) == ("pub", "pub(crate)")
    assert _only(_at("pub fn f() {}"), _at("fn f() {}"), read_tree, "crate") == ("pub", "private")
    shut = _at("pub fn f() {}", SHUT)
    assert _only(_at("pub fn f() {}"), shut, read_tree) == ("pub", "pub inside a private module")
    private, inner = _at("pub(crate) struct S { a: u8 }"), _at("pub(crate) struct S { pub a: u8 }")
    opened = [d for d in compare(read_tree(private), read_tree(inner), (), "crate").differences if d.kind == "field"]
    assert [(d.before, d.after) for d in opened] == [("private", "pub in a type that is not")]


@pytest.mark.parametrize(
    ("declared", "fact"),
    [
        ("pub fn f(x: u8, y: bool) -> u16 { 1 }", "(u8, bool) -> u16"),
        ("pub fn f(x: u8) {}", "(u8)"),
        ("pub const C: u8 = 1;", "u8"),
        ("pub type T = u8;", "u8"),
        ("pub struct S;", ""),
    ],
)
def test_what_comes_or_goes_is_told_with_its_signature(declared: str, fact: str, read_tree: ReadTree) -> None:
    assert _only(_at(""), _at(declared), read_tree) == ("", fact)
    assert _only(_at(declared), _at(""), read_tree) == (fact, "")


@pytest.mark.parametrize("level", LEVELS)
def test_of_what_nobody_sees_only_the_value_of_a_constant_counts(level: str, read_tree: ReadTree, tell: Tell) -> None:
    old = read_tree(_at("const C: u8 = 1;\nfn f() {}\nenum E { A = 1 }"))
    new = read_tree(_at("const C: u16 = 2;\nfn f(x: u8) {}\nenum E { A = 2 }"))
    everything = [
        "behavioural discriminant: m::E::A",
        "behavioural value: m::C",
        "breaking arity: m::f",
        "breaking type: m::C",
    ]
    assert tell(old, new, level=level) == (everything if level == "all" else ["behavioural value: m::C"])


# -- once, and entry by entry -------------------------------------------------------------------------------


def test_what_goes_with_its_re_export_is_told_once(read_tree: ReadTree, tell: Tell) -> None:
    shown, bare = _at("pub fn f() {}", "pub mod m; pub use m::f;"), _at("")
    assert tell(read_tree(shown), read_tree(bare)) == ["breaking removed: m::f"]
    assert tell(read_tree(bare), read_tree(shown)) == ["additive added: m::f"]
    assert tell(read_tree(shown), read_tree(_at("pub fn f() {}"))) == ["breaking removed: f"]


def test_a_re_export_that_follows_its_item_is_no_difference_and_one_that_changes_it_is(
    read_tree: ReadTree, tell: Tell
) -> None:
    old = {"src/lib.rs": "mod a; pub use a::f;", "src/a.rs": "pub fn f() {}\npub fn g() {}"}
    followed = {"src/lib.rs": "mod b; pub use b::f;", "src/b.rs": old["src/a.rs"]}
    assert tell(read_tree(old), read_tree(followed)) == []
    changed = {**followed, "src/lib.rs": "mod b; pub use b::g as f;"}
    assert "breaking re-export target: f" in tell(read_tree(old), read_tree(changed))


@pytest.mark.parametrize(
    ("few", "more", "entry"),
    [
        ("pub trait T: A {}", "pub trait T: A + B {}", "B"),
        ("pub trait T { fn m<X: A>(x: X); }", "pub trait T { fn m<X: A + B>(x: X); }", "T1: B"),
        ("pub fn f<X: A>(x: X) {}", "pub fn f<X: A + B>(x: X) {}", "T1: B"),
    ],
    ids=["supertraits", "bounds of a trait's method", "bounds"],
)
def test_of_a_list_only_the_entry_that_differs_is_told(few: str, more: str, entry: str, read_tree: ReadTree) -> None:
    assert _only(_at(few), _at(more), read_tree) == ("", entry)
    assert _only(_at(more), _at(few), read_tree) == (entry, "")


@pytest.mark.parametrize(
    ("few", "more", "there", "back"),
    [
        ("class C(A): pass", "class C(A, B): pass", "additive bases: C", "breaking bases: C"),
        ("@a\nclass C: pass", "@a\n@b\nclass C: pass", "behavioural decorators: C", "behavioural decorators: C"),
    ],
)
def test_of_a_python_list_only_the_entry_that_differs_is_told(
    few: str, more: str, there: str, back: str, read_tree: ReadTree
) -> None:
    for old, new, said, sides in ((few, more, there, ("", 1)), (more, few, back, (1, ""))):
        (one,) = compare(read_tree({"m.py": old}), read_tree({"m.py": new})).differences
        assert f"{one.impact.value} {one.change}: {one.subject.name}" == said
        assert [bool(one.before), bool(one.after)] == list(map(bool, sides))
        assert "," not in one.before + one.after


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("Result<u8, E>", "Result<u8, F>", "error type"),
        ("Result<u8, E>", "Result<u16, E>", "return type"),
        ("Result<u8, E>", "Result<u16, F>", "return type"),
        ("Option<u8>", "Result<u8, E>", "return type"),
        ("Result<u8, E>", "Option<u8>", "return type"),
    ],
)
def test_an_error_type_is_one_only_if_the_rest_is_alike(old: str, new: str, change: str, read_tree: ReadTree) -> None:
    one, two = (read_tree(_at(f"pub fn f() -> {returned} {{ todo!() }}")) for returned in (old, new))
    assert [d.change for d in compare(one, two).differences] == [change]


def test_only_what_is_in_the_scope_is_compared_whatever_was_read_beside_it(read_tree: ReadTree) -> None:
    scope = (("src/lib.rs",), ("f",))
    old, new = (
        read_tree({"src/lib.rs": "pub mod m;", "src/m.rs": f"pub fn f({given}) {{}}"}, "t", *scope)
        for given in ("", "x: u8")
    )
    assert [item.name for item in new.items if not item.scoped] == ["f"]
    assert compare(old, new).pairs == compare(new, old).pairs == ()


def test_pairs_that_fit_by_a_declared_rename_are_counted(read_tree: ReadTree) -> None:
    old, new = read_tree("pub fn codex_a() {}\npub fn b() {}"), read_tree("pub fn code_a() {}\npub fn b() {}")
    assert compare(old, new, [parse_rename("codex_*=code_*")]).translated == 1
    assert compare(old, old, [parse_rename("nothing=other")]).translated == 0
    assert compare(old, read_tree(""), [parse_rename("codex_*=code_*")]).translated == 0


def test_a_python_function_is_told_with_the_names_of_its_parameters(read_tree: ReadTree) -> None:
    (one,) = compare(read_tree({"m.py": ""}), read_tree({"m.py": "def f(a, b: int = 1): ..."})).differences
    assert one.after == "(a, b)"


def _python(old: str, new: str, read_tree: ReadTree) -> list[tuple[str, str, str, str]]:
    found = compare(read_tree({"m.py": f"def f({old}): ..."}), read_tree({"m.py": f"def f({new}): ..."})).differences
    return [(d.impact.value, d.change, d.before, d.after) for d in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a, *, k=1", "a, n=1, *, k=1", ("additive", "parameter added", "", "n")),
        ("a: int", "a: str", ("breaking", "parameter type", "a: int", "a: str")),
        ("a, b: int", "a", ("breaking", "parameter removed", "b", "")),
        ("a", "a, b: int", ("breaking", "parameter added", "", "b")),
        ("a=1, c=1", "a=1, b: int = 1, c=1", ("breaking", "parameter added", "", "b")),
        ("a: int, b", "b, a: int", ("breaking", "parameter order", "a, b", "b, a")),
        ("a", "*, a", ("breaking", "kind of parameter", "a: normal", "a: keyword-only")),
    ],
    ids=["after the last that has a place", "type", "gone", "required", "in between", "order", "kind"],
)
def test_a_python_parameter_is_judged_by_its_place_and_told_by_its_name(
    old: str, new: str, said: tuple[str, str, str, str], read_tree: ReadTree
) -> None:
    assert _python(old, new, read_tree) == [said]


def test_several_parameters_at_the_end_that_may_be_left_out_break_nothing(read_tree: ReadTree) -> None:
    told = _python("a", "a, b=1, c=1", read_tree)
    assert [(impact, after) for impact, _, _, after in told] == [("additive", "b"), ("additive", "c")]


@pytest.mark.parametrize(
    ("old", "new"),
    [("*, a, b", "*, b, a"), ("a, /", "b, /"), ("a, /, c", "b, /, c")],
    ids=["order of keywords", "name of what has none", "and with one that has"],
)
def test_what_no_call_can_tell_apart_is_no_difference(old: str, new: str, read_tree: ReadTree) -> None:
    assert _python(old, new, read_tree) == []


def test_a_parameter_is_told_by_its_place(read_tree: ReadTree) -> None:
    old, new = _at("pub fn f(x: u8, y: u8) {}"), _at("pub fn f(x: u8, y: u16) {}")
    assert _only(old, new, read_tree) == ("2: u8", "2: u16")


def test_a_re_export_that_is_narrowed_and_changed_says_both(read_tree: ReadTree, tell: Tell) -> None:
    files = {"src/lib.rs": "mod a; pub use a::f as h;", "src/a.rs": "pub fn f() {}\npub fn g() {}"}
    narrowed = {**files, "src/lib.rs": "mod a; pub(crate) use a::g as h;"}
    told = tell(read_tree(files), read_tree(narrowed), level="crate")
    assert {"breaking re-export target: h", "breaking visibility: h"} <= set(told)
