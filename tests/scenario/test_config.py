"""What a parameter of a model takes from a file or from `--set`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.scenario import config
from sim.scenario.config import Parameter, Refusal

PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=4,
)


def read(annotation: Any, value: Any) -> tuple[str, Any]:
    try:
        return "taken", Parameter("n", annotation, False).read(value)
    except Refusal as refusal:
        return "refused", str(refusal)


def as_the_library_does(annotation: Any, value: Any) -> bool:
    """Whether a value is read as pydantic reads it, which is asked about every annotation but the plainest."""
    mine, theirs = read(annotation, value), read(Annotated[annotation, "the same"], value)
    return [*map(repr, mine)] == [*map(repr, theirs)]


@given(st.sampled_from([int, bool]), PLAIN)
@example(int, True)
@example(int, 7.0)
@example(int, 10**30)
@example(bool, 1)
def test_a_number_or_a_truth_is_read_as_the_library_reads_it(annotation: Any, value: Any) -> None:
    assert as_the_library_does(annotation, value)


def test_another_rule_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_AS_IT_IS", (int, bool, str))
    assert not as_the_library_does(str, "\ud800")


@pytest.mark.parametrize(
    ("annotation", "value", "meant"),
    [
        (tuple[str, ...], "plan", ("taken", ("plan",))),
        (list[Literal["plan", "validate"]], "plan", ("taken", ["plan"])),
        (tuple[str, ...] | None, "plan", ("taken", ("plan",))),
        (str | tuple[str, ...], "plan", ("taken", "plan")),
        (tuple[str, ...], "plan, validate", ("refused", "the text 'plan, validate'; expected a list, each text")),
        (list[Literal["plan"]], "plam", ("refused", "the text 'plam'; expected a list, each one of plan")),
        (tuple[str, ...], 3, ("refused", "the number 3; expected a list, each text")),
        (tuple[str, str], "plan", ("refused", "the text 'plan'; expected a list, each text")),
    ],
)
def test_one_name_alone_is_a_list_of_one_where_a_list_is_expected(annotation: Any, value: Any, meant: Any) -> None:
    assert read(annotation, value) == meant


def test_texts_of_the_command_line_are_split_as_ever() -> None:
    """`--set stages=plan,validate` is two names: what is taken alone in a file is no way around the comma."""
    assert Parameter("n", tuple[str, ...], False).parse("plan,validate") == ["plan", "validate"]
    assert Parameter("n", tuple[str, ...], False).parse("plan") == ["plan"]
