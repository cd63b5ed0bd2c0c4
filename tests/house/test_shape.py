"""House rules on the shape: what can be read in one sitting, folders that say what they are for, one way down."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for package in ("sim", "models") for path in (ROOT / package).rglob("*.py"))
PACKAGES = [path for path in SOURCES if path.name == "__init__.py"]

MODULE_LINES_MAX = 450
FUNCTION_LINES_MAX = 80


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def too_long(name: str, source: str) -> list[str]:
    """One line for the module and for each of its functions that cannot be read in one sitting."""
    lines = source.count("\n")
    found = [f"{name}: {lines} lines; split it below {MODULE_LINES_MAX + 1}"] if lines > MODULE_LINES_MAX else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(f"{name}:{node.lineno}: {node.name} has {length} lines; say its parts by name")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_modules_and_functions_can_be_read_in_one_sitting(path: Path) -> None:
    assert too_long(_name(path), path.read_text(encoding="utf-8")) == []


def test_a_long_module_and_a_long_function_are_caught() -> None:
    assert too_long("x.py", "a = 1\n" * MODULE_LINES_MAX) == []
    assert too_long("x.py", "a = 1\n" * (MODULE_LINES_MAX + 1)) == ["x.py: 451 lines; split it below 451"]
    assert too_long("x.py", "def f():\n" + "    a = 1\n" * 79) == []
    assert too_long("x.py", "def f():\n" + "    a = 1\n" * 80) == ["x.py:1: f has 81 lines; say its parts by name"]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_module_says_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    assert len(docstring) >= 20 or _name(path) == "sim/__main__.py"


@pytest.mark.parametrize("path", [p for p in PACKAGES if p.parent.parent != ROOT / "models"], ids=_name)
def test_every_package_says_what_belongs_there(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if path.parent == ROOT / "sim":
        assert "The names here are the public ones" in docstring
    else:
        assert "What belongs here: " in docstring
        assert "What does not: " in docstring


def absolute_imports(source: str) -> list[str]:
    """Where a model imports a model by a whole name."""
    found = [
        (node.lineno, name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([n.name for n in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if not getattr(node, "level", 0) and name.partition(".")[0] in ("models", "roundsim")
    ]
    return [
        f"line {line} imports {name}: where that is installed it has another name; write `from .`"
        for line, name in found
    ]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "models")], ids=_name)
def test_models_import_each_other_relatively(path: Path) -> None:
    assert absolute_imports(path.read_text(encoding="utf-8")) == []


def test_a_model_that_is_imported_by_its_whole_name_is_caught() -> None:
    assert absolute_imports("from sim import System\nfrom .journal import Journal\nfrom . import asking\n") == []
    for line in ("import models.paxos", "def f():\n    from models.paxos import system", "from roundsim import models"):
        assert len(absolute_imports(line)) == 1, line


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_down_only() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "7 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("sim/base/values.py", "import sim.graph.graph", "Rooms: imports point down only"),
        ("sim/machine/table.py", "from sim.graph.system import System", "Rooms: imports point down only"),
        ("sim/graph/graph.py", "from sim import check", "modules of sim import each other"),
        ("sim/system/properties.py", "import sim.graph.judge", "Rooms: imports point down only"),
        ("sim/report/text.py", "from sim.graph.graph import Graph", "The door: whoever walks a world knows no graph"),
        ("sim/faults/kinds.py", "import models.paxos", "sim never imports models"),
        ("models/paxos/__init__.py", "from sim.machine.process import Process", "models stand on the public names"),
    ],
)
def test_an_import_that_points_up_is_caught(file: str, line: str, contract: str, tmp_path: Path) -> None:
    for path in SOURCES:
        copy = tmp_path / _name(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    with (tmp_path / file).open("a", encoding="utf-8") as out:
        out.write(f"\n{line}\n")
    done = _lint(tmp_path)
    assert done.returncode == 1, done.stdout
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), broken


def test_every_module_of_sim_has_a_layer() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip(" ()") for layer in layers for name in layer.replace(":", "|").split("|")}
    children = {path.stem for path in (ROOT / "sim").glob("*.py")} | {
        p.parent.name for p in (ROOT / "sim").glob("*/__init__.py")
    }
    assert children - {"__init__", "__main__"} <= placed


def test_every_public_name_is_there_and_listed() -> None:
    tree = ast.parse((ROOT / "sim/__init__.py").read_text(encoding="utf-8"))
    names = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    imported = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert list(names) == sorted(names, key=lambda n: (not n.isupper(), n[0].islower(), n))
    assert {*names} == imported - {"annotations", "TYPE_CHECKING", "Any"}


def test_nothing_in_the_repository_names_a_folder_of_a_machine() -> None:
    roots = tuple("/" + name + "/" for name in ("work", "home", "Users", "tmp"))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.split():
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ""}:
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not [root for root in roots if root in text], name


def twice(sources: dict[str, str]) -> list[str]:
    """The stems of modules and the names of classes that stand more than once; a command is called as what it is of,
    and compiled code as what it compiles."""
    stems: dict[str, list[str]] = {}
    classes: dict[str, list[str]] = {}
    for name, source in sources.items():
        parts = name.removesuffix(".py").split("/")
        if "compiled" in parts or "beside" in parts or parts[-1].startswith("__"):
            continue
        if "cli" not in parts:
            stems.setdefault(parts[-1], []).append(name)
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes.setdefault(node.name, []).append(name)
    return [f"{one}: {' '.join(places)}" for one, places in {**stems, **classes}.items() if len(places) > 1]


def test_a_stem_and_a_class_name_stand_once_in_sim() -> None:
    ours = {_name(path): path.read_text(encoding="utf-8") for path in SOURCES if path.is_relative_to(ROOT / "sim")}
    assert twice(ours) == []


def test_a_name_that_stands_twice_is_caught() -> None:
    one, other = "class Row: ...\n", "class _Row: ...\nclass Table: ...\n"
    assert twice({"sim/a/row.py": one, "sim/b/table.py": other}) == []
    assert twice({"sim/a/row.py": one, "sim/b/row.py": other}) == ["row: sim/a/row.py sim/b/row.py"]
    assert twice({"sim/a/row.py": one, "sim/b/rows.py": one}) == ["Row: sim/a/row.py sim/b/rows.py"]
    assert twice({"sim/a/run.py": other, "sim/cli/run.py": one, "sim/a/compiled/run.py": one}) == []
