"""What agents use and coordinators repeat, as emissions: the metrics of a run are counted from these.

They are in the trace whether they are counted or not, so that counting cannot change a digest. A duplicate needs no
separate emission: it is an input `Rejected` as `duplicate`.
"""

from __future__ import annotations

from sim.base.values import Emission, Value
from sim.metrics import TokenUsage


class Used(Emission):
    """One call of a language model was paid for: by whom, for what, and how many tokens it took.

    Emit it in the step that makes the answer, before the answer is sent: a crash in between loses the answer but not
    the bill. The labels are those of the question, whatever is current when the answer arrives; `agent` is the name of
    the process that used the tokens, `attempt` counts from 1. Tokens are those of `TokenUsage`; input and output both
    None say that the call did not report them. Raises `MetricsError` for numbers that no call can have.
    """

    run: str
    stage: str
    agent: str
    attempt: int
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    reasoning_output_tokens: int = 0

    def __post_init__(self) -> None:
        _ = self.usage  # refuses what is inconsistent, in the handler that emits it

    @property
    def usage(self) -> TokenUsage | None:
        """The tokens as a value; None if they were not reported."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return TokenUsage(
            self.input_tokens,  # type: ignore[arg-type]  # one None alone is refused there, by name
            self.output_tokens,  # type: ignore[arg-type]
            cached_input_tokens=self.cached_input_tokens,
            cache_write_input_tokens=self.cache_write_input_tokens,
            reasoning_output_tokens=self.reasoning_output_tokens,
        )


class Replayed(Emission):
    """An update was sent again as a whole; `key` says which."""

    key: Value
