"""A fuzz as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sim.faults.plan import show_plan
from sim.live.program_parts import ProgramParts
from sim.report.covered import transition_count, transition_lines
from sim.report.text import begins_lines, counterexample_lines, system_words
from sim.scenario import Target
from sim.scenario.parsed import Opened
from sim.system.links import in_words

if TYPE_CHECKING:
    from sim.campaign.answer import CampaignAnswer
    from sim.fuzzer.discovery import Discovery
    from sim.fuzzer.fuzz import FuzzResult
    from sim.fuzzer.worst import Worst
    from sim.minimiser.counterexample import Counterexample
    from sim.minimiser.counterexample_file import CounterexampleFile

    Fuzzed = FuzzResult | CampaignAnswer


def fuzz_head(target: Target, settings: Mapping[str, object], strategy: str, seed: int) -> list[str]:
    """What a fuzz of this system tries."""
    system = target.system
    shown = ", ".join(f"{key}={value}" for key, value in settings.items())
    return [
        f"{target.name}: schedules by {strategy}, seed {seed}",
        f"config    {shown or 'none'}",
        f"system    {_short(system)}",
        f"faults    {show_plan(system.budget)}, at random",
        *begins_lines(system),
        "",
    ]


def _short(system: Opened) -> str:
    if isinstance(system, ProgramParts):
        return system_words(system)
    return f"{len(system.processes)} processes, {len(system.monitors)} monitors, network {in_words(system.network)}"


def fuzz_lines(result: Fuzzed, kept: Sequence[CounterexampleFile], seconds: float | None = None) -> Iterator[str]:
    """What a fuzz covered, and each violation it found, with the file and the command that replays it;
    `seconds` replace those of the result."""
    yield from covered_lines(result, result.seconds if seconds is None else seconds)
    for found, file in zip(result.found, kept, strict=True):
        yield from finding_lines(found)
        yield f"written to {file.path}; replay it with: {file.replay}"
    if result.interrupted:
        yield "INTERRUPTED  results so far"
    elif not result.found and not result.schedules:
        yield "INCOMPLETE  no schedule came to its end"
    elif not result.found:
        yield f"ok: nothing wrong in {result.schedules:,} schedules, which proves nothing"


def covered_lines(result: Fuzzed, seconds: float) -> Iterator[str]:
    """How much was run, and what it covered."""
    rate = (
        f", {result.steps / seconds:,.0f} steps/s" if seconds > 0.01 and not result.found else ""
    )  # otherwise it includes minimising
    how = ", compiled" if result.engine == "compiled" else ""
    yield (
        f"{result.schedules:,} schedule{'s' if result.schedules != 1 else ''}, {result.steps:,} steps, "
        f"{result.states:,} distinct {result.coverage.kind}, {seconds:.2f} s{rate}{how}"
    )
    coverage = result.coverage
    if result.stopped:
        if coverage.has_tables:
            yield transition_count(coverage.transitions)
        return  # what is missing says nothing yet
    if coverage.has_tables:
        yield from transition_lines(coverage.transitions, coverage.untaken)
    else:
        yield from (f"never struck {entry}: what it names never came by" for entry in coverage.untaken)
    for name in coverage.unreached:
        yield f"sometimes    {name}: in no schedule"
    once, visits = coverage.unseen
    if visits:
        share = 100 * once / visits
        yield f"unseen       {share:.1f} % of the {coverage.kind} of a further schedule would be new (Good-Turing: {once:,} / {visits:,})"
    if coverage.round:
        yield f"endless      never comes to rest: a cycle of {coverage.round:,} steps (a fair one: it can go on forever)"
    if result.cut_short:
        yield f"cut short    {result.cut_short:,} schedules, by the bound on steps"
    if result.unfinished:
        yield "unfinished   the time was up inside a schedule, which is not counted"
    bound = result.bound
    if bound is not None:
        yield (
            f"bound        a schedule of pctcp shows a bug of depth {bound.depth} with a probability of at least "
            f"{bound.probability} ({bound.width} independent of {bound.length} events)"
        )


def finding_lines(found: Discovery) -> Iterator[str]:
    """A violation, in words and step by step."""
    least = found.counterexample
    yield ""
    yield f"VIOLATED  {least.property}: {least.message}"
    times = f", {found.times} times" if found.times > 1 else ""
    yield f"found by {found.strategy} with seed {found.seed}{times}; minimised from {found.steps} to {least.size}"
    yield from _least_lines(least)


def _least_lines(least: Counterexample) -> Iterator[str]:
    if not least.complete:
        yield "(not every edit was tried: there may be a shorter one)"
    yield from counterexample_lines(least)


def worst_lines(worst: Worst, file: CounterexampleFile) -> Iterator[str]:
    """The schedule that came to most, in words, and its file."""
    yield ""
    yield f"worst {worst.measure:<8}{worst.sentence}; half of the schedules come to at most {worst.middle_text}"
    found = worst.discovery
    if worst.amount != worst.usual:
        yield f"first met by {found.strategy} with seed {found.seed}; minimised from {found.steps} to {found.counterexample.size}"
    yield from _least_lines(found.counterexample)
    if worst.verdict == "incomplete":
        yield "it does not come to its end: a run of its file is incomplete as well, and expects nothing"
    yield f"written to {file.path}; replay it with: {file.replay}"
