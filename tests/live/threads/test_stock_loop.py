"""What threads do in a run they can do on the standard library's own loop, as it stands: real threads are stopped and let go
where a run says, between two of its steps, and everything comes out the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sim import Program, Replay, Uniform, fuzz, simulate
from sim.live.loop import LiveLoop
from sim.live.threads.run_threads import RunThreads
from tests.live.script import Told, first_difference, script_of
from tests.live.small import Main, installed_once  # noqa: F401
from tests.live.stock import OffScript, played
from tests.live.threads.parts import PARTS
from tests.live.threads.test_what_goes_wrong import adds_twice_at_points, fails_in_a_thread, waits_for_each_other

LOOP_WAITS = ("executor", "executor_made_before", "queues", "takes_its_exceptions", "shut_down", "lock", "daemons")
"""In these the loop's own thread waits, or threads go on that nobody waits for; there the script says too little."""
NAMES = [name for name in PARTS if name not in LOOP_WAITS]
SEEDS = range(8)


FINDINGS = [adds_twice_at_points, waits_for_each_other, fails_in_a_thread]


def scripts(main: Main, strategies: Sequence[Any]) -> Iterator[tuple[Program, Told]]:
    for strategy in strategies:
        program = Program(main)
        yield program, script_of(program, simulate(program, strategy).trace)


def at_random(name: str) -> Iterator[tuple[Program, Told]]:
    return scripts(PARTS[name], [Uniform(seed) for seed in SEEDS])


def differs(program: Program, script: Told) -> str:
    if script.finding.startswith("main: "):
        script.finding = ""  # of main it is told by what became of its task
    try:
        return first_difference(script, played(program, script, has_threads=True))
    except OffScript as error:
        return str(error)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_as_on_the_stock_loop(name: str) -> None:
    for program, script in at_random(name):
        assert differs(program, script) == ""


def test_threads_go_on_in_the_midst_of_turns() -> None:
    assert any(turn.within for name in NAMES for _, script in at_random(name) for turn in script.turns)


@pytest.mark.parametrize("main", FINDINGS, ids=lambda main: main.__name__)
def test_what_is_found_happens_on_the_stock_loop(main: Main) -> None:
    found = fuzz(Program(main), schedules=100).found[0].counterexample
    ((program, script),) = scripts(main, [Replay([str(line) for line in found.schedule], then_usual=True)])
    assert differs(program, script) == ""
    assert script.finding.startswith("exception: ") or any("failed" in task or "waits" in task for task in script.tasks)


def _first(self: Any, callback: Any, *args: Any, context: Any = None) -> Any:
    handle = LiveLoop.call_soon(self, callback, *args, context=context)
    self._ready.rotate(1)
    return handle


def _begins_at_once(real: Any) -> Any:
    def start(self: Any, thread: Any, begin: Any) -> None:
        real(self, thread, begin)
        if self.current is None:
            self._run.work(self.alive[-1])

    return start


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (LiveLoop, "call_soon_threadsafe", _first),
        (RunThreads, "start", _begins_at_once(RunThreads.start)),
    ],
    ids=["what a thread asks for comes first", "a thread begins at once"],
)
def test_threads_that_do_what_they_cannot_are_told(
    where: type, name: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patching:
        patching.setattr(where, name, broken)
        runs = [run for part in NAMES for run in at_random(part)]
    assert any(differs(*run) for run in runs)
