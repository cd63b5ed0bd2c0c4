"""Records of providers and libraries are read as they mean them; what contradicts itself counts nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import genai_prices
import pytest

from sim.metrics import MetricsError, SessionMetrics, TokenUsage

from .provider_shapes import RECORDED, Recorded

OURS = {name: one for name, one in RECORDED.items() if "genai-prices" not in name}
ROOTS = ("usage", "usageMetadata", "usage_metadata", "attributes")


def as_object(data: Any) -> Any:
    """The same as objects with attributes, as client libraries give it; OpenTelemetry's attributes stay a mapping."""
    if isinstance(data, dict):
        dotted = any("." in key for key in data)
        return data if dotted else SimpleNamespace(**{key: as_object(value) for key, value in data.items()})
    return [as_object(item) for item in data] if isinstance(data, list) else data


class Dumped:
    """An object of a client library of pydantic's kind."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def model_dump(self) -> dict[str, Any]:
        return self.data


def numbers(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The ways to the numbers in a record."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if type(value) is int:
            yield (*path, key)
        yield from numbers(value, (*path, key))


def put(record: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy with another value there."""
    copied = copy.deepcopy(record)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copied


@pytest.mark.parametrize("one", RECORDED.values(), ids=RECORDED)
def test_a_recorded_shape_says_what_was_used(one: Recorded):
    assert one.read(one.record) == one.says


@pytest.mark.parametrize("one", OURS.values(), ids=OURS)
def test_objects_and_the_usage_alone_are_read_alike(one: Recorded):
    assert one.read(as_object(one.record)) == one.says
    (root,) = (key for key in ROOTS if key in one.record)
    assert one.read(one.record[root]) == one.says
    assert one.read(as_object(one.record[root])) == one.says


def test_an_object_that_dumps_itself_is_read_by_genai_prices_too():
    one = RECORDED["mistral, by genai-prices"]
    assert one.read(Dumped(one.record)) == one.says


@pytest.mark.parametrize("name", [name for name, one in OURS.items() if one.known_as])
def test_we_read_a_record_as_genai_prices_does(name: str):
    one = OURS[name]
    assert one.known_as is not None
    provider, flavor = one.known_as
    found = genai_prices.extract_usage(one.record, provider_id=provider, api_flavor=flavor).usage
    ours = one.says
    assert (found.input_tokens, found.output_tokens) == (ours.input_tokens, ours.output_tokens)
    assert (found.cache_read_tokens or 0, found.cache_write_tokens or 0) == (
        ours.cached_input_tokens,
        ours.cache_write_input_tokens,
    )
    assert TokenUsage.from_provider(one.record, provider, flavor) == ours


READ = ("audio", "prediction", "index", "tokenCount", "tokensDetails")
"""Parts of names of fields that mean nothing to us."""


@pytest.mark.parametrize("wrong", [-1, "5", 1.5, True], ids=repr)
@pytest.mark.parametrize("name", OURS)
def test_a_number_that_is_none_is_named_and_nothing_is_counted(name: str, wrong: object):
    one, session = OURS[name], SessionMetrics()
    for path in numbers(one.record):
        if any(word in path[-1] for word in READ):
            continue
        with pytest.raises(MetricsError) as caught:
            session.record_turn(one.read(put(one.record, path, wrong)))
        assert path[-1] in str(caught.value), (path, caught.value)
        assert len(caught.value.mistakes) == 1
    assert session == SessionMetrics()


@pytest.mark.parametrize("name", [name for name in OURS if "blocked" not in name])
def test_a_missing_number_is_named(name: str):
    one = OURS[name]
    (root,) = (key for key in ROOTS if key in one.record)
    needed = ["input_tokens", "prompt_tokens", "promptTokenCount", "prompt_token_count", "output_tokens"]
    found = [key for key in one.record[root] if key.removeprefix("gen_ai.usage.") in (*needed, "completion_tokens")]
    assert found
    for key in found:
        with pytest.raises(MetricsError, match=f"{key.replace('.', '[.]')} is missing"):
            one.read(put(one.record, (root, key), None))


@pytest.mark.parametrize(
    ("name", "path", "value", "says"),
    [
        ("openai chat", "usage.total_tokens", 2305, "usage.total_tokens is 2305, but usage.prompt_tokens + usage.comp"),
        (
            "openai chat",
            "usage.prompt_tokens_details.cached_tokens",
            2007,
            "OpenAI chat record: cached_input_tokens (2007)",
        ),
        ("openai responses", "usage.output_tokens_details.reasoning_tokens", 53, "reasoning_output_tokens (53) exceed"),
        (
            "anthropic, cache written",
            "usage.cache_creation_input_tokens",
            17101,
            "usage.cache_creation_input_tokens is 17101, but usage.cache_creation.ephemeral_5m_input_tokens + ",
        ),
        (
            "gemini over REST",
            "usageMetadata.totalTokenCount",
            1320,
            "usageMetadata.totalTokenCount is 1320, but usageMetadata.promptTokenCount + usageMetadata.toolUsePrompt",
        ),
        (
            "litellm over anthropic",
            "usage.cache_read_input_tokens",
            999,
            "usage.prompt_tokens_details.cached_tokens is 1000, but usage.cache_read_input_tokens is 999",
        ),
        (
            "langchain over anthropic",
            "usage_metadata.input_token_details.cache_creation",
            5,
            "cache_creation is 5, but",
        ),
        ("otel", "attributes.gen_ai\x00usage\x00cache_read\x00input_tokens", 90, "cached_input_tokens (90)"),
    ],
)
def test_usage_that_contradicts_itself_is_refused(name: str, path: str, value: int, says: str):
    one = OURS[name]
    way = tuple(step.replace("\x00", ".") for step in path.split("."))
    with pytest.raises(MetricsError) as caught:
        one.read(put(one.record, way, value))
    assert says in str(caught.value)


@pytest.mark.parametrize("record", [None, {}, {"usage": {}}, [], "usage", 5, {"usage": {"tokens": 5}}], ids=repr)
@pytest.mark.parametrize("reader", ["openai", "anthropic", "gemini", "langchain", "litellm", "otel"])
def test_an_unknown_shape_is_refused_by_the_name_of_what_is_missing(reader: str, record: object):
    with pytest.raises(MetricsError, match=r"record: .*is missing in .*; give the response or its usage"):
        getattr(TokenUsage, f"from_{reader}")(record)


def test_a_provider_or_record_that_genai_prices_does_not_know_is_told():
    for record, provider, flavor in [
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "model": "m"}, "nobody", "default"),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "model": "m"}, "mistral", "nothing"),
        ({"usage": {"prompt_tokens": 1}, "model": "m"}, "mistral", "default"),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 1}, "model": "m"}, "mistral", "default"),
        ({"usage": {"prompt_tokens": 1.5, "completion_tokens": 1}, "model": "m"}, "mistral", "default"),
        (None, "mistral", "default"),
    ]:
        with pytest.raises(MetricsError, match=f"{provider} .{flavor}. record: "):
            TokenUsage.from_provider(record, provider, flavor)
