"""A campaign as a user meets it: output, exit statuses, progress, the picker, ctrl-C."""

from __future__ import annotations

import io
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from sim.campaign import sessions
from sim.cli import call, campaigns
from tests.campaign.conftest import here  # noqa: F401  a fixture
from tests.campaign.toys import (
    a_campaign,
    inline,
    interrupt_at,
    open_store,
    sim,
    sim_json,
    start,
    stored,
    write_toy,
)
from tests.documents import comparable


def test_the_text_of_a_campaign_is_that_of_a_fuzz_with_its_session(tmp_path: Path) -> None:
    write_toy(tmp_path)
    words = ("fuzz", "dice", "--set", "sound=true", "--schedules", "60", "--strategy", "uniform")
    _, plain, _ = sim(tmp_path, *words)
    status, shared, err = sim(tmp_path, *words, "--workers", "2")
    assert (status, err) == (0, "")
    *head, tail = shared.splitlines()
    assert tail == "session 1: done, 60 of 60 schedules"
    assert head[4] == "session   1, no branch (no git repository); local, 2 workers, chunks of 4"

    assert comparable("\n".join([*head[:4], *head[5:]])) == comparable(plain)


def test_a_campaign_that_stops_tells_what_a_fuzz_tells(tmp_path: Path) -> None:
    write_toy(tmp_path)
    _, plain, _ = sim(tmp_path, "fuzz", "dice")
    written = (tmp_path / "counterexamples" / "dice-crossed.yaml").read_text()
    status, shared, _ = sim(tmp_path, "fuzz", "dice", "--workers", "2")
    assert status == 1
    assert plain.partition("\n\n")[2].partition("\n")[2] in shared
    assert shared.endswith("session 1: stopped at its first violation; sim status 1 shows it again\n")
    assert (tmp_path / "counterexamples" / "dice-crossed.yaml").read_text() == written
    _, told, _ = sim(tmp_path, "status", "1")
    assert plain[plain.index("VIOLATED") : plain.index("written to")].rstrip() in told


def test_the_contracted_keys_are_there_and_the_session_beside_them(tmp_path: Path) -> None:
    write_toy(tmp_path)
    _, plain = sim_json(tmp_path, "fuzz", "dice")
    _, shared = sim_json(tmp_path, "fuzz", "dice", "--workers", "1")
    assert plain.keys() < shared.keys()
    assert plain["found"] == shared["found"]
    assert shared["session"].keys() >= {"id", "state", "branch", "schedules", "of", "findings", "active"}
    assert shared["usage"]["runs"] == 1


def test_the_tokens_and_the_cost_of_sampled_runs_are_kept(tmp_path: Path) -> None:
    (tmp_path / "priced.yaml").write_text(
        "model: models.consensus\nmetrics:\n  models: {gemini: mine, claude: mine}\n"
        "  prices: {mine: {input: '1', output: '2'}}\n"
    )
    _, data = sim_json(tmp_path, "fuzz", "priced.yaml", "--workers", "1", "--schedules", "40", "--chunk", "4")
    used = data["usage"]
    assert (used["runs"], used["turns"] > 10, used["usd_known"]) == (10, True, True)
    assert used["input_tokens"] == 2 * used["output_tokens"] == 1_000 * used["turns"]
    assert float(used["usd"]) == pytest.approx(used["turns"] * 0.002)
    _, told = sim_json(tmp_path, "status", "1")
    assert told["parts"][0]["usage"] == used


def test_ctrl_c_keeps_what_was_recorded_and_says_how_to_go_on(tmp_path: Path) -> None:
    write_toy(tmp_path)
    words = ("fuzz", "dice", "--set", "sound=true", "--schedules", "1000000", "--chunk", "10", "--workers", "2")
    child = start(tmp_path, *words)
    while not (tmp_path / ".sim" / "sessions.sqlite").exists() or not _chunks(tmp_path):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, "")
    assert "INTERRUPTED  results so far" in out
    done = _chunks(tmp_path)
    assert out.endswith(f"session 1: open, {10 * done:,} of 1,000,000 schedules; resume it with: sim resume 1\n")


def _chunks(folder: Path) -> int:
    try:
        return int(stored(folder, "SELECT count(*) FROM chunk")[0][0])
    except Exception:  # it is just being made
        return 0


def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    here: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("CI", raising=False)
    with open_store(here) as store:
        for quiet, shown in ((False, True), (True, False)):
            with campaigns._progress(quiet) as progress:
                assert (progress is not None) == shown
                a_campaign(store, here).run(inline(), progress=progress)
        monkeypatch.setenv("CI", "1")
        with campaigns._progress(False) as progress:
            assert progress is None
    for part in ("schedules/s", "steps/s", "states", "2 findings", "100/100", "left"):
        assert part in screen.getvalue()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_session_is_picked_from_a_list_on_a_terminal(
    here: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_store(here) as store:
        for seed in (1, 2):
            a_campaign(store, here, seed=seed).run(inline(interrupt_at(20)))
        asked: dict[str, Any] = {"picks": None}

        def pick(found: list[Any], cells: Any, head: Any, spare: Any) -> Any:
            asked.update(found=found, rows=[dict(zip(head, cells(one), strict=True)) for one in found])
            return None if asked["picks"] is None else found[asked["picks"]]

        monkeypatch.setattr("sim.cli.resume.resume_picker", pick)
        monkeypatch.setattr("sim.cli.resume.can_pick", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        assert call(["resume"]) == 130
        asked["picks"] = 1
        assert call(["resume", "--workers", "1"]) == 1
        assert "session 1: done, 100 of 100 schedules" in capsys.readouterr().out
        assert [one.id for one in asked["found"]] == [2, 1]
        assert [(row["seed"], row["state"]) for row in asked["rows"]] == [("2", "open"), ("1", "open")]
        assert call(["resume"]) == 0  # the one that is done has moved down, though it was active last
        assert [(row["id"], row["state"]) for row in asked["rows"]] == [("2", "open"), ("1", "done")]
        assert sessions.session(store, 2).state == "open"
