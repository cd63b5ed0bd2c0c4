"""Results as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from sim.base.durations import show_duration, show_range
from sim.base.errors import listing
from sim.base.values import Record, is_record, show, shown_fields
from sim.check.reduction.reduction import Reduced
from sim.check.result import CheckResult
from sim.faults.plan import show_plan
from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, State
from sim.machine.process import Emit, Output, Send, View
from sim.machine.table import FAILED
from sim.report.covered import transition_lines
from sim.report.metrics import summary_lines
from sim.report.outcome import JudgedRun
from sim.world.slowdown import Slowdown


def run_lines(outcome: JudgedRun) -> Iterator[str]:
    """A run: its trace, what was emitted and rejected, its properties, digest and replay command."""
    yield from heading_lines(outcome)
    yield ""
    yield from trace_lines(outcome)
    yield ""
    yield from summary(outcome)


def heading_lines(outcome: JudgedRun) -> tuple[str, str]:
    """Which run it is, and how it came about."""
    scenario = outcome.scenario
    how = "the schedule of the file" if scenario.schedule is not None else f"{scenario.strategy}, seed {scenario.seed}"
    plan = show_plan(scenario.system.budget) if scenario.schedule is None else "as scheduled"
    return (
        f"{scenario.path}: {scenario.description or scenario.model}",
        f"model {scenario.model}, network {scenario.system.network}, faults {plan}; {how}",
    )


def trace_lines(outcome: JudgedRun) -> Iterator[str]:
    """The steps of a run: virtual time, who, what, to whom, and what changed."""
    trace = outcome.run.trace
    graph = trace.graph
    for name, outputs in trace.start.outputs:
        sent = [f"{show(output.message)} to {output.target}" for output in outputs if isinstance(output, Send)]
        yield f"{'start':>9}  {name}" + (f"  sends {listing(sent, 'and')}" if sent else "")
        yield from _effects(outputs, name, [])
    states = trace.states()
    slow = list(trace.slowdowns)
    for number, ((time, action), before, after) in enumerate(zip(trace.steps, states, states[1:], strict=False), 1):
        while slow and slow[0].step < number:
            yield _slow_line(slow.pop(0))
        clock = f"{number}." if time is None else show_duration(time)
        yield f"{clock:>9}  {action_text(action)}"
        yield from _effects(action.outputs, action.process, changes(graph, before, after), action)
    for last in slow:
        yield _slow_line(last)


def _slow_line(slow: Slowdown) -> str:
    return f"{show_duration(slow.time_ms):>9}  {slow.text}"


def action_text(action: Action) -> str:
    """One action as a sentence of a trace."""
    address = action.address
    crash = f"; crashes {address.crashing}" if address.crashing else ""
    chosen = f"  [{', '.join(address.choosing)}]" if address.choosing else ""
    if action.envelope is not None:
        how = {Kind.DROP: " (dropped)", Kind.DUPLICATE: " (duplicated)"}.get(action.kind, "")
        how += f" (under {address.under})" if address.under else ""
        how += " (reordered)" if address.reordered else ""
        return (
            f"{action.envelope.source} -> {action.envelope.target}  {show(action.envelope.message)}{how}{chosen}{crash}"
        )
    if action.kind is Kind.FIRE:
        return f"{action.process}  timer {action.subject}{chosen}{crash}"
    if action.kind is Kind.MOVE:
        return f"{action.process}  {action.subject}{chosen}{crash}"
    if action.kind in (Kind.CUT, Kind.HEAL):
        return f"{action.kind.value} {action.subject}"
    return f"{action.process}  {action.kind.value}s{chosen}{crash}"


_INDENT = " " * 13


def _effects(
    outputs: tuple[Output, ...], process: str, changed: list[str], action: Action | None = None
) -> Iterator[str]:
    for line in changed:
        yield f"{_INDENT}{line}"
    for arm in action.arms if action is not None else ():
        yield f"{_INDENT}{process} arms {arm.timer} for {show_range(arm.low_ms, arm.high_ms)}"
    for output in outputs:
        if isinstance(output, Emit):
            yield f"{_INDENT}* {brief(output.emission)}"


def brief(record: Record) -> str:
    """A record without the fields that have their default."""
    texts = shown_fields(record)
    parts = [f"{f.name}={texts[f.name]}" for f in fields(record) if getattr(record, f.name) != f.default]  # type: ignore[arg-type]
    return f"{type(record).__name__}({', '.join(parts)})"


def changes(graph: Graph, before: State, after: State) -> list[str]:
    """What an action changed in processes and monitors: `coordinator: asking -> storing, journal.phase=storing`."""
    found = []
    for index, name in enumerate(graph.names):
        if before.locals[index] == after.locals[index]:
            continue
        old, new = graph.view(before, name), graph.view(after, name)
        if new.state == FAILED:
            found.append(f"{name}: {new.kind}: {new.reason}")
            continue
        if index >= graph.width and new.state == old.state:
            continue  # a monitor's memory is its own affair
        moved = [f"{old.state} -> {new.state}"] if old.state != new.state else []
        parts = moved + (_field_changes(old, new) if index < graph.width else [])
        if parts:
            found.append(f"{name}: {', '.join(parts)}")
    return found


def _field_changes(old: View, new: View) -> list[str]:
    found = []
    theirs = old.fields()
    for name, value in new.fields().items():
        if name not in theirs:
            found.append(f"{name}={show(value)}")
        elif show(theirs[name]) != show(value):
            found += _differences(name, theirs[name], value)
    return found


def _differences(name: str, old: object, new: object) -> list[str]:
    if is_record(old) and type(old) is type(new):
        pairs = [(f.name, getattr(old, f.name), getattr(new, f.name)) for f in fields(old)]  # type: ignore[arg-type]
        return [f"{name}.{part}={show(b)}" for part, a, b in pairs if show(a) != show(b)]
    return [f"{name}={show(new)}"]


def summary(outcome: JudgedRun) -> Iterator[str]:
    """What came of a run: a word in the first twelve columns, what there is to say behind it."""
    scenario, run = outcome.scenario, outcome.run
    trace, system = run.trace, scenario.system
    yield f"ended       {run.ending.value}, after {run.steps} steps"
    yield f"emitted     {_counts(trace.emitted())}"
    yield f"rejected    {_counts(trace.rejected())}"
    yield f"faults      planned {_counts(outcome.planned)}; struck {_counts(trace.struck())}"
    held = [str(p) for p in system.properties if p.kind == "always"] + [f"monitor {m}" for m in system.monitors]
    yield f"properties  {', '.join(held) or 'none of the model'}"
    for kind in ("sometimes", "eventually"):
        names = [f"{p.name}: {'yes' if run.reached[p.name] else 'no'}" for p in system.properties if p.kind == kind]
        if names:
            yield f"{kind:<10}  {'; '.join(names)}"
    if outcome.metrics is not None:
        yield from summary_lines(outcome.metrics)
    yield f"digest      {run.digest}"
    if outcome.verified is not None:
        yield "verified    the same trace in fresh processes with other hash seeds and shifted clocks"
    if run.finding is not None:
        yield f"VIOLATED    {run.finding.property}: {run.finding.message}"
    for line in outcome.missed:
        yield f"MISSED      {line}"
    yield f"verdict     {run.verdict}, {'as expected' if outcome.as_expected else 'NOT as expected'}"
    yield f"replay      {outcome.replay}"


def _counts(counts: Mapping[str, int | None]) -> str:
    return ", ".join(f"{name} {'unlimited' if n is None else n}" for name, n in counts.items()) or "none"


def check_lines(result: CheckResult, bounds: list[str], where: str | None, replay: str | None) -> Iterator[str]:
    """A check: its bounds, what it covered, what it proved, or the counterexample."""
    yield from bounds
    yield ""
    rate = f", {result.states / result.seconds:,.0f} states/s" if result.seconds > 0.01 else ""
    how = "" if result.engine == "plain" else f", {result.engine}"
    if result.complete and result.finding is None:  # else what is missing says nothing yet
        yield from transition_lines(result.transitions, result.untaken)
    yield from _reduction_lines(result.reduced)
    reduced = " (reduced)" if result.reduced is not None and result.reduced.applied else ""
    yield (
        f"{result.states:,} states{reduced}, {result.generated:,} generated, depth {result.depth}, "
        f"{result.handler_calls:,} handler calls, {result.seconds:.2f} s{rate}{how}"
    )
    if result.collision_probability:
        yield (
            f"states known by 64-bit fingerprints: two were taken for one with a probability of at most "
            f"{result.collision_probability:.1g} (--exact rules it out)"
        )
    if result.outside:
        yield f"{result.outside:,} states outside the bound were judged but not expanded"
    if result.finding is not None:
        yield f"VIOLATED  {result.finding.property}: {result.finding.message}"
        for number, action in enumerate(result.path, 1):
            yield f"{number:>6}. {action.address}"
        if where is not None:
            yield f"written to {where}; replay it with: {replay}"
    elif result.complete:
        yield f"ok: proved within these bounds: {', '.join(result.proved)}"
    else:
        yield f"INCOMPLETE  {result.stopped}; nothing wrong among the states met so far"


def _reduction_lines(reduced: Reduced | None) -> Iterator[str]:
    """What a reduction was made of, or one line that there was none."""
    if reduced is None:
        return
    if reduced.applied:
        yield f"reduced by {listing(reduced.applied, 'and')}: counts are of states that stand for all"
    else:
        yield f"not reduced: {'; '.join(reduced.off)}"
    if reduced.applied and reduced.off:
        yield f"  but      {'; '.join(reduced.off)}"


def bounds_lines(target: str, settings: Mapping[str, object], graph: Graph) -> list[str]:
    """What a check of this system covers."""
    system = graph.system
    shown = ", ".join(f"{key}={value}" for key, value in settings.items())
    monitors = ", ".join(system.monitors) or "none"
    faults = f"{show_plan(system.budget)}: at any time, in every order" if system.budget else "none"
    within = f"\nwithin    {system.within.name} (states outside are not expanded)" if system.within else ""
    return [
        f"{target}: every schedule within these bounds",
        f"config    {shown or 'none'}",
        f"system    processes {', '.join(system.processes)}; monitors {monitors}; network {system.network}",
        f"faults    {faults}{within}",
    ]
