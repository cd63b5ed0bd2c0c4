"""`TokenUsage` is a value that cannot be inconsistent."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given

from sim.base.errors import SimError
from sim.metrics import NO_USAGE, MetricsError, TokenUsage

from .strategies import usages


def test_only_input_and_output_are_required():
    usage = TokenUsage(1000, 500)
    assert usage.as_dict() == {
        "input_tokens": 1000,
        "output_tokens": 500,
        "cached_input_tokens": 0,
        "cache_write_input_tokens": 0,
        "reasoning_output_tokens": 0,
        "total_tokens": 1500,
    }


def test_non_cached_input_and_both_blends():
    usage = TokenUsage(1000, 500, cached_input_tokens=300, cache_write_input_tokens=200)
    assert usage.non_cached_input == 700
    assert usage.blended_total == 1200  # the upstream's: non-cached input + output
    assert usage.total_tokens == 1500  # the fork's blend: gross input + output


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"input_tokens": -1}, "input_tokens is -1; expected 0 or more"),
        ({"output_tokens": -1}, "output_tokens is -1"),
        ({"cached_input_tokens": -1}, "cached_input_tokens is -1"),
        ({"cache_write_input_tokens": -1}, "cache_write_input_tokens is -1"),
        ({"reasoning_output_tokens": -1}, "reasoning_output_tokens is -1"),
        ({"total_tokens": -1}, "total_tokens is -1"),
        ({"input_tokens": True}, "input_tokens is True (bool); expected an int of 0 or more"),
        ({"output_tokens": 1.0}, "output_tokens is 1.0 (float)"),
        ({"output_tokens": "5"}, "output_tokens is '5' (str)"),
        ({"output_tokens": None}, "output_tokens is None (NoneType)"),
        ({"total_tokens": 15.0}, "total_tokens is 15.0 (float)"),
        ({"cached_input_tokens": 11}, "exceed input_tokens (10)"),
        ({"cache_write_input_tokens": 11}, "exceed input_tokens (10)"),
        ({"cached_input_tokens": 6, "cache_write_input_tokens": 5}, "exceed input_tokens (10)"),
        ({"reasoning_output_tokens": 6}, "exceed output_tokens (5)"),
        ({"total_tokens": 14}, "total_tokens is 14, but input_tokens + output_tokens is 15"),
        ({"total_tokens": 16}, "total_tokens is 16, but input_tokens + output_tokens is 15"),
    ],
)
def test_what_cannot_be_is_refused_in_one_clear_line(fields: dict[str, Any], says: str):
    with pytest.raises(MetricsError) as refused:
        TokenUsage(**{"input_tokens": 10, "output_tokens": 5, **fields})
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, SimError)
    assert isinstance(refused.value, ValueError)


def test_the_limits_themselves_are_taken():
    TokenUsage(0, 0)
    TokenUsage(
        10,
        5,
        cached_input_tokens=6,
        cache_write_input_tokens=4,
        reasoning_output_tokens=5,
        total_tokens=15,
    )
    assert TokenUsage(2**64, 2**64).total_tokens == 2**65  # nothing wraps, so nothing has to saturate


def test_it_is_frozen_hashable_and_travels():
    usage = TokenUsage(10, 5, cached_input_tokens=3)
    with pytest.raises(FrozenInstanceError):
        usage.input_tokens = 11
    assert len({usage, TokenUsage(10, 5, cached_input_tokens=3)}) == 1
    assert pickle.loads(pickle.dumps(usage)) == copy.deepcopy(usage) == usage


@given(usages(), usages(), usages())
def test_addition_is_associative_commutative_and_has_a_zero(a: TokenUsage, b: TokenUsage, c: TokenUsage):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + NO_USAGE == a


@given(usages(), usages())
def test_addition_adds_every_field(a: TokenUsage, b: TokenUsage):
    assert (a + b).as_dict() == {name: count + b.as_dict()[name] for name, count in a.as_dict().items()}


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        TokenUsage(1, 1) + 1
