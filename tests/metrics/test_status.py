"""`sim status`, `sim run` with and without metrics, and `sim bench metrics`, as they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call
from sim.metrics import SessionMetrics, TokenUsage
from sim.metrics.of_run import RunMetrics
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed
from sim.report.metrics import latency_histogram, sparkline, status_lines, summary_lines

ROOT = Path(__file__).parents[2]
METERED = str(ROOT / "scenarios" / "consensus" / "metered.yaml")
Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *argv: str, status: int = 0) -> str:
    capsys.readouterr()
    assert call(list(argv)) == status
    out, err = capsys.readouterr()
    return out if status in (0, 1) else err


def data(capsys: Capture, *argv: str) -> Any:
    return json.loads(said(capsys, *argv, "--json"))


@pytest.fixture
def record(tmp_path: Path, capsys: Capture) -> Path:
    path = tmp_path / "run.json"
    path.write_text(said(capsys, "run", METERED, "--json"))
    return path


def test_run_with_metrics_and_without_differ_in_nothing_but_the_metrics(capsys: Capture) -> None:
    with_, without = data(capsys, "run", METERED), data(capsys, "run", METERED, "--no-metrics")
    metrics, none = with_.pop("metrics"), without.pop("metrics")
    assert with_ == without
    assert with_["digest"]
    assert none == {"enabled": False, **{key: metrics[key] for key in ("sent", "delivered", "handler_calls")}}
    assert metrics["enabled"]
    text = said(capsys, "run", METERED)
    lines = said(capsys, "run", METERED, "--no-metrics").splitlines()
    assert [line for line in text.splitlines() if line not in lines] == [
        line
        for line in text.splitlines()
        if line.startswith(("tokens", "agents", "wasted", "repeated", "next", "context", "latency", "cost", "BUDGET"))
    ]


def test_the_summary_of_a_run_says_all_that_it_owes(capsys: Capture) -> None:
    lines = said(capsys, "run", METERED).splitlines()
    for line in (
        "tokens      8,500 in (1,500 cached), 3,500 out, 12,000 in all; 7 turns",
        "agents      claude 5,000, gemini 3,500, gpt_pro 3,500",
        "wasted      1 answer that did not count, 1,500 tokens, 0.0105 USD: claude 1,500 (stale)",
        "repeated    1 duplicate rejected, 0 updates replayed",
        "next prompt about 1,000 prompt tokens, by the last 3 prompts",
        "context     1.2% of 128,000 tokens filled by the last prompt",
        "BUDGET      warning: 0.044775 of 0.05 USD spent (80 % reached)",
    ):
        assert line in lines
    assert any(line.startswith("cost  ") and line.endswith("89.6% of the budget of 0.05 USD") for line in lines)
    assert "context window" not in said(capsys, "run", str(ROOT / "scenarios" / "consensus" / "round.yaml"))


@pytest.mark.parametrize(
    ("duplicates", "replays", "line"),
    [
        (3, 0, "WARNING     3 duplicate items dropped so far: the session may be looping"),
        (3, 4, "CRITICAL    4 updates replayed so far: the session may be looping"),
    ],
)
def test_a_run_and_its_status_warn_of_a_loop(duplicates: int, replays: int, line: str) -> None:
    metrics = RunMetrics(MetricsSettings(), Observed((), duplicates, replays))
    assert line in list(summary_lines(metrics))
    assert line in list(status_lines(metrics))


def test_the_file_may_switch_metrics_off_and_the_command_line_on(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "off.yaml"
    file.write_text("model: models.consensus\nmetrics: {enabled: false}\n")
    assert data(capsys, "run", str(file))["metrics"]["enabled"] is False
    assert data(capsys, "run", str(file), "--metrics")["metrics"]["turn_count"] > 0


def test_status_and_run_say_the_same_numbers(capsys: Capture) -> None:
    run, status = data(capsys, "run", METERED), data(capsys, "status", METERED)
    assert {key: run["metrics"][key] for key in status["metrics"]} == status["metrics"]
    metrics = status["metrics"]
    assert metrics["running_total"]["input_tokens"] == 4 * 1000 + 3 * 1500
    assert metrics["running_total"]["output_tokens"] == 7 * 500
    assert {agent: share["turns"] for agent, share in metrics["by_agent"].items()} == {
        "claude": 3,
        "gemini": 2,
        "gpt_pro": 2,
    }
    assert metrics["duplicate_items"] == 1
    assert metrics["context"]["utilisation"] == 1500 / 128_000
    assert metrics["cost"]["total"]["unknown_turns"] == 2
    assert metrics["cost"]["projected"]["turns"] == 5
    budget = metrics["cost"]["budget"]
    assert (budget["left_usd"], budget["utilisation"]) == ("0.005225", 0.8955)


def test_the_status_of_a_record_is_that_of_its_run(
    record: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in ("text", "json", "openmetrics", "otel"):
        ours = said(capsys, "status", METERED, "--format", form)
        assert said(capsys, "status", str(record), "--format", form) == ours
        with record.open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            assert said(capsys, "status", "-", "--format", form) == ours


def test_exports_name_what_the_conventions_name(capsys: Capture) -> None:
    text = said(capsys, "status", METERED, "--format", "openmetrics")
    assert 'gen_ai_client_token_usage_bucket{gen_ai_operation_name="chat"' in text
    assert text.endswith("# EOF\n")
    otel = json.loads(said(capsys, "status", METERED, "--format", "otel"))
    scope = otel["resource_metrics"][0]["scope_metrics"][0]
    assert {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"} <= {m["name"] for m in scope["metrics"]}


def test_several_recorded_runs_are_shown_one_after_the_other(tmp_path: Path, capsys: Capture) -> None:
    record = tmp_path / "runs.json"
    record.write_text(said(capsys, "run", METERED, METERED, "--json"))
    assert said(capsys, "status", str(record)).count("tokens  ") == 2
    assert len(data(capsys, "status", str(record))["runs"]) == 2
    assert "2 runs cannot share one openmetrics text" in said(
        capsys, "status", str(record), "--format", "openmetrics", status=2
    )


def test_a_model_without_agents_has_nothing_to_show(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("model: models.two_phase_commit\n")
    assert "cost        nothing: no agent reported what it used" in said(capsys, "status", str(file))
    assert "tokens  " not in said(capsys, "run", str(file))


def test_the_status_of_a_program_s_session(tmp_path: Path, capsys: Capture) -> None:
    session = SessionMetrics()
    session.record_turn(TokenUsage(1000, 200), agent="gemini", stage="plan", latency_ms=1200)
    session.record_turn(TokenUsage(1000, 300), agent="claude", stage="plan", latency_ms=900, wasted="late")
    file = tmp_path / "session.json"
    file.write_text(json.dumps(session.to_dict()))
    lines = said(capsys, "status", str(file)).splitlines()
    assert lines[0] == f"{file}: a session of 2 turns"
    assert "tokens      2,000 in, 500 out, 2,500 in all; 2 turns" in lines
    assert "wasted      1 answer that did not count, 1,300 tokens: claude 1,300 (late)" in lines
    assert "claude     late         1  1,000       0     300          0  1,300" in lines
    found = data(capsys, "status", str(file))
    assert (found["session"], found["metrics"]) == (str(file), session.snapshot().as_dict())
    assert "roundsim_turns_total" in said(capsys, "status", str(file), "--format", "openmetrics")
    assert "use --format openmetrics" in said(capsys, "status", str(file), "--format", "otel", status=2)


def test_a_session_that_was_changed_is_refused_by_its_field(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "session.json"
    file.write_text(json.dumps({**SessionMetrics().to_dict(), "turn_count": 1}))
    told = said(capsys, "status", str(file), status=2)
    assert told == f"sim: {file}: turn_count is 1, but the rows of billed have 0 turns\n"


def test_a_record_of_an_earlier_version_says_nothing_of_waste_and_is_read(record: Path, capsys: Capture) -> None:
    whole = json.loads(record.read_text())
    del whole["metrics"]["wasted"]
    for turn in whole["metrics"]["turns"]:
        del turn["wasted"]
    record.write_text(json.dumps(whole))
    assert "wasted      nothing: every answer counted" in said(capsys, "status", str(record))


def test_waste_that_the_turns_do_not_bear_out_is_refused(record: Path, capsys: Capture) -> None:
    whole = json.loads(record.read_text())
    whole["metrics"]["wasted"] = []
    record.write_text(json.dumps(whole))
    assert "the record was changed: its wasted" in said(capsys, "status", str(record), status=2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "is not JSON"),
        ("[]", "is not the record of a run"),
        ('{"runs": []}', "is not the record of a run"),
        ('{"scenario": 3}', "is not the record of a run"),
        ('{"a": NaN}', "is not JSON (NaN is not a JSON number)"),
        ("[" * 100_000, "is not JSON"),
        (r'{"scenario": "\ud800"}', "contains a lone surrogate"),
    ],
)
def test_what_is_no_record_is_one_line(text: str, line: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    err = said(capsys, "status", str(path), status=2)
    assert line in err
    assert err.count("\n") == 1


def test_a_record_that_was_changed_or_not_measured_is_refused(record: Path, capsys: Capture) -> None:
    whole = json.loads(record.read_text())
    whole["metrics"]["cost"]["total"]["usd"] = "0"
    record.write_text(json.dumps(whole))
    assert "the record was changed: its cost" in said(capsys, "status", str(record), status=2)
    whole["metrics"] = {"enabled": False}
    record.write_text(json.dumps(whole))
    assert "the run was not measured" in said(capsys, "status", str(record), status=2)
    for option in (("--seed", "1"), ("--set", "agents=3"), ("--model", "shop")):
        assert "--seed, --set and --model do not apply to it" in said(capsys, "status", str(record), *option, status=2)
    assert "cannot be read: No such file" in said(capsys, "status", str(record) + ".json", status=2)
    assert "give one" in said(capsys, "status", METERED, "--json", "--format", "otel", status=2)


def test_prices_are_those_of_the_epoch_of_the_scenario(tmp_path: Path, capsys: Capture) -> None:
    def cost(epoch: str) -> Any:
        file = tmp_path / "o3.yaml"
        file.write_text(f"model: models.consensus\nepoch: {epoch}\nmetrics: {{models: {{gemini: o3}}}}\n")
        return data(capsys, "status", str(file))["metrics"]["cost"]

    before, later = cost("2025-01-01T00:00:00Z"), cost("2026-01-01T00:00:00Z")
    assert before["prices"]["o3"]["as_of"] == "2025-01-01T00:00:00+00:00"
    assert later["prices"]["o3"]["as_of"] == "2026-01-01T00:00:00+00:00"
    assert before["by_model"]["o3"]["usd"] != later["by_model"]["o3"]["usd"]


def test_a_missed_expectation_is_the_status_of_status(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "off.yaml"
    file.write_text("model: models.consensus\nexpect: {emitted: {Used: 99}}\n")
    assert "NOT as expected" in said(capsys, "status", str(file), status=1)


def test_the_figures_of_bench_metrics(capsys: Capture) -> None:
    found = data(capsys, "bench", "metrics", "--rounds", "2", "--runs", "2", "--turns", "2000", "--limit", "10000")
    assert found["ratio_run"] > 0
    assert found["ratio_record_turn"] > 0
    assert (found["turns_few"], found["turns_many"], found["run_rounds"]) == (1000, 2000, 2)
    assert found["run"]["turns"] > 20
    assert found["run"]["digest"]
    assert found["measured_on"]["python"]


def test_sparklines_and_histograms() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([0, 50, 100]) == "▁▄█"
    assert len(sparkline(range(1000))) == 40  # type: ignore[arg-type]
    from sim.metrics.latency import LatencyHistogram

    histogram = LatencyHistogram()
    assert latency_histogram(histogram.summary()) == ""
    for us in (1000, 1000, 5000):
        histogram.add_us(us)
    assert latency_histogram(histogram.summary()) == "█▁▁▄"


def test_the_page_and_the_exports_tell_of_waste_too(tmp_path: Path, capsys: Capture) -> None:
    page = tmp_path / "run.html"
    said(capsys, "run", METERED, "--html", str(page))
    assert "1 answer that did not count, 1,500 tokens, 0.0105 USD" in page.read_text()
    told = said(capsys, "status", METERED, "--format", "openmetrics")
    assert 'roundsim_wasted_tokens_total{gen_ai_agent_name="claude",roundsim_reason="stale"} 1500\n' in told
    without = said(capsys, "status", str(Path(METERED).parent / "r1_stale_ack.yaml"), "--format", "openmetrics")
    assert "wasted" not in without
