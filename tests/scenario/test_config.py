"""What a parameter of a model takes from a file or from `--set`."""

from __future__ import annotations

from typing import Annotated, Any

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
