"""What the fixture `explore` of the pytest plugin returns: a system to check, fuzz or replay, whose violations fail the
test with a counterexample that is kept as a scenario file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.base.printing import printable
from sim.checker.exhaustive import check
from sim.checker.result import CheckResult
from sim.fuzzer.fuzz import FuzzResult, fuzz
from sim.minimiser.counterexample import Counterexample
from sim.minimiser.counterexample_file import CounterexampleFile, replay_command
from sim.report.outcome import compare
from sim.run.of_scenario import simulate_scenario
from sim.run.simulation import MAX_STEPS
from sim.run.trace import Run
from sim.scenario import Target, load_scenario
from sim.scenario.parsed import Opened
from sim.strategy import Portfolio
from sim.testing.told import replay_call
from sim.testing.under_test import Model, kept_at, target_of


class ExploreFailure(AssertionError):
    """A property of a system under test does not hold, or one that should be violated holds."""


@dataclass(frozen=True)
class Settings:
    """The settings of a session of tests: how many schedules, from which seed; where counterexamples go."""

    schedules: int
    seed: int
    folder: Path


class Explore:
    """The fixture `explore`: called with a model, it is what a test explores.

    `test` names the test, for the files of its counterexamples.
    """

    def __init__(self, settings: Settings, test: str) -> None:
        self.settings = settings
        self.test = test

    def __call__(
        self, model: Model, *, faults: str | None = None, network: str | None = None, **config: Any
    ) -> Explored:
        """`model` is a model's function `system`, the dotted name of its module, or a `System`; `config` its
        arguments. `faults` and `network` replace its own."""
        __tracebackhide__ = True
        target = target_of(model, config, {"faults": faults, "network": network}, "explore")
        return Explored(target, self.settings, self.test)

    def scenario(self, path: str | Path, *, model: str | None = None) -> Run:
        """Run a scenario file (a kept counterexample, say) and compare it with what it expects; `model` allows a model
        of your own. Fails the test if an expectation is missed."""
        __tracebackhide__ = True
        scenario = load_scenario(path, allow=() if model is None else (model,))
        run = simulate_scenario(scenario)
        replay = replay_command(str(path), scenario.model)
        missed = compare(scenario, run, replay).missed
        if missed:
            raise ExploreFailure(
                "\n".join(map(printable, [f"{path} does not run as it expects", *missed, f"replay it with: {replay}"]))
            )
        return run


class Explored:
    """One system under test."""

    def __init__(self, target: Target, settings: Settings, test: str) -> None:
        self._target = target
        self._settings = settings
        self._test = test

    @property
    def system(self) -> Opened:
        """The system."""
        return self._target.system

    def check(self, *, violates: str | None = None, **options: Any) -> CheckResult:
        """Check every schedule; `options` are those of `sim.check`. Fails the test at a violation, and if a bound is
        reached before there is an answer. With `violates` it fails unless exactly this property is violated."""
        __tracebackhide__ = True
        result = check(self.system, **options)
        if result.finding is None and result.verdict == "incomplete":
            raise ExploreFailure(f"the check ended without an answer: {result.stopped}; nothing wrong so far")
        found = []
        if result.finding is not None:
            found = [(result.finding.property, result.finding.message)]
        if not _as_expected(found, violates):
            self._fail(found, violates, result.counterexample, f"sim check found it among {result.states:,} states")
        return result

    def fuzz(
        self,
        *,
        violates: str | None = None,
        schedules: int | None = None,
        seed: int | None = None,
        strategy: str = Portfolio.name,
        max_steps: int = MAX_STEPS,
    ) -> FuzzResult:
        """Run many schedules; how many and from which seed is set by the test, or else by the session. Fails the test
        at a violation; with `violates` it fails unless exactly this property is violated."""
        __tracebackhide__ = True
        result = fuzz(
            self.system,
            schedules=self._settings.schedules if schedules is None else schedules,
            seed=self._settings.seed if seed is None else seed,
            strategy=strategy,
            max_steps=max_steps,
        )
        found = [(one.property, one.message) for one in result.found]
        if not _as_expected(found, violates):
            first = result.found[0] if result.found else None
            how = f"{first.strategy} with seed {first.seed} found it" if first is not None else ""
            self._fail(found, violates, first.counterexample if first is not None else None, how)
        return result

    def _fail(
        self, found: Sequence[tuple[str, str]], violates: str | None, least: Counterexample | None, how: str
    ) -> None:
        __tracebackhide__ = True
        lines = [f"{prop} is violated: {message}" for prop, message in found[:1]]
        if violates is not None:
            lines.insert(0, f"expected {violates} to be violated, but {'something else is' if found else 'nothing is'}")
        if least is not None:
            lines += [*least.words, *(f"{n:>4}. {address}" for n, address in enumerate(least.schedule, 1))]
            lines += [f"({how})", *self._kept(least, how)]
        raise ExploreFailure("\n".join(map(printable, lines)))

    def _kept(self, least: Counterexample, how: str) -> list[str]:
        """Where the counterexample is, and what replays it; there is no file without a module to import."""
        if not self._target.model:
            return replay_call(least.schedule).splitlines()
        file = CounterexampleFile.at(kept_at(self._settings.folder, self._test, least.property), self._target.model)
        file.write(self._target, least, f"Found by {self._test}: {how}.")
        return [f"replay it with: {file.replay}"]


def _as_expected(found: Sequence[tuple[str, str]], violates: str | None) -> bool:
    return [prop for prop, _ in found] == ([] if violates is None else [violates])
