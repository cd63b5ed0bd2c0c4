"""A migration path as a task list: files to touch, places that have to follow, what is opened, what is there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sim.surface.compare import Comparison
from sim.surface.decide import decide
from sim.surface.model import Difference, Impact
from sim.surface.path import PortStep
from sim.surface.renames import translate_word
from sim.surface.require import find
from sim.surface.rust_crate import parents_of, spot_of
from sim.surface.sites import CallSite, call_sites
from sim.surface.trees import Tree


@dataclass(frozen=True, slots=True)
class Task:
    """A step of the path: the files of the first tree that it goes into, and the lines there that have to follow."""

    step: PortStep
    files: tuple[str, ...]
    sites: tuple[CallSite, ...]


@dataclass(frozen=True, slots=True)
class TouchedFile:
    """A file of the first tree: whether it is there, the steps that go into it, the lines that have to follow others,
    and the new files whose modules it has to declare."""

    name: str
    there: bool
    steps: tuple[int, ...]
    sites: tuple[CallSite, ...]
    declares: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeededPackage:
    """A package that steps need a dependency on, its folder if the first tree holds it already, and the manifests that
    have to name it."""

    name: str
    folder: str | None
    steps: tuple[int, ...]
    manifests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskList:
    """Everything that has to be done to bring `names` from one tree."""

    source: str
    tasks: tuple[Task, ...]
    files: tuple[TouchedFile, ...]
    opened: tuple[Difference, ...]
    """Items that are private in the first tree, and are not in the second."""
    packages: tuple[NeededPackage, ...]

    def lines(self, action: str) -> int:
        """The lines of all steps that bring something, or that change something."""
        return sum(task.step.lines for task in self.tasks if task.step.action == action)


def task_list(comparisons: Sequence[Comparison], names: Sequence[str], level: str, first: Tree) -> TaskList | None:
    """The tasks from the first tree that breaks nothing, otherwise from the first that has every name, if one has."""
    whole = [c for c in comparisons if all(find(name, c.new, c.renames).present for name in names)]
    best = next((c for c in whole if decide(c, names, level).go), whole[0] if whole else None)
    if best is None:
        return None
    tasks = [_task(step, best, first) for step in decide(best, names, level).steps]
    inside = [d for task in tasks for d in task.step.inside]
    opened = [d for d in inside if d.change == "visibility" and d.impact is Impact.ADDITIVE and _is_private(d)]
    packages = _packages(tasks, best, first)
    return TaskList(best.new.label, tuple(tasks), _files(tasks, packages, first), tuple(opened), packages)


def _is_private(d: Difference) -> bool:
    return d.old is not None and d.old.reach == "private"


def _task(step: PortStep, comparison: Comparison, first: Tree) -> Task:
    """What is changed stands where it stands; what is brought comes into the file of the same name."""
    old = {p.new.path: p.old.place.file for p in comparison.pairs if p.old and p.new}
    files = tuple(dict.fromkeys(old.get(item.path, item.place.file) for item in step.items))
    return Task(step, files, call_sites(first, step.inside))


def _files(tasks: Sequence[Task], packages: Sequence[NeededPackage], first: Tree) -> tuple[TouchedFile, ...]:
    steps: dict[str, set[int]] = defaultdict(set)
    sites: dict[str, set[CallSite]] = defaultdict(set)
    declares: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        for name in task.files:
            steps[name].add(task.step.number)
        for site in task.sites:
            sites[site.place.file].add(site)
    for name in sorted(steps.keys() - first.texts.keys()):
        above = [parent for parent in parents_of(name) if parent in first.texts or parent in steps]
        if name.endswith(".rs") and above:
            declares[above[-1]].append(name)
    for package in packages:
        for name in package.manifests:
            steps[name].update(package.steps)
    return tuple(
        TouchedFile(
            name, name in first.texts, tuple(sorted(steps[name])), tuple(sorted(sites[name])), tuple(declares[name])
        )
        for name in sorted({*steps, *sites, *declares})
    )


def _packages(tasks: Sequence[Task], comparison: Comparison, first: Tree) -> tuple[NeededPackage, ...]:
    held = {translate_word(name, comparison.renames): folder for name, folder in comparison.old.packages.items()}
    found = []
    for name in sorted({name for task in tasks for name in task.step.crates}):
        using = [task for task in tasks if name in task.step.crates]
        folders = {spot_of(file)[0] for task in using for file in task.files}
        manifests = sorted(one for folder in folders if (one := f"{folder}/Cargo.toml".lstrip("/")) in first.texts)
        steps = tuple(task.step.number for task in using)
        found.append(NeededPackage(name, held.get(name), steps, tuple(manifests)))
    return tuple(found)
