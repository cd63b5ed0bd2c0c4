"""`sim surface`: the public surface of two source trees, side by side, and a go or no-go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.base.files import unplain
from sim.cli.options import Named

if TYPE_CHECKING:
    from sim.surface.report import Report

_LEVELS = ("pub", "crate", "all")
_FORMATS = ("text", "markdown", "json")


@click.command(name="surface")
@click.argument("fork")
@click.argument("upstream")
@click.option("--also", multiple=True, metavar="TREE", help="A further tree, compared with FORK as well.")
@click.option("--name", "names", multiple=True, help="Names of the trees, in their order.")
@click.option("--require", multiple=True, metavar="NAME", help="A name that the port needs; its place is reported.")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="A systematic rename; codex_*=code_* too.")
@click.option("--only", multiple=True, metavar="GLOB", help="Compare only files that match.")
@click.option("--level", type=Named("level", _LEVELS), default="pub", show_default=True, help="How deep to look.")
@click.option("--study", type=click.Path(path_type=Path), help="A study file with all of this, and more.")
@click.option("--format", "form", type=Named("format", _FORMATS), default=None, help="Output format; text by default.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of standard output.")
def command(
    fork: str,
    upstream: str,
    also: tuple[str, ...],
    names: tuple[str, ...],
    require: tuple[str, ...],
    rename: tuple[str, ...],
    only: tuple[str, ...],
    level: str,
    study: Path | None,
    form: str | None,
    as_json: bool,
    out: Path | None,
) -> int:
    """Compare the public surface of two source trees, FORK and UPSTREAM (Rust and Python).

    A tree is a folder, a file, or REPOSITORY@COMMIT:FOLDER. Exit status: 0 go, 1 no-go, 2 bad input.
    """
    from sim.surface.survey import SurveyQuestion, survey

    if as_json and form not in (None, "json"):
        raise ConfigError(f"--json and --format {form} are both given; give one")
    form = "json" if as_json else form or "text"
    loaded = None
    if study is not None:
        from sim.surface.study import load_study

        loaded = load_study(study)
    if out is not None and (mistake := unplain(str(out))):
        raise ConfigError(f"--out {mistake}")
    question = SurveyQuestion(
        trees=(fork, upstream, *also),
        names=names,
        only=only,
        require=require,
        rename=rename,
        level=level,
        study=loaded,
        tail=_tail(study, form, out),
    )
    report = survey(question)
    _write(_set(report, form), out)
    return ExitStatus.AS_EXPECTED if report.go else ExitStatus.VIOLATED


def _tail(study: Path | None, form: str, out: Path | None) -> str:
    """The options that reproduce the report; absolute paths of this machine are shortened."""
    shown = [f"--study {_relative(study)}"] if study else []
    shown += [f"--format {form}"] if form != "text" else []
    return " ".join([*shown, *([f"--out {_relative(out)}"] if out else [])])


def _relative(path: Path) -> str:
    return path.name if path.is_absolute() else path.as_posix()


def _set(report: Report, form: str) -> str:
    from sim.surface import render

    if form == "json":
        return json.dumps(render.data(report), indent=2) + "\n"
    return render.markdown(report) if form == "markdown" else render.plain(report)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        printing.document(text)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written: {error.strerror}") from None
