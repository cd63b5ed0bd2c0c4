"""A report's blocks as Markdown, as plain text, or the report itself as one JSON object."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from sim.base.printing import printable
from sim.surface.model import Difference, Impact, SourceItem, SourceLine
from sim.surface.report import Block, Command, Heading, Paragraph, Points, Report, ReportTable, blocks
from sim.surface.tasks import TaskList

_WIDTH = 100


def markdown(report: Report) -> str:
    """The report as Markdown, ending in one newline."""
    parts = [_markdown_block(block) for block in blocks(report)]
    return _printable("\n\n".join(parts) + "\n")


def _printable(text: str) -> str:
    """Names and values come from other people's files; only what this module joins are lines."""
    return "\n".join(map(printable, text.split("\n")))


def _markdown_block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {printable(text)}"
        case Paragraph(text):
            return text
        case Command(text):
            return f"```sh\n{text}\n```"
        case Points(items):
            return "\n".join(f"- {printable(item)}" for item in items)
        case ReportTable(head, rows, quoted):
            lines = [_markdown_row(head), _markdown_row(tuple("---" for _ in head))]
            for row in rows:
                cells = [_quote(c) if h in quoted else c for h, c in zip(head, row, strict=True)]
                lines += [_markdown_row(cells)]
            return "\n".join(lines)


def _quote(cell: str) -> str:
    """Names and facts as code, so that `<T>` and `*` are themselves."""
    if not cell:
        return ""
    fence = "``" if "`" in cell else "`"
    return f"{fence}{cell}{fence}"


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = [re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


# -- text --------------------------------------------------------------------------------------------------


def plain(report: Report) -> str:
    """The report for a terminal: a line or two for each row."""
    return _printable("\n\n".join(_plain_block(block) for block in blocks(report)) + "\n")


def _plain_block(block: Block) -> str:
    match block:
        case Heading(level, text):
            text = printable(text)
            return f"{text}\n{('=' if level == 1 else '-') * len(text)}"
        case Paragraph(text):
            return textwrap.fill(text, _WIDTH)
        case Command(text):
            return textwrap.indent(text, "    ")
        case Points(items):
            return "\n".join(f"- {printable(item)}" for item in items)
        case ReportTable(head, rows, _):
            return "\n".join(_plain_row(head, row) for row in rows)


def _plain_row(head: Sequence[str], row: Sequence[str]) -> str:
    first, *rest = map(printable, row)
    told = [f"{name}: {cell}" if name else cell for name, cell in zip(head[1:], rest, strict=True) if cell]
    return f"{first}\n    {'; '.join(told)}"


# -- JSON --------------------------------------------------------------------------------------------------


def data(report: Report) -> dict[str, Any]:
    """The report as plain values, for one JSON object."""
    return {
        "verdict": "go" if report.go else "no-go",
        "as_expected": report.go,
        "trees": [
            {
                "name": s.label,
                "revision": s.revision,
                "folder": s.folder,
                "files": s.files,
                "items": sum(1 for item in s.items if item.scoped),
                "unclean": [{"place": str(u.place), "reason": u.reason} for u in s.unclean],
                "unseen": [{"place": str(u.place), "macro": u.macro} for u in s.unseen],
            }
            for s in report.surfaces
        ],
        "required": [
            {
                "name": r.name,
                "trees": [
                    {
                        "name": a.tree,
                        "present": a.present,
                        "definitions": [_item(i) for i in a.definitions],
                        "reexports": [_item(i) for i in a.reexports],
                        "unseen": [str(place) for place in a.unseen],
                        "mentions": a.mention.count,
                    }
                    for a in r.answers
                ],
            }
            for r in report.required
        ],
        "comparisons": [_comparison(report, index) for index in range(len(report.judged))],
        "work": [
            {"id": w.id, "status": w.status.value, "reason": w.reason, "title": w.title, "tasks": _tasks(w.tasks)}
            for w in report.works
        ],
        "claims": [{"said": c.said, "found": c.found, "agrees": c.agrees, "why": c.why} for c in report.claims],
    }


def _comparison(report: Report, index: int) -> dict[str, Any]:
    comparison, decision = report.judged[index].comparison, report.judged[index].decision
    return {
        "against": comparison.new.label,
        "verdict": decision.word,
        "rules": [
            {"rule": o.rule.name.lower(), "says": o.rule.value, "holds": o.holds, "evidence": o.evidence}
            for o in decision.outcomes
        ],
        "counts": {impact.value: len(comparison.of(impact)) for impact in Impact},
        "renames": [str(rename) for rename in comparison.renames],
        "differences": [_difference(d) for d in comparison.differences],
        "path": [
            {
                "step": step.number,
                "action": step.action,
                "items": [item.path for item in step.items],
                "class": step.impact.value,
                "after": list(step.after),
                "packages": list(step.crates),
            }
            for step in decision.steps
        ],
    }


def _tasks(listed: TaskList | None) -> dict[str, Any] | None:
    if listed is None:
        return None
    return {
        "from": listed.source,
        "lines": {action: listed.lines(action) for action in ("bring", "change")},
        "steps": [
            {
                "step": task.step.number,
                "action": task.step.action,
                "items": [item.path for item in task.step.items],
                "files": list(task.files),
                "lines": task.step.lines,
                "class": task.step.impact.value,
                "after": list(task.step.after),
                "sites": [_place(site.place) for site in task.sites],
            }
            for task in listed.tasks
        ],
        "files": [
            {
                "file": one.name,
                "there": one.there,
                "steps": list(one.steps),
                "declares": list(one.declares),
                "sites": [{"line": site.place.line, "test": site.test} for site in one.sites],
            }
            for one in listed.files
        ],
        "opened": [_difference(d) for d in listed.opened],
        "packages": [
            {"name": one.name, "folder": one.folder, "steps": list(one.steps), "manifests": list(one.manifests)}
            for one in listed.packages
        ],
    }


def _difference(d: Difference) -> dict[str, Any]:
    return {
        "class": d.impact.value,
        "change": d.change,
        "kind": d.kind,
        "item": d.subject.shown,
        "before": d.before,
        "after": d.after,
        "old": _side(d.old),
        "new": _side(d.new),
        "why": d.why,
    }


def _side(item: SourceItem | None) -> dict[str, Any] | None:
    return None if item is None else {**(_place(item.place) or {}), "visibility": item.visibility}


def _place(place: SourceLine | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line}


def _item(item: SourceItem) -> dict[str, Any]:
    return {
        "path": item.shown,
        "kind": item.kind,
        "visibility": item.visibility,
        "reach": item.reach,
        "place": _place(item.place),
        "also_at": list(item.also_at),
    }
