"""What counting costs, for people: one sentence, a table, a plot by turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from sim.base.marked import Meaning, marked
from sim.metrics.bootstrap import Interval
from sim.metrics.overhead import USAGES, Overhead, Ratio, measured_on

WORDS = {
    "record_turn": "a turn recorded, with labels",
    "record_turn_plain": "  without labels",
    "record_turn_with_latency": "  with labels and a latency",
}


def is_above(found: Interval, limit: float) -> bool:
    """Whether more than this share is surely added: the whole interval is above it."""
    return _share(found.low) > limit


def _share(ratio: float) -> float:
    """What is added, of a ratio; 1.02 is 0.02, not a little more."""
    return round(ratio - 1, 12)


def sentence(found: Overhead, limit: float) -> str:
    """What a run with metrics costs more, what a turn costs, and whether the limit is kept."""
    assert found.run is not None
    interval = found.run.interval
    _, turn_ns = found.recorded["record_turn"].medians_ns
    if is_above(interval, limit):
        kept = ("NOT kept", Meaning.BAD)
    elif _share(interval.high) <= limit:
        kept = ("kept", Meaning.GOOD)
    else:
        kept = ("kept, as far as these runs can tell", Meaning.ODD)
    cost, reach = _percent(interval.median), f"{100 * interval.reach:.1f}"
    turn = f"{turn_ns / len(USAGES) / 1000:.1f}"
    return marked(f"metrics cost {cost} % ± {reach} of a run, {turn} µs a turn; limit {100 * limit:g} %: ", kept)


def table(found: Overhead, run: Mapping[str, object]) -> Iterator[str]:
    """Every figure with its interval; all are medians of the same rounds. `run` describes the run."""
    rows: list[tuple[str, ...]] = [("what", "median", "95 % interval", "of")]
    if found.run is not None:
        base, subject = (f"{ns / 1e6:.1f}" for ns in found.run.medians_ns)
        interval = found.run.interval
        rows.append(
            (
                f"a run of {run['steps']} steps, {run['turns']} turns",
                f"{_percent(interval.median, sign=True)} %",
                f"{_percent(interval.low, sign=True)} to {_percent(interval.high, sign=True)} %",
                f"{subject} / {base} ms",
            )
        )
    rows += [_recorded(WORDS[name], one) for name, one in found.recorded.items()]
    (few, many), (turns_few, turns_many) = found.bytes, found.turns
    memory = (f"{many / few:.3f} x", "counted", f"{many:,} / {few:,} B")
    rows.append((f"memory after {turns_many:,} turns", *memory))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    where = measured_on()
    yield ""
    times = "" if found.run is None else f" of {found.run.rounds} runs,"
    yield (
        f"medians of CPU time,{times} with metrics / without; a turn / the additions it cannot do without; "
        f"memory / after {turns_few:,} turns"
    )
    yield (
        f"measured on {where['implementation']} {where['python']}, {where['system']} {where['machine']}, "
        f"{where['cpus']} CPUs; roundsim {where['roundsim']}"
    )


def _recorded(what: str, one: Ratio) -> tuple[str, ...]:
    base, subject = (f"{ns / len(USAGES):.0f}" for ns in one.medians_ns)
    interval = one.interval
    shown = f"{interval.median:.2f} x", f"{interval.low:.2f} to {interval.high:.2f}"
    return (what, *shown, f"{subject} / {base} ns")


def _percent(ratio: float, *, sign: bool = False) -> str:
    share = round(100 * (ratio - 1), 1) + 0.0  # no minus before a zero
    return f"{share:+.1f}" if sign else f"{share:.1f}"


# --- plot -------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 64, 24, 48, 48
_STYLE = """
svg { background: #fff; color: #1b1f24; font: 12px ui-monospace, Menlo, Consolas, monospace }
text { fill: currentColor } .axis { stroke: #57606a } .grid { stroke: #d0d7de }
.limit { stroke: #cf222e; stroke-dasharray: 5 4 }
.bar { stroke: #0969da; stroke-width: 2 } .dot { fill: #0969da } .word { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  svg { background: #0f1419; color: #e6e9ed } .axis { stroke: #8b96a3 } .grid { stroke: #30363d }
}
"""


def plot(points: Sequence[tuple[int, Interval]], limit: float) -> str:
    """The overhead by the turns of a run, each with its interval, as SVG; the limit is a dashed line."""
    turns = [count for count, _ in points]
    shares = [100 * (share - 1) for _, one in points for share in (one.low, one.high)]
    low, high = min(0.0, *shares), max(100 * limit * 1.25, *shares)
    step = _step(high - low)

    def across(count: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * count / (max(turns) * 1.05)

    def up(percent: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (percent - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img"><title>{escape("What metrics cost of a run, by its turns")}</title><style>{_STYLE}</style>',
        f'<text x="{LEFT}" y="24" font-weight="700">what metrics cost of a run, by its turns (95 % intervals)</text>',
    ]
    mark = -int(-low // step) * step if low < 0 else 0.0
    while mark <= high:
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{up(mark):.1f}" x2="{WIDTH - RIGHT}" y2="{up(mark):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up(mark) + 4:.1f}" text-anchor="end">{mark:g} %</text>')
        mark = round(mark + step, 6)
    parts.append(
        f'<line class="axis" x1="{LEFT}" y1="{up(0.0):.1f}" x2="{WIDTH - RIGHT}" y2="{up(0.0):.1f}"/>'
        f'<line class="limit" x1="{LEFT}" y1="{up(100 * limit):.1f}" x2="{WIDTH - RIGHT}" y2="{up(100 * limit):.1f}"/>'
        f'<text class="word" x="{WIDTH - RIGHT}" y="{up(100 * limit) - 6:.1f}" text-anchor="end">'
        f"limit {100 * limit:g} %</text>"
    )
    for count, one in points:
        ends = f'y1="{up(100 * (one.low - 1)):.1f}" x2="{across(count):.1f}" y2="{up(100 * (one.high - 1)):.1f}"'
        parts.append(
            f"<g><title>{count} turns: {_percent(one.median)} %, {_percent(one.low)} to {_percent(one.high)} %</title>"
            f'<line class="bar" x1="{across(count):.1f}" {ends}/>'
            f'<circle class="dot" cx="{across(count):.1f}" cy="{up(100 * (one.median - 1)):.1f}" r="4"/></g>'
            f'<text x="{across(count):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{count}</text>'
        )
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">turns of the run</text></svg>')
    return "\n".join(parts) + "\n"


def _step(span: float) -> float:
    """A round number of percent between two lines, so that there are about five of them."""
    for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0):
        if span / step <= 8:
            return step
    return 100.0
