"""Exports, made after the run from a snapshot: JSON, OpenMetrics text, OpenTelemetry metrics.

Tokens and durations carry the names of OpenTelemetry's GenAI semantic conventions
(`gen_ai.client.token.usage`, `gen_ai.client.operation.duration`, `gen_ai.token.type`, ...); what the conventions do not
name is under `roundsim.`. `collect` gathers everything once; `to_openmetrics` and `to_otel` only write it down, so the
two cannot disagree.

Series are kept by agent and stage. Run and attempt are only in the JSON: as labels they would make a new series of
every run.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from math import inf
from typing import TYPE_CHECKING

from sim.base.printing import printable
from sim.metrics.breakdown import NO_SHARE, Share, Wasted
from sim.metrics.checked import MetricsError
from sim.metrics.latency import LatencySummary, bucket_edges_us
from sim.metrics.prices import EXACT
from sim.metrics.session import SessionSnapshot
from sim.metrics.turns import Turn

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint, MetricsData, NumberDataPoint

    from sim.metrics.cost import CostMeter

TOKEN_BOUNDS = tuple(4**power for power in range(14))
"""The bucket boundaries that the conventions recommend for token counts: 1, 4, 16, ... 67108864."""


class MetricKind(Enum):
    """How the values of a metric behave."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram: `counts` has one more entry than `bounds`, which are inclusive upper edges.

    No bounds: only count and sum are known, and the extremes are (inf, -inf) as in the SDK.
    """

    count: int
    sum: int | Decimal
    bounds: tuple[int | Decimal, ...] = ()
    counts: tuple[int, ...] = ()
    min: int | Decimal | float = inf
    max: int | Decimal | float = -inf


@dataclass(frozen=True, slots=True)
class Point:
    """One series of a metric, with its value."""

    attributes: Mapping[str, str]
    value: int | Decimal | Distribution


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric under its OpenTelemetry name; `unit` is UCUM (`s`) or an annotation (`{token}`)."""

    name: str
    kind: MetricKind
    unit: str
    help: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the conventions ask about a call and a session does not know.

    `providers` and `models` are by agent; an agent that is not in `providers` has `provider`. Use the conventions'
    names where they exist (`openai`, `anthropic`, `gcp.gemini`).
    """

    provider: str = "unknown"
    operation: str = "chat"
    providers: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    def attributes(self, agent: str, stage: str) -> dict[str, str]:
        """The attributes of a series; labels that were not given are left out."""
        named = {
            "gen_ai.operation.name": self.operation,
            "gen_ai.provider.name": self.providers.get(agent, self.provider),
            "gen_ai.request.model": self.models.get(agent, ""),
            "gen_ai.agent.name": agent,
            "roundsim.stage": stage,
        }
        return {name: value for name, value in named.items() if value}


def to_json(snapshot: SessionSnapshot, cost: CostMeter | None = None) -> str:
    """The snapshot, and the cost under `cost`, as one JSON object with sorted keys; amounts are strings."""
    whole = snapshot.as_dict()
    if cost is not None:
        whole["cost"] = cost.as_dict()
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, allow_nan=False)


def collect(
    snapshot: SessionSnapshot,
    *,
    origin: Origin | None = None,
    cost: CostMeter | None = None,
    turns: Iterable[Turn] | None = None,
) -> tuple[Metric, ...]:
    """Every metric of a session.

    A session keeps the sum of its tokens, not their distribution, which would double the cost of recording. If you have
    the turns (a trace), pass them, and the token histograms get buckets. Raises `MetricsError` if they do not add up to
    the snapshot.
    """
    origin = origin or Origin()
    series: dict[tuple[str, str], Share] = {}
    for row in snapshot.billed:
        key = (row.agent, row.stage)
        series[key] = series.get(key, NO_SHARE) + row.share
    series = dict(sorted(series.items()))
    metrics = [_token_usage(series, origin, turns), *_parts(series, origin)]
    metrics += [
        _plain("roundsim.duplicate_items", "{item}", "Items dropped as duplicates", snapshot.duplicate_items),
        _plain("roundsim.replay_updates", "{update}", "Updates that were replays", snapshot.replay_updates),
        _plain(
            "roundsim.estimated_next_prompt_tokens",
            "{token}",
            "Non-cached input that the next prompt will probably have",
            snapshot.estimated_next_prompt_tokens,
            MetricKind.GAUGE,
        ),
    ]
    if snapshot.wasted:
        metrics.append(_waste(snapshot.wasted))
    if snapshot.latency.count:
        metrics.append(_duration(snapshot.latency, origin))
    if cost is not None:
        metrics += _cost(cost)
    return tuple(metrics)


def _plain(name: str, unit: str, text: str, value: int, kind: MetricKind = MetricKind.COUNTER) -> Metric:
    return Metric(name, kind, unit, text, (Point({}, value),))


def _token_usage(series: Mapping[tuple[str, str], Share], origin: Origin, turns: Iterable[Turn] | None) -> Metric:
    sizes = None if turns is None else _sizes(turns)
    points = []
    for (agent, stage), share in series.items():
        for token_type in ("input", "output"):
            total = getattr(share.usage, f"{token_type}_tokens")
            known = Distribution(share.turns - share.unreported, total)
            if sizes is not None:
                measured = sizes.pop((agent, stage, token_type), Distribution(0, 0))
                if (measured.count, measured.sum) != (known.count, known.sum):
                    raise MetricsError(
                        f"the turns of agent {agent!r} in stage {stage!r} do not add up to the snapshot: "
                        f"{measured.sum} {token_type} tokens in {measured.count} turns, "
                        f"expected {known.sum} in {known.count}"
                    )
                known = measured
            if known.count:
                attributes = {**origin.attributes(agent, stage), "gen_ai.token.type": token_type}
                points.append(Point(attributes, known))
    if sizes:
        agent, stage, _ = min(sizes)
        raise MetricsError(f"turns of agent {agent!r} in stage {stage!r} are not in the snapshot")
    return Metric("gen_ai.client.token.usage", MetricKind.HISTOGRAM, "{token}", "Tokens used per call", tuple(points))


def _sizes(turns: Iterable[Turn]) -> dict[tuple[str, str, str], Distribution]:
    counted: dict[tuple[str, str, str], list[int]] = {}
    for turn in turns:
        if turn.usage is None:
            continue
        counted.setdefault((turn.agent, turn.stage, "input"), []).append(turn.usage.input_tokens)
        counted.setdefault((turn.agent, turn.stage, "output"), []).append(turn.usage.output_tokens)
    return {key: _distribution(tokens) for key, tokens in counted.items()}


def _distribution(tokens: list[int]) -> Distribution:
    counts = [0] * (len(TOKEN_BOUNDS) + 1)
    for count in tokens:
        counts[bisect_left(TOKEN_BOUNDS, count)] += 1
    return Distribution(len(tokens), sum(tokens), TOKEN_BOUNDS, tuple(counts), min(tokens), max(tokens))


def _parts(series: Mapping[tuple[str, str], Share], origin: Origin) -> list[Metric]:
    """Parts of the input and output: separate metrics, since as further token types they would be counted twice in a
    sum over the types."""
    parts: dict[str, tuple[str, str]] = {
        "cached_input_tokens": ("{token}", "Input tokens read from a cache"),
        "cache_write_input_tokens": ("{token}", "Input tokens written to a cache"),
        "reasoning_output_tokens": ("{token}", "Output tokens that were reasoning"),
        "turns": ("{turn}", "Turns, those without usage included"),
        "unreported": ("{turn}", "Turns that did not report their usage"),
    }
    metrics = []
    for part, (unit, text) in parts.items():
        points = tuple(
            Point(
                origin.attributes(agent, stage),
                getattr(share.usage if unit == "{token}" else share, part),
            )
            for (agent, stage), share in series.items()
        )
        name = "roundsim.unreported_turns" if part == "unreported" else f"roundsim.{part}"
        metrics.append(Metric(name, MetricKind.COUNTER, unit, text, points))
    return metrics


def _waste(wasted: Iterable[Wasted]) -> Metric:
    points = [
        Point({"gen_ai.agent.name": row.agent, "roundsim.reason": row.reason}, row.share.usage.total_tokens)
        for row in wasted
    ]
    text = "Tokens of answers that did not count; part of the others"
    return Metric("roundsim.wasted_tokens", MetricKind.COUNTER, "{token}", text, tuple(points))


def _duration(latency: LatencySummary, origin: Origin) -> Metric:
    """In seconds. The bounds are the edges of the buckets in use, so nothing is interpolated."""
    seconds = [EXACT.scaleb(Decimal(bucket_edges_us(index)[1]), -6) for index, _ in latency.buckets]
    value = Distribution(
        latency.count,
        EXACT.scaleb(Decimal(latency.sum_us), -6),
        tuple(seconds),
        (*(count for _, count in latency.buckets), 0),
        EXACT.scaleb(Decimal(latency.min_us), -6),
        EXACT.scaleb(Decimal(latency.max_us), -6),
    )
    point = Point(origin.attributes("", ""), value)
    return Metric("gen_ai.client.operation.duration", MetricKind.HISTOGRAM, "s", "How long a call took", (point,))


def _cost(cost: CostMeter) -> list[Metric]:
    by_model = [({"gen_ai.request.model": model}, share) for model, share in cost.by_model().items()]
    return [
        Metric(
            "roundsim.cost",
            MetricKind.COUNTER,
            "USD",
            "Cost of the calls whose model has a price",
            tuple(Point(attributes, share.usd) for attributes, share in by_model),
        ),
        Metric(
            "roundsim.unpriced_turns",
            MetricKind.COUNTER,
            "{turn}",
            "Calls whose model has no known price",
            tuple(Point(attributes, share.unknown_turns) for attributes, share in by_model),
        ),
    ]


# --- OpenMetrics ------------------------------------------------------------------------------

_UNIT_NAMES = {"s": "seconds", "USD": "usd"}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def to_openmetrics(metrics: Iterable[Metric]) -> str:
    """OpenMetrics 1.0 text, for a file or a scrape; dots become underscores, amounts stay exact."""
    lines: list[str] = []
    for metric in metrics:
        unit = _UNIT_NAMES.get(metric.unit)
        name = metric.name.replace(".", "_") + (f"_{unit}" if unit else "")
        lines.append(f"# TYPE {name} {metric.kind.value}")
        if unit:
            lines.append(f"# UNIT {name} {unit}")
        lines.append(f"# HELP {name} {metric.help}")
        suffix = "_total" if metric.kind is MetricKind.COUNTER else ""
        for point in metric.points:
            if isinstance(point.value, Distribution):
                lines += _histogram_lines(name, point.attributes, point.value)
            else:
                lines.append(f"{name}{suffix}{_labels(point.attributes)} {_number(point.value)}")
    return "\n".join([*lines, "# EOF", ""])


def _histogram_lines(name: str, attributes: Mapping[str, str], value: Distribution) -> list[str]:
    lines = []
    upto = 0
    for bound, count in zip(value.bounds, value.counts, strict=False):
        upto += count
        lines.append(f"{name}_bucket{_labels({**attributes, 'le': str(float(bound))})} {upto}")
    labels = _labels(attributes)
    lines.append(f"{name}_bucket{_labels({**attributes, 'le': '+Inf'})} {value.count}")
    lines.append(f"{name}_count{labels} {value.count}")
    lines.append(f"{name}_sum{labels} {_number(value.sum)}")
    return lines


def _labels(attributes: Mapping[str, str]) -> str:
    pairs = [f'{name.replace(".", "_")}="{_label(text)}"' for name, text in attributes.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _label(text: str) -> str:
    """A line break has an escape of its own in OpenMetrics; what else acts on a terminal has none."""
    return "\n".join(map(printable, text.split("\n"))).translate(_ESCAPES)


def _number(value: int | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


# --- OpenTelemetry ----------------------------------------------------------------------------


def to_otel(metrics: Iterable[Metric], *, start_unix_ns: int, end_unix_ns: int) -> MetricsData:
    """The SDK's data model, ready for any of its metric exporters (`exporter.export(data)`).

    The instants, in nanoseconds since 1970, are those of the run: this package reads no clock. Amounts of money become
    floats here, because the model has no decimals; in the JSON they are exact. Requires the extra `otel`; raises
    `MetricsError` if it is not installed.
    """
    try:
        from opentelemetry.sdk.metrics import export as sdk
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    except ImportError as error:
        raise MetricsError("the OpenTelemetry SDK is not installed; pip install 'roundsim[otel]'") from error

    cumulative = sdk.AggregationTemporality.CUMULATIVE

    def numbers(metric: Metric) -> list[NumberDataPoint]:
        return [
            sdk.NumberDataPoint(dict(point.attributes), start_unix_ns, end_unix_ns, _float_or_int(point.value))
            for point in metric.points
            if not isinstance(point.value, Distribution)
        ]

    def histograms(metric: Metric) -> list[HistogramDataPoint]:
        return [
            sdk.HistogramDataPoint(
                attributes=dict(point.attributes),
                start_time_unix_nano=start_unix_ns,
                time_unix_nano=end_unix_ns,
                count=point.value.count,
                sum=_float_or_int(point.value.sum),
                bucket_counts=point.value.counts or (point.value.count,),
                explicit_bounds=tuple(float(bound) for bound in point.value.bounds),
                min=float(point.value.min),
                max=float(point.value.max),
            )
            for point in metric.points
            if isinstance(point.value, Distribution)
        ]

    def data(metric: Metric) -> sdk.Histogram | sdk.Gauge | sdk.Sum:
        if metric.kind is MetricKind.HISTOGRAM:
            return sdk.Histogram(histograms(metric), cumulative)
        if metric.kind is MetricKind.GAUGE:
            return sdk.Gauge(numbers(metric))
        return sdk.Sum(numbers(metric), cumulative, is_monotonic=True)

    written = [sdk.Metric(metric.name, metric.help, metric.unit, data(metric)) for metric in metrics]
    scope = sdk.ScopeMetrics(InstrumentationScope("roundsim"), written, schema_url="")
    return sdk.MetricsData([sdk.ResourceMetrics(Resource({}), [scope], schema_url="")])


def _float_or_int(value: int | Decimal) -> int | float:
    return float(value) if isinstance(value, Decimal) else value
