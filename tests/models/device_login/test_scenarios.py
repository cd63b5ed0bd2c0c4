"""Every scenario of the device login runs as it says, and each fault stands beside the same world without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from models.device_login import system
from sim.cli import call

FOLDER = Path(__file__).parents[3] / "scenarios" / "device_login"
FILES = sorted(FOLDER.glob("*.yaml"))
FAULTY = [path for path in FILES if path.stem.endswith(("-planted", "-permanent", "-retries", "-reference"))]


def read(path: Path) -> dict[str, object]:
    found: dict[str, object] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_runs_as_it_expects(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", str(path), "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert run["as_expected"] is True
    assert run["verdict"] == ("violated" if path in FAULTY else "ok")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_header_says_in_two_sentences_what_happens_and_why_it_matters(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("# ")][1:]
    assert len(header) == 2
    assert all(line.endswith((".", "?")) for line in header)


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_each_fault_is_the_only_difference_to_a_scenario_that_is_ok(path: Path) -> None:
    ours, faulty = read(FOLDER / f"{base(path)}-ours.yaml"), read(path)
    config, sane = dict(faulty["config"]), dict(ours["config"])  # type: ignore[call-overload]
    switch = [key for key in config if key not in sane]
    assert len(switch) == 1
    del config[switch[0]]
    assert config == sane
    if base(path) != "save":  # a crash strikes between two outputs, and these are not the same ones
        worlds = [{k: w.get(k) for k in ("faults", "schedule", "timing", "seed", "then")} for w in (ours, faulty)]
        assert worlds[0] == worlds[1]


def base(path: Path) -> str:
    return path.stem.rsplit("-reference", 1)[0].rsplit("-planted", 1)[0]


def test_every_property_of_the_model_has_a_scenario_that_breaks_it() -> None:
    expected = {str(read(path)["expect"]["violation"]) for path in FAULTY}  # type: ignore[index]
    assert set(system().monitors) | {"credentials are whole"} == expected
