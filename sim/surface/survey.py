"""From trees and questions to a report: reads every tree, compares each with the first, answers a study.

This is all of `sim surface` except arguments and printing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.base.files import unplain
from sim.surface.compare import Comparison, compare
from sim.surface.decide import decide, status
from sim.surface.model import Surface
from sim.surface.path import migration
from sim.surface.read import read
from sim.surface.renames import Rename, parse_rename
from sim.surface.report import ClaimResult, Judged, Report, WorkResult
from sim.surface.require import Required, find
from sim.surface.study import Claim, Remark, Study, Work
from sim.surface.tasks import task_list
from sim.surface.trees import SurfaceError, Tree, load

_NEEDED = ("tree_sitter", "tree_sitter_rust", "griffe")


@dataclass(frozen=True, slots=True)
class SurveyQuestion:
    """The question that the command line asks."""

    trees: tuple[str, ...]
    names: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    rename: tuple[str, ...] = ()
    level: str = "pub"
    study: Study | None = None
    tail: str = ""
    """The rest of the command line that reproduces the report, after the trees; printed with a study."""


def parsers_are_installed() -> None:
    """Raise a one-line error that says what to install, unless the optional parsers are there."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise SurfaceError(
            f"surface: requires {', '.join(missing)}, which is not installed; run: pip install 'roundsim[surface]'"
        )


def survey(question: SurveyQuestion) -> Report:
    """Answer a question about two trees or more."""
    parsers_are_installed()
    study = question.study
    if study is not None and len(study.tree) != len(question.trees):
        counts = f"names {len(study.tree)} trees and the command line {len(question.trees)}"
        raise SurfaceError(f"the study {counts}; give one for each")
    labels = _labels(question)
    require = tuple(dict.fromkeys((*(study.require if study else ()), *question.require)))
    if not all(name.strip() for name in require):
        raise SurfaceError("--require: an empty name; give one such as save_auth, or Options::mode")
    only = (*(study.only if study else ()), *question.only)
    asked = list(require)
    if study:
        asked += [name for work in study.work for name in work.needs]
        asked += [name for claim in study.claim for name in (*claim.names, *claim.for_names)]
    renames = _renames(question)

    trees = [load(spec, label) for spec, label in zip(question.trees, labels, strict=True)]
    surfaces = [read(tree, only, list(dict.fromkeys(asked))) for tree in trees]
    _revisions_fit(study, [surface.revision for surface in surfaces])
    comparisons = [
        compare(surfaces[0], surface, renames[index], question.level) for index, surface in enumerate(surfaces[1:], 1)
    ]
    judged = [Judged(one, decide(one, require, question.level)) for one in comparisons]
    required = [Required(name, tuple(find(name, s, renames[i]) for i, s in enumerate(surfaces))) for name in require]
    report = Report(
        title=study.title if study else f"The surface of {labels[0]} and {' and '.join(labels[1:])}",
        surfaces=tuple(surfaces),
        judged=tuple(judged),
        required=tuple(required),
        command=_command(study, surfaces, question.tail) if study else "",
    )
    return _with_study(report, study, comparisons, (question.level, trees[0])) if study else report


def _labels(question: SurveyQuestion) -> list[str]:
    """The name of each tree: the study's, otherwise the given one, otherwise the tree as it was given."""
    labels = [tree.name for tree in question.study.tree] if question.study else list(question.names)
    if len(labels) > len(question.trees):
        raise SurfaceError(f"--name {labels[-1]}: {len(labels)} names for {len(question.trees)} trees")
    labels += question.trees[len(labels) :]
    mistakes = [mistake for label in labels if (mistake := unplain(label))]
    if mistakes:
        raise SurfaceError(*mistakes)
    return [label if label not in labels[:at] else f"{label} ({at + 1})" for at, label in enumerate(labels)]


def _renames(question: SurveyQuestion) -> list[list[Rename]]:
    """For each tree, the renames that lead to it from the first; the command line's count for the second."""
    own = [list(tree.rename) for tree in question.study.tree] if question.study else []
    own += [[] for _ in question.trees[len(own) :]]
    own[1] += question.rename
    return [_agreeing([parse_rename(said) for said in listed]) for listed in own]


