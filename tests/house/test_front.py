"""The front door: what pages, workflows and hooks name is there, and does what the Makefile does."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from sim.cli import COMMANDS, group

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SESSIONS = ("test", "live")
EXAMPLES = sorted(path.parent.name for path in (ROOT / "docs/examples").glob("*/explored.py"))
PYTHONS = [found[1] for line in PROJECT["classifiers"] if (found := re.search(r":: (3\.\d+)$", line))]


def targets(makefile: str) -> list[str]:
    found = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert found is not None
    return found[1].split()


@pytest.fixture(scope="module")
def nox() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nox_runs_the_recipes_of_the_makefile_on_every_python_that_is_claimed(nox: ModuleType) -> None:
    assert nox.PYTHONS == PYTHONS
    assert [hasattr(nox, session) for session in SESSIONS] == [True] * len(SESSIONS)
    lint = nox.recipe(MAKEFILE, "lint")
    assert list(dict.fromkeys(line[0] for line in lint)) == ["ruff", "mypy", "lint-imports"]
    assert [line[1:] for line in lint if line[0] == "mypy"] == [[], *([f"docs/examples/{one}"] for one in EXAMPLES)]
    (tests,) = nox.recipe(MAKEFILE, "unit")
    assert tests[:3] == ["python", "-m", "pytest"]
    gate = re.search(r"^test:.*\n\t@\$\(MAKE\) --jobs=2 (.*)$", MAKEFILE, re.M)
    assert gate is not None
    assert gate[1].split() == ["lint", "unit"]


@pytest.mark.parametrize("line", ["$(BIN)/ruff check $(HERE)", "cd sim && ruff check", "@echo done", "ruff check \\"])
def test_a_recipe_that_only_make_understands_is_refused(nox: ModuleType, line: str) -> None:
    with pytest.raises(ValueError, match="only make understands this line of lint: "):
        nox.recipe(f"lint: x\n\t{line}\n", "lint")


def unknown(workflow: str) -> list[str]:
    """What a workflow runs that this project has not."""
    steps = [step for job in yaml.safe_load(workflow)["jobs"].values() for step in job["steps"]]
    runs = "\n".join(step.get("run", "") for step in steps)
    found = [f"make {name}" for name in re.findall(r"\bmake ([\w-]+)", runs) if name not in targets(MAKEFILE)]
    return found + [f"nox {name}" for name in re.findall(r"--session (\w+)", runs) if name not in SESSIONS]


def test_the_workflow_runs_what_is_here_on_every_python_and_three_systems() -> None:
    text = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    assert unknown(text) == []
    matrix = yaml.safe_load(text)["jobs"]["versions"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [system.partition("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert unknown(text.replace("make test\n", "make tests\n")) == ["make tests"]
    assert unknown(text.replace("--session live", "--session life")) == ["nox life"]


def test_asyncio_programs_are_tried_on_the_next_python_too(nox: ModuleType) -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]
    assert jobs["live"]["strategy"]["matrix"]["python"] == [*PYTHONS, nox.NEXT]


def untold(page: str) -> list[str]:
    """The targets that a page leaves out, and those that it makes up."""
    told = set(re.findall(r"^\| `make ([\w-]+)`", page, re.M))
    return sorted(({*targets(MAKEFILE)} - {"unit", "clean"}) ^ told)


def test_the_contributors_page_has_every_target() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert untold(page) == []
    assert untold(page.replace("`make soak`", "`make soaked`")) == ["soak", "soaked"]


def test_the_changelog_begins_with_the_version_of_the_project() -> None:
    (top, *others) = re.findall(r"^## (\S+)( \(unreleased\))?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert top[0] == PROJECT["version"]
    assert [version for version, unreleased in others if unreleased] == []


def test_the_hooks_mend_a_file_with_the_tools_of_the_project(tmp_path: Path) -> None:
    """In a repository of its own: what is badly laid out is mended and stops the commit, what is right does not."""
    (tmp_path / ".pre-commit-config.yaml").write_bytes((ROOT / ".pre-commit-config.yaml").read_bytes())
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / "a.py").write_text("import os\nx = {  'a':1 }\n")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PRE_COMMIT_HOME": str(tmp_path / "cache"),
            "GIT_CEILING_DIRECTORIES": str(tmp_path),
        }
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    run("git", "init", "-q")
    run("git", "add", "a.py", ".pre-commit-config.yaml")
    done = run(sys.executable, "-m", "pre_commit", "run")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (tmp_path / "a.py").read_text() == 'x = {"a": 1}\n'
    run("git", "add", "a.py")
    done = run(sys.executable, "-m", "pre_commit", "run")
    assert done.returncode == 0, done.stdout + done.stderr


def without_json(readme: str) -> tuple[list[str], list[str]]:
    """The commands that take no `--json`: those that README.md names, and those that do not."""
    named = re.search(r"^Every command takes `--json`, but for (.*?), whose answer", readme, re.M | re.S)
    assert named is not None
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in COMMANDS}
    parts = {
        name: [*getattr(command, "commands", {}).values()] or [command] for name, command in commands.items() if command
    }
    lacking = [
        name
        for name, of_it in parts.items()
        if any("--json" not in (option for one in part.params for option in one.opts) for part in of_it)
    ]
    return sorted(re.findall(r"`(\w+)`", named[1])), sorted(lacking)


def test_readme_says_which_commands_take_no_json() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    said, lacking = without_json(readme)
    assert said == lacking
    said, lacking = without_json(readme.replace("`explore`, ", ""))
    assert said != lacking
