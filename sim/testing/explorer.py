"""What the fixture `explore` of the pytest plugin returns: a system to check, fuzz or replay, whose violations fail the
test with a counterexample that is kept as a scenario file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sim.base.errors import DivergenceError
from sim.base.printing import printable
from sim.checker.bounded_result import BoundedResult
from sim.checker.exhaustive import check
from sim.checker.result import CheckResult
from sim.fuzzer.fuzz import FuzzResult, fuzz
from sim.live.endings import MAIN
from sim.minimiser.counterexample import Counterexample, counterexample_of
from sim.minimiser.counterexample_file import CounterexampleFile, replay_command
from sim.report.outcome import compare
from sim.run.of_scenario import simulate_scenario
from sim.run.simulation import MAX_STEPS, simulate
from sim.run.trace import Run
from sim.scenario import Target, load_scenario, load_schedule
from sim.scenario.parsed import Opened
from sim.strategy import Portfolio, Replay
from sim.testing.told import replay_call
from sim.testing.under_test import Model, kept_at, kept_of, target_of
from sim.world.world import world_of


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

    `test` names the test, for the files of its counterexamples; `node` is what pytest calls it, and `command` runs it.
    """

    def __init__(self, settings: Settings, test: str, node: str = "", command: str = "") -> None:
        self.settings = settings
        self.test = test
        self.node = node
        self.command = command

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


@dataclass(frozen=True)
class ItsOwn:
    """What a system has that is the test itself: the command that replays what was kept of it, and what it has failed with
    in the last run."""

    replay: str
    failed_with: Callable[[], BaseException | None]


class Explored:
    """One system under test."""

    def __init__(self, target: Target, settings: Settings, test: str, own: ItsOwn | None = None) -> None:
        self._target = target
        self._settings = settings
        self._test = test
        self._own = own

    @property
    def system(self) -> Opened:
        """The system."""
        return self._target.system

    def check(self, *, violates: str | None = None, **options: Any) -> CheckResult | BoundedResult:
        """Check every schedule, or of a program those with few `deviations`; `options` are those of `sim.check`. Fails the test at a violation, and if a bound is
        reached before there is an answer. With `violates` it fails unless exactly this property is violated."""
        __tracebackhide__ = True
        result = check(self.system, **options)
        if result.finding is None and result.verdict == "incomplete":
            raise ExploreFailure(f"the check ended without an answer: {result.stopped}; nothing wrong so far")
        found = []
        if result.finding is not None:
            found = [(result.finding.property, result.finding.message)]
        if not _as_expected(found, violates):
            self._fail(found, violates, result.counterexample, f"sim check found it among {result.among}")
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

    def again(self) -> None:
        """Run the schedules that were kept of this test. Fails the test if one still shows that something is wrong; one
        that the test no longer takes, as it is another by now, is passed over."""
        __tracebackhide__ = True
        for path in kept_of(self._settings.folder, self._test):
            kept = load_schedule(path)
            if kept.model != self._target.model:
                continue
            world = world_of(self.system)
            try:
                run = simulate(world, Replay([item.address for item in kept.schedule], then_usual=True))
            except DivergenceError:
                continue
            if run.finding is not None:
                choices = [choice for _, choice in run.trace.steps]
                with world.walking():
                    least = counterexample_of(world, run.trace.start, choices, run.finding, complete=False)
                self._fail([(least.property, least.message)], None, least, "it was found before", path)

    def _fail(
        self,
        found: Sequence[tuple[str, str]],
        violates: str | None,
        least: Counterexample | None,
        how: str,
        kept: str = "",
    ) -> NoReturn:
        __tracebackhide__ = True
        lines = [f"{prop} is violated: {message}" for prop, message in found[:1]]
        if self._own is not None:  # of a test, pytest's explanations of its asserts are shown as they are laid out
            lines = [line for text in lines for line in text.splitlines()]
        if violates is not None:
            lines.insert(0, f"expected {violates} to be violated, but {'something else is' if found else 'nothing is'}")
        how_it_comes: list[str] = []
        if least is not None:
            how_it_comes += [*least.words, *(f"{n:>4}. {address}" for n, address in enumerate(least.schedule, 1))]
            how_it_comes += [f"({how})", *self._kept(least, how, kept)]
            error = self._failed_with(least) if violates is None else None
            if error is not None:
                error.add_note("\n".join(map(printable, how_it_comes)))
                raise error
        raise ExploreFailure("\n".join(map(printable, [*lines, *how_it_comes])))

    def _failed_with(self, least: Counterexample) -> BaseException | None:
        """What the test itself fails with in the run of this counterexample: pytest shows it as of any other test."""
        if self._own is None or least.property != MAIN:
            return None
        simulate(self.system, Replay(least.schedule, then_usual=True))
        return self._own.failed_with()

    def _kept(self, least: Counterexample, how: str, kept: str) -> list[str]:
        """Where the counterexample is, or was `kept` before, and what replays it; there is no file without a module to
        import."""
        if not self._target.model:
            return replay_call(least.schedule).splitlines()
        path = kept or kept_at(self._settings.folder, self._test, least.property)
        file = CounterexampleFile.at(path, self._target.model)
        if self._own is not None:
            file = file._replace(replay=self._own.replay)
        if not kept:
            file.write(self._target, least, f"Found by {self._test}: {how}.")
        return [*([f"kept in {path}"] if self._own is not None else []), f"replay it with: {file.replay}"]


def _as_expected(found: Sequence[tuple[str, str]], violates: str | None) -> bool:
    return [prop for prop, _ in found] == ([] if violates is None else [violates])
