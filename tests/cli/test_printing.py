"""Whatever a text holds, where it is shown it neither steers the terminal nor passes for another line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import Uniform, simulate
from sim.base.printing import json_text, printable
from sim.cli import call
from sim.cli.options import EXPORTS
from sim.testing.explorer import Explore, ExploreFailure, Settings
from sim.testing.told import replay_text
from tests.cli.nasty import NASTY, acting, system

ROOT = Path(__file__).parents[2]
MODEL = "tests.cli.nasty"
ROUND = str(ROOT / "scenarios/consensus/round.yaml")
NUMBERS = range(1, len(NASTY))
ANY_TEXT = st.text(st.characters(exclude_categories=()))


# --- the rule ---------------------------------------------------------------------------------------


@given(ANY_TEXT)
def test_what_is_printable_is_one_line_and_acts_on_nothing(text: str) -> None:
    shown = printable(text)
    assert acting(shown) == []
    assert "\n" not in shown
    assert printable(shown) == shown
    shown.encode()


@given(ANY_TEXT, st.sampled_from([None, 2]))
def test_json_says_the_same_and_acts_on_nothing(text: str, indent: int | None) -> None:
    written = json_text({text: [text, 1]}, indent=indent)
    assert json.loads(written) == {text: [text, 1]}
    assert acting(written) == []
    assert len(written.split("\n")) == len(json.dumps({"": ["", 1]}, indent=indent).split("\n"))


@pytest.mark.parametrize("text", ["", "ünï 漢字 ▁▂▃ …", "a\\b 'c'", "no\u00a0break", "👩\u200d💻", "نص عربي"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_every_text_of_the_corpus_but_the_first_acts() -> None:
    assert [number for number, text in enumerate(NASTY) if acting(text) or "\n" in text] == list(NUMBERS)


# --- every way out ----------------------------------------------------------------------------------

WAYS = ("run", "run --json", "check", "check --json", "fuzz", "fuzz --json", "status", "status --format openmetrics")
DRAWN = ("mermaid", "svg")


def exits(number: int, fails: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
    """Every text that the model's run, check, fuzz and drawing put out, with the name of the way."""
    folder = folder / str(number)
    folder.mkdir(parents=True)
    file = folder / "nasty.yaml"
    file.write_text(f"model: {MODEL}\nconfig: {{number: {number}, fails: {fails}}}\nexpect: {{verdict: ok}}\n")
    kept = folder / "kept"
    for way in WAYS:
        command, *options = way.split()
        more = ["--out", str(kept), "--html"] if command in ("check", "fuzz") else []
        more += ["--schedules", "3"] if command == "fuzz" else []
        capsys.readouterr()
        assert call([command, str(file), "--model", MODEL, *options, *more]) in (0, 1)
        out, err = capsys.readouterr()
        yield way, out
        yield f"{way}, errors", err
    yield from ((path.suffix, path.read_text("utf-8")) for path in sorted(kept.iterdir()))
    exports = [word for form in EXPORTS for word in ("--export", f"{form}={folder / form}")]
    assert call(["run", str(file), "--model", MODEL, "--html", str(folder / "page.html"), *exports]) == 1
    yield from ((form, (folder / form).read_text("utf-8")) for form in (*EXPORTS, "page.html"))
    for form in DRAWN:
        capsys.readouterr()
        settings = ["--set", f"number={number}"]
        assert call(["draw", MODEL, "--model", MODEL, "--format", form, *settings, "--out", str(folder / form)]) == 0
        yield form, (folder / form).read_text("utf-8")


USUAL: dict[str, list[tuple[str, int]]] = {}
"""How a model fails -> the ways out, and how many lines there are of a harmless text."""


