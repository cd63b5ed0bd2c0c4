"""On the wheel, as a user installs it: it takes no name that a project may have, and no fault can be met by whoever did
not ask twice.

Names: it installs `sim` and `roundsim`; its models are found from everywhere, beside a `models` and a `sim` of others.
The import graph: nothing imports the injector but the inside of one function behind the gate, and with the
gate closed neither the injector nor what strikes in a run is loaded. The behaviour: with the variables set
and the gate closed every digest is the same.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from functools import cache
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
    return sorted(path for name in ("sim", "roundsim") for path in (wheel / name).rglob("*.py"))


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


@cache
def imported_by(path: Path, anywhere: bool) -> set[str]:
    """What a module of the wheel imports."""
    return imported(path.read_text(encoding="utf-8"), anywhere=anywhere)


def importers(wheel: Path, module: str, *, anywhere: bool) -> list[str]:
    """The modules of the wheel that import `module` when they are imported, or anywhere at all."""
    return [path.relative_to(wheel).as_posix() for path in sources(wheel) if module in imported_by(path, anywhere)]


BESIDE = ROOT / "sim/beside/roundsim"


def place_of(path: Path) -> str:
    """Where the wheel has a module of the tree."""
    for folder, name in ((BESIDE, "roundsim"), (ROOT / "models", "roundsim/models")):
        if path.is_relative_to(folder):
            return f"{name}/{path.relative_to(folder).as_posix()}"
    return path.relative_to(ROOT).as_posix()


def tops(record: str) -> set[str]:
    """What an installation of these files claims at the top level."""
    names = {line.partition(",")[0].partition("/")[0] for line in record.splitlines()}
    return {name for name in names if name != ".." and not name.endswith(".dist-info")}


def python(wheel: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The Python of the environment, in a folder, which is first on its path."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "SIM_"))}
    command = [wheel.parents[2] / "bin/python", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=120)


def said(wheel: Path, folder: Path, *arguments: str) -> str:
    done = python(wheel, folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_complete_and_what_is_tested_is_the_wheel(wheel: Path, tmp_path: Path) -> None:
    stand_in = BESIDE / "models.py"  # for the folder `models`, in a checkout
    ours = {place_of(p) for name in ("sim", "models") for p in (ROOT / name).rglob("*.py") if p != stand_in}
    assert {p.relative_to(wheel).as_posix() for p in sources(wheel)} == ours
    code = "import sim, roundsim.models; print(sim.__file__, roundsim.models.__file__)"
    assert all(str(wheel) in part for part in said(wheel, tmp_path, "-c", code).split())


def test_the_wheel_claims_no_name_that_a_project_may_have(wheel: Path, tmp_path: Path) -> None:
    (record,) = wheel.glob("roundsim-*.dist-info/RECORD")
    assert tops(record.read_text()) == {"sim", "roundsim"}
    done = python(wheel, tmp_path, "-c", "import models")
    assert "No module named 'models'" in done.stderr


def test_a_package_models_in_a_wheel_would_be_noticed() -> None:
    record = "../../../bin/sim,,\nsim/errors.py,,\nroundsim/models/paxos.py,,\nroundsim-1.dist-info/RECORD,,\n"
    assert tops(record) == {"sim", "roundsim"}
    assert tops(f"{record}models/paxos.py,,\n") == {"sim", "roundsim", "models"}


FOREIGN = "raise SystemExit('theirs was imported')\n"
CHECK = ("-m", "sim", "check", "models.two_phase_commit")
FUZZ = ("-m", "sim", "fuzz", "models.two_phase_commit", "--workers", "1", "--schedules", "20", "--json")


@pytest.mark.parametrize("has_models", [False, True], ids=["an empty folder", "a folder with models of its own"])
def test_models_are_found_from_everywhere_and_by_workers(has_models: bool, wheel: Path, tmp_path: Path) -> None:
    if has_models:
        (tmp_path / "models").mkdir()
        for name in ("__init__", "two_phase_commit"):
            (tmp_path / f"models/{name}.py").write_text(FOREIGN)
        assert "theirs was imported" in python(wheel, tmp_path, "-c", "import models.two_phase_commit").stderr
    assert "288 states" in said(wheel, tmp_path, *CHECK)
    assert json.loads(said(wheel, tmp_path, *FUZZ))["schedules"] == 20


MINE = "from roundsim.models.two_phase_commit import system as theirs\n\n\ndef system():\n    return theirs(2)\n"
BOTH = """
from sim.scenario import load_target, parse_scenario
print(parse_scenario("model: models.mine", "f.yaml").model, load_target("models.two_phase_commit").model)
import models.mine, roundsim.models.two_phase_commit as ours
print(models.__file__, models.mine.theirs is ours.system)
"""


def test_models_of_a_project_and_ours_are_there_in_one_process_and_in_its_workers(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/__init__.py").write_text("")
    (tmp_path / "models/mine.py").write_text(MINE)
    (tmp_path / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["models.mine"]\n')
    (tmp_path / "f.yaml").write_text("model: models.mine\n")
    names, same = said(wheel, tmp_path, "-c", BOTH).splitlines()
    assert names == "models.mine models.two_phase_commit"
    assert same == f"{tmp_path / 'models/__init__.py'} True"
    data = json.loads(said(wheel, tmp_path, "-m", "sim", "fuzz", "f.yaml", *FUZZ[4:]))
    assert (data["schedules"], data["deaths"]) == (20, 0)


SPAWN = """
from multiprocessing import get_context
from roundsim.models.consensus.messages import Ask
from sim.scenario import load_target

if __name__ == "__main__":
    load_target("models.consensus")
    with get_context("spawn").Pool(1) as pool:
        print(pool.apply(type, (Ask("run-1", 1, "plan", 1),)) is Ask)
"""


def test_a_class_of_a_model_is_the_same_in_a_spawned_process_and_back(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "spawn.py").write_text(SPAWN)
    assert said(wheel, tmp_path, "spawn.py") == "True\n"


def test_a_project_with_a_package_sim_of_its_own_runs_its_tests(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim/__init__.py").write_text("ANSWER = 42\n")
    (tmp_path / "test_own.py").write_text("from sim import ANSWER\n\ndef test_own():\n    assert ANSWER == 42\n")
    out = said(wheel, tmp_path, "-m", "pytest", "-p", "no:cacheprovider")
    assert out.count("roundsim: ") == out.count("so its fixtures are off") == 1


def test_the_plugin_imports_nothing_of_sim_before_it_is_used(wheel: Path) -> None:
    def of_sim(source: str) -> list[str]:
        return sorted(name for name in imported(source) if name.partition(".")[0] == "sim")

    source = (wheel / "roundsim/pytest_plugin.py").read_text()
    assert of_sim(source) == of_sim((wheel / "roundsim/__init__.py").read_text()) == []
    assert of_sim(f"{source}\nfrom sim.errors import SimError\n") == ["sim.errors", "sim.errors.SimError"]


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
    assert err == "sim: SPEC_KIT_FAULTS and CODEX_FAULTS have no effect without SIM_DEV_FAULTS=1\n"


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
