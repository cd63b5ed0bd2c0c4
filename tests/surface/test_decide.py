"""Go or no-go: each rule decides alone, and required names are where the answer says they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.surface.compare import compare
from sim.surface.decide import DecisionRule, GoOrNot, WorkStatus, decide, status
from sim.surface.model import Surface
from sim.surface.renames import parse_rename
from sim.surface.require import find

ReadTree = Callable[..., Surface]

OLD = "pub struct Options { pub home: String }\npub fn keep() {}"
NEW = OLD + "\npub fn wanted() { helper() }\nfn helper() {}"


def _decide(read_tree: ReadTree, old: str, new: str, *names: str) -> GoOrNot:
    return decide(compare(read_tree(old, "a", (), names), read_tree(new, "b", (), names)), names)


def _failed(decision: GoOrNot) -> list[DecisionRule]:
    return [outcome.rule for outcome in decision.outcomes if not outcome.holds]


def test_it_is_a_go_when_every_rule_holds(read_tree: ReadTree) -> None:
    decision = _decide(read_tree, OLD, NEW, "wanted")
    assert decision.go
    assert _failed(decision) == []


@pytest.mark.parametrize(
    ("new", "names", "rule"),
    [
        (NEW, ("wanted", "nowhere"), DecisionRule.PRESENT),
        (NEW + "\nfn broken( {", ("wanted",), DecisionRule.CLEAN),
        (NEW.replace("home: String }", "home: String, pub mode: u8 }"), ("wanted", "mode"), DecisionRule.UNBROKEN),
        (NEW.replace("fn keep()", "fn keep(x: u8)"), (), DecisionRule.UNBROKEN),
    ],
    ids=["in neither", "unclean", "breaking on the path", "breaking anywhere"],
)
def test_one_planted_fault_fails_one_rule_and_the_decision(
    new: str, names: tuple[str, ...], rule: DecisionRule, read_tree: ReadTree
) -> None:
    decision = _decide(read_tree, OLD, new, *names)
    assert not decision.go
    assert _failed(decision) == [rule]


def test_a_name_that_hides_in_a_macro_is_neither_found_nor_forgotten(read_tree: ReadTree) -> None:
    decision = _decide(read_tree, OLD, NEW + "\nmake! { pub fn hidden() {} }", "hidden")
    assert _failed(decision) == [DecisionRule.PRESENT, DecisionRule.SEEN]
    assert "hidden at b: src/lib.rs:5" in decision.outcomes[2].evidence


def test_a_breaking_difference_off_the_path_does_not_count_against_required_names(read_tree: ReadTree) -> None:
    assert _decide(read_tree, OLD, NEW.replace("fn keep()", "fn keep(x: u8)"), "wanted").go


def test_what_is_there_already_needs_nothing_whatever_differs_around_it(read_tree: ReadTree) -> None:
    around = NEW.replace("home: String }", "home: String, pub mode: u8 }")
    assert _decide(read_tree, OLD, around, "home").go
    assert not _decide(read_tree, OLD, around.replace("home: String", "home: u8"), "home").go


def test_a_member_that_a_moved_type_lost_is_counted(read_tree: ReadTree) -> None:
    old = {"src/lib.rs": "mod a; mod b; pub use a::S;", "src/a.rs": "pub struct S { pub x: u8, pub y: u8 }"}
    new = {
        **old,
        "src/lib.rs": "mod a; mod b; pub use b::S;",
        "src/a.rs": "",
        "src/b.rs": "pub struct S { pub x: u16 }",
    }
    decision = decide(compare(read_tree(old), read_tree(new)), ["x"])
    assert _failed(decision) == [DecisionRule.UNBROKEN]
    assert (
        decision.outcomes[-1].evidence == "2 breaking on the path of what is required: crate::a::S::x, crate::a::S::y"
    )


def test_a_required_name_is_found_under_its_declared_rename(read_tree: ReadTree) -> None:
    surface = read_tree("pub fn read_code() {}", "b", (), ("read_codex",))
    assert not find("read_codex", surface).present
    assert find("read_codex", surface, [parse_rename("*codex*=*code*")]).present


@pytest.mark.parametrize(
    ("name", "kind", "visibility"),
    [("S", "struct", "pub"), ("field", "field", "pub(crate)"), ("V", "variant", "pub"), ("E::V", "variant", "pub")],
)
def test_any_kind_of_item_can_be_required(name: str, kind: str, visibility: str, read_tree: ReadTree) -> None:
    surface = read_tree("pub struct S { pub(crate) field: u8 } pub enum E { V }")
    (item,) = find(name, surface).definitions
    assert (item.kind, item.visibility) == (kind, visibility)


def test_a_qualified_name_is_not_found_under_another_owner(read_tree: ReadTree) -> None:
    assert not find("F::V", read_tree("pub enum E { V }")).present


def test_mentions_are_counted_in_whole_words_tests_and_comments_included(read_tree: ReadTree) -> None:
    files = {"src/lib.rs": "// wanted\npub fn wanted_too() {}", "tests/t.rs": "use x::wanted;"}
    mention = find("wanted", read_tree(files, "t", (), ("wanted",))).mention
    assert (mention.count, mention.files) == (2, 2)


@pytest.mark.parametrize(
    ("new", "needs", "expected"),
    [
        (NEW, ("keep",), WorkStatus.READY),
        (NEW, ("wanted",), WorkStatus.READY),
        (NEW.replace("home: String }", "home: String, pub mode: u8 }"), ("mode",), WorkStatus.NEEDS_WORK),
        (NEW, ("wanted", "nowhere"), WorkStatus.BLOCKED),
    ],
    ids=["there already", "free to bring", "breaks something", "nowhere"],
)
def test_work_is_ready_blocked_or_needs_work(
    new: str, needs: tuple[str, ...], expected: WorkStatus, read_tree: ReadTree
) -> None:
    comparison = compare(read_tree(OLD, "a", (), needs), read_tree(new, "b", (), needs))
    assert status([comparison], needs, "pub")[0] is expected


# -- the evidence, and when a rule is asked at all ------------------------------------------------------------


def _evidence(decision: GoOrNot, rule: DecisionRule) -> str:
    (said,) = [outcome.evidence for outcome in decision.outcomes if outcome.rule is rule]
    return said


def test_the_evidence_says_what_was_found_or_which_names_were_not(read_tree: ReadTree) -> None:
    found = _decide(read_tree, OLD, NEW, "wanted", "keep")
    assert [outcome.evidence for outcome in found.outcomes] == [
        "2 of 2 found",
        "all of them",
        "none does",
        "0 breaking on the path of what is required",
    ]
    lacking = _decide(read_tree, OLD, NEW, "wanted", "nowhere", "no_place")
    assert _evidence(lacking, DecisionRule.PRESENT) == "in neither: nowhere, no_place"
    assert _evidence(_decide(read_tree, OLD, NEW), DecisionRule.UNBROKEN) == "0 breaking on the surface"


@pytest.mark.parametrize("side", ["first", "second"])
def test_a_name_is_present_in_whichever_tree_has_it(side: str, read_tree: ReadTree) -> None:
    old, new = (NEW, OLD) if side == "first" else (OLD, NEW)
    assert DecisionRule.PRESENT not in _failed(_decide(read_tree, old, new, "wanted"))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (1, "b: src/a0.rs:1"),
        (3, "b: src/a0.rs:1; b: src/a1.rs:1; b: src/a2.rs:1"),
        (4, "b: src/a0.rs:1; b: src/a1.rs:1; b: src/a2.rs:1; and 1 more"),
    ],
)
def test_files_that_do_not_parse_are_named_three_at_most_and_counted(
    broken: int, said: str, read_tree: ReadTree
) -> None:
    files = {"src/lib.rs": OLD, **{f"src/a{n}.rs": "fn broken( {" for n in range(broken)}}
    decision = decide(compare(read_tree(OLD, "a"), read_tree(files, "b")), ["keep"])
    assert _evidence(decision, DecisionRule.CLEAN) == said


def test_an_unclean_first_tree_is_no_go_as_well(read_tree: ReadTree) -> None:
    decision = decide(compare(read_tree(OLD + "\nfn broken( {", "a"), read_tree(OLD, "b")), ["keep"])
    assert _failed(decision) == [DecisionRule.CLEAN]


def test_a_name_that_is_declared_as_well_as_in_a_macro_call_hides_nowhere(read_tree: ReadTree) -> None:
    call = "\nmake! { wanted }"
    assert _decide(read_tree, OLD, NEW + call, "wanted").go
    assert _decide(read_tree, OLD + call, NEW, "wanted").go


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 breaking on the surface: crate::f0"),
        (6, "6 breaking on the surface: " + ", ".join(f"crate::f{n}" for n in range(6))),
        (7, "7 breaking on the surface: " + ", ".join(f"crate::f{n}" for n in range(6)) + " and 1 more"),
    ],
)
def test_what_breaks_is_named_six_at_most_and_counted(count: int, said: str, read_tree: ReadTree) -> None:
    old = "".join(f"pub fn f{n}() {{}}\n" for n in range(count))
    decision = _decide(read_tree, old, old.replace("()", "(x: u8)"))
    assert _evidence(decision, DecisionRule.UNBROKEN) == said


def test_an_additive_change_on_the_path_is_not_counted_as_breaking(read_tree: ReadTree) -> None:
    old = "#[non_exhaustive] pub struct Options { pub home: String }"
    decision = _decide(read_tree, old, old.replace("String }", "String, pub mode: u8 }"), "mode")
    assert [d.impact.value for step in decision.steps for d in step.outside] == ["additive"]
    assert decision.go


def test_the_word_is_the_verdict(read_tree: ReadTree) -> None:
    assert _decide(read_tree, OLD, NEW, "wanted").word == "go"
    assert _decide(read_tree, OLD, NEW, "nowhere").word == "no-go"


def test_the_reason_of_a_status_names_what_it_rests_on(read_tree: ReadTree) -> None:
    def reason(new: str, *needs: str) -> str:
        old = read_tree(OLD, "a", (), needs)
        return status([compare(old, read_tree(new, "b", (), needs))], needs, "pub")[1]

    assert reason(NEW, "keep") == "all 1 are in a"
    assert reason(NEW, "keep", "wanted") == "1 of 2 are missing from a, and bringing them from b breaks nothing"
    assert reason(NEW, "wanted", "nowhere") == "in no tree: nowhere"
    held = NEW.replace("home: String }", "home: String, pub mode: u8 }")
    breaks = "1 breaking on the path of what is required: crate::Options::mode"
    assert reason(held, "mode") == f"1 of 1 are missing from a; from b: {breaks}"


def test_work_may_take_its_names_from_several_trees_but_is_ready_by_one_alone(read_tree: ReadTree) -> None:
    needs = ("one", "two")
    old, only_one = read_tree(OLD, "a", (), needs), read_tree(OLD + "\npub fn one() {}", "b", (), needs)
    only_two = read_tree(OLD + "\npub fn two() {}", "c", (), needs)
    both = read_tree(OLD + "\npub fn one() {}\npub fn two() {}", "d", (), needs)
    assert status([compare(old, only_one), compare(old, only_two)], needs, "pub") == (
        WorkStatus.NEEDS_WORK,
        "2 of 2 are missing from a; from b: in neither: two; from c: in neither: one",
    )
    assert status([compare(old, only_one), compare(old, both)], needs, "pub") == (
        WorkStatus.READY,
        "2 of 2 are missing from a, and bringing them from d breaks nothing",
    )
