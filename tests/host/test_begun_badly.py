"""Sessions on the command line whose machines fail as they begin, or as they go on."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.host.cast import Cast
from sim.host.hosted_session import HostedSession
from sim.host.journal import Journal, open_journal
from tests.host.hosting_commands import Sim, data_of, sim, write_config

__all__ = ["sim"]


@pytest.mark.parametrize(("begins", "left"), [(True, False), (False, True)])
def test_a_machine_that_fails_as_it_begins_or_goes_on_is_told_like_any_other(
    begins: bool, left: bool, sim: Sim
) -> None:
    Path("boom.py").write_text(BOOM)
    Path("pyproject.toml").write_text('[tool.roundsim]\nmodels = ["boom"]\n')
    sys.modules.pop("boom", None)
    sys.path.insert(0, ".")
    write_config({"session": "plan"})
    command = ["host", "boom", "--config", "c.yaml", "--journal", "b.db", "--set", f"begins={str(begins).lower()}"]
    if not begins:
        with open_journal("b.db", "boom") as journal:
            at_once(journal, {"begins": False})
    status, out, err = sim(*command)
    assert status == 1
    assert "bomb in state up: ValueError: boom" in (err if begins else out)
    assert Path("counterexamples").exists() == left
    assert data_of(sim, "sessions")["hosted"][0]["state"] == ("not in its journal" if begins else "failed")


BOOM = """
from sim import Process, System


class Bomb(Process):
    states = ("up",)
    begins: bool

    def on_start(self):
        if self.begins:
            raise ValueError("boom")

    def on_restart(self):
        raise ValueError("boom")


def system(begins: bool = False) -> System:
    return System(processes={"bomb": Bomb(begins=begins)})
"""


def at_once(journal: Journal, config: dict[str, Any]) -> None:
    """A session of it begins, and whoever hosts it is killed."""
    module = importlib.import_module("boom")
    cast = Cast(module.system(**config), None, (), (), {}, {})
    HostedSession("plan", cast, journal, lambda: 1_000).start(config)
