"""A study: the questions about a set of trees, written down so that the same report can be made again.

It names the trees, fixes the scope and the required names, and holds what no tool can find out: what an
earlier report claimed (each claim is checked against the trees), which pieces of work wait for the answer,
and remarks that were read by hand. Judgements in it are keyed by the status that the tool finds, so a study
cannot say "ready" where the rules say "blocked".
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.base.errors import unknown
from sim.base.files import read_toml, unplain
from sim.surface.trees import SurfaceError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyTree(_Strict):
    """One tree, in the order of the command line: its name, its placeholder there, and its renames."""

    name: str
    placeholder: str
    revision: str = ""
    rename: tuple[str, ...] = ()


class Claim(_Strict):
    """A sentence of an earlier report, and the question that decides it.

    `absent` and `present` ask for `names` in the named trees; `additive` asks that bringing `names` from the
    tree breaks nothing; `needed` asks that `names` are on the path of `for_names`.
    """

    said: str
    check: Literal["absent", "present", "additive", "needed"]
    trees: tuple[str, ...] = Field(min_length=1)
    names: tuple[str, ...] = Field(min_length=1)
    for_names: tuple[str, ...] = ()
    why: str


class Remark(_Strict):
    """A difference that declarations do not show, read by hand, with its place."""

    fact: str
    place: str


class Work(_Strict):
    """A piece of work that waits for the answer; `trees` limits where its needs may come from."""

    id: str
    title: str
    needs: tuple[str, ...]
    trees: tuple[str, ...] = ()
    before: str = ""
    remark: str = ""
    held: tuple[Remark, ...] = ()
    """What the first tree has already, read by hand."""
    order: tuple[str, ...] = ()
    """The steps as pieces of work that can each be finished, in their order."""
    risk: tuple[Remark, ...] = ()


class DeferredEntry(_Strict):
    """An entry of the deferred list: what follows for it, by the status of the work it hangs on."""

    id: str
    hangs_on: str = ""
    follows: dict[Literal["ready", "needs work", "blocked", "always"], str]


class Study(_Strict):
    """The whole file."""

    title: str
    introduction: str
    tree: tuple[StudyTree, ...]
    only: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    earlier: str = ""
    """What the earlier report is called, for the heading above its claims."""
    claim: tuple[Claim, ...] = ()
    work: tuple[Work, ...] = ()
    deferred: tuple[DeferredEntry, ...] = ()
    remark: tuple[Remark, ...] = ()


def load_study(path: Path) -> Study:
    """Read a study file; every mistake in it is one line."""
    if mistake := unplain(str(path)):
        raise SurfaceError(mistake)
    try:
        content = read_toml(path.read_bytes())
    except OSError as error:
        raise SurfaceError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SurfaceError(f"{path}: is not TOML: {error}") from None
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors()]
        raise SurfaceError(*lines) from None
    _names_fit(path, study)
    return study


def _names_fit(path: Path, study: Study) -> None:
    trees = [tree.name for tree in study.tree]
    works = [work.id for work in study.work]
    said: list[tuple[str, str, str]] = [(f"claim {c.said!r}", c.check, name) for c in study.claim for name in c.trees]
    said += [(f"work {w.id}", "from", name) for w in study.work for name in w.trees]
    wrong = [f"{path}: {where}: {unknown('tree', name, trees)}" for where, _, name in said if name not in trees]
    wrong += [
        f"{path}: {where}: {name!r} is the tree to port to; name one to port from"
        for where, check, name in said
        if check in ("from", "additive", "needed") and study.tree and name == study.tree[0].name
    ]
    wrong += [
        f"{path}: deferred {d.id}: {unknown('work', d.hangs_on, works)}"
        for d in study.deferred
        if d.hangs_on and d.hangs_on not in works
    ]
    if wrong:
        raise SurfaceError(*wrong)
