"""What a new user does: the wheel in an empty environment, an empty folder, the tutorial from top to bottom.

The environment has what pip brings with the wheel and pytest, and nothing else of this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import PAGES, comparable, run_document

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scripts(newcomer: Path) -> Path:
    """The folder of the commands of an environment with the wheel."""
    return newcomer / "bin"


def run(scripts: Path, line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "SIM_", "_SIM"))}
    environment = {**kept, **variables, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_environment_has_what_the_wheel_declares_and_nothing_else(scripts: Path, tmp_path: Path) -> None:
    done = run(scripts, "python -c 'import sys; print(*sys.path, sep=chr(10))'", tmp_path)
    ours = [path for path in done.stdout.splitlines() if path.startswith((str(ROOT), sys.prefix))]
    assert ours == []
    for name in ("xdist", "hatchling", "griffe"):
        assert run(scripts, f"python -c 'import {name}'", tmp_path).returncode == 1, name


def test_it_is_the_wheel_that_runs(scripts: Path, tmp_path: Path) -> None:
    done = run(scripts, "python -c 'import sim; print(sim.__file__)'", tmp_path)
    assert str(scripts.parent) in done.stdout, done.stderr
    typed = Path(done.stdout.strip()).parent
    assert (typed / "py.typed").exists()
    assert (typed.parent / "roundsim/py.typed").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_commands_of_a_page_in_order_give_what_it_prints(page: Path, scripts: Path, tmp_path: Path) -> None:
    for command in run_document(page.read_text(), tmp_path, scripts):
        assert comparable(command.actual) == comparable(command.expected), command.line


def test_a_new_folder_passes_its_own_tests(scripts: Path, tmp_path: Path) -> None:
    made = run(scripts, "sim new my_council", tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "my_council"
    files, _, commands = made.stdout.partition("\nNext:\n")
    assert all((tmp_path / line).is_file() for line in files.splitlines())
    for line in map(str.strip, commands.splitlines()):
        if not line.startswith("cd "):
            done = run(scripts, line, folder)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert "4 passed" in done.stdout


def test_a_new_live_folder_has_a_race_that_is_found_until_one_line_is_moved(scripts: Path, tmp_path: Path) -> None:
    made = run(scripts, "sim new my_agent --live", tmp_path)
    assert made.returncode == 0, made.stderr
    files, _, commands = made.stdout.partition("\nNext:\n")
    folder, code = tmp_path / "my_agent", tmp_path / "my_agent/my_agent.py"
    assert all((tmp_path / line).is_file() for line in files.splitlines())
    enters, *lines = map(str.strip, commands.splitlines())
    assert (enters, lines) == ("cd my_agent", ["sim fuzz my_agent_live", "pytest"])
    found, failed = (run(scripts, line, folder) for line in lines)
    assert (found.returncode, failed.returncode) == (1, 1)
    for told in (found.stdout, failed.stdout):
        assert " is cancelled while it waits in Agent.log (my_agent.py:20)" in told
        assert " waits in Agent.ask (my_agent.py:11) on Semaphore.acquire" in told
    assert "1 failed, 1 passed" in failed.stdout
    marked = next(line for line in code.read_text().splitlines(keepends=True) if "below `try:`" in line)
    code.write_text(code.read_text().replace(marked, "").replace("        try:\n", f"        try:\n    {marked}"))
    found, failed = (run(scripts, line, folder) for line in lines)
    assert (found.returncode, failed.returncode) == (0, 0), found.stdout + failed.stdout
    assert "2 passed" in failed.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("json", "'json' is the name of another module; choose another one, such as my_json"),
        ("sim", "'sim' is the name of another module"),
        ("my-council", "'my-council' is not a module name; use letters, digits and '_', such as my_coordinator"),
        ("class", "'class' is not a module name"),
        ("there", "there: exists already; choose another name, or remove it"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_made(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim.cli import call

    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    assert call(["new", name]) == 2
    assert capsys.readouterr().err.startswith(f"sim: {line}")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_a_shell(shell: str, scripts: Path, tmp_path: Path) -> None:
    done = run(scripts, "sim", tmp_path, _SIM_COMPLETE=f"{shell}_source")
    assert done.returncode == 0
    assert "_SIM_COMPLETE=" in done.stdout


def test_bash_completes_what_is_typed(scripts: Path, tmp_path: Path) -> None:
    script = """
        eval "$(_SIM_COMPLETE=bash_source sim)"
        COMP_WORDS=(sim run --ht) COMP_CWORD=2
        _sim_completion sim --ht run
        echo "${COMPREPLY[@]}"
        complete -p sim
    """
    (tmp_path / "typed.sh").write_text(script)
    done = run(scripts, "bash typed.sh", tmp_path)
    completed, registered = done.stdout.splitlines()
    assert completed == "--html"
    assert registered.endswith("_sim_completion sim")


def test_completion_knows_commands_and_options(scripts: Path, tmp_path: Path) -> None:
    def completed(words: str, at: int) -> list[str]:
        done = run(scripts, "sim", tmp_path, _SIM_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(at))
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("sim ", 1) == [*_commands()]
    assert completed("sim dr", 1) == ["draw"]
    assert completed("sim run --ht", 2) == ["--html"]
    assert completed("sim fuzz --strategy p", 3) == ["pctcp", "pos", "portfolio"]


def _commands() -> list[str]:
    from sim.cli import COMMANDS

    return [*COMMANDS]


def test_the_module_is_the_command(scripts: Path, tmp_path: Path) -> None:
    one, other = (run(scripts, f"{command} --help", tmp_path) for command in ("sim", "python -m sim"))
    assert one.stdout == other.stdout
    assert one.returncode == other.returncode == 0
