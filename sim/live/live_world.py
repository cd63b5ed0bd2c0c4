"""A program as a world: run again by the path of its choices wherever it has to be.

What coroutines hold can be neither copied nor compared. So a place is the choices that led there, and to get to a place
again the program begins anew and is led there, unless it stands just before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from weakref import finalize

from sim.base.errors import NondeterminismError, unknown
from sim.base.mixer import GAMMA, MASK, mark, mix
from sim.base.values import Emission, encode
from sim.faults.catalogue import TIMED_KINDS
from sim.faults.plan import FaultEntry
from sim.live.addressing import address_of, places
from sim.live.around import around
from sim.live.audience import Audience
from sim.live.departures import departures
from sim.live.execution import CANCEL, CUT, HEAL, RESET, RESTART, STOP, TURN, Execution
from sim.live.holding import holder_of
from sim.live.leaving import unheard
from sim.live.live_choice import FAULT, Doing, LiveChoice, LiveStart, Place
from sim.live.naming import spot_of
from sim.live.noting import RunFollower
from sim.live.possible import ON_ARRIVALS, Possible
from sim.live.program_parts import ProgramParts
from sim.live.surrounding_world import Outside
from sim.live.surroundings import surroundings
from sim.live.telling import Retelling, tell
from sim.live.threads.live_thread import BEGINNING
from sim.live.went import RESUME, WORK
from sim.system.properties import Property
from sim.world.address import FOR_GOOD, Address
from sim.world.choice import FIRE, MESSAGE, Pending, Start, Subject
from sim.world.fairness import WEAK
from sim.world.finding import Debt, Finding
from sim.world.slowdown import Slowdown
from sim.world.story import Story
from sim.world.world import NOT_IN_FLIGHT


class LiveWorld:
    """The world of a program; a `sim.world.world.World`, where each method is explained."""

    places_are_values = False
    fairness = WEAK
    verbs = (TURN, RESUME, WORK, "deliver", "connect", FIRE)

    def __init__(self, program: ProgramParts) -> None:
        self.program = program
        self.faults: Sequence[FaultEntry] = [entry for entry in program.budget if entry.kind not in TIMED_KINDS]
        self.slow_faults: Sequence[FaultEntry] = [entry for entry in program.budget if entry.kind in TIMED_KINDS]
        self.timing = program.timing
        self.scenario_keys: Mapping[str, Any] = program.scenario_keys
        self.goals: Sequence[Property] = [prop for prop in program.properties if prop.kind != "always"]
        self.judged: Sequence[str] = [
            *(str(prop) for prop in program.properties if prop.kind == "always"),
            *(f"monitor {name}" for name in program.monitors),
            *program.built_in,
        ]
        self.executions = 0
        self._compared = False
        self._calls = 0
        self._run: Execution | None = None
        self._stands: Place | None = None
        self._end: finalize[..., LiveWorld] | None = None
        self._walks = 0
        self._audience = Audience(program.listeners)
        self.rows: Mapping[tuple[str, int], str] = {(FAULT, i): str(entry) for i, entry in enumerate(self.faults)}
        """Of a program its faults are what can be covered: an entry may name what never is there."""
        self._holder = holder_of(program)
        self._possible = Possible(self.faults, program.order)

    def world(self) -> LiveWorld:
        return self

    @property
    def handler_calls(self) -> int:
        return self._calls + (self._run.steps if self._run is not None else 0)

    @contextmanager
    def walking(self) -> Iterator[None]:
        self._walks += 1
        outside = Outside.of_now()
        try:
            with around.walks():
                yield
                if self._walks == 1:
                    self._leave()
        except BaseException:
            outside.restore()  # an interrupt may strike where a run is entered or left
            if self._walks == 1:
                with suppress(Exception), around.walks():
                    self._leave()  # its threads may hold what others wait for
            raise
        finally:
            self._walks -= 1

    # --- walking ------------------------------------------------------------------------------------

    def starts(self) -> list[LiveStart]:
        """The way to begin. Each is the root of a tree of its own, which is forgotten with it."""
        return [LiveStart(Place(self, None, None, tuple(entry.count for entry in self.faults)))]

    def _at(self, at: Place) -> Place:
        """This place, at which the program was at least once."""
        if not hasattr(at, "enabled"):
            self._lead(at)
        return at

    def enabled(self, at: Place) -> Sequence[LiveChoice]:
        return self._at(at).enabled

    def unstruck(self, at: Place) -> Sequence[LiveChoice]:
        return [choice for choice in self._at(at).enabled if choice.doing.progress]

    def usual(self, at: Place) -> Sequence[LiveChoice]:
        return self.unstruck(at)

    def apply(self, at: Place, choice: LiveChoice) -> Place:
        known = at.after.get(choice.doing.code)
        if known is not None:
            return known
        if self._stands is not at:
            self._lead(at)
        what, mine = choice.doing, self.found(at, choice)
        if not what.progress:
            _ = mine.address  # it is asked for, and can be said only from here
        left = (
            at.left
            if not what.pays
            else tuple(n if n is None or i not in what.pays else n - 1 for i, n in enumerate(at.left))
        )
        after = Place(self, at, mine, left)
        at.after[what.code] = after
        self._do(what, left)
        self._arrive(after)
        return after

    def found(self, at: Place, choice: LiveChoice) -> LiveChoice:
        """The choice that is this one, made here. Raises `NondeterminismError` if there is none: it was one in another run."""
        for mine in self._at(at).enabled:
            if mine == choice:
                return mine
        raise self._other(len(at.way()))

    def changes(self, at: Place, choice: LiveChoice) -> bool:  # noqa: ARG002
        return True

    def quiescent(self, at: Place) -> bool:
        enabled = self._at(at).enabled
        return not enabled or not enabled[0].doing.progress

    def ways(self, at: Place, subject: Subject) -> Sequence[LiveChoice] | None:
        found = [c for c in self._at(at).enabled if c.doing.subject == subject and c.doing.progress]
        return found if found or subject in at.hidden else None

    def due(self, taken: Start[Place] | LiveChoice, at: Place) -> Sequence[Pending]:  # noqa: ARG002
        self._at(at)
        if at.due is None:
            known = self._known(at)
            pending = [self._pending(choice, known) for choice in at.enabled if choice.doing.progress]
            at.due = tuple(one for one in pending if one.again or one.subject[0] != MESSAGE)
        return at.due

    def _known(self, at: Place) -> set[Subject]:
        """What was pending at the place before."""
        before = at.before
        return {*before.hidden, *(choice.doing.subject for choice in before.enabled)} if before is not None else set()

    def _pending(self, choice: LiveChoice, known: set[Subject]) -> Pending:
        kind, _, name = subject = choice.doing.subject
        new = subject not in known
        if kind == MESSAGE:
            return Pending(subject, "loop", choice.address, again=new, places=places(choice.doing.who), apart=True)
        if kind in (RESTART, HEAL):
            return Pending((CUT if kind == HEAL else RESTART, 0, name), "loop", again=new)
        if kind == FIRE:
            left, (low, high) = round(float(choice.doing.how or 0) * 1000), self.timing.late_ms
            return Pending(subject, "loop", delay_ms=(left + low, left + high), again=new, apart=True)
        return Pending(subject, "loop", apart=True)

    def stays(self, subject: Subject) -> bool:  # noqa: ARG002
        return False

    @property
    def ripens(self) -> bool:
        return any(entry.kind == CANCEL for entry in self.faults)

    def may_strike(self, at: Place) -> bool:
        return any(left != 0 for left in at.left)

    def is_struck(
        self,
        entry: FaultEntry,
        fault: LiveChoice,
        usual: LiveChoice,
        last: LiveChoice | None,  # noqa: ARG002
    ) -> bool:
        return entry.kind in fault.strikes and fault.takes in (
            usual.takes,
            fault.takes if entry.kind not in ON_ARRIVALS else (),
        )

    def only_messages(self) -> bool:
        return False

    # --- judging ------------------------------------------------------------------------------------

    def judge(self, at: Place) -> Finding | None:
        return self._at(at).finding

    def rest(self, at: Place) -> Finding | None:
        return self._at(at).rest

    def holds(self, goal: str, at: Place) -> bool:
        return goal in self._at(at).held

    def begins(self, goal: str, at: Place) -> bool:  # noqa: ARG002
        return False

    def owed(self, at: Place) -> dict[Debt, str]:  # noqa: ARG002
        return {}

    def covered(self, at: Place) -> Sequence[int]:
        return self._at(at).covered

    def fingerprint(self, at: Place | int) -> int:
        if isinstance(at, int):
            return at
        if at.mark is None:
            at.mark = self._mark(self.standing(at), at)
        return at.mark

    def clock_ms(self, at: Place) -> int | None:
        return round(self.standing(at).now_s() * 1000)

    def record(self, at: Place) -> bytes:
        self._at(at)
        said = tuple(put if isinstance(put, Emission) else put.subject for put in at.puts)
        return encode((at.chain, said))

    def states(self, at: Place) -> dict[str, str]:
        return self._audience.states(self._at(at).heard)

    def tell(
        self, start: Start[Place], steps: Sequence[tuple[int | None, LiveChoice]], slow: Sequence[Slowdown] = ()
    ) -> Story:
        with self.walking():
            return tell(self, start, steps, slow)

    def schedule(self, start: Start[Place], choices: Sequence[LiveChoice]) -> list[str]:
        with self.walking():
            return departures(self, start, choices)

    def why_not(self, at: Place, address: Address) -> str:
        run = self.standing(at)
        if address.source:
            return NOT_IN_FLIGHT
        if address.process:
            thread = run.threads.called(address.process)
            if thread is not None:
                return f"{thread} is at {thread.place()}"
            task = next((task for task in run.tasks if task.called == address.process), None)
            if task is None:
                return unknown("task", address.process, [one.called for one in (*run.tasks, *run.threads)])
            if task.done():
                return f"{task.called} has ended"
            return f"{task.called} is at {spot_of(task.get_coro()).name if task.stepped else BEGINNING}"
        return "nothing of it can happen"

    # --- executions ---------------------------------------------------------------------------------

    def standing(self, at: Place) -> Execution:
        """The execution, led to this place."""
        if self._stands is not at:
            self._lead(at)
        assert self._run is not None
        return self._run

    def retold(self, recorder: Retelling, way: Sequence[tuple[LiveChoice, Place]]) -> Execution:
        """The run of these choices once more, while `recorder` listens."""
        self._stands = None
        self._begin(recorder)
        run = self._run
        assert run is not None
        for step, (choice, place) in enumerate(way, 1):
            recorder.choose(run, step, choice)
            self._do(choice.doing, place.left)
        return run

    def _leave(self) -> None:
        """Leave the execution that stands somewhere, if there is one."""
        if self._end is not None:
            self._calls = self.handler_calls
            self._run = self._stands = None
            self._end()
        self._run = self._stands = self._end = None

    def _begin(self, recorder: RunFollower | None = None) -> None:
        first = self._stands if self.executions == 1 and not self._compared else None
        self._leave()
        if first is not None:
            self._compare(first)
        around.between_runs()
        self.executions += 1
        self._run = Execution(self.program, self._audience, recorder, self._holder)
        self._end = finalize(self, _end, [self._run])

    def _do(self, what: Doing, left: tuple[int | None, ...]) -> None:
        """What is chosen, and what is forced after it with this `left` of the budget."""
        run = self._run
        assert run is not None
        if what.subject[0] not in (TURN, RESUME) and not (what.progress and what.subject[0] == MESSAGE):
            run.note(what.key)  # what arrives is met where it is read
        if what.strikes:
            run.struck = run.is_attentive = True
        run.take(what.subject, what.how, lambda: self._possible.forced(run, left))

    def _lead(self, at: Place) -> None:
        """Lead the program to a place. Raises `NondeterminismError` if it does something else than before."""
        if not surroundings.is_installed:
            with around.walks():
                self._lead(at)
            return
        way = at.way()
        self._begin()
        run = self._run
        assert run is not None
        for number, (choice, place) in enumerate(way):
            try:
                self._do(choice.doing, place.left)
            except LookupError:
                raise self._other(number) from None
        if hasattr(at, "enabled"):
            if run.chain != at.chain:
                raise self._other(len(way))
            run.pairs.clear()
            run.puts.clear()
            self._stands = at
        else:
            self._arrive(at)

    def _compare(self, first: Place) -> None:
        """The first run once more, and with it what was possible on the way: what a program keeps between its runs shows in
        the second. Raises `NondeterminismError`."""
        self._compared = True
        for number, (choice, place) in enumerate(first.way()):
            if not number:
                self._begin()
                self._same(number, choice.at)
            try:
                self._do(choice.doing, place.left)
            except LookupError:
                raise self._other(number) from None
            self._same(number + 1, place)
        self._leave()

    def _same(self, number: int, at: Place) -> None:
        run = self._run
        assert run is not None
        possible = [] if run.finding is not None else [what.code for what in self._possible.all(run, at.left)]
        if run.chain != at.chain or possible != [choice.code for choice in at.enabled]:
            raise self._other(number)

    def _other(self, number: int) -> NondeterminismError:
        return NondeterminismError(
            f"run again, the program did something else in step {number}: it may keep something between its runs, as in a "
            "global of a module; make it anew in main"
        )

    def _arrive(self, at: Place) -> None:
        """Note all that is to be known of the place where the program now stands."""
        run = self._run
        assert run is not None
        self._stands = at
        at.chain = run.chain
        at.covered, at.puts = tuple(run.pairs), tuple(run.puts)
        run.pairs.clear()
        run.puts.clear()
        at.finding = run.finding
        at.enabled = (
            ()
            if run.finding is not None
            else tuple([LiveChoice(at, what) for what in self._possible.all(run, at.left)])
        )
        at.hidden = tuple(self._possible.hidden(run))
        at.rest = None
        if at.finding is None and self.quiescent(at):
            at.rest = run.rest(may_be_told=any(choice.doing.verb == STOP for choice in at.enabled))
        at.held = frozenset(run.watching.held)
        at.heard = run.heard

    def _mark(self, run: Execution, at: Place) -> int:
        """64 bits for where the program stands. Places of one mark have one future: all that ran and what it met is the same,
        and so is what is on its way, what is ready, what may happen next, and what may still strike."""
        there = run.kernel.mark() if run.kernel.files else 0
        found = run.chain + there * GAMMA + run.phase + 4 * run.loop.left_of_turn
        if self.program.order == "any":
            found ^= run.queued(run.loop.queue)
        for i, left in enumerate(at.left):
            found += mark(i, left or 0)
        for choice in at.enabled:
            found = mix((found * GAMMA + choice.doing.key) & MASK)
        return mix(found & MASK)

    def address_of(self, choice: LiveChoice) -> Address:
        """What schedules call a choice."""
        run, what = self.standing(choice.at), choice.doing
        return replace(_named(run, what), after=run.before_this())


def _named(run: Execution, what: Doing) -> Address:
    verb, who = what.verb, what.who
    if what.subject[0] == MESSAGE:
        return address_of(run.kernel.arrival(what.subject[1]), what.how)
    if verb in (CANCEL, STOP, RESUME):
        task = next((task for task in run.tasks if task.called == who), None)
        where = "" if task is None else spot_of(task.get_coro()).name if task.stepped else BEGINNING
        return Address(verb, process=who, where=where)
    if verb == WORK:
        thread = run.threads.called(who)
        return Address(verb, process=who, where="" if thread is None else thread.place())
    if verb == FIRE:
        process, _, name = who.rpartition(".")
        return Address(verb, process=process, subject=name)
    if verb == RESET:
        source, _, target = who.partition("->")
        return Address(verb, source, target, ordinal=None)
    if verb in (CUT, HEAL):
        return Address(verb, subject=who, for_good=what.how == FOR_GOOD)
    return Address(verb, process=who, for_good=what.how == FOR_GOOD)


def _end(last: list[Execution]) -> None:
    """Leave an execution, which nobody else has any more."""
    with unheard():
        last.pop().close()