def complaints(number: int, fails: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The ways out on which the text acts, or has another number of lines than a harmless one."""
    if fails not in USUAL:
        USUAL[fails] = [(way, len(text.split("\n"))) for way, text in exits(0, fails, folder, capsys)]
    shown = list(exits(number, fails, folder, capsys))
    lines = [(way, len(text.split("\n"))) for way, text in shown]
    broken = [
        way for (way, ours), (usual, plain) in zip(lines, USUAL[fails], strict=True) if (way, ours) != (usual, plain)
    ]
    return [*broken, *(way for way, text in shown if acting(text))]


@pytest.mark.parametrize("fails", ["monitor", "process", "property"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_nasty_text_of_a_model_comes_out_harmless_everywhere(
    number: int, fails: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaints(number, fails, tmp_path, capsys) == []
    ElementTree.fromstring((tmp_path / str(number) / "svg").read_text("utf-8"))


def test_a_text_that_is_let_through_is_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(0, "process", tmp_path / "usual", capsys)
    monkeypatch.setattr("sim.base.printing.ACTS", re.compile("never"))
    for number in (1, 2):
        found = complaints(number, "process", tmp_path, capsys)
        assert {"run", "check", "fuzz", "svg"} <= {*found}


@pytest.mark.parametrize("text", NASTY[1:])
def test_a_failed_test_says_it_harmlessly(text: str, tmp_path: Path) -> None:
    explore = Explore(Settings(10, 0, tmp_path), "test")
    with pytest.raises(ExploreFailure) as told:
        explore(system, number=NASTY.index(text)).check()
    with pytest.raises(ExploreFailure) as usual:
        explore(system).check()
    assert acting(str(told.value)) == []
    assert str(told.value).count("\n") == str(usual.value).count("\n")
    assert acting(replay_text(simulate(system(NASTY.index(text)), Uniform()))) == []


# --- every mistake ----------------------------------------------------------------------------------

ARGUMENTS = [text.replace("\ud800", "\udcff") for text in NASTY[1:] if "\0" not in text]
"""A command line has no NUL, and of half characters those that stand for bytes."""
MISTAKES: dict[str, Callable[[str], list[str]]] = {
    "scenario": lambda text: ["run", f"{text}.yaml"],
    "model": lambda text: ["check", text],
    "command": lambda text: [text],
    "option": lambda text: ["run", f"--{text}"],
    "choice": lambda text: ["fuzz", "models.paxos", "--strategy", text],
    "number": lambda text: ["fuzz", "models.paxos", "--seed", text],
    "duration": lambda text: ["fuzz", "models.paxos", "--for", text],
    "setting": lambda text: ["check", "models.paxos", "--set", f"{text}=1"],
    "value": lambda text: ["check", "models.paxos", "--set", f"acceptors={text}"],
    "faults": lambda text: ["run", ROUND, "--faults", "drop:1" + text.replace(",", " ")],
    "export": lambda text: ["run", ROUND, "--export", f"mermaid={ROUND}/{text}"],
    "page": lambda text: ["run", ROUND, "--html", f"{ROUND}/{text}"],
    "folder": lambda text: ["check", "models.paxos", "--out", f"{ROUND}/{text}"],
    "record": lambda text: ["status", f"{text}.json"],
    "tree": lambda text: ["surface", text, "sim/base"],
    "name of a tree": lambda text: ["surface", "sim/base", "sim/base", "--name", f"{text}", "--study", f"{text}"],
    "engine": lambda text: ["fuzz", "models.paxos", "--engine", text],
    "project": lambda text: ["new", text],
    "drawing": lambda text: ["draw", "models.paxos", "--only", text],
}


@pytest.mark.parametrize("text", ARGUMENTS)
@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_quotes_a_nasty_text_harmlessly_in_one_line(
    what: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert call(MISTAKES[what](text)) == 2
    out, err = capsys.readouterr()
    assert out == "" or what in ("export", "page")
    lines = [line for line in err.split("\n")[:-1] if not line.startswith("sim: faults are on")]
    assert len(lines) == 1
    assert lines[0].startswith("sim: ")
    assert acting(err) == []


@pytest.mark.parametrize("text", [text for text in ARGUMENTS if "\udcff" not in text])
@pytest.mark.parametrize("command", ["run", "check", "fuzz"])
def test_a_file_whose_name_acts_is_refused_though_it_exists(
    command: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{text}.yaml"
    file.write_text("model: models.paxos\n")
    assert call([command, str(file)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "a file name cannot have control characters; rename it" in err


@pytest.mark.parametrize("text", NASTY[1:])
def test_a_record_is_shown_harmlessly(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", ROUND, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    file = tmp_path / "record.json"
    file.write_text(json.dumps({**record, "scenario": text, "model": text, "verdict": text}))
    usual = 2 if "\ud800" in text else 0
    assert call(["status", str(file)]) == usual
    out, err = capsys.readouterr()
    assert acting(out + err) == []
    assert [line for line in (out + err).split("\n") if line.startswith("verdict")] == []


# --- standard error ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status"),
    [(["-m", "sim", "run", ROUND, "--faults", "duplicate:1"], 0), (["-m", "sim", "run", "nowhere.yaml"], 2)],
)
def test_a_full_standard_error_changes_no_status(words: list[str], status: int) -> None:
    assert ended(words) == status


def test_python_itself_ends_with_another_status_where_standard_error_is_full() -> None:
    assert ended(["-c", "import sys\ntry: print('x', file=sys.stderr)\nexcept OSError: pass"]) == 120


def ended(words: list[str]) -> int:
    """The exit status of a Python whose standard error is a full device."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, *words]
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=full, cwd=ROOT, env=buffered, check=False
        ).returncode
