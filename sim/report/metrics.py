"""What a run used, as text: a few lines in the summary of a run, tables for `sim status`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sim.base.durations import show_duration
from sim.base.errors import listing
from sim.metrics.breakdown import NO_SHARE, Share, Wasted
from sim.metrics.cost import Cost, CostMeter
from sim.metrics.latency import LatencySummary, bucket_edges_us
from sim.metrics.of_run import RunMetrics
from sim.metrics.prices import usd_text
from sim.metrics.session import SessionMetrics, SessionSnapshot
from sim.report.standing import Standing

Labels = tuple[str, ...]
Wastes = Sequence[tuple[Wasted, Cost | None]]
_BARS = "▁▂▃▄▅▆▇█"
SPARKS_MAX = 40


def sparkline(values: Sequence[int]) -> str:
    """One bar for each value, as tall as the value is relative to the largest; only the end of a long series is shown."""
    shown = values[-SPARKS_MAX:]
    top = max(shown, default=0)
    return "".join(_BARS[value * (len(_BARS) - 1) // top if top else 0] for value in shown)


def latency_histogram(latency: LatencySummary) -> str:
    """One bar for each doubling of the latency, from the fastest to the slowest."""
    counts: dict[int, int] = {}
    for index, count in latency.buckets:
        doubling = bucket_edges_us(index)[0].bit_length()
        counts[doubling] = counts.get(doubling, 0) + count
    return sparkline([counts.get(d, 0) for d in range(min(counts), max(counts) + 1)]) if counts else ""


def summary_lines(metrics: RunMetrics) -> Iterator[str]:
    """The lines of a run's summary; empty if nothing was recorded."""
    if metrics.is_empty:
        return
    yield f"tokens      {_tokens(metrics.snapshot)}"
    agents = metrics.snapshot.by_agent()
    if agents:
        yield f"agents      {', '.join(f'{_name(a)} {s.usage.total_tokens:,}' for a, s in agents.items())}"
    if metrics.snapshot.wasted:
        yield f"wasted      {wasted_words(metrics.wasted())}"
    yield f"repeated    {_repeated(metrics.snapshot)}"
    yield from _worded(_loop(metrics.snapshot))
    yield f"next prompt {_estimate(metrics.snapshot)}"
    if metrics.utilisation is not None:
        yield f"context     {_context(metrics)}"
    if metrics.snapshot.latency.count:
        yield f"latency     {_latency(metrics.snapshot.latency)}"
    if metrics.cost is not None:
        yield f"cost        {_cost(metrics, metrics.cost)}"
        yield from (f"BUDGET      {line}" for line in _alerts(metrics.cost))


def status_lines(metrics: RunMetrics) -> Iterator[str]:
    """Everything about a run's metrics."""
    if metrics.is_empty:
        yield "nothing was recorded: no agent reported its usage, and nothing was repeated"
        return
    yield from _worded(_facts(metrics))
    yield from _tables(metrics)


def detail_lines(metrics: RunMetrics) -> Iterator[str]:
    """The same without what a standing says of it: cost, and what is wasted."""
    if not metrics.is_empty:
        yield from _worded((word, text) for word, text in _facts(metrics) if word not in ("wasted", "cost"))
        yield from _tables(metrics)


def _facts(metrics: RunMetrics) -> Iterator[tuple[str, str]]:
    """What is known in a line each, with the word for it."""
    snapshot, cost = metrics.snapshot, metrics.cost
    yield "tokens", _tokens(metrics.snapshot)
    yield "prompts", sparkline([turn.usage.input_tokens for turn in metrics.observed.turns if turn.usage])
    yield "wasted", wasted_words(metrics.wasted())
    yield "repeated", _repeated(metrics.snapshot)
    yield from _loop(metrics.snapshot)
    yield "next prompt", _estimate(metrics.snapshot)
    yield "context", _context(metrics)
    yield "latency", _latency(snapshot.latency)
    yield "cost", cost_words(metrics)
    if cost is not None:
        yield "prices", _prices(cost)
        yield "budget", _budget(cost)
        yield from (("BUDGET", line) for line in _alerts(cost))
        yield "projected", _projected(metrics, cost)


