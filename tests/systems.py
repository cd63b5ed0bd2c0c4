"""Random small systems, for tests that hold two engines against each other.

`systems()` is a Hypothesis strategy for `System`s that are finite (each process sends only while it has
fuel) and together use every primitive of the design; `PRIMITIVES` names them, `primitives_of` says which
of them a system really comes to use, and a test sees to it that all are met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from sim import (
    DEFER,
    IGNORE,
    AgentTimeout,
    Crashed,
    Emission,
    EmptyResponse,
    Graph,
    Message,
    Monitor,
    Process,
    RateLimited,
    Received,
    Restarted,
    State,
    System,
    cut,
)
from sim.graph.action import Kind
from sim.system.links import kind_of


class Ping(Message):
    n: int


class Pong(Message):
    n: int


class Seen(Emission):
    n: int


MESSAGES = (Ping, Pong)
FAULTS = (AgentTimeout, EmptyResponse, RateLimited)
CARRIERS = {AgentTimeout: (Ping,), EmptyResponse: (Pong,), RateLimited: (Ping, Pong)}
STATES = ("a", "b", "c")
TIMERS = ("t", "u")
ACTS = ("act0", "act1", "act2")


# --- what callbacks are made of -----------------------------------------------------------------------------


def _number(given: Any) -> int:
    given = given[0] if given else None
    return getattr(getattr(given, "message", given), "n", 0)


def _send(target: str, kind: type[Any]) -> Callable[..., None]:
    def act(self: Any, *given: Any) -> None:
        if self.fuel:
            self.fuel -= 1
            self.send(target, kind(self.x))

    return act


def _burst(target: str) -> Callable[..., None]:
    """Two messages on one link: an order that `reorder` can break."""
    return _sequence(_send(target, Ping), _flip, _send(target, Pong))


def _outbox(target: str) -> Callable[..., None]:
    """A durable field and two messages, in one instant."""

    def act(self: Any, *given: Any) -> None:
        if self.fuel:
            self.fuel -= 1
            self.write(kept=1 - self.kept, then=[(target, Ping(self.x)), (target, Pong(self.kept))])

    return act


def _answer(self: Any, *given: Any) -> None:
    if self.fuel and self.sender:
        self.fuel -= 1
        self.send(self.sender, Pong(_number(given)))


def _take(self: Any, *given: Any) -> None:
    self.x = _number(given)


def _flip(self: Any, *given: Any) -> None:
    self.x = 1 - self.x


def _keep(self: Any, *given: Any) -> None:
    self.kept = self.x


def _note(self: Any, *given: Any) -> None:
    self.met |= {_number(given)}
    self.x = max(next(iter(self.met)), 0)


def _choose(self: Any, *given: Any) -> None:
    self.x = self.choose(0, 1, 1)


def _choose_state(self: Any, *given: Any) -> None:
    if self.choose("yes", "no") == "yes":
        self.kept = self.choose(0, self.x)


def _emit(self: Any, *given: Any) -> None:
    self.emit(Seen(self.x))


def _break(self: Any, *given: Any) -> None:
    if self.x and self.kept:
        raise ValueError("broken")


def _arm(timer: str, duration: Any) -> Callable[..., None]:
    return lambda self, *given: self.arm(timer, duration)


def _cancel(timer: str) -> Callable[..., None]:
    return lambda self, *given: self.cancel(timer)


def _sequence(*acts: Callable[..., None]) -> Callable[..., None]:
    def act(self: Any, *given: Any) -> None:
        for each in acts:
            each(self, *given)

    return act


GUARDS: tuple[Callable[..., Any], ...] = (
    lambda self, *given: self.x,
    lambda self, *given: _number(given) == self.kept,
    lambda self, *given: self.armed("t"),
    lambda self, *given: self.state == "b" or self.sender == "p0",
)


@cache
def _below(width: int) -> st.SearchStrategy[int]:
    return st.integers(0, width - 1)


def _pick(draw: Any, options: Sequence[Any]) -> Any:
    """One of `options`; the first is the simplest. (Faster than a strategy made anew for each draw.)"""
    return options[draw(_below(len(options)))]


@cache
def _known_acts(names: tuple[str, ...]) -> tuple[Callable[..., None], ...]:
    sends = [_send(target, kind) for target in names for kind in MESSAGES]
    bursts = [_burst(target) for target in names]
    arms = [_arm(timer, duration) for timer in TIMERS for duration in (5, (1, 9))]
    rest = [_answer, _take, _flip, _keep, _note, _choose, _choose_state, _emit, _cancel("t"), _cancel("u")]
    outboxes = [_outbox(target) for target in names]
    return (*sends, *bursts, *arms, *rest, _keep, _emit, *outboxes)


def _acts(draw: Any, names: tuple[str, ...]) -> Callable[..., None]:
    """The body of a callback: up to three things in an order that matters to a crash."""
    acts = [_pick(draw, _known_acts(names)) for _ in range(_pick(draw, (1, 2, 3)))]
    return _sequence(*acts, *_pick(draw, ((),) * 19 + ((_break,),)))


def _rows(draw: Any, trigger: Any, states: tuple[str, ...], quiet: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows of one trigger; `quiet` are the outcomes that may close a state in which no other row holds."""
    rows = []
    moves = (*states, None, "=")
    for source in states:
        row = {"trigger": trigger, "source": source}
        shape = _pick(draw, range(10))
        if shape >= 5:
            guard = {_pick(draw, ("conditions", "unless")): _pick(draw, [f"guard{i}" for i in range(len(GUARDS))])}
            act = {_pick(draw, ("before", "after")): _pick(draw, ACTS)}
            rows.append({**row, "dest": _pick(draw, moves), **guard, **act})
        if shape in (0, 5, 6) and quiet:
            rows.append({**row, "dest": _pick(draw, quiet)})
        elif shape != 9 and (quiet or shape < 4):
            rows.append({**row, "dest": _pick(draw, moves), "after": _pick(draw, ACTS)})
    return rows


