"""What answers say together, whoever is first; and who settles what."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from sim.consensus import Fix, Label, Weight, Who, agree, lacking, needed, settled_by, verdict

ROSTER = ("ann", "bob", "eve")


@pytest.mark.parametrize(
    ("said", "label", "behind", "against", "silent"),
    [
        ("a a a", Label.HIGH, ROSTER, (), ()),
        ("a a b", Label.MEDIUM, ("ann", "bob"), ("eve",), ()),
        ("a a -", Label.QUIET, ("ann", "bob"), (), ("eve",)),
        ("a b c", Label.TIE, ("ann",), ("bob", "eve"), ()),
        ("a b -", Label.TIE, ("ann",), ("bob",), ("eve",)),
        ("a - -", Label.LOW, ("ann",), (), ("bob", "eve")),
        ("- - -", Label.LOW, (), (), ROSTER),
    ],
)
def test_labels(
    said: str, label: Label, behind: tuple[str, ...], against: tuple[str, ...], silent: tuple[str, ...]
) -> None:
    answers = [(agent, answer) for agent, answer in zip(ROSTER, said.split(), strict=True) if answer != "-"]
    for order in permutations(answers):
        found = agree(order, ROSTER)
        assert (found.label, found.behind, found.against, found.silent) == (label, behind, against, silent)
        assert found.holds is (label in (Label.HIGH, Label.MEDIUM, Label.QUIET))


def test_weights_and_a_key_decide_what_is_compared() -> None:
    answers = [("ann", {"n": 1}), ("bob", {"n": 2}), ("eve", {"n": 2})]
    assert agree(answers, ROSTER, by=lambda one: one["n"]).value == {"n": 2}
    heavy = agree(answers, ROSTER, by=lambda one: one["n"], weights={"ann": 5})
    assert (heavy.value, heavy.label) == ({"n": 1}, Label.MEDIUM)
    with pytest.raises(ValueError, match="weights: expected whole numbers"):
        agree(answers, ROSTER, by=str, weights={"ann": -1})
    with pytest.raises(ValueError, match="'mal' is not in the roster"):
        agree([("mal", 1)], ROSTER)


def test_two_thirds_of_three_are_two() -> None:
    assert [needed(n, (2, 3)) for n in range(1, 7)] == [1, 2, 2, 3, 4, 4]
    assert verdict([("ann", "ok"), ("bob", "ok")], ROSTER, (2, 3)) == "degraded"


def test_who_settles_what() -> None:
    everybody = agree([(agent, 1) for agent in ROSTER], ROSTER)
    most = agree([("ann", 1), ("bob", 1), ("eve", 2)], ROSTER)
    nobody = agree([("ann", 1)], ROSTER)
    alone = {
        (found.label, weight, fix)
        for found, weight, fix in product((everybody, most, nobody), Weight, Fix)
        if settled_by(found, weight, fix) is Who.NOBODY
    }
    assert alone == {
        (Label.HIGH, Weight.MINOR, Fix.AUTOMATIC),
        (Label.HIGH, Weight.MINOR, Fix.SUGGESTED),
        (Label.HIGH, Weight.IMPORTANT, Fix.AUTOMATIC),
        (Label.MEDIUM, Weight.MINOR, Fix.AUTOMATIC),
    }


def test_an_aggregators_record_lacks_what_is_missing_or_empty() -> None:
    assert lacking({"tasks": ["one"], "notes": ""}, ("tasks", "notes", "issues")) == ("notes", "issues")


def test_what_would_be_counted_wrongly_is_refused() -> None:
    for same in ("a", "b"):
        with pytest.raises(ValueError, match="'ann' answers twice"):
            agree([("ann", "a"), ("bob", "b"), ("ann", same)], ROSTER)
    with pytest.raises(ValueError, match="'ane' is not in the roster"):
        agree([("ann", "a")], ROSTER, weights={"ane": 2})
    with pytest.raises(ValueError, match="all of them are 0"):
        agree([("ann", "a")], ROSTER, weights=dict.fromkeys(ROSTER, 0))
