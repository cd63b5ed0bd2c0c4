"""Tells a run of a program as a story: it is run once more, and all that runs is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.base.values import Emission, show
from sim.live.addressing import said, short
from sim.live.naming import Whereabouts, called, code_of, is_own, spot_of
from sim.live.net.channel import Incoming
from sim.world.choice import MESSAGE, Start, Subject
from sim.world.slowdown import Slowdown
from sim.world.story import Actor, Fate, Happening, Journey, Look, Shown, Story

if TYPE_CHECKING:
    from sim.live.execution import Execution
    from sim.live.live_choice import LiveChoice, Place
    from sim.live.live_task import LiveTask
    from sim.live.live_world import LiveWorld
    from sim.live.noting import Noting
    from sim.live.threads.live_thread import LiveThread

_SAID = {"crash": "crashes", "restart": "comes back", "reset": "is reset", "cut": "is cut", "heal": "heals"}
NOT_BEGUN, SERVES, DOWN = Look("not begun"), Look("serves"), Look("down", up=False)


def tell(
    world: LiveWorld, start: Start[Place], steps: Sequence[tuple[int | None, LiveChoice]], slow: Sequence[Slowdown]
) -> Story:
    """The story of the run that began with `start` and took these steps."""
    del start  # there is one way to begin
    way, addresses, at = [], [], world.starts()[0].place
    for _, choice in steps:
        mine = world.found(at, choice)
        addresses.append(str(mine.address))  # asked for where it can be said
        at = world.apply(at, choice)
        way.append((mine, at))
    telling = Retelling([time for time, _ in steps], addresses)
    run = world.retold(telling, way)
    telling.last(run)
    tasks = [task.called for task in run.tasks if is_shown(task)]
    others = dict.fromkeys((*telling.threads, *run.servers))
    names = [*tasks, *(name for name in others if name not in tasks)]
    monitors = list(world.program.monitors)
    index = {name: i for i, name in enumerate((*names, *monitors))}
    looks: dict[Look, int] = {NOT_BEGUN: 0}
    first = tuple(
        looks.setdefault(look, len(looks))
        for look in ([SERVES if name in run.servers else NOT_BEGUN for name in names] + telling.heard_first)
    )
    kept = [number for number, one in enumerate(telling.journeys) if one.source in index and one.target in index]
    new = {number: at for at, number in enumerate(kept)}
    return Story(
        network=f"order {world.program.order}",
        actors=(*(Actor(name) for name in names), *(Actor(name, listens=True) for name in monitors)),
        events=tuple(
            one._replace(
                number=number,
                changed=tuple(
                    (index[who], looks.setdefault(look, len(looks))) for who, look in changed if who in index
                ),
                journey=None if one.journey is None else new.get(one.journey),
                sent=tuple(new[journey] for journey in one.sent if journey in new),
            )
            for number, (one, changed) in enumerate(telling.events)
        ),
        first=first,
        looks=tuple(looks),
        journeys=tuple(telling.journeys[number] for number in kept),
        slowdowns=tuple(slow),
    )


class Retelling:
    """Notes what happens, as it happens."""

    def __init__(self, times: Sequence[int | None], addresses: Sequence[str]) -> None:
        self._times, self._addresses = times, addresses
        self.events: list[tuple[Happening, list[tuple[str, Look]]]] = [
            (Happening(0, None, "start", "", "start", "start"), [])
        ]
        self.heard_first: list[Look] = []
        self._step = 0
        self._address = "start"
        self.journeys: list[Journey] = []
        self._flying: dict[Subject, int] = {}
        self._puts = 0
        self._states: dict[str, str] = {}
        self._task: LiveTask | None = None
        self._thread: LiveThread | None = None
        self.threads: dict[str, None] = {}
        """Those that have run, by name."""

    def choose(self, run: Execution, step: int, choice: LiveChoice) -> None:
        """The run goes on with `choice`."""
        if not self._step:
            self._states = run.audience.states(run.heard)
            self.heard_first = [Look(state) for state in self._states.values()]
        self._close(run)
        self._step, self._address = step, self._addresses[step - 1]
        text = self._said(run, choice)
        if text:
            self._add(choice.doing.verb, _lane(run, choice), text, choice.strikes)
            self._land(choice)
            if choice.doing.verb in ("crash", "restart"):
                self.events[-1][1].append((choice.doing.who, DOWN if choice.doing.verb == "crash" else SERVES))

    def _land(self, choice: LiveChoice) -> None:
        """What was on its way has come, or a fault has happened to it."""
        journey = self._flying.pop(choice.takes, None)
        if journey is None:
            return
        number = len(self.events) - 1
        lost = choice.doing.verb == "drop" or "agent_timeout" in choice.strikes
        one = self.journeys[journey]
        self.journeys[journey] = one._replace(ended=number, fate=Fate.LOST if lost else Fate.DELIVERED)
        event, changed = self.events[-1]
        self.events[-1] = event._replace(journey=journey), changed

    def _said(self, run: Execution, choice: LiveChoice) -> str:
        verb, who = choice.doing.verb, choice.doing.who
        if verb in ("turn", "resume", "work"):
            return ""
        if verb in ("cancel", "stop"):
            task = next(task for task in run.tasks if task.called == who)
            how = "is cancelled" if verb == "cancel" else "is told to stop"
            spot = spot_of(task.get_coro())
            return f"{who} {how} {'before it begins' if not task.stepped else f'while it waits in {spot}'}"
        if verb == "fire":
            owner, _, name = who.rpartition(".")
            return f"{owner}'s timer {name} fires"
        if choice.doing.subject[0] == MESSAGE:
            return said(run.kernel.arrival(choice.doing.subject[1]), choice.doing.how)
        return f"{who} {_SAID[verb]}"

    def resumes(self, task: LiveTask, at: Any) -> None:
        self._task = task if is_shown(task) else None
        if self._task is None:
            return
        spot = spot_of(at)
        self._add("resume", task.called, f"{task.called} {'begins' if not task.stepped else 'goes on'} in {spot}", ())

    def works(self, thread: LiveThread, interrupted: LiveThread | None) -> None:
        self._task, self._thread = None, thread
        self.threads[thread.called] = None
        spot = thread.whereabouts()
        says = "begins" if spot is None else f"goes on in {spot}"
        there = None if interrupted is None else interrupted.whereabouts()
        meanwhile = "" if interrupted is None or there is None else f" while {interrupted.called} is in {there}"
        self._add("work", thread.called, f"{thread} {says}{meanwhile}", ())

    def calls(self, owner: str, callback: Any) -> None:
        self._task = None
        code = getattr(callback, "__code__", None)
        if code is not None and is_own(code):  # those of the standard library say nothing to a reader
            self._add("call", owner, f"{called(callback)} is called", ())

    def sent(self, arrival: Incoming) -> None:
        """Something is on its way."""
        event, changed = self.events[-1]
        number = self._flying[arrival.subject] = len(self.journeys)
        what = short(arrival)
        self.journeys.append(Journey(arrival.source, arrival.target, what, what, len(self.events) - 1))
        self.events[-1] = event._replace(sent=(*event.sent, number)), changed

    def ran(self, run: Noting) -> None:
        if self._task is not None:
            _, changed = self.events[-1]
            changed.append((self._task.called, _look(self._task)))
        if self._thread is not None:
            self.events[-1][1].append((self._thread.called, _look_of_thread(self._thread)))
            self._thread = None
        self._close(run)

    def _close(self, run: Noting) -> None:
        """What the program has said since then belongs to what ran last."""
        event, changed = self.events[-1]
        new = [put for put in run.puts[self._puts :] if isinstance(put, Emission)]
        self._puts = len(run.puts)
        if new:
            self.events[-1] = event._replace(emitted=(*event.emitted, *map(show, new))), changed
            states = run.audience.states(run.heard)
            changed += [(name, Look(state)) for name, state in states.items() if state != self._states.get(name)]
            self._states = states

    def last(self, run: Execution) -> None:
        """The run is over."""
        self._close(run)

    def _add(self, verb: str, who: str, text: str, faults: tuple[str, ...]) -> None:
        time = self._times[self._step - 1] if self._step else None
        self.events.append((Happening(0, time, verb, who, text, self._address, faults=faults, within=self._step), []))


def is_shown(task: LiveTask) -> bool:
    """Whether a reader wants to see it: the standard library's own tasks say nothing."""
    code = code_of(task.get_coro())
    return code is not None and is_own(code)


def _lane(run: Execution, choice: LiveChoice) -> str:
    """At whom it happens, if that is somebody whom a reader sees."""
    who = choice.doing.who
    if choice.takes[0] == MESSAGE:
        who = who.partition("->")[2]
    elif choice.doing.verb == "fire":
        who = who.rpartition(".")[0]
    if who in run.servers or run.threads.called(who) is not None:
        return who
    return who if any(task.called == who and is_shown(task) for task in run.tasks) else ""


def _look_of_thread(thread: LiveThread) -> Look:
    spot = thread.whereabouts()
    return Look("done") if thread.over or spot is None else _waits_in(spot)


def _waits_in(spot: Whereabouts) -> Look:
    return Look("waits", (Shown("in", spot.name), Shown("line", f"{spot.file}:{spot.line}")))


def _look(task: LiveTask) -> Look:
    if task.done():
        if task.cancelled():
            return Look("cancelled")
        return Look("failed" if task._exception is not None else "done")
    return _waits_in(spot_of(task.get_coro()))
