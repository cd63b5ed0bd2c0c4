"""A file that is merely opened runs no code; what may be imported, and that `models` is ours everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.base.errors import ConfigError, ScenarioError
from sim.scenario import bundled, parse_scenario
from sim.scenario.models import OURS, import_model

ROOT = Path(sim.__file__).resolve().parents[1]
MODEL = """
from __future__ import annotations
from pathlib import Path
from sim import Process, System
{extra}
class Lamp(Process):
    states = ("off", "on")
    may = ("switch",)
    transitions = ({{"trigger": "switch", "source": "off", "dest": "on"}},)

def system(lamps: int = 1) -> System:
    return System(processes={{f"lamp{{i}}": Lamp() for i in range(lamps)}})
"""
TOUCH = 'Path("code-ran").touch()'


def in_folder(folder: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process whose working directory, first on its path, is `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    head = "import sys; sys.path.insert(0, '')\nfrom sim.base.errors import SimError\nfrom sim.scenario import *\n"
    tail = "".join(f"    {line}\n" for line in code.splitlines())
    script = f"{head}try:\n{tail}except SimError as error:\n    print(*error.mistakes, sep='\\n')\n"
    return subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(folder: Path, code: str) -> str:
    done = in_folder(folder, code)
    assert not done.stderr, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mymodel.py").write_text(MODEL.format(extra=TOUCH))
    (tmp_path / "f.yaml").write_text("model: mymodel\n")
    return tmp_path


LOAD = "print(load_scenario('f.yaml').model)"


def test_a_file_does_not_import_a_module_beside_it(folder: Path) -> None:
    assert answer(folder, LOAD).startswith("f.yaml:1:8: 'mymodel' is none of the models that come with roundsim")
    assert "--model mymodel" in answer(folder, LOAD)
    assert 'models = ["mymodel"]' in answer(folder, LOAD)
    assert not (folder / "code-ran").exists()


def test_a_module_named_on_the_command_line_is_imported(folder: Path) -> None:
    """The saboteur of the test above: the module is there, and its code does run when it is named."""
    assert answer(folder, "print(load_scenario('f.yaml', allow=['mymodel']).model)") == "mymodel"
    assert (folder / "code-ran").exists()


def test_a_module_named_as_target_is_imported(folder: Path) -> None:
    assert answer(folder, "print(load_target('mymodel', {'lamps': '2'}).config)") == "{'lamps': 2}"


def test_a_module_listed_in_pyproject_is_imported_from_any_folder_below(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["mymodel"]\n')
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    (below / "f.yaml").write_text("model: mymodel\n")
    assert answer(below, LOAD) == "mymodel"
    (folder / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["other"]\n')
    assert "is none of the models" in answer(below, LOAD)


def test_only_the_nearest_pyproject_counts(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["mymodel"]\n')
    below = folder / "a"
    below.mkdir()
    (below / "pyproject.toml").write_text("[project]\n")
    (below / "f.yaml").write_text("model: mymodel\n")
    assert "is none of the models" in answer(below, LOAD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool", "cannot be read as TOML"),
        ("[tool.roundsim]\nmodels = 'mymodel'\n", "is no list of names"),
        ("[tool]\nroundsim = 3\n", "is none of the models"),
    ],
)
def test_a_bad_pyproject_is_one_line(folder: Path, text: str, said: str) -> None:
    (folder / "pyproject.toml").write_text(text)
    line = answer(folder, LOAD)
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["os", "sim.cli", "subprocess", "models", "models.mymodel", "__main__", "tests"])
def test_nothing_else_is_imported(folder: Path, name: str) -> None:
    (folder / "f.yaml").write_text(f"model: {name}\n")
    assert "is none of the models that come with roundsim" in answer(folder, LOAD)


def test_models_are_ours_in_a_folder_with_models_of_its_own(folder: Path) -> None:
    theirs = folder / "models"
    theirs.mkdir()
    (theirs / "__init__.py").write_text("raise SystemExit('theirs was imported')\n")
    (theirs / "paxos.py").write_text("raise SystemExit('theirs was imported')\n")
    (theirs / "mine.py").write_text(MODEL.format(extra=TOUCH))
    code = "t = load_target('models.paxos'); import sys; print(sys.modules['models.paxos'].__file__)"
    assert answer(folder, code) == str(OURS / "paxos" / "__init__.py")
    assert answer(folder, "print(load_target('models.mine').model)") == "models.mine"
    both = "load_target('models.mine'); load_target('models.paxos'); import sys; print(sys.modules['models.paxos'].__file__)"
    assert answer(folder, both) == str(OURS / "paxos" / "__init__.py")
    (folder / "code-ran").unlink()
    (folder / "f.yaml").write_text("model: models.mine\n")
    assert "is none of the models" in answer(folder, LOAD)
    assert not (folder / "code-ran").exists()


def test_their_models_would_have_been_imported_by_the_plain_statement(folder: Path) -> None:
    """The saboteur: in such a folder `import models.paxos` itself gets the wrong one."""
    (folder / "models").mkdir()
    (folder / "models" / "__init__.py").write_text("")
    (folder / "models" / "paxos.py").write_text("")
    assert answer(folder, "import models.paxos; print(models.paxos.__file__)") != str(OURS / "paxos" / "__init__.py")
    late = "import models.paxos\nload_target('models.paxos')"
    assert "a package `models` that is not roundsim's is imported already" in answer(folder, late)


BAD_MODULES = [
    ("x = 1\n", "bad has no function `system`, so it is no model; define `def system(...) -> System` in it"),
    (
        "import nosuch\n",
        "model bad cannot be imported: ModuleNotFoundError: No module named 'nosuch' (bad.py:1); mend the module",
    ),
    ("def f(:\n", "model bad cannot be imported: SyntaxError: invalid syntax (bad.py:1); mend the module"),
    ("\n1 / 0\n", "model bad cannot be imported: ZeroDivisionError: division by zero (bad.py:2); mend the module"),
    ("raise ValueError('a\\nb')\n", "model bad cannot be imported: ValueError: a b (bad.py:1); mend the module"),
    ("import sys\nsys.exit(3)\n", "model bad cannot be imported: SystemExit: 3 (bad.py:2); mend the module"),
    ("def system(): return 3\n", "bad.system() gives int; it must return a System"),
    ("def system(): return {}[1]\n", "bad.system() failed with KeyError: 1 (bad.py:1); mend the model"),
    ("def system(size): pass\n", "bad needs the parameter 'size'; write it under `config:`, or give --set size=..."),
    ("system = 3\n", "bad has no function `system`, so it is no model; define `def system(...) -> System` in it"),
    (
        "from sim import Process\nclass P(Process):\n    states = ('a',)\n    transitions = ({'trigger': 'go', 'source': 'b', 'dest': 'a'},)\n",
        "model bad cannot be imported: P: ",
    ),
]


def test_a_module_that_is_no_model_is_one_line(folder: Path) -> None:
    for number, (source, _) in enumerate(BAD_MODULES):
        (folder / f"bad{number}.py").write_text(source)
    said = answer(
        folder,
        f"for i in range({len(BAD_MODULES)}):\n"
        "    try:\n        load_target(f'bad{i}')\n"
        "    except SimError as error:\n        print(*error.mistakes, sep=' | ')",
    ).split("\n")
    assert len(said) == len(BAD_MODULES)
    for number, ((_, line), found) in enumerate(zip(BAD_MODULES, said, strict=True)):
        assert found.startswith(re.sub(r"\bbad\b", f"bad{number}", line))


def test_a_module_that_is_not_there(folder: Path) -> None:
    said = answer(folder, "load_target('nosuch.model')")
    assert said.startswith(
        "there is no model 'nosuch.model': no module 'nosuch' is found; run in the folder that holds it"
    )


def test_names_that_are_no_names_are_refused_before_anything_is_looked_for() -> None:
    for name in ("", ".", "..models", "models.", "a b", "models/paxos", "models.paxos;", "a\0b", "models..paxos"):
        with pytest.raises(ConfigError, match="is no dotted name of a model"):
            import_model(name, [name])


def test_no_tag_constructs_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for tag in ("!!python/object/apply:os.mkdir", "!!python/name:os.mkdir", "!!python/object/new:os.mkdir", "!mkdir"):
        for value in ("['made']", "made", "{a: made}"):
            with pytest.raises(ScenarioError, match=r"the tag .* is refused"):
                parse_scenario(f"model: models.paxos\ndescription: {tag} {value}\n", "f.yaml")
    assert list(tmp_path.iterdir()) == []


def test_importing_sim_loads_neither_pydantic_nor_yaml_nor_this_package(tmp_path: Path) -> None:
    script = "import sys, sim\nprint([m for m in ('pydantic', 'ruamel.yaml', 'sim.scenario') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_opening_a_file_writes_nothing(folder: Path) -> None:
    before = sorted(folder.iterdir())
    answer(folder, LOAD)
    assert sorted(folder.iterdir()) == before


def test_our_models_are_named() -> None:
    assert {"models.paxos", "models.two_phase_commit"} <= set(bundled())
