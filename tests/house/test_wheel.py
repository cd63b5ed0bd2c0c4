"""On the wheel, as a user installs it: no fault can be met by whoever did not ask twice.

The import graph: nothing imports the injector but the inside of one function behind the gate, and with the
gate closed neither the injector nor what strikes in a run is loaded. The behaviour: with the variables set
and the gate closed every digest is the same.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INJECTORS = ("sim.faults.injector", "sim.strategy.eager", "sim.strategy.slowdowns")
"""What hands faults out: to ordinary code, and in a run; the last, those that only a clock knows of."""

PLANS = {
    "SPEC_KIT_FAULTS": "agent_timeout:3,consensus_fail:1",
    "SPEC_KIT_FAULTS_SCOPE": "spec_kit",
    "SPEC_KIT_FAULTS_AGENT": "gemini",
    "CODEX_FAULTS": "disconnect:3,429:1",
    "CODEX_FAULTS_SCOPE": "auto_drive",
}

RUN = """
import json, sys
from sim.cli import call
from sim.faults import next_fault
status = call(["run", sys.argv[1], "--json"])
struck = [next_fault("spec_kit", "gemini"), next_fault("auto_drive", "gemini")]
print(json.dumps({"status": status, "struck": [s and s.kind for s in struck], "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def wheel(newcomer: Path) -> Path:
    """Where an installation has put what is in the wheel."""
    (site,) = newcomer.glob("lib/python*/site-packages")
    return site


def sources(wheel: Path) -> list[Path]:
    """The modules that came with the wheel."""
    return sorted(path for name in ("sim", "models") for path in (wheel / name).rglob("*.py"))


def run(wheel: Path, scenario: str, variables: dict[str, str]) -> tuple[dict, dict, str]:  # type: ignore[type-arg]
    """A run and two injection points in a fresh process of the environment that has the wheel: what it printed,
    what it saw, its standard error."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SPEC_KIT_", "CODEX_", "SIM_", "PYTHON"))}
    done = subprocess.run(
        [wheel.parents[2] / "bin/python", "-c", RUN, str(ROOT / "scenarios/consensus" / scenario)],
        cwd=wheel,
        env={**clean, **variables, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    printed, _, seen = done.stdout.rstrip().rpartition("\n")
    return json.loads(printed), json.loads(seen), done.stderr


def imported(source: str, *, anywhere: bool = False) -> set[str]:
    """What is imported when a module is: not inside functions, not for type checkers; or anywhere in it."""
    found: set[str] = set()
    rest: list[ast.AST] = list(ast.parse(source).body)
    while rest:
        node = rest.pop()
        if not anywhere and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if not anywhere and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            rest += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{name.name}" for name in node.names)}
        rest += ast.iter_child_nodes(node)
    return found


def importers(wheel: Path, module: str, *, anywhere: bool) -> list[str]:
    """The modules of the wheel that import `module` when they are imported, or anywhere at all."""
    return [
        path.relative_to(wheel).as_posix()
        for path in sources(wheel)
        if module in imported(path.read_text(encoding="utf-8"), anywhere=anywhere)
    ]


def test_the_wheel_is_complete_and_what_is_tested_is_the_wheel(wheel: Path) -> None:
    ours = {p.relative_to(ROOT).as_posix() for name in ("sim", "models") for p in (ROOT / name).rglob("*.py")}
    assert {p.relative_to(wheel).as_posix() for p in sources(wheel)} == ours
    done = subprocess.run(
        [wheel.parents[2] / "bin/python", "-c", "import sim, models; print(sim.__file__, models.__file__)"],
        cwd=wheel,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(str(wheel) in part for part in done.stdout.split())


@pytest.mark.parametrize("module", INJECTORS)
def test_nothing_imports_an_injector_when_it_is_imported(wheel: Path, module: str) -> None:
    assert importers(wheel, module, anywhere=False) == []
    behind_the_gate = {
        "sim.faults.injector": ["sim/faults/gate.py"],
        "sim.strategy.eager": ["sim/strategy/virtual_time.py"],
        "sim.strategy.slowdowns": ["sim/strategy/virtual_time.py"],
    }
    assert importers(wheel, module, anywhere=True) == behind_the_gate[module]


def test_an_import_of_an_injector_would_be_noticed() -> None:
    for source in (
        "import sim.faults.injector",
        "from sim.faults.injector import Injector",
        "from sim.faults import injector",
        "class A:\n    from sim.faults.injector import Injector",
        "try:\n    import sim.faults.injector\nexcept ImportError: ...",
        "if not TYPE_CHECKING:\n    import sim.faults.injector",
    ):
        assert "sim.faults.injector" in imported(source), source
    for inside in ("from sim.faults.injector import Injector", "import sim.faults.injector as i"):
        source = f"def f():\n    {inside}"
        assert "sim.faults.injector" not in imported(source)
        assert "sim.faults.injector" in imported(source, anywhere=True), source


@pytest.mark.parametrize("scenario", ["round.yaml", "r8_late_original.yaml"])
def test_behind_a_closed_gate_the_variables_change_nothing_but_one_line(wheel: Path, scenario: str) -> None:
    plain, seen, err = run(wheel, scenario, {})
    assert (seen["status"], seen["struck"], err) == (0, [None, None], "")
    data, seen, err = run(wheel, scenario, PLANS)
    assert data == plain
    assert data["digest"] == plain["digest"]
    assert (seen["status"], seen["struck"]) == (0, [None, None])
    assert not [name for name in INJECTORS if name in seen["modules"]]
    assert err == "sim: SPEC_KIT_FAULTS and CODEX_FAULTS change nothing without SIM_DEV_FAULTS=1\n"


def test_behind_an_open_gate_the_same_test_sees_the_faults(wheel: Path) -> None:
    """The saboteur: what would be seen if the gate were open."""
    only = {name: value for name, value in PLANS.items() if name.startswith("SPEC_KIT")}
    plain, _, _ = run(wheel, "round.yaml", {})
    data, seen, err = run(wheel, "round.yaml", {**only, "SIM_DEV_FAULTS": "1"})
    assert data["digest"] != plain["digest"]
    assert data["faults"]["planned"] == {"agent_timeout": 3, "consensus_fail": 1}
    assert data["faults"]["struck"] == {"agent_timeout": 2, "consensus_fail": 1}  # gemini is asked twice
    assert seen["struck"] == ["agent_timeout", None]
    assert set(INJECTORS[:2]) <= set(seen["modules"])
    assert "faults are on" in err


def test_a_planned_delay_is_seen_too(wheel: Path, tmp_path: Path) -> None:
    path = tmp_path / "delayed.yaml"
    path.write_text("model: models.consensus\nconfig: {stop: false}\nfaults: delay:1@store(1s)\n")
    data, seen, err = run(wheel, str(path), {})
    assert data["faults"]["struck"] == {"delay": 1}
    assert INJECTORS[2] in seen["modules"]
    assert err == f"sim: faults are on: delay:1@store(1s) ({path})\n"
