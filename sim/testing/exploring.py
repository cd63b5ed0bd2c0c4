"""The decorator `explore`: an async test is a program, and each run of it takes another schedule."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.live.program import Program
from sim.live.program_parts import Order
from sim.scenario import Target
from sim.testing.explorer import Explore, Explored, ExploreFailure, ItsOwn
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.live.stage import Stage
    from sim.machine.process import Monitor
    from sim.system.declaration import Declaration
    from sim.system.properties import Property

AsyncTest = Callable[..., Coroutine[Any, Any, object]]
WORLD, FIXTURE = "world", "explore"
"""The parameter that the decorator fills, and the fixture of the plugin that it asks for."""


def explore(
    *misplaced: object,
    faults: str = "",
    order: Order = "fifo",
    monitors: Mapping[str, Monitor] | None = None,
    properties: Sequence[Property] = (),
    timing: Timing | None = None,
    conforms: Declaration | None = None,
    observe: Sequence[str] = (),
    schedules: int | None = None,
    seed: int | None = None,
    strategy: str | None = None,
    max_steps: int | None = None,
    deviations: int | None = None,
    violates: str | None = None,
) -> Callable[[AsyncTest], Callable[..., None]]:
    """Run an async test of pytest under many schedules: `@explore(faults="cancel:1@client")` above
    `async def test_it(world)`. The test is the `main` of a `Program`, and `world` its `sim.live.stage.Stage`.

    - `faults`, `order`, `monitors`, `properties`, `timing`, `conforms`, `observe`: as of a `Program`
    - `schedules`, `seed`, `strategy`, `max_steps`: of the fuzz, as the fixture's `explore(...).fuzz()` takes them
    - `deviations`: check, instead of a fuzz, every schedule with at most so many departures from the usual order
    - `violates`: the test fails unless exactly this property is violated

    Whatever else the test asks for is an ordinary fixture, made once, before the first run. A schedule that was kept of
    the test before is run first. Raises `ModelError` with one line for each mistake.
    """
    if misplaced:
        raise ModelError(f"@explore got {describe(misplaced[0])}; write @explore() above async def test_it(world): ...")
    asked = {"schedules": schedules, "seed": seed, "strategy": strategy, "max_steps": max_steps}
    drawn: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if deviations is not None and drawn:
        raise ModelError(f"@explore(deviations=...) checks, and draws nothing; leave out {', '.join(drawn)}")

    def decorate(test: AsyncTest) -> Callable[..., None]:
        name = getattr(test, "__name__", "test")
        if not inspect.iscoroutinefunction(test):
            raise ModelError(f"@explore: {name} is {describe(test)}; write async def {name}(world): ...")
        signature = inspect.signature(test)
        if WORLD not in signature.parameters:
            raise ModelError(f"@explore: {name} has no parameter `world`; write async def {name}(world): ...")
        program = Program(
            _bound_later,
            monitors or {},
            properties,
            faults,
            order,
            timing or Timing(),
            conforms=conforms,
            observe=observe,
        )

        @functools.wraps(test)
        def explored(*self: Any, explore: Explore, **fixtures: Any) -> None:
            if FIXTURE in signature.parameters:
                fixtures[FIXTURE] = explore
            run = TestRuns(functools.partial(test, *self, **fixtures))
            target = Target(name, explore.node, {}, program.with_(main=run.main))
            explorer = Explored(target, explore.settings, explore.node, ItsOwn(explore.command, run.failed_with))
            try:
                if violates is None:
                    explorer.again()
                if deviations is not None:
                    explorer.check(violates=violates, deviations=deviations)
                else:
                    explorer.fuzz(violates=violates, **drawn)
            except ExploreFailure as failure:
                run.violated = str(failure)
            run.conclude()

        explored.__signature__ = _asked_of_pytest(signature)  # type: ignore[attr-defined]
        import pytest

        marked: Callable[..., None] = pytest.mark.filterwarnings(_NOT_ASYNC)(explored)
        return marked

    return decorate


async def _bound_later(world: Stage) -> None:
    """Stands for a test whose fixtures are not made yet: the other mistakes are told when the module is read."""


_NOT_ASYNC = "ignore:.*it is not an async function"
"""What pytest-asyncio says of a test that has its mark, as all of a module may have, and is no longer its own."""


def _asked_of_pytest(signature: inspect.Signature) -> inspect.Signature:
    """The test without `world`, and with our fixture, so that pytest makes what is left."""
    kept = [parameter for name, parameter in signature.parameters.items() if name not in (WORLD, FIXTURE)]
    kept.append(inspect.Parameter(FIXTURE, inspect.Parameter.KEYWORD_ONLY))
    return inspect.Signature(sorted(kept, key=lambda parameter: parameter.kind))


class TestRuns:
    """All runs of one test. What a run says of the whole test, that it is skipped, does not violate anything."""

    __test__ = False

    def __init__(self, test: Callable[..., Coroutine[Any, Any, object]]) -> None:
        import pytest

        self._test = test
        self._outcomes = (pytest.skip.Exception, pytest.xfail.Exception)
        self._outcome: BaseException | None = None
        self._error: BaseException | None = None
        self.violated = ""
        """What is wrong, where the test itself does not fail."""

    async def main(self, world: Stage) -> None:
        """The test once."""
        __tracebackhide__ = True
        self._error = None
        try:
            await self._test(world=world)
        except self._outcomes as outcome:
            self._outcome = outcome
        except BaseException as error:
            self._error = error
            raise

    def failed_with(self) -> BaseException | None:
        """What the last run failed with."""
        return self._error

    def conclude(self) -> None:
        """Fail the test, or skip it, if it said so."""
        __tracebackhide__ = True
        import pytest

        if self.violated:
            pytest.fail(self.violated, pytrace=False)  # no line of the test is to blame
        if self._outcome is not None:
            raise self._outcome
