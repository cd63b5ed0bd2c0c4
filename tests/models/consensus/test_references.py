"""Ours stands by itself: what references do otherwise is in classes of their own, which only they have."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import models.consensus
from models.consensus import system
from models.consensus.coordinator import Coordinator
from models.consensus.references import kind_of
from models.consensus.references.coordinator import ReferenceCoordinator
from models.consensus.references.profiles import PROFILES
from models.consensus.references.switches import SWITCHES
from sim import Process, System, check

HERE = Path(models.consensus.__file__).parent
CONFIGURES = ("__init__.py", "options.py")
"""Where a run is configured, and with it whose run it is."""
OURS = sorted(path for path in HERE.glob("*.py") if path.name not in CONFIGURES)
REFERENCES = "roundsim.models.consensus.references"

WHOLE: dict[str, Any] = {"agents": 1, "cancel": True, "updates": 1, "countdown": 1, "former": ("Tick",)}
SMALL: dict[str, Any] = {"agents": 1, "retries": 0, "cancel": True, "updates": 1, "countdown": 1}


def strangers(system: System) -> set[str]:
    """The processes whose class is a reference's."""
    return {name for name, process in system.processes.items() if type(process).__module__.startswith(REFERENCES)}


def test_a_run_of_ours_has_none_of_their_classes() -> None:
    assert strangers(system(**WHOLE)) == set()


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "sequenced"])
def test_a_run_of_a_reference_has_theirs_wherever_one_may_deviate(name: str) -> None:
    assert strangers(system(**WHOLE, profile=name)) == {"coordinator", "consumer", "store", "user"}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_single_switch_is_enough(name: str) -> None:
    assert "coordinator" in strangers(system(switches=(name,)))


def knows_of(source: str) -> list[str]:
    """The lines of a module that import from the references, or read a switch."""
    nodes = ast.walk(ast.parse(source))
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in nodes
        if (isinstance(node, ast.ImportFrom) and "references" in (node.module or "").split("."))
        or (isinstance(node, ast.Attribute) and node.attr == "switches")
    ]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_module_of_ours_knows_of_them(path: Path) -> None:
    assert knows_of(path.read_text(encoding="utf-8")) == []


def test_a_module_that_knows_of_them_is_caught() -> None:
    source = "from .references.switches import Switches\nif self.switches.stop_exits:\n    pass\n"
    assert [line[:2] for line in knows_of(source)] == ["1:", "2:"]


def test_their_states_are_not_ours() -> None:
    assert {*ReferenceCoordinator.states} - {*Coordinator.states} == {"blocked", "exited"}


def as_reference(sound: System, deviations: tuple[str, ...]) -> System:
    """The same system, of the classes of references, with these switches on."""

    def instead(process: Process) -> Process:
        kind = type(process)
        fields = dict(zip(kind.table.fields, process.field_values(), strict=True))
        if "deviations" in fields:
            fields["deviations"] = deviations
        return kind_of(kind, ("any",))(**fields)

    stand_ins = {name: instead(sound.processes[name]) for name in ("coordinator", "consumer", "store", "user")}
    return sound.with_(processes={**sound.processes, **stand_ins}, monitors={}, properties=())


def counts(system: System) -> tuple[bool, int, int, int]:
    result = check(system.with_(faults="none"))
    return result.complete, result.states, result.generated, result.depth


def test_with_all_switches_off_a_reference_is_ours() -> None:
    sound = system(**SMALL)
    assert counts(as_reference(sound, ())) == counts(sound.with_(monitors={}, properties=()))


def test_a_switch_that_is_on_makes_another_graph() -> None:
    sound = system(**SMALL)
    assert counts(as_reference(sound, ("stop_exits",))) != counts(sound.with_(monitors={}, properties=()))