def _process_class(draw: Any, name: str, names: tuple[str, ...], durable_fuel: bool) -> type[Process]:
    states = STATES[: _pick(draw, (2, 1, 3))]
    rows: list[dict[str, Any]] = []
    for trigger in MESSAGES:
        rows += _rows(draw, trigger, states, (IGNORE, DEFER))
    for fault in FAULTS:
        rows += _rows(draw, fault, states, (IGNORE, DEFER)) if _pick(draw, (True, False)) else []
    for timer in TIMERS:
        rows += _rows(draw, timer, states, (IGNORE, DEFER)) or [{"trigger": timer, "source": "*", "dest": IGNORE}]
    spontaneous: dict[str, tuple[str, ...]] = {}
    for kind, move in (("must", "go"), ("may", "stop")):
        found = _rows(draw, move, states, ()) if _pick(draw, (False, True)) else []
        rows += found
        spontaneous[kind] = (move,) if found else ()
    body: dict[str, Any] = {
        "states": states,
        "transitions": tuple(rows),
        "timers": TIMERS,
        **spontaneous,
        "hot": _pick(draw, ((), (), (), states[1:2])),
        "durable": ("kept", "fuel") if durable_fuel or _pick(draw, (False, True)) else ("kept",),
        **{name: _acts(draw, names) for name in ACTS},
        **{f"guard{i}": guard for i, guard in enumerate(GUARDS)},
        "x": 0,
        "kept": 0,
        "met": frozenset(),
        "fuel": _pick(draw, (0, 1, 2, 3)),
        "__annotations__": {"x": "int", "kept": "int", "met": "frozenset[int]", "fuel": "int"},
        "__module__": __name__,
    }
    bound = {1: 1, 3: 2}.get(body["fuel"])
    if body["may"] and bound is not None:
        body["may"] = dict.fromkeys(body["may"], bound)
    for hook in ("on_start", "on_restart"):
        if _pick(draw, (True, True, False)):
            body[hook] = _hook(_acts(draw, names))
    for state in states:
        for hook in ("on_enter", "on_exit"):
            if _pick(draw, (False, False, False, False, True)):
                body[f"{hook}_{state}"] = _acts(draw, names)
    return type(f"Process_{name}", (Process,), body)


def _hook(act: Callable[..., None]) -> Callable[[Any], None]:
    return lambda self: act(self)


def _violate(self: Any, given: Any) -> None:
    if self.heard == 3:
        self.violate("three of them")


def _count(self: Any, given: Any) -> None:
    self.heard = min(self.heard + 1, 3)


def _monitor_class(draw: Any) -> type[Monitor]:
    """Hears what processes emit, crashes or what is received; may be violated, left waiting or surprised."""
    rows: list[dict[str, Any]] = []
    for trigger in (Seen, Received, Crashed, Restarted):
        shape = _pick(draw, range(8))
        acts = _pick(draw, ([], ["count"], ["count", "violated_at_three"]))
        if shape in (1, 2, 3):
            rows.append({"trigger": trigger, "source": "calm", "dest": _pick(draw, ("alert", None)), "after": acts})
        if shape in (2, 3, 4):
            rows.append({"trigger": trigger, "source": "alert", "dest": "calm", "after": acts})
        if shape in (5, 6):
            rows.append({"trigger": trigger, "source": "*", "dest": None, "after": acts})
    body = {
        "states": ("calm", "alert"),
        "hot": _pick(draw, ((), ("alert",))),
        "transitions": tuple(rows),
        "heard": 0,
        "count": _count,
        "violated_at_three": _violate,
        "__annotations__": {"heard": "int"},
        "__module__": __name__,
    }
    return type("Watch", (Monitor,), body)


