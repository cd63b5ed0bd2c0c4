"""Heavy libraries load when they are used, and not before. How long that takes no test says: `bench/imports.py`
measures it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sim.cli import COMMANDS

ROOT = Path(__file__).parents[2]
HEAVY = ("hypothesis", "numpy", "rich", "pydantic", "ruamel", "genai_prices", "opentelemetry", "tree_sitter")
ENGINES = (
    "sim.graph.graph",
    "sim.machine.handler",
    "sim.strategy",
    "sim.run",
    "sim.minimiser",
    "sim.fuzzer",
    "sim.checker",
    "sim.campaign",
    "sim.scenario",
    "sim.report",
    "sim.testing",
    "sim.metrics.session",
)

LOADS: dict[str, tuple[str, tuple[str, ...]]] = {
    "import sim": ("import sim", (*HEAVY, *ENGINES, "click", "transitions", "sim.machine.ledgers")),
    "a model": (
        "from sim import Emission, Message, Monitor, Process, System, always, sometimes",
        (*HEAVY, *ENGINES, "click", "transitions"),
    ),
    "simulate": (
        "from sim import Uniform, simulate",
        (
            *HEAVY,
            "click",
            "sqlite3",
            "sim.scenario",
            "sim.report",
            "sim.testing",
            "sim.fuzzer",
            "sim.checker",
            "sim.campaign",
        ),
    ),
    "sim --help": ("from sim.cli import call; call(['--help'])", (*HEAVY, *ENGINES, "transitions")),
    "sim run": (
        f"from sim.cli import call; call(['run', {str(ROOT / 'scenarios/consensus/r8_late_original.yaml')!r}])",
        (
            "hypothesis",
            "numpy",
            "rich",
            "genai_prices",
            "opentelemetry",
            "sqlite3",
            "sim.campaign",
            "sim.report.html",
            "sim.report.export",
        ),
    ),
    "sim check": (
        "from sim.cli import call; call(['check', 'models.two_phase_commit'])",
        (*HEAVY, "sim.report.html", "sim.metrics", "sim.scenario.schema", "sim.scenario.loader"),
    ),
    "sim check --set": (
        "from sim.cli import call; call(['check', 'models.two_phase_commit', '--set', 'resource_managers=3'])",
        (*HEAVY, "sim.metrics", "sim.scenario.schema", "sim.scenario.loader"),
    ),
    "sim fuzz": (
        "from sim.cli import call; call(['fuzz', 'models.two_phase_commit', '--schedules', '2'])",
        ("hypothesis", "rich", "pydantic", "ruamel", "genai_prices", "opentelemetry", "tree_sitter"),
    ),
    "sim draw": (
        "from sim.cli import call; call(['draw', 'models.paxos'])",
        (*HEAVY, "sim.checker", "sim.fuzzer", "sim.report.html"),
    ),
}
"""What is done -> the code that does it, and what it must not load."""


def loaded(code: str) -> set[str]:
    """The modules that a fresh process has loaded behind `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint()\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return {*done.stdout.splitlines()[-1].split()}


def too_early(modules: set[str], unwanted: tuple[str, ...]) -> list[str]:
    return [name for name in unwanted if name in modules or any(module.startswith(f"{name}.") for module in modules)]


@pytest.mark.parametrize("what", LOADS)
def test_what_is_not_used_is_not_loaded(what: str) -> None:
    code, unwanted = LOADS[what]
    assert too_early(loaded(code), unwanted) == []


def test_what_is_loaded_too_early_is_caught() -> None:
    assert "hypothesis" in too_early(loaded("import sim; sim.schedules"), HEAVY)
    assert "sim.report" in too_early(loaded("import sim.report.text"), ENGINES)


def test_every_command_is_there_and_the_help_says_what_each_does() -> None:
    for name, says in COMMANDS.items():
        command = importlib.import_module(f"sim.cli.{name}").command
        assert isinstance(command, click.Command)
        assert says.endswith(".")
        assert len(says) < 90
