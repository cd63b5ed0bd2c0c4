"""How each tool is asked to run some schedules of a program: with its defaults, and with the strategy that its own
documentation recommends. Each imports its tool when it is asked, as it may not be installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from bench.live.programs import PROGRAMS, main_of

Run = Callable[[int], object]
"""Runs so many schedules."""


def roundsim(program: str, order: Literal["fifo", "any"]) -> Run:
    from sim import Program, fuzz

    main = main_of(program)

    async def live(world: Any) -> None:
        await main()

    made = Program(live, order=order)

    def run(schedules: int) -> None:
        result = fuzz(made, schedules=schedules)
        assert result.verdict == "ok", result.found

    return run


def stock(program: str) -> Run:
    """The loop of the standard library, a new one for each run, as `asyncio.run` has it: no choice is made."""
    main = main_of(program)
    return lambda schedules: [asyncio.run(main()) for _ in range(schedules)]


def simloom(program: str) -> Run:
    import simloom

    main = main_of(program)
    return lambda schedules: simloom.explore(main, runs=schedules)


def simloop(program: str) -> Run:
    import simloop

    main = main_of(program)
    return lambda schedules: simloop.explore(main, range(schedules))


def detangle(program: str) -> Run:
    import detangle

    main = main_of(program)
    return lambda schedules: detangle.explore(main, runs=schedules)


def seedloop(program: str) -> Run:
    import seedloop

    main = main_of(program)
    return lambda schedules: seedloop.check(main, seeds=schedules)


def frontrun(program: str) -> Run:
    """Systematic; its random strategy knows nothing of the locks and queues of asyncio, and waits for their time to be up."""
    import frontrun

    setup, workers = PROGRAMS[program]

    def run(schedules: int) -> None:
        asyncio.run(
            frontrun.explore(setup=setup, workers=list(workers), invariant=lambda state: True, max_executions=schedules)
        )

    return run


TOOLS: dict[str, Callable[[str], Run]] = {
    "roundsim, any": lambda program: roundsim(program, "any"),
    "roundsim, fifo": lambda program: roundsim(program, "fifo"),
    "simloom": simloom,
    "simloop": simloop,
    "detangle": detangle,
    "seedloop": seedloop,
    "frontrun": frontrun,
    "asyncio.run": stock,
}
