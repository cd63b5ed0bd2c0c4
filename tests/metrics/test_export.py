"""Exports say what the session says, under the names of the conventions."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as names
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

from sim.metrics import MetricsError, SessionMetrics, TokenUsage
from sim.metrics.cost import CostMeter
from sim.metrics.export import Origin, collect, to_json, to_openmetrics, to_otel
from sim.metrics.prices import PriceTable
from sim.metrics.turns import Turn

from .strategies import HISTORIES, Call, replayed

TURNS = (
    Turn(TokenUsage(1000, 500, cached_input_tokens=200), "gemini", "plan"),
    Turn(TokenUsage(4, 2000, reasoning_output_tokens=50), "gemini", "plan"),
    Turn(TokenUsage(0, 10), "claude", "tasks"),
)
ORIGIN = Origin("roundsim", providers={"gemini": "gcp.gemini"}, models={"gemini": "gemini-2.5-pro"})


def session_of_turns() -> SessionMetrics:
    session = SessionMetrics()
    for number, turn in enumerate(TURNS):
        session.record_turn(turn.usage, agent=turn.agent, stage=turn.stage, latency_ms=100 * number)
    session.record_turn_without_usage(agent="claude", stage="tasks")
    session.record_duplicate_items(3)
    session.record_replay()
    return session


def cost_of_turns() -> CostMeter:
    meter = CostMeter(PriceTable({"gemini-2.5-pro": {"input": 1, "output": 10}}, snapshot=False))
    for turn in TURNS:
        meter.record(turn.usage, model=ORIGIN.models.get(turn.agent, "?"), agent=turn.agent)
    return meter


def samples(text: str) -> dict[str, str]:
    """Sample (name and labels as written) -> value; refuses what is no OpenMetrics line."""
    found = {}
    *lines, eof, end = text.split("\n")
    assert (eof, end) == ("# EOF", "")
    for line in lines:
        if line.startswith("#"):
            assert re.fullmatch(r"# (TYPE|HELP|UNIT) [a-z_]+ .+", line), line
            continue
        label = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
        sample = re.fullmatch(rf"([a-z_]+(?:\{{{label}(?:,{label})*\}})?) ([0-9.]+)", line)
        assert sample, line
        assert sample[1] not in found
        found[sample[1]] = sample[2]
    return found


def otel(session: SessionMetrics, **more: Any) -> dict[str, Any]:
    metrics = collect(session.snapshot(), origin=ORIGIN, **more)
    data = to_otel(metrics, start_unix_ns=5, end_unix_ns=9)
    return {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}


# --- JSON -------------------------------------------------------------------------------------


def test_json_is_the_snapshot_and_the_cost():
    session, cost = session_of_turns(), cost_of_turns()
    told = json.loads(to_json(session.snapshot(), cost))
    assert told.pop("cost") == cost.as_dict()
    assert told == session.snapshot().as_dict()
    assert to_json(session.snapshot()) == to_json(session_of_turns().snapshot())


# --- OpenMetrics ------------------------------------------------------------------------------


def test_openmetrics_has_counts_and_sums_by_agent_stage_and_token_type():
    text = to_openmetrics(collect(session_of_turns().snapshot(), origin=ORIGIN, cost=cost_of_turns()))
    told = samples(text)
    gemini = (
        'gen_ai_operation_name="chat",gen_ai_provider_name="gcp.gemini",'
        'gen_ai_request_model="gemini-2.5-pro",gen_ai_agent_name="gemini",roundsim_stage="plan"'
    )
    assert told[f'gen_ai_client_token_usage_sum{{{gemini},gen_ai_token_type="input"}}'] == "1004"
    assert told[f'gen_ai_client_token_usage_sum{{{gemini},gen_ai_token_type="output"}}'] == "2500"
    assert told[f'gen_ai_client_token_usage_count{{{gemini},gen_ai_token_type="input"}}'] == "2"
    assert told[f'gen_ai_client_token_usage_bucket{{{gemini},gen_ai_token_type="input",le="+Inf"}}'] == "2"
    assert told[f"roundsim_cached_input_tokens_total{{{gemini}}}"] == "200"
    assert told["roundsim_duplicate_items_total"] == "3"
    assert told["roundsim_replay_updates_total"] == "1"
    assert told['roundsim_cost_usd_total{gen_ai_request_model="gemini-2.5-pro"}'] == "0.026004"
    assert told['roundsim_unpriced_turns_total{gen_ai_request_model="?"}'] == "1"


def test_turns_give_the_buckets_that_the_conventions_recommend():
    told = samples(to_openmetrics(collect(session_of_turns().snapshot(), turns=TURNS)))
    inputs = [
        (re.search(r'le="([^"]+)"', name)[1], value)
        for name, value in told.items()
        if name.startswith("gen_ai_client_token_usage_bucket") and "gemini" in name and '"input"' in name
    ]
    assert inputs[:7] == [
        ("1.0", "0"),
        ("4.0", "1"),  # 4 tokens: an upper edge belongs to its bucket
        ("16.0", "1"),
        ("64.0", "1"),
        ("256.0", "1"),
        ("1024.0", "2"),
        ("4096.0", "2"),
    ]
    assert inputs[-2:] == [("67108864.0", "2"), ("+Inf", "2")]


def test_latencies_are_cumulative_seconds():
    told = samples(to_openmetrics(collect(session_of_turns().snapshot())))
    durations = {name: value for name, value in told.items() if "duration" in name}
    assert list(durations.values()) == ["1", "2", "3", "3", "3", "0.300000"]


def test_labels_are_escaped():
    session = SessionMetrics()
    session.record_turn(TokenUsage(1, 1), agent='a"b\\c\nd')
    assert r'gen_ai_agent_name="a\"b\\c\nd"' in to_openmetrics(collect(session.snapshot()))
    samples(to_openmetrics(collect(session.snapshot())))


@given(HISTORIES)
def test_whatever_was_recorded_is_exported_in_full(history: list[Call]):
    session = replayed(history)
    told = samples(to_openmetrics(collect(session.snapshot())))

    def total(prefix: str, having: str = "") -> int:
        return sum(int(v) for name, v in told.items() if name.startswith(prefix) and having in name)

    assert total("gen_ai_client_token_usage_sum", '"input"') == session.running_total.input_tokens
    assert total("gen_ai_client_token_usage_sum", '"output"') == session.running_total.output_tokens
    assert total("roundsim_turns_total") == session.turn_count
    assert total("roundsim_cache_write_input_tokens_total") == (session.running_total.cache_write_input_tokens)


def test_turns_that_do_not_add_up_are_refused():
    snapshot = session_of_turns().snapshot()
    with pytest.raises(MetricsError, match="'claude' in stage 'tasks' do not add up"):
        collect(snapshot, turns=TURNS[:2])
    with pytest.raises(MetricsError, match="'gemini' in stage 'plan' do not add up"):
        collect(snapshot, turns=(*TURNS, TURNS[0]))
    with pytest.raises(MetricsError, match="'new' in stage '' are not in the snapshot"):
        collect(snapshot, turns=(*TURNS, Turn(TokenUsage(1, 1), "new")))


# --- OpenTelemetry ----------------------------------------------------------------------------


def test_token_usage_is_a_histogram_with_the_attributes_of_the_conventions():
    metric = otel(session_of_turns(), turns=TURNS)[gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE]
    assert metric.unit == "{token}"
    points = {
        (point.attributes[names.GEN_AI_AGENT_NAME], point.attributes[names.GEN_AI_TOKEN_TYPE]): point
        for point in metric.data.data_points
    }
    point = points["gemini", "input"]
    assert point.attributes == {
        names.GEN_AI_OPERATION_NAME: "chat",
        names.GEN_AI_PROVIDER_NAME: "gcp.gemini",
        names.GEN_AI_REQUEST_MODEL: "gemini-2.5-pro",
        names.GEN_AI_AGENT_NAME: "gemini",
        names.GEN_AI_TOKEN_TYPE: "input",
        "roundsim.stage": "plan",
    }
    assert (point.count, point.sum, point.min, point.max) == (2, 1004, 4, 1000)
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == point.count
    assert (point.start_time_unix_nano, point.time_unix_nano) == (5, 9)
    assert points["claude", "input"].attributes[names.GEN_AI_PROVIDER_NAME] == "roundsim"


def test_without_turns_sums_and_counts_stand_alone():
    metric = otel(session_of_turns())[gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE]
    point = metric.data.data_points[-1]
    assert (point.count, point.sum, point.explicit_bounds, point.bucket_counts) == (2, 2500, (), (2,))
    assert (point.min, point.max) == (math.inf, -math.inf)  # the SDK's "not recorded"


def test_duration_is_in_seconds_under_its_name():
    metric = otel(session_of_turns())[gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION]
    (point,) = metric.data.data_points
    assert (metric.unit, point.count, point.sum, point.max) == ("s", 3, 0.3, 0.2)
    assert sum(point.bucket_counts) == 3


def test_an_exporter_of_the_sdk_takes_it():
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExportResult

    class Sink:
        written = ""

        def write(self, text: str) -> None:
            self.written += text

        def flush(self) -> None:
            pass

    sink: Any = Sink()
    metrics = collect(session_of_turns().snapshot(), cost=cost_of_turns(), turns=TURNS)
    exporter = ConsoleMetricExporter(out=sink)
    assert exporter.export(to_otel(metrics, start_unix_ns=0, end_unix_ns=1)) is MetricExportResult.SUCCESS
    assert '"gen_ai.client.token.usage"' in sink.written


def test_without_the_sdk_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics", None)
    with pytest.raises(MetricsError, match=r"pip install 'roundsim\[otel\]'"):
        to_otel((), start_unix_ns=0, end_unix_ns=1)