def _worded(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{word:<12}{text}" for word, text in facts)


def cost_words(metrics: RunMetrics) -> str:
    """What it cost, in money and in tokens, as far as that is known."""
    snapshot, cost = metrics.snapshot, metrics.cost
    if cost is None and not snapshot.turn_count:
        return "nothing: no agent reported what it used"
    used = f"{snapshot.running_total.total_tokens:,} tokens in {_plural(snapshot.turn_count, 'turn')}"
    if cost is None:
        return f"{used}; in money unknown: name the models under metrics.models"
    return f"{_cost(metrics, cost)}; {used}"


def wrong_words(metrics: RunMetrics) -> list[str]:
    """What a run's use warns of: a loop, a budget."""
    loop = [text for _, text in _loop(metrics.snapshot)]
    return loop + ([] if metrics.cost is None else _alerts(metrics.cost))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


UNTIMED = "unknown: no answer that counted said what it used"


def spent_lines(metrics: RunMetrics) -> Iterator[str]:
    """What a hosted session has used: nothing is known of its budget or context, and nothing is planned."""
    if metrics.is_empty:
        yield "tokens      none yet"
        return
    cost = metrics.cost
    yield f"tokens      {_tokens(metrics.snapshot)}"
    yield f"wasted      {wasted_words(metrics.wasted())}"
    if metrics.snapshot.duplicate_items or metrics.snapshot.replay_updates:
        yield f"repeated    {_repeated(metrics.snapshot)}"
    yield from _worded(_loop(metrics.snapshot))
    timed = metrics.snapshot.latency
    yield f"latency     {_latency(timed) if timed.count else UNTIMED}"
    if cost is not None:
        least = "" if cost.total.is_known and not unreported(metrics.snapshot) else "at least "
        yield f"cost        {least}{_usd(cost.total)} USD"
        yield f"prices      {_prices(cost)}"
    yield from _tables(metrics)


def _tables(metrics: RunMetrics) -> Iterator[str]:
    """By agent, by stage, and what was wasted."""
    snapshot, cost = metrics.snapshot, metrics.cost
    for what, shares, costs in (
        ("agent", snapshot.by_agent(), cost.by_agent() if cost is not None else {}),
        ("stage", snapshot.by_stage(), cost.by_stage() if cost is not None else {}),
    ):
        yield ""
        yield from _table(
            (what,), {(name,): share for name, share in shares.items()}, {(n,): c for n, c in costs.items()}
        )
    yield from _wasted_table(metrics.wasted())


def session_lines(session: SessionMetrics) -> Iterator[str]:
    """The details of a session of a program: what it recorded has no prices."""
    snapshot = session.snapshot()
    yield f"tokens      {_tokens(snapshot)}"
    yield f"prompts     {sparkline(snapshot.recent_prompt_tokens)}"
    yield f"repeated    {_repeated(snapshot)}"
    yield f"next prompt {_estimate(snapshot)}"
    yield f"latency     {_latency(snapshot.latency)}"
    for what, shares in (("agent", snapshot.by_agent()), ("stage", snapshot.by_stage())):
        yield ""
        yield from _table((what,), {(name,): share for name, share in shares.items()}, {})
    yield from _wasted_table(_unpriced(snapshot))


def session_standing(session: SessionMetrics, name: str) -> Standing:
    """How a session of a program stands: its record does not say whether it is over."""
    snapshot = session.snapshot()
    tokens = f"{snapshot.running_total.total_tokens:,} tokens"
    used = f"{tokens} in {_plural(snapshot.turn_count, 'turn')}; no prices are recorded"
    return Standing(
        f"{name}: a session of {_plural(snapshot.turn_count, 'turn')}",
        f"{_plural(snapshot.turn_count, 'turn')} recorded",
        used,
        wasted_words(_unpriced(snapshot)),
        tuple(text for _, text in _loop(snapshot)),
        (f"the next prompt has {_estimate(snapshot)}",),
    )


def _unpriced(snapshot: SessionSnapshot) -> Wastes:
    return [(row, None) for row in snapshot.wasted]


def unreported(snapshot: SessionSnapshot) -> int:
    """How many turns have not said what they used."""
    return sum(row.share.unreported for row in snapshot.billed)


def _tokens(snapshot: SessionSnapshot) -> str:
    total = snapshot.running_total
    silent = unreported(snapshot)
    parts = [
        f"{total.input_tokens:,} in"
        + (f" ({total.cached_input_tokens:,} cached)" if total.cached_input_tokens else ""),
        f"{total.output_tokens:,} out"
        + (f" ({total.reasoning_output_tokens:,} reasoning)" if total.reasoning_output_tokens else ""),
    ]
    unsaid = f", {silent} of them without usage" if silent else ""
    return f"{', '.join(parts)}, {total.total_tokens:,} in all; {_plural(snapshot.turn_count, 'turn')}{unsaid}"


def wasted_words(rows: Wastes) -> str:
    """What was paid for answers that did not count, in sum, then by agent and reason."""
    if not rows:
        return "nothing: every answer counted"
    total = sum((row.share for row, _ in rows), NO_SHARE)
    spent = sum((cost for _, cost in rows if cost is not None), Cost())
    usd = f", {_usd(spent)} USD" if any(cost is not None for _, cost in rows) else ""
    who = ", ".join(f"{_name(row.agent)} {row.share.usage.total_tokens:,} ({row.reason})" for row, _ in rows)
    answers = f"{total.turns} answer{'s' * (total.turns != 1)}"
    return f"{answers} that did not count, {total.usage.total_tokens:,} tokens{usd}: {who}"


def _wasted_table(rows: Wastes) -> Iterator[str]:
    shares: dict[Labels, Share] = {(row.agent, row.reason): row.share for row, _ in rows}
    costs: dict[Labels, Cost] = {(row.agent, row.reason): cost for row, cost in rows if cost is not None}
    if shares:
        yield ""
        yield from _table(("wasted by", "because"), shares, costs)


def _usd(cost: Cost) -> str:
    """An amount, and whether there is more that is not known."""
    return usd_text(cost.usd) + ("" if cost.is_known else " + ?")


def _repeated(snapshot: SessionSnapshot) -> str:
    repeated, replayed = snapshot.duplicate_items, snapshot.replay_updates
    return f"{_plural(repeated, 'duplicate')} rejected, {_plural(replayed, 'update')} replayed"


def _loop(snapshot: SessionSnapshot) -> Iterator[tuple[str, str]]:
    warning = snapshot.loop_warning
    if warning is not None:
        yield warning.severity.value.upper(), warning.sentence


def _estimate(snapshot: SessionSnapshot) -> str:
    recent = snapshot.recent_prompt_tokens
    basis = {0: "no prompt", 1: "the last prompt"}.get(len(recent), f"the last {len(recent)} prompts")
    return f"about {snapshot.estimated_next_prompt_tokens:,} prompt tokens, by {basis}"


def _context(metrics: RunMetrics) -> str:
    share = metrics.utilisation
    if share is None:
        return "window unknown; set it under metrics.context_window"
    return f"{share:.1%} of {metrics.settings.context_window:,} tokens filled by the last prompt"


def _latency(latency: LatencySummary) -> str:
    found = [latency.percentile_ms(percent) for percent in (50, 90, 99)]
    if None in found:
        return "unknown; it is measured on virtual time, from a question to its answer"
    texts = [show_duration(round(value)) for value in found if value is not None]
    p50, p90, p99 = texts
    return f"p50 {p50}, p90 {p90}, p99 {p99} of {latency.count} answers  {latency_histogram(latency)}"


def _cost(metrics: RunMetrics, cost: CostMeter) -> str:
    known = "" if cost.total.is_known else f", and {_unknown(metrics, cost.total)}"
    budget = "" if cost.budget is None else f"; {_part(cost)} of the budget of {usd_text(cost.budget.limit_usd)} USD"
    return f"{usd_text(cost.total.usd)} USD{known}{budget}"


def _unknown(metrics: RunMetrics, cost: Cost) -> str:
    models = metrics.settings.models
    who = [f"{_name(a)} ({models[a]})" if a in models else _name(a) for a in metrics.unpriced_agents()]
    return f"{cost.unknown_turns} turns whose price is unknown: {listing(who, 'and')}"


def _part(cost: CostMeter) -> str:
    assert cost.budget is not None
    return f"{cost.budget.utilisation(cost.total.usd):.1%}"


def _budget(cost: CostMeter) -> str:
    if cost.budget is None:
        return "none"
    left = usd_text(cost.budget.left_usd(cost.total.usd))
    return f"{usd_text(cost.budget.limit_usd)} USD, {_part(cost)} spent, {left} USD left"


def _alerts(cost: CostMeter) -> list[str]:
    return [alert.sentence for alert in cost.budget.alerts] if cost.budget is not None else []


def _prices(cost: CostMeter) -> str:
    found = []
    for model, price in cost.prices().items():
        source = "no model named" if not model else "unknown"
        if price is not None:
            source = price.source if price.entry in ("", model) else f"{price.source} ({price.entry})"
        found.append(f"{_name(model)}: {source}")
    return "; ".join(found) or "none was needed"


def _projected(metrics: RunMetrics, cost: CostMeter) -> str:
    projection = cost.projected(metrics.remaining_turns)
    turns = "the next turn" if metrics.settings.planned_turns is None else f"the {projection.turns} turns left"
    if projection.usd is None:
        return f"{turns}: unknown"
    return f"{turns}: {'' if projection.is_known else 'at least '}{usd_text(projection.usd)} USD"


def _name(label: str) -> str:
    return label or "(unlabelled)"


def _table(what: Labels, shares: Mapping[Labels, Share], costs: Mapping[Labels, Cost]) -> Iterator[str]:
    rows = [(*what, "turns", "input", "cached", "output", "reasoning", "total", *(("USD",) if costs else ()))]
    for labels, share in shares.items():
        usage, cost = share.usage, costs.get(labels)
        numbers = [
            share.turns,
            usage.input_tokens,
            usage.cached_input_tokens,
            usage.output_tokens,
            usage.reasoning_output_tokens,
            usage.total_tokens,
        ]
        money = () if not costs else ("" if cost is None else _usd(cost),)
        rows.append((*map(_name, labels), *(f"{n:,}" for n in numbers), *money))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        yield "  ".join(cell.ljust(w) if i < len(what) else cell.rjust(w) for i, (cell, w) in cells).rstrip()
