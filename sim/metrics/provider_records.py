"""What providers and libraries record of a call, read as the counts of a `TokenUsage`: responses, usage objects, spans; objects and
dicts alike. No package of a provider is imported.

They differ in what counts as input and output. A `_Shape` says it for each, as sums of fields: Anthropic reports cache
reads and writes beside the input, Gemini reasoning beside the output, the others within. Fields that say the same twice
must agree, and so must a total. Null is as good as missing. Whatever else is wrong is a `MetricsError` that names the
field, and there is no usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.metrics.checked import MetricsError, checked_count

if TYPE_CHECKING:
    from genai_prices.types import ExtractedUsage

Path = tuple[str, ...]
"""The way to a field: a key or attribute for each step."""


class Counts(NamedTuple):
    """What a record said: of which kind it is, and the arguments of a `TokenUsage`."""

    of: str
    counts: dict[str, Any]


@dataclass(frozen=True)
class _Shape:
    """Where a record has its numbers. The first of `input` and of `output` is required, the others are added to it; a
    part is the sum of its paths. `same` are pairs of a path and what must add up to it; `total` must be all of it."""

    name: str
    input: tuple[Path, ...]
    output: tuple[Path, ...]
    cached: tuple[Path, ...] = ()
    written: tuple[Path, ...] = ()
    reasoning: tuple[Path, ...] = ()
    total: Path = ()
    same: tuple[tuple[Path, tuple[Path, ...]], ...] = ()
    optional_output: bool = False


def _paths(*texts: str) -> tuple[Path, ...]:
    return tuple(tuple(text.split(".")) for text in texts)


_CHAT = _Shape(
    "OpenAI chat",
    input=_paths("prompt_tokens"),
    output=_paths("completion_tokens"),
    cached=_paths("prompt_tokens_details.cached_tokens"),
    written=_paths("prompt_tokens_details.cache_write_tokens"),
    reasoning=_paths("completion_tokens_details.reasoning_tokens"),
    total=("total_tokens",),
)
_RESPONSES = _Shape(
    "OpenAI responses",
    input=_paths("input_tokens"),
    output=_paths("output_tokens"),
    cached=_paths("input_tokens_details.cached_tokens"),
    written=_paths("input_tokens_details.cache_write_tokens"),
    reasoning=_paths("output_tokens_details.reasoning_tokens"),
    total=("total_tokens",),
)
_ANTHROPIC = _Shape(
    "Anthropic",
    input=_paths("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    output=_paths("output_tokens"),
    cached=_paths("cache_read_input_tokens"),
    written=_paths("cache_creation_input_tokens"),
    reasoning=_paths("output_tokens_details.thinking_tokens"),
    same=(
        (
            ("cache_creation_input_tokens",),
            _paths("cache_creation.ephemeral_5m_input_tokens", "cache_creation.ephemeral_1h_input_tokens"),
        ),
    ),
)
_GEMINI = _Shape(
    "Gemini",
    input=_paths("prompt_token_count", "tool_use_prompt_token_count"),
    output=_paths("candidates_token_count", "response_token_count", "thoughts_token_count"),  # response: the Live API
    cached=_paths("cached_content_token_count"),
    reasoning=_paths("thoughts_token_count"),
    total=("total_token_count",),
    optional_output=True,  # a prompt that was blocked has no candidates
)
_LANGCHAIN = _Shape(
    "LangChain",
    input=_paths("input_tokens"),
    output=_paths("output_tokens"),
    cached=_paths("input_token_details.cache_read"),
    written=_paths("input_token_details.cache_creation"),
    reasoning=_paths("output_token_details.reasoning"),
    total=("total_tokens",),
)
_LITELLM = _Shape(
    "LiteLLM",
    input=_paths("prompt_tokens"),
    output=_paths("completion_tokens"),
    cached=_paths("prompt_tokens_details.cached_tokens"),
    written=_paths("prompt_tokens_details.cache_creation_tokens"),
    reasoning=_paths("completion_tokens_details.reasoning_tokens"),
    total=("total_tokens",),
)
_OTEL = _Shape(
    "OpenTelemetry",
    input=(("gen_ai.usage.input_tokens",),),
    output=(("gen_ai.usage.output_tokens",),),
    cached=(("gen_ai.usage.cache_read.input_tokens",),),
    written=(("gen_ai.usage.cache_creation.input_tokens",),),
    reasoning=(("gen_ai.usage.reasoning.output_tokens",),),
)
_OTEL_BEFORE = _Shape(
    "OpenTelemetry (before 1.27)",
    input=(("gen_ai.usage.prompt_tokens",),),
    output=(("gen_ai.usage.completion_tokens",),),
)


def openai(record: object) -> Counts:
    """Of a chat completion or a response, or its `usage`."""
    usage = _Record(record, "usage")
    return _read(usage, usage.which(_CHAT, _RESPONSES))


def anthropic(record: object) -> Counts:
    """Of a message, or its `usage`."""
    usage = _Record(record, "usage")
    return _read(usage, usage.which(_ANTHROPIC))


def gemini(record: object) -> Counts:
    """Of a response of generateContent, or its usage metadata; in camelCase (REST) or snake_case (the SDK)."""
    usage = _Record(record, "usageMetadata", "usage_metadata", camel=True)
    return _read(usage, usage.which(_GEMINI))


def langchain(record: object) -> Counts:
    """Of a message, or its `usage_metadata`. Tokens written to Anthropic's caches are in fields of their own."""
    usage = _Record(record, "usage_metadata")
    shape = usage.which(_LANGCHAIN)
    parts = _paths("input_token_details.ephemeral_5m_input_tokens", "input_token_details.ephemeral_1h_input_tokens")
    by_lifetime = usage.sum(parts)
    if by_lifetime:
        usage.agree(shape.written[0], by_lifetime, parts, unless_zero=True)
        return _read(usage, shape, written=by_lifetime)
    return _read(usage, shape)


