"""What a program declares: what is run, and what is judged of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from sim.base.errors import ModelError, listing, unknown
from sim.base.values import describe
from sim.faults.catalogue import HTTP_KINDS, PROGRAM_KINDS
from sim.faults.plan import FaultEntry, parse_plan
from sim.live.endings import BUILT_IN
from sim.live.holding import CONFORMS
from sim.live.naming import called
from sim.machine.process import Monitor, Process
from sim.system.declaration import Declaration
from sim.system.properties import Property
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.live.stage import Stage
    from sim.world.world import AnyWorld

Order = Literal["fifo", "any"]
ORDERS = ("fifo", "any")
STRIKING = tuple(dict.fromkeys((*PROGRAM_KINDS, "drop", "duplicate", "cut", "crash", "delay", *HTTP_KINDS)))
"""The kinds of faults that can strike a program."""
KINDS = ("always", "sometimes", "eventually")
"""The kinds of properties that a program can have."""


class Running(Process):
    """Stands for a program among its monitors; nothing can be sent to it."""

    states = ("running",)


@dataclass(frozen=True)
class ProgramParts:
    """An asyncio program under simulation.

    - `main`: `async def main(world)`, from which the code is called; `world` is a `sim.live.stage.Stage`
    - `monitors`: hear what the program says with `emit`
    - `properties`: `always`, `sometimes` and `eventually`; they read monitors, and what `world.watch` names
    - `faults`: a budget in the syntax of plans, such as `cancel:1@client`
    - `order`: `fifo` is the order of CPython's loop, in which each schedule that is found can happen; with `any` tasks
      that are ready may also overtake each other, as on other loops
    - `timing`: how long things take in a run on virtual time
    - `conforms`: a model; what the code records with `world.recorder` has to be a path of it
    - `observe`: the processes of that model that are recorded, also where they do nothing

    Raises `ModelError` with one line for each mistake.
    """

    main: Callable[[Stage], Awaitable[object]]
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    properties: Sequence[Property] = ()
    faults: str | tuple[FaultEntry, ...] = ()
    order: Order = "fifo"
    timing: Timing = field(default_factory=Timing)
    judged: tuple[str, ...] = ()
    conforms: Declaration | None = None
    observe: Sequence[str] = ()

    # What only a model has; whoever reads one or the other finds none of it here.
    processes: ClassVar[Mapping[str, Process]] = {}
    updates: ClassVar[Mapping[str, Process]] = {}
    machines: ClassVar[Mapping[str, Sequence[str]]] = {}
    cuts: ClassVar[Mapping[str, Any]] = {}
    carriers: ClassVar[Mapping[Any, Any]] = {}
    own_kinds: ClassVar[tuple[str, ...]] = ()
    network: ClassVar[None] = None
    begins: ClassVar[None] = None
    within: ClassVar[None] = None

    def __new__(cls, *_: Any, **parts: Any) -> Self:
        """Suggests the right name, where Python would only reject the wrong one."""
        known = [f.name for f in fields(cls)]
        mistakes = [f"Program: {unknown('part', name, known)}" for name in parts if name not in known]
        if mistakes:
            raise ModelError(*mistakes)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        mistakes = []
        if not _is_async(self.main) or not _takes_one(self.main):
            mistakes.append(f"Program: main is {_words(self.main)}; write async def main(world): ...")
        if self.order not in ORDERS:
            mistakes.append(f"Program: {unknown('order', self.order, ORDERS)}")
        mistakes += [
            f"{prop}: a program has properties of the kinds {listing(KINDS, 'and')}; say the rest with a monitor"
            for prop in self.properties
            if prop.kind not in KINDS
        ]
        names = [*self.monitors, *(prop.name for prop in self.properties)]
        mistakes += [
            f"{name!r} is judged in every program; call it something else"
            for name in names
            if name in (*BUILT_IN, CONFORMS)
        ]
        mistakes += self._mistakes_of_model()
        if mistakes:
            raise ModelError(*mistakes)
        entries = parse_plan(self.faults) if isinstance(self.faults, str) else tuple(self.faults)
        object.__setattr__(self, "faults", entries)
        mistakes = [
            f"fault {str(entry)!r}: {unknown('kind of fault that strikes a program', entry.kind, STRIKING)}"
            for entry in entries
            if entry.kind not in STRIKING
        ]
        if mistakes:
            raise ModelError(*mistakes)
        _ = self.listeners  # its mistakes come before anything runs

    def _mistakes_of_model(self) -> Iterator[str]:
        model = self.conforms
        if model is not None and not isinstance(model, Declaration):
            yield f"Program: conforms: {describe(model)} is not a System; make one of your processes"
        elif model is None and self.observe:
            yield "Program: observe says which processes of a model are recorded; name the model with conforms=..."
        elif model is not None:
            for name in self.observe:
                if name not in model.processes:
                    yield f"Program: observe: {unknown('process', name, list(model.processes))}"

    def world(self, _: object = None) -> AnyWorld:
        """What can happen in it, to be walked: `sim.Program` opens it."""
        raise NotImplementedError

    @property
    def budget(self) -> tuple[FaultEntry, ...]:
        """The fault budget as entries."""
        assert isinstance(self.faults, tuple)
        return self.faults

    @property
    def names(self) -> tuple[str, ...]:
        """What has states that are known before it runs: its monitors."""
        return tuple(self.monitors)

    def with_(self, **changes: Any) -> Self:
        """The same program with these `changes`. Raises `ModelError` for a part that it has not."""
        if "network" in changes:
            raise ModelError(
                "a program has no kind of network: its connections are streams and datagrams; leave it out"
            )
        return replace(self, **changes)

    def judging(self, *names: str) -> Self:
        """The same program judged by these properties and monitors only; what is wrong with any program always ends a run.
        Raises `ModelError` for an unknown name."""
        known = [*(prop.name for prop in self.properties), *self.monitors, *self.built_in]
        mistakes = [unknown("property", name, known) for name in names if name not in known]
        if mistakes:
            raise ModelError(*mistakes)
        kept = [prop for prop in self.properties if prop.name in names]
        needed = {*names, *(name for prop in kept for name in prop.reads)}
        monitors = {name: monitor for name, monitor in self.monitors.items() if name in needed}
        return replace(self, properties=kept, monitors=monitors, judged=tuple(dict.fromkeys(names)))

    @property
    def built_in(self) -> tuple[str, ...]:
        """The properties that it has without naming them."""
        return BUILT_IN if self.conforms is None else (*BUILT_IN, CONFORMS)

    @property
    def scenario_keys(self) -> dict[str, Any]:
        """What a scenario file says of it besides model and configuration."""
        return {"properties": list(self.judged) or None, "then": "usual"}

    @cached_property
    def listeners(self) -> Declaration:
        """Its monitors, as a system in which nothing else happens."""
        return Declaration({"program": Running()}, monitors=self.monitors)


def _is_async(main: object) -> bool:
    return inspect.iscoroutinefunction(main) or inspect.iscoroutinefunction(getattr(main, "__call__", None))  # noqa: B004


def _words(main: object) -> str:
    try:
        return f"{called(main)}({', '.join(inspect.signature(main).parameters)})"  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return describe(main)


def _takes_one(main: Callable[..., object]) -> bool:
    try:
        inspect.signature(main).bind(None)
    except TypeError:
        return False
    return True
