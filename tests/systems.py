"""Random small systems, for tests that hold two engines against each other.

`systems()` is a Hypothesis strategy for `System`s that are finite (each process sends only while it has
fuel) and together use every primitive of the design; `PRIMITIVES` names them, `primitives_of` says which
of them a system really comes to use, and a test sees to it that all are met.
"""

from __future__ import annotations

from collections.abc import Callable
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
from sim.action import Kind


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


@st.composite
def _acts(draw: Any, names: tuple[str, ...]) -> Callable[..., None]:
    """The body of a callback: up to three things in an order that matters to a crash."""
    act = st.one_of(
        st.builds(_send, st.sampled_from(names), st.sampled_from(MESSAGES)),
        st.builds(_burst, st.sampled_from(names)),
        st.sampled_from((_answer, _take, _flip, _keep, _note, _choose, _emit)),
        st.builds(_arm, st.sampled_from(TIMERS), st.sampled_from((5, (1, 9)))),
        st.sampled_from((_choose_state, _keep, _emit, _cancel("t"), _cancel("u"))),
    )
    acts = draw(st.lists(act, min_size=1, max_size=3))
    if draw(st.integers(0, 30)) == 30:
        acts.append(_break)
    return _sequence(*acts)


@st.composite
def _rows(draw: Any, trigger: Any, states: tuple[str, ...], quiet: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows of one trigger; `quiet` are the outcomes that may close a state in which no other row holds."""
    rows = []
    moves = (*states, None, "=")
    for source in states:
        row = {"trigger": trigger, "source": source}
        shape = draw(st.integers(0, 9))
        if shape >= 5:
            key = draw(st.sampled_from(("conditions", "unless")))
            guard = f"guard{draw(st.integers(0, len(GUARDS) - 1))}"
            place, act = draw(st.sampled_from(("before", "after"))), f"act{draw(st.integers(0, 3))}"
            rows.append({**row, "dest": draw(st.sampled_from(moves)), key: guard, place: act})
        if shape in (0, 5, 6) and quiet:
            rows.append({**row, "dest": draw(st.sampled_from(quiet))})
        elif shape != 9 and (quiet or shape < 4):
            rows.append({**row, "dest": draw(st.sampled_from(moves)), "after": f"act{draw(st.integers(0, 3))}"})
    return rows


@st.composite
def process_classes(draw: Any, name: str, names: tuple[str, ...], durable_fuel: bool) -> type[Process]:
    states = STATES[: draw(st.integers(1, 3))]
    rows: list[dict[str, Any]] = []
    for trigger in MESSAGES:
        rows += draw(_rows(trigger, states, (IGNORE, DEFER)))
    for trigger in draw(st.sets(st.sampled_from(range(len(FAULTS))))):
        rows += draw(_rows(FAULTS[trigger], states, (IGNORE, DEFER)))
    for timer in TIMERS:
        rows += draw(_rows(timer, states, (IGNORE, DEFER))) or [{"trigger": timer, "source": "*", "dest": IGNORE}]
    spontaneous: dict[str, tuple[str, ...]] = {}
    for kind, move in (("must", "go"), ("may", "stop")):
        found = draw(_rows(move, states, ())) if draw(st.booleans()) else []
        rows += found
        spontaneous[kind] = (move,) if found else ()
    body: dict[str, Any] = {
        "states": states,
        "transitions": tuple(rows),
        "timers": TIMERS,
        **spontaneous,
        "hot": draw(st.sampled_from(((), (), (), ("b",) if "b" in states else ()))),
        "durable": ("kept", "fuel") if durable_fuel or draw(st.booleans()) else ("kept",),
        **{f"act{i}": draw(_acts(names)) for i in range(4)},
        **{f"guard{i}": guard for i, guard in enumerate(GUARDS)},
        "x": 0,
        "kept": 0,
        "met": frozenset(),
        "fuel": draw(st.integers(0, 3)),
        "__annotations__": {"x": "int", "kept": "int", "met": "frozenset[int]", "fuel": "int"},
        "__module__": __name__,
    }
    for hook in ("on_start", "on_restart"):
        if draw(st.integers(0, 3)):
            body[hook] = _hook(draw(_acts(names)))
    for state in states:
        for hook in ("on_enter", "on_exit"):
            if not draw(st.integers(0, 5)):
                body[f"{hook}_{state}"] = draw(_acts(names))
    return type(f"Process_{name}", (Process,), body)


def _hook(act: Callable[..., None]) -> Callable[[Any], None]:
    return lambda self: act(self)


@st.composite
def monitor_classes(draw: Any) -> type[Monitor]:
    """Hears what processes emit, crashes or what is received; may be violated, left waiting or surprised."""

    def violate(self: Any, given: Any) -> None:
        if self.count == 3:
            self.violate("three of them")

    def count(self: Any, given: Any) -> None:
        self.count = min(self.count + 1, 3)

    rows: list[dict[str, Any]] = []
    for trigger in (Seen, Crashed, Restarted, Received):
        shape = draw(st.integers(0, 7))
        act = draw(st.sampled_from(([], ["count"], ["count"], ["count", "violate_"])))
        if shape in (1, 2, 3):
            rows.append(
                {"trigger": trigger, "source": "calm", "dest": draw(st.sampled_from(("alert", None))), "after": act}
            )
        if shape in (2, 3, 4):
            rows.append({"trigger": trigger, "source": "alert", "dest": "calm", "after": act})
        if shape == 5:
            rows.append({"trigger": trigger, "source": "*", "dest": None, "after": act})
    body = {
        "states": ("calm", "alert"),
        "hot": draw(st.sampled_from(((), ("alert",)))),
        "transitions": tuple(rows),
        "count": 0,
        "count_": 0,
        "violate_": violate,
        "__annotations__": {"count": "int"},
        "__module__": __name__,
    }
    del body["count_"]
    body["transitions"] = tuple(
        {**row, "after": ["count_" if n == "count" else n for n in row["after"]]} for row in rows
    )
    body["count_"] = count
    return type("Watch", (Monitor,), body)


@st.composite
def budgets(draw: Any, network: str, names: tuple[str, ...], crash: str | None) -> str:
    entries = [crash] if crash else []
    if draw(st.integers(0, 3)) == 3:
        entries.append(draw(st.sampled_from(("drop:1", f"drop:1@{names[-1]}", "drop:1@Pong", "drop:unlimited"))))
    if network != "set" and draw(st.integers(0, 3)) == 3:
        entries.append(draw(st.sampled_from(("duplicate:1", "duplicate:1@Ping", f"duplicate:1@{names[0]}"))))
    if network == "fifo" and draw(st.integers(0, 3)):
        entries.append(draw(st.sampled_from(("reorder:1", "reorder:unlimited", "reorder:1@Pong"))))
    if draw(st.integers(0, 2)) == 2:
        entries.append(draw(st.sampled_from(("agent_timeout:1", "agent_timeout:unlimited", "agent_timeout:1@p0"))))
    if draw(st.integers(0, 3)) == 3:
        entries.append("empty_response:1")
    if draw(st.integers(0, 3)) == 3:
        entries.append(draw(st.sampled_from(("rate_limited:1(30s)", "rate_limited:1, rate_limited:1(5s)"))))
    if len(names) > 1 and draw(st.integers(0, 3)) == 3:
        entries.append(draw(st.sampled_from(("cut:1", "cut:unlimited@left", "cut:1@oneway"))))
    return ", ".join(entries)


@st.composite
def systems(draw: Any) -> System:
    """A small finite system. Many have a finding or two: that is part of what engines must agree on."""
    names = ("p0", "p1", "p2")[: draw(st.sampled_from((1, 2, 2, 2, 3)))]
    network = draw(st.sampled_from(("any", "fifo", "set")))
    crash = draw(
        st.sampled_from(
            (
                None,
                None,
                None,
                "crash:1",
                "crash:1@p0",
                "crash:unlimited@p0",
                "crash:1@p0 after Ping",
                "crash:1 after kept",
            )
        )
    )
    durable_fuel = crash is not None and "unlimited" in crash
    classes = [draw(process_classes(name, names, durable_fuel)) for name in names[:2]]
    processes = {name: classes[i % len(classes)]() for i, name in enumerate(names)}
    monitors = {"watch": draw(monitor_classes())()} if draw(st.booleans()) else {}
    if network == "fifo" and durable_fuel:
        network = "any"
    cuts = {"left": cut({"p0"}), "oneway": cut({"p0"}, {names[-1]}, one_way=True)}
    return System(
        processes=processes,
        network=network,
        monitors=monitors,
        faults=draw(budgets(network, names, crash)),
        carriers=CARRIERS,
        cuts=cuts if len(names) > 1 else {},
    )


# --- what a system comes to use -----------------------------------------------------------------------------

PRIMITIVES = frozenset(
    {
        "any", "fifo", "set", "move", "ignore", "defer", "conditions",
        "unless", "before", "after", "on_enter", "on_exit", "choices", "nested-choices",
        "must", "may", "hot", "timer", "rearmed", "cancelled", "emission",
        "monitor", "monitor-violated", "monitor-waiting", "monitor-unhandled", "unhandled", "exception", "stuck",
        "drop", "duplicate", "reorder", "crash", "crash-inside", "crash-after-write", "crash-before-send",
        "crash-in-timer", "crash-in-move", "crash-in-restart", "crash-under-fault", "crash-reordered", "restart", "cut",
        "one-way-cut", "heal", "held", "agent_timeout", "empty_response", "rate_limited", "hint",
        "targeted", "unlimited", "after-place", "self-loop", "several-starts", "on_start-send", "down-holds",
        "fifo-blocked"
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
    used = {system.network}
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
                ("behind", "fifo-blocked"),
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
    return {"monitor"} if monitor and (view.count or view.state == "alert") else set()


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
    used |= {"timer"} if kind is Kind.FIRE else set()
    used |= {kind.value} if kind in (Kind.RESTART, Kind.CUT, Kind.HEAL, Kind.CRASH) else set()
    if action.before >= 0:
        timers = graph.tables.locals.things[action.before][1].timers
        used |= {"rearmed" for arm in action.arms if arm.timer in timers}
        used |= {
            "cancelled"
            for t in timers
            if t not in action.local_after[2]
            and t != action.subject
            and kind is not Kind.CRASH
            and action.window is None
        }
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