def litellm(record: object) -> Counts:
    """Of a response, or its `usage`: the shape of OpenAI, with Anthropic's cache counts beside the details."""
    usage = _Record(record, "usage")
    shape = usage.which(_LITELLM, _RESPONSES)
    cached = usage.either(shape.cached[0], ("cache_read_input_tokens",))
    written = usage.either(shape.written[0], ("cache_creation_input_tokens",))
    return _read(usage, shape, cached=cached, written=written)


def otel(record: object) -> Counts:
    """Of the attributes of a span, or of the span."""
    usage = _Record(record, "attributes")
    return _read(usage, usage.which(_OTEL, _OTEL_BEFORE))


def by_genai_prices(record: object, provider: str, flavor: str) -> Counts:
    """Of a response of any provider that genai-prices knows, by its extractor."""
    import genai_prices

    try:
        found: ExtractedUsage = genai_prices.extract_usage(_plain(record), provider_id=provider, api_flavor=flavor)
    except (ValueError, LookupError, TypeError) as error:
        raise MetricsError(f"{provider} ({flavor}) record: {' '.join(str(error).split())}") from None
    usage = found.usage
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cache_read_tokens or 0,
        "cache_write_input_tokens": usage.cache_write_tokens or 0,
        "reasoning_output_tokens": getattr(usage, "output_reasoning_tokens", None) or 0,
    }
    return Counts(f"{provider} ({flavor})", counts)


