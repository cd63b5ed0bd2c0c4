"""The pytest plugin: the fixtures `explore` and `conforms`, their options, a line in the summary of a run that
explored.

    from shop import system

    def test_no_order_is_charged_twice(explore):
        explore(system, faults="crash:1@bank").check()

    def test_the_shop_does_what_its_model_does(conforms):
        conforms("shop.jsonl", system)

The decorator of the same name, `from sim import explore`, asks for the fixture, and makes an async test a program:

    @explore(faults="cancel:1@client")
    async def test_no_slot_is_lost(world): ...

Nothing of roundsim is loaded before a test uses a fixture; Hypothesis and its options are left alone. It is there in
the tests of any project that shares an environment with roundsim, so it stays out of the way: an option of the
project's own that has the name of one of ours is the project's, and where `sim` is a package of the project's own,
the fixtures are off, and a line says so.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Generator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sim.testing.conforming import Conforms
    from sim.testing.explorer import Explore

PROFILES = {"quick": 100, "default": 1_000, "thorough": 50_000}
"""Name of a profile -> schedules of each fuzz."""
SEED_MAX = 2**64 - 1
_TOLD = ", ".join(f"{name}: {count:,}" for name, count in PROFILES.items())
OPTIONS = {
    "seed": ("N", "The seed of every fuzz (ini: sim_seed; default 0)."),
    "schedules": ("N", "Schedules of every fuzz (ini: sim_schedules)."),
    "profile": ("NAME", f"How many schedules: {_TOLD} (ini: sim_profile)."),
}
INI = {
    "sim_seed": ("0", "The seed of every fuzz."),
    "sim_schedules": ("", "Schedules of every fuzz, whatever the profile."),
    "sim_profile": ("default", f"How many schedules a fuzz runs: {_TOLD}."),
    "sim_counterexamples": ("counterexamples", "Folder of counterexamples, from the root."),
}
"""Key -> its default, its help."""

_OURS = pytest.StashKey[list[str]]()
"""The ini keys that are ours, and not the project's own."""
_USED = pytest.StashKey[bool]()


# --- options ----------------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> Generator[None, None, None]:
    """Add the options once the project's own are known: pytest ends where two have one name."""
    yield
    group = parser.getgroup("roundsim", "schedules of systems under test (roundsim)")
    for name, (metavar, text) in OPTIONS.items():
        if _is_free(parser, f"--sim-{name}"):
            group.addoption(f"--sim-{name}", dest=f"roundsim_{name}", metavar=metavar, help=text)
    ours = early_config.stash[_OURS] = [key for key in INI if _is_free_ini(early_config, key)]
    for key in ours:
        default, text = INI[key]
        parser.addini(key, text, default=default)


def _is_free(parser: pytest.Parser, option: str) -> bool:
    try:
        return option in parser.parse_known_and_unknown_args([option])[1]
    except (pytest.UsageError, argparse.ArgumentError):  # it wants a value: somebody has defined it
        return False


def _is_free_ini(config: pytest.Config, key: str) -> bool:
    try:
        config.getini(key)
    except ValueError:
        return True
    return False


def pytest_configure(config: pytest.Config) -> None:
    _chosen(config)  # a wrong option is reported before any test runs


def _chosen(config: pytest.Config) -> tuple[str, int, int]:
    """The profile, the schedules and the seed: the command line wins over the ini file, the ini file over the
    profile."""
    profile = _option(config, "profile") or _ini(config, "sim_profile")
    if profile not in PROFILES:
        *others, last = PROFILES  # written out: `sim` may be the project's own
        meant = "".join(f" (did you mean {name!r}?)" for name in get_close_matches(profile, PROFILES, n=1))
        raise pytest.UsageError(f"--sim-profile: unknown profile {profile!r}{meant}: use {', '.join(others)} or {last}")
    schedules = _option(config, "schedules") or _ini(config, "sim_schedules")
    seed = _option(config, "seed") or _ini(config, "sim_seed")
    count = _whole("--sim-schedules", schedules, 1) if schedules else PROFILES[profile]
    return profile, count, _whole("--sim-seed", seed, 0)


def _option(config: pytest.Config, name: str) -> str:
    return config.getoption(f"roundsim_{name}", None) or ""


def _ini(config: pytest.Config, key: str) -> str:
    return str(config.getini(key)) if key in config.stash.get(_OURS, ()) else INI[key][0]


def _whole(option: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= SEED_MAX):
        raise pytest.UsageError(f"{option} {_one_line(text)}: must be a whole number from {least} to {SEED_MAX}")
    return int(text)


# --- the fixture ------------------------------------------------------------------------------------


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Explore:
    """A model to check, fuzz or replay: `explore(system).check()`, `explore(system, faults="drop:1").fuzz()`,
    `explore.scenario("race.yaml")`. A violation fails the test with a minimised counterexample."""
    _refuse_a_foreign_sim()
    from sim.testing.explorer import Explore, Settings

    config = request.config
    config.stash[_USED] = True
    _, schedules, seed = _chosen(config)
    node = request.node.nodeid
    command = shlex.join(["pytest", str(config.cwd_relative_nodeid(node))])
    return Explore(Settings(schedules, seed, _counterexamples(config)), request.node.name, node, command)


@pytest.fixture
def conforms(request: pytest.FixtureRequest) -> Conforms:
    """Holds what a program did against its model: `conforms("run.jsonl", system)`, or a `Recorder` instead of the file.
    A log that is not a path of the model fails the test, with the line and what the model could do there instead."""
    _refuse_a_foreign_sim()
    from sim.testing.conforming import Conforms

    return Conforms(_counterexamples(request.config), request.node.name)


def _counterexamples(config: pytest.Config) -> Path:
    return config.rootpath / _ini(config, "sim_counterexamples")


def _refuse_a_foreign_sim() -> None:
    foreign = _foreign(importlib.import_module("sim"))
    if foreign:
        pytest.fail(foreign, pytrace=False)


def _foreign(package: ModuleType) -> str:
    """What is said of a package `sim` that is not ours; nothing of ours."""
    if getattr(package, "__roundsim__", False):
        return ""
    place = package.__file__ or ", ".join(package.__path__)
    return f"roundsim: `sim` is a package of this project's own here ({_one_line(place)}), so its fixtures are off"


def _one_line(text: str) -> str:
    """The rule of `sim.base.printing`, which cannot be imported where `sim` is not ours."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


# --- what is said -----------------------------------------------------------------------------------


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """That we step aside, where the tests have imported a `sim` that is not ours."""
    held = sys.modules.get("sim")
    told = _foreign(held) if held is not None and config.getoption("verbose") >= 0 else ""
    return [told] if told else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash.get(_USED, False) and config.getoption("verbose") >= 0:
        from importlib.metadata import version

        profile, schedules, seed = _chosen(config)
        line = f"roundsim {version('roundsim')}: profile {profile}, {schedules:,} schedules, seed {seed}"
        terminalreporter.write_line(line)