def _agreeing(renames: list[Rename]) -> list[Rename]:
    """The same renames, if no word has two new ones: only the first would be used."""
    first: dict[str, Rename] = {}
    for one in renames:
        if first.setdefault(one.old, one).new != one.new:
            raise SurfaceError(f"--rename {one}: {one.old} is already renamed to {first[one.old].new}; give it once")
    return renames


def _revisions_fit(study: Study | None, revisions: Sequence[str]) -> None:
    for tree, revision in zip(study.tree if study else (), revisions, strict=False):
        if tree.revision and not revision.startswith(tree.revision):
            got = revision[:12] or "a folder"
            raise SurfaceError(f"{tree.name}: the study is about {tree.revision}, this is {got}")


def _command(study: Study, surfaces: Sequence[Surface], tail: str) -> str:
    """The command line with a placeholder for each checkout: no path of this machine."""
    words = []
    for tree, surface in zip(study.tree, surfaces, strict=True):
        at = f"@{surface.revision[:9]}" if surface.revision else ""
        words.append(f"{tree.placeholder}{at}{':' + surface.folder if surface.folder else ''}")
    also = "".join(f" --also {word}" for word in words[2:])
    return f"sim surface {words[0]} {words[1]}{also} \\\n    {tail}".rstrip(" \\\n")


def _with_study(report: Report, study: Study, comparisons: Sequence[Comparison], about: tuple[str, Tree]) -> Report:
    level, first = about
    works = [_work(work, comparisons, level, first) for work in study.work]
    statuses = {work.id: work.status.value for work in works}
    deferred = []
    for one in study.deferred:
        key = statuses.get(one.hangs_on, "always")
        said = {str(k): v for k, v in one.follows.items()}
        deferred.append((one.id, said.get(key) or said.get("always") or f"{one.hangs_on} is {key}"))
    return replace(
        report,
        introduction=study.introduction.strip(),
        earlier=study.earlier,
        claims=tuple(_claim(claim, report, comparisons, level) for claim in study.claim),
        works=tuple(works),
        deferred=tuple(deferred),
        remarks=_pairs(study.remark),
    )


def _work(work: Work, comparisons: Sequence[Comparison], level: str, first: Tree) -> WorkResult:
    usable = [c for c in comparisons if not work.trees or c.new.label in work.trees]
    found, reason = status(usable, work.needs, level)
    return WorkResult(
        work.id,
        work.title,
        found,
        reason,
        work.before,
        work.remark,
        task_list(usable, work.needs, level, first),
        _pairs(work.held),
        work.order,
        _pairs(work.risk),
    )


def _pairs(remarks: Sequence[Remark]) -> tuple[tuple[str, str], ...]:
    return tuple((one.fact, one.place) for one in remarks)


def _claim(claim: Claim, report: Report, comparisons: Sequence[Comparison], level: str) -> ClaimResult:
    if claim.check in ("absent", "present"):
        return _presence(claim, report, comparisons)
    told: list[str] = []
    agrees = True
    for one in comparisons:
        if one.new.label not in claim.trees:
            continue
        if claim.check == "additive":
            unbroken = decide(one, claim.names, level).outcomes[-1]
            agrees = agrees and unbroken.holds
            told.append(f"from {one.new.label}: {unbroken.evidence}")
        else:
            on_path = {item.name for step in migration(one, claim.for_names, level) for item in step.items}
            lacking = [name for name in claim.names if name not in on_path]
            agrees = agrees and not lacking
            shown = f"not needed: {', '.join(lacking)}" if lacking else "all needed"
            told.append(f"from {one.new.label}, for {', '.join(claim.for_names)}: {shown}")
    return ClaimResult(claim.said, "; ".join(told), agrees, claim.why)


def _presence(claim: Claim, report: Report, comparisons: Sequence[Comparison]) -> ClaimResult:
    renames = {c.new.label: c.renames for c in comparisons}
    told: list[str] = []
    agrees = True
    for surface in report.surfaces:
        if surface.label not in claim.trees:
            continue
        for name in claim.names:
            found = find(name, surface, renames.get(surface.label, ()))
            agrees = agrees and (found.present == (claim.check == "present"))
            hits = found.definitions or found.reexports
            where = f"at {hits[0].place}" if hits else "absent"
            told.append(f"{where} in {surface.label}" if len(claim.names) == 1 else f"{name} {where}")
    return ClaimResult(claim.said, "; ".join(told), agrees, claim.why)
