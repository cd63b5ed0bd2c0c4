"""Results as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sim.base.errors import listing
from sim.base.marked import Meaning, Part, marked
from sim.faults.plan import show_plan
from sim.live.naming import called
from sim.live.program_parts import ProgramParts
from sim.report.covered import transition_lines
from sim.run.simulation import RECURRING
from sim.scenario.parsed import Opened
from sim.system.declaration import Declaration
from sim.system.links import in_words
from sim.system.persisted import beginning_words

if TYPE_CHECKING:
    from sim.checker.reduction.reduction import Reduced
    from sim.checker.result import CheckResult
    from sim.minimiser.counterexample import Counterexample
    from sim.report.outcome import JudgedRun


def heading_lines(outcome: JudgedRun) -> tuple[str, str]:
    """Which run it is, and how it came about."""
    scenario = outcome.scenario
    how = "the schedule of the file" if scenario.schedule is not None else f"{scenario.strategy}, seed {scenario.seed}"
    plan = show_plan(scenario.system.budget) if scenario.schedule is None else "as scheduled"
    network = "" if isinstance(scenario.system, ProgramParts) else "network "
    return (
        f"{scenario.path}: {' '.join(scenario.description.split()) or scenario.model}",
        f"model {scenario.model}, {network}{outcome.story.network}, faults {plan}; {how}",
    )


def summary(outcome: JudgedRun) -> Iterator[str]:
    """The outcome of a run: a word in the first twelve columns, then the details."""
    run = outcome.run
    trace, world = run.trace, run.trace.world
    yield from (line.replace("begins", "begins  ", 1) for line in begins_lines(outcome.scenario.system))
    yield f"ended       {run.ending.value}, after {run.steps} steps"
    yield f"emitted     {_counts(trace.emitted())}"
    yield f"rejected    {_counts(trace.rejected())}"
    yield f"faults      planned {_counts(outcome.planned)}; struck {_counts(trace.struck())}"
    yield f"properties  {', '.join(world.judged) or 'none of the model'}"
    for kind in ("sometimes", "eventually"):
        names = [f"{p.name}: {'yes' if run.reached[p.name] else 'no'}" for p in world.goals if p.kind == kind]
        if names:
            yield f"{kind:<10}  {'; '.join(names)}"
    unmet = [goal.name for goal in world.goals if not run.reached.get(goal.name, True) and goal.kind in RECURRING]
    if unmet:
        yield f"in the end  unmet: {'; '.join(unmet)}"
    if outcome.metrics is not None:
        from sim.report.metrics import summary_lines

        yield from summary_lines(outcome.metrics)
    yield f"digest      {run.digest}"
    if outcome.verified:
        clocks = "" if isinstance(outcome.scenario.system, ProgramParts) else " and shifted clocks"
        yield f"verified    the same trace in fresh processes with other hash seeds{clocks}"
    if run.finding is not None:
        how = Meaning.ODD if outcome.as_expected else Meaning.BAD
        yield marked(("VIOLATED", how), f"    {run.finding.property}: {run.finding.message}")
    for line in outcome.missed:
        yield marked(("MISSED", Meaning.BAD), f"      {line}")
    yield marked(f"verdict     {run.verdict}, ", expected_word(outcome.as_expected))
    yield f"replay      {outcome.replay}"


def expected_word(as_expected: bool) -> Part:
    """Whether a run did what its file expects."""
    return ("as expected", Meaning.GOOD) if as_expected else ("NOT as expected", Meaning.BAD)


def _counts(counts: Mapping[str, int | None]) -> str:
    return ", ".join(f"{name} {'unlimited' if n is None else n}" for name, n in counts.items()) or "none"


def check_lines(result: CheckResult, bounds: list[str], where: str | None, replay: str | None) -> Iterator[str]:
    """A check: its bounds, what it covered, what it proved, or the counterexample."""
    yield from bounds
    yield ""
    rate = f", {result.states / result.seconds:,.0f} states/s" if result.seconds > 0.01 else ""
    how = "" if result.engine == "plain" else f", {result.engine}"
    if result.complete and result.finding is None:  # else what is missing says nothing yet
        yield from transition_lines(result.transitions, result.untaken, result.beyond)
    yield from _reduction_lines(result.reduced)
    reduced = " (reduced)" if result.reduced is not None and result.reduced.applied else ""
    yield (
        f"{result.states:,} states{reduced}, {result.generated:,} generated, depth {result.depth}, "
        f"{result.handler_calls:,} handler calls, {result.seconds:.2f} s{rate}{how}"
    )
    if result.collision_probability:
        yield (
            f"states known by 64-bit fingerprints: two were confused with a probability of at most "
            f"{result.collision_probability:.1g} (--exact rules it out)"
        )
    if result.outside:
        yield f"{result.outside:,} states outside the bound were judged but not expanded"
    if result.finding is not None:
        yield f"VIOLATED  {result.finding.property}: {result.finding.message}"
        if result.counterexample is not None:
            yield from counterexample_lines(result.counterexample)
        if where is not None:
            yield f"written to {where}; replay it with: {replay}"
    elif result.complete:
        yield from _proof_lines(result)
    else:
        yield from (f"grew      {line}" for line in result.grew)
        yield f"INCOMPLETE  {result.stopped}; nothing wrong among the states reached so far"


def counterexample_lines(found: Counterexample) -> Iterator[str]:
    """A counterexample in words, and step by step: how it begins, if there was a choice, is not a step."""
    yield from found.words
    begins = max(0, len(found.schedule) - found.steps)
    for number, address in enumerate(found.schedule, 1 - begins):
        yield f"{number:>6}. {address}" if number else f"        {address}"


def _proof_lines(result: CheckResult) -> Iterator[str]:
    """What was proved, on what it rests, and what was not asked."""
    for note in result.notes:
        yield f"note      {note}"
    yield f"judged    {result.judged_at}"
    if result.assumed:
        yield f"assumed   {result.assumed}"
    if result.proved:
        yield f"ok: proved within these bounds: {', '.join(result.proved)}"
    else:
        yield "ok, but nothing is proved"


def _reduction_lines(reduced: Reduced | None) -> Iterator[str]:
    """What a reduction applied, or one line that it applied nothing."""
    if reduced is None:
        return
    if reduced.applied:
        yield f"reduced by {listing(reduced.applied, 'and')}: counts are of states that stand for many"
    else:
        yield f"not reduced: {'; '.join(reduced.off)}"
    if reduced.applied and reduced.off:
        yield f"  but      {'; '.join(reduced.off)}"


def begins_lines(system: Opened) -> list[str]:
    """Where a system begins that does not begin at its start."""
    words = beginning_words(system) if isinstance(system, Declaration) else []
    return [f"begins    {line}" for line in words]


def system_words(system: Opened) -> str:
    """What a system is made of."""
    monitors = ", ".join(system.monitors) or "none"
    if isinstance(system, ProgramParts):
        any_order = " (tasks may overtake each other, as on no loop of CPython)" if system.order == "any" else ""
        return f"the program {called(system.main)}; monitors {monitors}; order {system.order}{any_order}"
    return f"processes {', '.join(system.processes)}; monitors {monitors}; network {in_words(system.network)}"


def bounds_lines(
    target: str, settings: Mapping[str, object], system: Opened, deviations: int | None = None
) -> list[str]:
    """What a check of this system covers; of a program, schedules with at most so many `deviations`."""
    shown = ", ".join(f"{key}={value}" for key, value in settings.items())
    faults = f"{show_plan(system.budget)}: at any time, in every order" if system.budget else "none"
    within = [f"within    {system.within.name} (states outside are not expanded)"] if system.within else []
    plural = "" if deviations == 1 else "s"
    usual = f" with at most {deviations:,} deviation{plural} from the usual" if deviations is not None else ""
    return [
        f"{target}: every schedule{usual} within these bounds",
        f"config    {shown or 'none'}",
        f"system    {system_words(system)}",
        f"faults    {faults}",
        *within,
        *begins_lines(system),
    ]
