"""`TokenUsage`: the tokens of one turn, or the sum of many, as a value that cannot be inconsistent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.metrics.checked import MetricsError, checked_count

if TYPE_CHECKING:
    from sim.metrics.provider_records import Counts

_set = object.__setattr__
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "reasoning_output_tokens",
)


@dataclass(frozen=True, slots=True, init=False)
class TokenUsage:
    """Tokens that one model call used, or a sum of such calls. The unit of every field is one token.

    Every field is an `int` of 0 or more, with no upper bound (Python's integers do not overflow, so
    the saturation that fixed-width counters need has no counterpart here).

    - `input_tokens`: the whole prompt, **including** what was read from or written to a cache.
    - `output_tokens`: the whole answer, **including** reasoning.
    - `cached_input_tokens`: the part of the input that was read from a cache.
    - `cache_write_input_tokens`: the part of the input that was written to a cache; the two parts do
      not overlap, so their sum is at most `input_tokens`.
    - `reasoning_output_tokens`: the part of the output that was reasoning, at most `output_tokens`.
    - `total_tokens`: input + output. It may be left out; a total that says otherwise is refused.

    Providers differ in what they count as input and output; `from_openai` and the others read their records, whole
    responses or the usage in them, objects or dicts, and add up what belongs together.

    Raises `MetricsError` for a negative number, for anything but an `int` (a bool or a float is not
    a count), and for parts larger than their whole.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cache_write_input_tokens: int
    reasoning_output_tokens: int
    total_tokens: int

    def __init__(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        cached_input_tokens: int = 0,
        cache_write_input_tokens: int = 0,
        reasoning_output_tokens: int = 0,
        total_tokens: int | None = None,
    ) -> None:
        counts = (
            input_tokens,
            output_tokens,
            cached_input_tokens,
            cache_write_input_tokens,
            reasoning_output_tokens,
        )
        for name, count in zip(_COUNTS, counts, strict=True):
            if type(count) is not int or count < 0:  # checked inline: a call for each would dominate the cost
                checked_count(name, count)
            _set(self, name, count)
        total = input_tokens + output_tokens
        _set(self, "total_tokens", total)
        if cached_input_tokens + cache_write_input_tokens > input_tokens:
            raise MetricsError(
                f"cached_input_tokens ({cached_input_tokens}) + cache_write_input_tokens "
                f"({cache_write_input_tokens}) exceed input_tokens ({input_tokens}); "
                "input_tokens is the whole prompt, both parts included"
            )
        if reasoning_output_tokens > output_tokens:
            raise MetricsError(
                f"reasoning_output_tokens ({reasoning_output_tokens}) exceed output_tokens "
                f"({output_tokens}); output_tokens is the whole answer, reasoning included"
            )
        if total_tokens is not None and checked_count("total_tokens", total_tokens) != total:
            raise MetricsError(
                f"total_tokens is {total_tokens}, but input_tokens + output_tokens is {total}; "
                "leave the total out or report the parts that it counts"
            )

    # --- from records of providers and libraries: see `sim.metrics.provider_records` -----------

    @classmethod
    def from_openai(cls, record: object) -> TokenUsage:
        """Of a chat completion or a response of OpenAI or who speaks like it, or its `usage`. As all of these, raises
        `MetricsError` that names the field if a number is missing or wrong, or contradicts another."""
        from sim.metrics.provider_records import openai

        return cls._of(openai(record))

    @classmethod
    def from_anthropic(cls, record: object) -> TokenUsage:
        """Of a message of Anthropic, or its `usage`: cache reads and writes, which stand beside, are added to the input."""
        from sim.metrics.provider_records import anthropic

        return cls._of(anthropic(record))

    @classmethod
    def from_gemini(cls, record: object) -> TokenUsage:
        """Of a response of Gemini, or its usage metadata, in camelCase or snake_case: thoughts, which stand beside, are
        added to the output, and prompts of tools to the input."""
        from sim.metrics.provider_records import gemini

        return cls._of(gemini(record))

    @classmethod
    def from_langchain(cls, record: object) -> TokenUsage:
        """Of a message of LangChain, or its `usage_metadata`."""
        from sim.metrics.provider_records import langchain

        return cls._of(langchain(record))

    @classmethod
    def from_litellm(cls, record: object) -> TokenUsage:
        """Of a response of LiteLLM, or its `usage`."""
        from sim.metrics.provider_records import litellm

        return cls._of(litellm(record))

    @classmethod
    def from_otel(cls, record: object) -> TokenUsage:
        """Of a span with `gen_ai.usage.` attributes, or of its attributes."""
        from sim.metrics.provider_records import otel

        return cls._of(otel(record))

    @classmethod
    def from_provider(cls, record: object, provider: str, flavor: str = "default") -> TokenUsage:
        """Of a response of any provider that genai-prices knows (such as `mistral`), by its extractor; `flavor` is the
        kind of interface, such as `chat`. The first use takes 0.5 s of import."""
        from sim.metrics.provider_records import by_genai_prices

        return cls._of(by_genai_prices(record, provider, flavor))

    @classmethod
    def _of(cls, read: Counts) -> TokenUsage:
        try:
            return cls(**read.counts)
        except MetricsError as error:
            raise MetricsError(f"{read.of} record: {error}") from None

    def __add__(self, other: TokenUsage) -> TokenUsage:
        if not isinstance(other, TokenUsage):
            return NotImplemented
        return TokenUsage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            cached_input_tokens=self.cached_input_tokens + other.cached_input_tokens,
            cache_write_input_tokens=self.cache_write_input_tokens + other.cache_write_input_tokens,
            reasoning_output_tokens=self.reasoning_output_tokens + other.reasoning_output_tokens,
        )

    @property
    def non_cached_input(self) -> int:
        """Input tokens that were not read from a cache, 0 or more."""
        return self.input_tokens - self.cached_input_tokens

    @property
    def blended_total(self) -> int:
        """Non-cached input + output: the tokens that had to be computed (the upstream's blend).

        The fork blends the gross input; that number is `total_tokens`.
        """
        return self.non_cached_input + self.output_tokens

    def as_dict(self) -> dict[str, int]:
        """The six fields by name, for JSON."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "cache_write_input_tokens": self.cache_write_input_tokens,
            "reasoning_output_tokens": self.reasoning_output_tokens,
            "total_tokens": self.total_tokens,
        }


NO_USAGE = TokenUsage(0, 0)
"""Zero of everything: what an empty session has used."""