def _by_link(draw: Any, names: tuple[str, ...]) -> dict[str, str]:
    """A kind of network for each link, some by `*`."""
    ends = ("*", *names)
    links = [f"{a}->{b}" for a in ends for b in ends if (a, b) != ("*", "*")]
    found = {link: _pick(draw, KINDS) for link in links if _pick(draw, (False, True))}
    return {"*": _pick(draw, KINDS), **found}


def _kinds(network: str | dict[str, str], names: tuple[str, ...]) -> set[str]:
    return {kind_of(network, a, b) for a in names for b in names}


def _budget(draw: Any, kinds: set[str], names: tuple[str, ...], crash: str | None) -> str:
    nothing = (None,) * 4
    entries = [
        crash,
        _pick(draw, (*nothing, "drop:1", f"drop:1@{names[-1]}", "drop:1@Pong", "drop:unlimited")),
        _pick(draw, (*nothing, "agent_timeout:1", "agent_timeout:unlimited", "agent_timeout:1@p0")),
        _pick(draw, (*nothing, "empty_response:1")),
        _pick(draw, (*nothing, "rate_limited:1(30s)", "rate_limited:1, rate_limited:1(5s)")),
    ]
    if kinds & {"any", "fifo"}:
        places = ("duplicate:1", "duplicate:1@Ping", *((f"duplicate:1@{names[0]}",) if len(kinds) == 1 else ()))
        entries.append(_pick(draw, (*nothing, *places)))
    if "fifo" in kinds:
        entries.append(_pick(draw, (None, "reorder:1", "reorder:unlimited", "reorder:1@Pong")))
    if len(names) > 1:
        entries.append(_pick(draw, (*nothing, "cut:1", "cut:unlimited@left", "cut:1@oneway")))
    return ", ".join(entry for entry in entries if entry)


CRASHES = ("crash:1", "crash:1@p0", "crash:unlimited@p0", "crash:1@p0 after Ping", "crash:1 after kept")
KINDS = ("any", "fifo", "set", "latest")
NETWORKS = ("any", "fifo", "set", "by link", "by link")


@st.composite
def systems(draw: Any, networks: Sequence[str] = NETWORKS, faults: str | None = None) -> System:
    """A small finite system, on one of `networks` (`by link`: a kind for each), with this budget or a random one. Many have a finding or
    two: that is part of what engines must agree on."""
    names = ("p0", "p1", "p2")[: _pick(draw, (2, 1, 2, 2, 3) if faults is None else (2, 3))]
    network = _pick(draw, networks)
    network = _by_link(draw, names) if network == "by link" else network
    crash = _pick(draw, (None, None, None, None, *CRASHES))
    durable_fuel = crash is not None and "unlimited" in crash  # or a restarted process would send for ever
    classes = [_process_class(draw, name, names, durable_fuel) for name in names[:2]]
    cuts = {"left": cut({"p0"}), "oneway": cut({"p0"}, {names[-1]}, one_way=True)}
    return System(
        processes={name: classes[i % len(classes)]() for i, name in enumerate(names)},
        network=network,
        monitors={"watch": _monitor_class(draw)()} if _pick(draw, (False, True)) else {},
        faults=_budget(draw, _kinds(network, names), names, crash) if faults is None else faults,
        carriers=CARRIERS,
        cuts=cuts if len(names) > 1 else {},
    )


# --- what a system comes to use -----------------------------------------------------------------------------

PRIMITIVES = frozenset(
    {
        "any", "fifo", "set", "latest", "by-link", "move", "ignore", "defer", "conditions",
        "unless", "before", "after", "on_enter", "on_exit", "choices", "nested-choices",
        "must", "may", "bounded", "bound-reached", "crash-in-bounded", "hot", "timer", "rearmed", "cancelled", "emission",
        "monitor", "monitor-violated", "monitor-waiting", "monitor-unhandled", "unhandled", "exception", "stuck",
        "drop", "duplicate", "reorder", "crash", "crash-inside", "crash-after-write", "crash-before-send",
        "crash-in-timer", "crash-in-move", "crash-in-restart", "crash-under-fault", "crash-reordered", "restart", "cut",
        "one-way-cut", "heal", "held", "agent_timeout", "empty_response", "rate_limited", "hint",
        "targeted", "unlimited", "after-place", "self-loop", "several-starts", "on_start-send", "down-holds",
        "fifo-blocked", "together"
    }
)  # fmt: skip


def walk(graph: Graph, states_max: int) -> dict[State, list[Any]] | None:
    """Every state of a graph with its actions, whatever the properties say; None if there are too many."""
    level = graph.initial()
    found: dict[State, list[Any]] = dict.fromkeys(level, ())  # type: ignore[arg-type]
    while level:
        fresh = []
        for state in level:
            found[state] = [(action, graph.apply(state, action)) for action in graph.actions(state)]
            for _, after in found[state]:
                if after not in found:
                    found[after] = []
                    fresh.append(after)
            if len(found) > states_max:
                return None
        level = fresh
    return found


