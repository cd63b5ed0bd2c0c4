"""`TokenUsage`: the tokens of one turn, or the sum of many, as a value that cannot be inconsistent."""

from __future__ import annotations

from dataclasses import dataclass

from sim.base.errors import SimError

_set = object.__setattr__
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "reasoning_output_tokens",
)


class MetricsError(SimError, ValueError):
    """A number or label that no metric accepts; its reporter is at fault.

    Also a `ValueError`, because callers in production code know nothing of `SimError`.
    """


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

    A provider that reports cache reads beside the input (Anthropic) or reasoning beside the output
    (Gemini) must be added up by the code that reads its answer; this type does not guess conventions.

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


def checked_count(name: str, count: object) -> int:
    """`count` itself if it is an `int` (no bool) of 0 or more; `MetricsError` naming it otherwise."""
    if type(count) is not int:
        raise MetricsError(f"{name} is {count!r} ({type(count).__name__}); expected an int of 0 or more")
    if count < 0:
        raise MetricsError(f"{name} is {count}; expected 0 or more")
    return count


def checked_label(label: str, name: object) -> None:
    """Raise `MetricsError` unless `name`, the value of `label`, is a str: tables are sorted by it."""
    if type(name) is not str:
        raise MetricsError(f"{label} is {name!r} ({type(name).__name__}); expected a str")


NO_USAGE = TokenUsage(0, 0)
"""Zero of everything: what an empty session has used."""
