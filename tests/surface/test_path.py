"""The migration path: every step after what it stands on, nothing on it that is not needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.surface.compare import compare
from sim.surface.model import Impact, Surface
from sim.surface.path import PortStep, migration

ReadTree = Callable[..., Surface]

OLD = "pub struct Options { pub home: String }\npub fn same() {}"
NEW = """
pub fn top(o: Options) -> Mode { middle(); same(); Mode::A }
fn middle() { low(); /* unrelated */ let _ = "unrelated"; }
fn low() {}
pub enum Mode { A }
pub struct Options { pub home: String, pub mode: Mode }
pub fn same() {}
pub fn unrelated() {}
"""


def _steps(read_tree: ReadTree, old: str, new: str, *names: str) -> list[PortStep]:
    return migration(compare(read_tree(old), read_tree(new)), names)


def _names(steps: list[PortStep]) -> list[list[str]]:
    return [[item.name for item in step.items] for step in steps]


def _flat(steps: list[PortStep]) -> set[str]:
    return {item.name for step in steps for item in step.items}


def test_the_path_holds_what_is_needed_in_order_of_dependency(read_tree: ReadTree) -> None:
    steps = _steps(read_tree, OLD, NEW, "top")
    at = {name: step.number for step in steps for item in step.items for name in [item.name]}
    assert set(at) == {"top", "middle", "low", "Mode", "Options"}
    assert at["low"] < at["middle"] < at["top"]
    assert at["Mode"] < at["Options"] < at["top"]
    assert next(s for s in steps if s.number == at["top"]).after == tuple(
        sorted({at["middle"], at["Mode"], at["Options"]})
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_step_comes_before_one_it_names(seed: int, read_tree: ReadTree) -> None:
    lines = NEW.strip().splitlines()
    shuffled = "\n".join(lines[seed:] + lines[:seed])
    assert all(need < step.number for step in _steps(read_tree, OLD, shuffled, "top") for need in step.after)


def test_a_comment_or_text_is_no_dependency_but_a_planted_call_is(read_tree: ReadTree) -> None:
    assert "unrelated" not in _flat(_steps(read_tree, OLD, NEW, "top"))
    planted = NEW.replace("low(); /*", "low(); unrelated(); /*")
    assert "unrelated" in _flat(_steps(read_tree, OLD, planted, "top"))


@pytest.mark.parametrize("before", ["'\"'", 'r#"a " b"#', '"\\""', "'\\''", "&'a str"])
def test_no_literal_hides_a_call_that_follows_it(before: str, read_tree: ReadTree) -> None:
    new = f'pub fn a() {{ let _ = {before}; b("x") }} fn b(_: &str) {{}}'
    assert _flat(_steps(read_tree, "", new, "a")) == {"a", "b"}


def test_a_type_is_brought_with_what_its_methods_and_implementations_need(read_tree: ReadTree) -> None:
    new = "pub struct S; impl S { pub fn m(&self) { one() } } impl Drop for S { fn drop(&mut self) { two() } }"
    assert _flat(_steps(read_tree, "", f"{new} fn one() {{}} fn two() {{}} fn three() {{}}", "S")) == {
        "S",
        "one",
        "two",
    }


def test_what_needs_each_other_is_one_step(read_tree: ReadTree) -> None:
    assert _names(_steps(read_tree, "", "pub fn a() { b() } pub fn b() { a() }", "a")) == [["a", "b"]]


def test_a_change_to_what_is_there_says_what_it_breaks(read_tree: ReadTree) -> None:
    (step,) = [s for s in _steps(read_tree, OLD, NEW, "mode") if s.action == "change"]
    assert (step.items[0].name, step.impact) == ("Options", Impact.BREAKING)
    assert [d.subject.name for d in step.outside] == ["mode"]


def test_without_names_the_path_is_the_whole_surface(read_tree: ReadTree) -> None:
    assert "unrelated" in _flat(_steps(read_tree, OLD, NEW))


def test_equal_trees_need_no_step(read_tree: ReadTree) -> None:
    assert _steps(read_tree, NEW, NEW, "top") == []


def test_a_package_that_the_first_tree_lacks_is_named(read_tree: ReadTree) -> None:
    manifest = '[package]\nname = "login"\n[dependencies]\n'
    old = {"login/Cargo.toml": manifest + 'serde = "1"', "login/src/lib.rs": "pub fn g() {}"}
    new = {
        "login/Cargo.toml": manifest + 'serde = "1"\nkeyring-store = "1"',
        "login/src/lib.rs": "use keyring_store::Store; pub fn f(s: Store, x: serde::Value) {} pub fn g() {}",
    }
    (step,) = migration(compare(read_tree(old), read_tree(new)), ["f"])
    assert step.crates == ("keyring_store",)
    (step,) = migration(compare(read_tree({**old, "login/Cargo.toml": new["login/Cargo.toml"]}), read_tree(new)), ["f"])
    assert step.crates == ()