class _Record:
    """The part of a record that holds the numbers, and the way there, for errors."""

    def __init__(self, record: object, *roots: str, camel: bool = False) -> None:
        self._camel = camel
        self._at, self._root = record, ""
        for root in roots:
            inner = _step(record, root)
            if inner is not None:
                self._at, self._root = inner, f"{root}."
                return

    def which(self, *shapes: _Shape) -> _Shape:
        """The first of the shapes of which it has a required field. Raises `MetricsError`."""
        for shape in shapes:
            if self._value(shape.input[0]) is not None or self._value(shape.output[0]) is not None:
                return shape
        wanted = " or ".join(self.name(shape.input[0]) for shape in shapes)
        raise MetricsError(
            f"{shapes[0].name} record: {wanted} is missing in {_described(self._at)}; give the response or its usage"
        )

    def count(self, path: Path) -> int | None:
        """A number of tokens; None if it is missing. Raises `MetricsError` if it is not a number."""
        value = self._value(path)
        return None if value is None else checked_count(self.name(path), value)

    def required(self, path: Path, shape: _Shape) -> int:
        """A number that must be there."""
        found = self.count(path)
        if found is None:
            raise MetricsError(f"{shape.name} record: {self.name(path)} is missing; expected an int of 0 or more")
        return found

    def sum(self, paths: tuple[Path, ...]) -> int:
        """What those add up to that are there."""
        return sum(self.count(path) or 0 for path in paths)

    def either(self, path: Path, other: Path) -> int:
        """A number that may be in either of two places; in both it must be the same."""
        found, beside = self.count(path), self.count(other)
        if found is not None and beside is not None:
            self.agree(path, beside, (other,), unless_zero=True)
        return found or beside or 0

    def agree(self, path: Path, number: int, paths: tuple[Path, ...], *, unless_zero: bool = False) -> None:
        """Raises `MetricsError` unless the field, if it is there, is what the others say."""
        found = self.count(path)
        if found is None or (unless_zero and 0 in (found, number)):
            return
        if found != number:
            others = " + ".join(map(self.name, paths))
            raise MetricsError(f"{self.name(path)} is {found}, but {others} is {number}; they must say the same")

    def has(self, paths: tuple[Path, ...]) -> bool:
        """Whether any of the fields is there."""
        return any(self._value(path) is not None for path in paths)

    def name(self, path: Path) -> str:
        """The way to a field, for errors."""
        return self._root + ".".join(self._spelt(step) for step in path)

    def _value(self, path: Path) -> object:
        found: object = self._at
        for step in path:
            inner = _step(found, step)
            found = _step(found, _camel(step)) if inner is None and self._camel else inner
        return found

    def _spelt(self, step: str) -> str:
        return _camel(step) if self._camel and self._root == "usageMetadata." else step


def _read(usage: _Record, shape: _Shape, *, cached: int | None = None, written: int | None = None) -> Counts:
    """What a record of this shape tells; `cached` and `written` if they were found elsewhere."""
    for path, parts in shape.same:
        if usage.has(parts):
            usage.agree(path, usage.sum(parts), parts)
    first = usage.required(shape.input[0], shape)
    answer = usage.count(shape.output[0]) or 0 if shape.optional_output else usage.required(shape.output[0], shape)
    counts = {
        "input_tokens": first + usage.sum(shape.input[1:]),
        "output_tokens": answer + usage.sum(shape.output[1:]),
        "cached_input_tokens": usage.sum(shape.cached) if cached is None else cached,
        "cache_write_input_tokens": usage.sum(shape.written) if written is None else written,
        "reasoning_output_tokens": usage.sum(shape.reasoning),
    }
    if shape.total:
        parts = (*shape.input, *shape.output)
        there = tuple(path for path in parts if usage.has((path,)))
        usage.agree(shape.total, counts["input_tokens"] + counts["output_tokens"], there)
    return Counts(shape.name, counts)


def _step(at: object, name: str) -> object:
    """The key or attribute `name`; None if there is none."""
    if isinstance(at, Mapping):
        return at.get(name)
    return getattr(at, name, None) if not isinstance(at, str | bytes | int | float | list | tuple) else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _plain(record: object) -> object:
    """An object of a client library as dicts, as its `model_dump` or `to_dict` says."""
    for name in ("model_dump", "to_dict"):
        method = getattr(record, name, None)
        if callable(method) and not isinstance(record, Mapping):
            return method()
    return record


def _described(at: object) -> str:
    if isinstance(at, Mapping):
        keys = ", ".join(sorted(map(str, at))[:8])
        return f"a mapping of {keys}" if keys else "an empty mapping"
    return f"a {type(at).__name__}"