def primitives_of(graph: Graph, explored: dict[State, list[Any]]) -> set[str]:
    """Which of `PRIMITIVES` the system comes to use in these states."""
    system = graph.system
    used = {system.only_kind or "by-link", *graph.tables.kind}
    starts = graph.initial()
    used |= {"several-starts"} if len(starts) > 1 else set()
    used |= {"on_start-send"} if any(state.net for state in starts) else set()
    used |= {"targeted" for e in system.budget if e.target} | {"unlimited" for e in system.budget if e.count is None}
    for state, edges in explored.items():
        for e in graph.network.distinct(state.net):
            why = graph.deferred(state, e) or ""
            for text, name in (
                ("defers", "defer"),
                ("is down", "down-holds"),
                ("holds it", "held"),
                ("ahead", "fifo-blocked"),
            ):
                used |= {name} if text in why else set()
        for name in graph.names:
            used |= _states_used(graph, state, name)
        if state.cuts and 1 in state.cuts:
            used.add("one-way-cut")
        for action, after in edges:
            used |= _action_used(graph, action)
            used |= {"self-loop"} if after == state else set()
        if edges and not any(a.progress and after != state for a, after in edges):
            used |= _rest_used(graph, state)
    return used & PRIMITIVES


def _states_used(graph: Graph, state: State, name: str) -> set[str]:
    view, monitor = graph.view(state, name), name in graph.system.monitors
    if view.state == "(failed)":
        kind = view.kind
        return {f"monitor-{kind}"} if monitor else {kind}
    return {"monitor"} if monitor and (view.heard or view.state == "alert") else set()


def _rest_used(graph: Graph, state: State) -> set[str]:
    hot = {name for name in graph.names if graph.tables.hot.__contains__(state.locals[graph.tables.index[name]])}
    used = {"hot"} if hot else set()
    used |= {"stuck"} if hot & {*graph.system.processes} else set()
    return used | ({"monitor-waiting"} if hot & {*graph.system.monitors} else set())


def _action_used(graph: Graph, action: Any) -> set[str]:
    used = {*action.strikes}
    row, kind = action.row, action.kind
    if row is not None:
        used |= {key for key in ("conditions", "unless", "before", "after") if getattr(row, key)}
        used |= {"ignore"} if row.dest is IGNORE else {"move"} if isinstance(row.dest, str) else set()
        table = graph.system.processes[action.process].table
        used |= {"on_enter"} if any(table.on_enter.values()) else set()
        used |= {"on_exit"} if any(table.on_exit.values()) else set()
    used |= {"choices"} if action.choices else set()
    used |= {"nested-choices"} if len(action.choices) > 1 else set()
    if kind is Kind.MOVE:
        used.add("must" if action.subject == "go" else "may")
        bounded = action.subject in graph.system.processes[action.process].table.left
        used |= {"bounded"} | ({"crash-in-bounded"} if action.window is not None else set()) if bounded else set()
        used |= {"bound-reached"} if bounded and action.after[0] != "(failed)" and 0 in action.after[1][-1:] else set()
    used |= {"timer"} if kind is Kind.FIRE else set()
    used |= {kind.value} if kind in (Kind.RESTART, Kind.CUT, Kind.HEAL, Kind.CRASH) else set()
    if action.before >= 0:
        timers = graph.tables.locals.things[action.before][1].timers
        used |= {"rearmed" for arm in action.arms if arm.timer in timers}
        used |= {
            "cancelled"
            for t in timers
            if t not in action.after[2] and t != action.subject and kind is not Kind.CRASH and action.window is None
        }
    used |= {"together" for output in action.outputs if hasattr(output, "sends")}
    used |= {"emission" for output in action.outputs if hasattr(output, "emission")}
    used |= {"hint"} if action.fault is not None and getattr(action.fault, "reset_ms", None) else set()
    return used | _window_used(action) if action.window is not None else used


def _window_used(action: Any) -> set[str]:
    used = {"crash-inside"} if 0 < action.window < len(action.all_outputs) else set()
    used |= {"crash-after-write"} if action.outputs and hasattr(action.outputs[-1], "field") else set()
    rest = action.all_outputs[action.window :]
    used |= {"crash-before-send"} if rest and hasattr(rest[0], "message") else set()
    where = {Kind.FIRE: "crash-in-timer", Kind.MOVE: "crash-in-move", Kind.RESTART: "crash-in-restart"}
    used |= {where[action.kind]} if action.kind in where else set()
    used |= {"crash-under-fault"} if action.fault else set()
    used |= {"crash-reordered"} if action.reordered else set()
    return used | {"after-place"}
