"""What was recorded of a run: its turns one by one, and what was repeated. Everything else is summed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.latency import microseconds
from sim.metrics.usage import TokenUsage

_LABELS = ("run", "stage", "agent")
_PARTS = ("cached_input_tokens", "cache_write_input_tokens", "reasoning_output_tokens", "total_tokens")


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of a model. `usage` is None if it was not reported; `latency_ms` is None if unknown; `wasted` says why
    its answer did not count, and is None if it did, or if nobody knows."""

    usage: TokenUsage | None
    agent: str = ""
    stage: str = ""
    run: str = ""
    attempt: int = 0
    latency_ms: int | float | None = None
    wasted: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "stage": self.stage,
            "agent": self.agent,
            "attempt": self.attempt,
            "latency_ms": self.latency_ms,
            "wasted": self.wasted,
            "usage": self.usage.as_dict() if self.usage else None,
        }

    @classmethod
    def from_dict(cls, data: object) -> Turn:
        """The turn that `as_dict` gave. Raises `MetricsError` for anything else."""
        keys = {"run", "stage", "agent", "attempt", "latency_ms", "usage"}
        if not isinstance(data, Mapping) or set(data) - {"wasted"} != keys:  # records of 0.1 do not say it
            raise MetricsError(f"a turn must be a mapping of {', '.join(sorted({*keys, 'wasted'}))}")
        for label in _LABELS:
            checked_label(label, data[label])
        checked_count("attempt", data["attempt"])
        if data["latency_ms"] is not None:
            microseconds(data["latency_ms"])
        if data.get("wasted") is not None:
            checked_label("wasted", data["wasted"])
        return cls(**{**data, "usage": None if data["usage"] is None else _usage(data["usage"])})


def _usage(data: object) -> TokenUsage:
    known = ("input_tokens", "output_tokens", *_PARTS)
    if not isinstance(data, Mapping) or not {"input_tokens", "output_tokens"} <= set(data) <= set(known):
        raise MetricsError(f"a usage must be a mapping of {', '.join(known)}; the first two are required")
    return TokenUsage(**data)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run's emissions reported: turns in the order of their emission, and what was repeated."""

    turns: tuple[Turn, ...] = ()
    duplicate_items: int = 0
    replay_updates: int = 0
