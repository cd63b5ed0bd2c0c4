"""A file that is merely opened runs no code; what may be imported, and that our models are ours everywhere, under
whatever name they are loaded."""

from __future__ import annotations

import itertools
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
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sim/beside'}"}
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
    assert answer(folder, LOAD).startswith("f.yaml:1:8: unknown model 'mymodel'")
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
    assert "if it is your own, allow it with --model" in answer(below, LOAD)


def test_only_the_nearest_pyproject_counts(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["mymodel"]\n')
    below = folder / "a"
    below.mkdir()
    (below / "pyproject.toml").write_text("[project]\n")
    (below / "f.yaml").write_text("model: mymodel\n")
    assert "if it is your own, allow it with --model" in answer(below, LOAD)


def test_one_model_may_be_listed_without_brackets(folder: Path) -> None:
    (folder / "f.yaml").write_text("model: mymodel\n")
    (folder / "pyproject.toml").write_text("[tool.roundsim]\nmodels = 'mymodel'\n")
    allowed = answer(folder, LOAD)
    (folder / "pyproject.toml").write_text("[tool.roundsim]\nmodels = 'mymodels'\n")
    assert allowed != answer(folder, LOAD), "another name allows nothing"
    assert "allow it with --model" not in allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool", "cannot be read as TOML"),
        ("[tool.roundsim]\nmodels = 3\n", "is not a list of names"),
        ("[tool]\nroundsim = 3\n", "if it is your own, allow it with --model"),
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
    assert "if it is your own, allow it with --model" in answer(folder, LOAD)


@pytest.fixture
def theirs(folder: Path) -> Path:
    """A package `models` in the folder, with a model `mine` and with one that has the name of ours."""
    theirs = folder / "models"
    theirs.mkdir()
    (theirs / "__init__.py").write_text("")
    (theirs / "paxos.py").write_text("raise SystemExit('theirs was imported')\n")
    (theirs / "mine.py").write_text(MODEL.format(extra=TOUCH))
    return theirs


PAXOS = str(OURS / "paxos" / "__init__.py")
LOAD_OURS = "load_target('models.paxos'); print(sys.modules['roundsim.models.paxos'].__file__)"


def test_models_are_ours_in_a_folder_with_models_of_its_own(folder: Path, theirs: Path) -> None:
    (theirs / "__init__.py").write_text("raise SystemExit('theirs was imported')\n")
    assert answer(folder, LOAD_OURS) == PAXOS
    assert answer(folder, "print(load_target('models.mine').model)").startswith("model models.mine cannot be imported")
    (theirs / "mine.py").write_text("raise SystemExit('theirs was imported')\n")
    (folder / "f.yaml").write_text("model: models.mine\n")
    assert "if it is your own, allow it with --model" in answer(folder, LOAD)


@pytest.mark.parametrize("path", ["", "sys.path.append(sys.path.pop(0))\n"], ids=["theirs first", "ours first"])
def test_models_of_a_folders_own_and_ours_are_loaded_side_by_side(path: str, folder: Path, theirs: Path) -> None:
    mine = "print(load_target('models.mine').model)"
    assert answer(folder, f"{path}{mine}\n{LOAD_OURS}") == f"models.mine\n{PAXOS}"
    assert answer(folder, f"{path}{LOAD_OURS}\n{mine}") == f"{PAXOS}\nmodels.mine"
    (folder / "code-ran").unlink()
    (folder / "f.yaml").write_text("model: models.mine\n")
    assert "if it is your own, allow it with --model" in answer(folder, f"{path}{LOAD}")
    assert not (folder / "code-ran").exists()


def test_their_models_would_have_been_imported_by_the_plain_statement(folder: Path, theirs: Path) -> None:
    """The saboteur: in such a folder `import models.paxos` itself gets the wrong one; and ours is loaded even then."""
    (theirs / "paxos.py").write_text("")
    plain = "import models.paxos; print(models.paxos.__file__)"
    assert answer(folder, plain) == str(theirs / "paxos.py")
    assert answer(folder, f"{plain}\n{LOAD_OURS}") == f"{theirs / 'paxos.py'}\n{PAXOS}"


WAYS = ("import models.paxos", "import roundsim.models.paxos", "load_target('models.paxos')")
SAME = "print(sys.modules['models.paxos'] is sys.modules['roundsim.models.paxos'])"


@pytest.mark.parametrize("ways", [*itertools.permutations(WAYS)], ids=lambda ways: " ".join(map(str, ways)))
def test_a_model_is_one_module_whatever_name_loads_it_first(ways: tuple[str, ...], folder: Path) -> None:
    assert answer(folder, "\n".join([*ways, SAME])) == "True"


def test_two_modules_of_one_model_are_caught(folder: Path) -> None:
    without = "sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != '_SameModule']"
    assert answer(folder, "\n".join(["import models", without, *WAYS, SAME])) == "False"


def test_the_name_of_the_module_is_not_what_a_file_says(folder: Path) -> None:
    (folder / "f.yaml").write_text("model: roundsim.models.paxos\n")
    says = "roundsim.models.paxos is called models.paxos in scenario files and on the command line; write that"
    assert answer(folder, LOAD) == f"f.yaml:1:8: {says}"


BAD_MODULES = [
    ("x = 1\n", "bad has no function `system`, so it is not a model; define `def system(...) -> System` in it"),
    (
        "import nosuch\n",
        "model bad cannot be imported: ModuleNotFoundError: No module named 'nosuch' (bad.py:1); fix the module",
    ),
    ("def f(:\n", "model bad cannot be imported: SyntaxError: invalid syntax (bad.py:1); fix the module"),
    ("\n1 / 0\n", "model bad cannot be imported: ZeroDivisionError: division by zero (bad.py:2); fix the module"),
    ("raise ValueError('a\\nb')\n", "model bad cannot be imported: ValueError: a b (bad.py:1); fix the module"),
    ("import sys\nsys.exit(3)\n", "model bad cannot be imported: SystemExit: 3 (bad.py:2); fix the module"),
    ("def system(): return 3\n", "bad.system() returned int; it must return a System"),
    ("def system(): return {}[1]\n", "bad.system() failed with KeyError: 1 (bad.py:1); fix the model"),
    ("def system(size): pass\n", "bad requires the parameter 'size'; write it under `config:`, or pass --set size=..."),
    ("system = 3\n", "bad has no function `system`, so it is not a model; define `def system(...) -> System` in it"),
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
        "unknown model 'nosuch.model': no module 'nosuch' is found; run in the folder that contains it"
    )


def test_names_that_are_no_names_are_refused_before_anything_is_looked_for() -> None:
    for name in ("", ".", "..models", "models.", "a b", "models/paxos", "models.paxos;", "a\0b", "models..paxos"):
        with pytest.raises(ConfigError, match="is not the dotted name of a model"):
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
