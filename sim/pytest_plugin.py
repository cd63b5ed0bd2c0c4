"""The pytest plugin: the fixture `explore`, its options, a line in the header.

    from shop import system

    def test_no_order_is_charged_twice(explore):
        explore(system, faults="crash:1@bank").check()

Nothing of roundsim's engines is loaded before a test uses the fixture; Hypothesis and its options are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sim.testing.explorer import Explore

PROFILES = {"quick": 100, "default": 1_000, "thorough": 50_000}
"""Name of a profile -> schedules of each fuzz."""
SEED_MAX = 2**64 - 1


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("roundsim", "schedules of systems under test (roundsim)")
    told = ", ".join(f"{name}: {count:,}" for name, count in PROFILES.items())
    group.addoption("--sim-seed", metavar="N", help="The seed of every fuzz (ini: sim_seed; default 0).")
    group.addoption("--sim-schedules", metavar="N", help="Schedules of every fuzz (ini: sim_schedules).")
    group.addoption("--sim-profile", metavar="NAME", help=f"How many schedules: {told} (ini: sim_profile).")
    parser.addini("sim_seed", "The seed of every fuzz.", default="0")
    parser.addini("sim_schedules", "Schedules of every fuzz, whatever the profile.", default="")
    parser.addini("sim_profile", f"How many schedules a fuzz runs: {told}.", default="default")
    parser.addini("sim_counterexamples", "Folder of counterexamples, from the root.", default="counterexamples")


def pytest_configure(config: pytest.Config) -> None:
    _chosen(config)  # what is wrong with an option is said before any test runs


def pytest_report_header(config: pytest.Config) -> str:
    from importlib.metadata import version

    profile, schedules, seed = _chosen(config)
    return f"roundsim {version('roundsim')}: profile {profile}, {schedules:,} schedules, seed {seed}"


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Explore:
    """A model to check, fuzz or replay: `explore(system).check()`, `explore(system, faults="drop:1").fuzz()`,
    `explore.scenario("race.yaml")`. A violation fails the test with a minimised counterexample."""
    from sim.testing.explorer import Explore, Settings

    _, schedules, seed = _chosen(request.config)
    folder = request.config.rootpath / request.config.getini("sim_counterexamples")
    return Explore(Settings(schedules, seed, folder), request.node.name)


def _chosen(config: pytest.Config) -> tuple[str, int, int]:
    """The profile, the schedules and the seed: the command line before the ini file before the profile."""
    profile = config.getoption("--sim-profile") or config.getini("sim_profile")
    if profile not in PROFILES:
        raise pytest.UsageError(f"--sim-profile {profile}: no such profile; there are {', '.join(PROFILES)}")
    schedules = config.getoption("--sim-schedules") or config.getini("sim_schedules")
    seed = config.getoption("--sim-seed") or config.getini("sim_seed")
    count = _whole("--sim-schedules", schedules, 1) if schedules else PROFILES[profile]
    return profile, count, _whole("--sim-seed", seed, 0)


def _whole(option: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= SEED_MAX):
        raise pytest.UsageError(f"{option} {text}: give a whole number from {least}")
    return int(text)
