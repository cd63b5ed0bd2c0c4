"""Arguments and options that several commands share."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.base import printing
from sim.base.durations import parse_duration
from sim.base.errors import GONE, ConfigError, listing, unknown
from sim.base.files import unplain
from sim.base.overdue import WATCH
from sim.base.printing import json_text

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # click 8.1 knows no types of choices

EXPORTS = ("jsonl", "log", "mermaid", "perfetto", "shiviz")
"""The formats of `report.export`, whose modules are loaded on demand."""


WORKERS_MAX = 1_024
"""Processes that a command may start."""


class Whole(click.IntRange):
    """A whole number between bounds, with a name that reads well in an error."""

    name = "whole number"


class Named(_Choice):
    """One of some names, which says of any other what every command says of an unknown name."""

    def __init__(self, kind: str, names: Iterable[str]) -> None:
        super().__init__(list(names))
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            option = param.opts[0] if param is not None else self._kind
            raise ConfigError(f"{option} {value}: {unknown(self._kind, value, self.choices)}")
        return super().convert(value, param, ctx)


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
settings = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override the configuration; may be repeated."
)
metrics = click.option(
    "--metrics/--no-metrics",
    "metrics",
    default=None,
    help="Whether to count tokens, duplicates and cost; overrides the file.",
)
models = click.option(
    "--model", "models", multiple=True, metavar="NAME", help="A module that scenario files may import as their model."
)


def _seconds(_context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    name = option.opts[0]
    try:
        milliseconds = parse_duration(value)
    except ConfigError as error:
        raise ConfigError(*(f"{name} {mistake}" for mistake in error.mistakes)) from None
    if milliseconds <= 0:
        raise ConfigError(f"{name} {value}: must be more than 0, such as 60s")
    return milliseconds / 1000


duration = click.option(
    "--for", "seconds", metavar="TIME", callback=_seconds, help="Run for this long instead, such as 60s or 5min."
)


stop_after = click.option(
    "--for", "seconds", metavar="TIME", callback=_seconds, help="Stop after this long, such as 60s or 5min."
)


def _watch(context: click.Context, option: click.Parameter, value: str | None) -> None:
    WATCH.start(_seconds(context, option, value))


handler_timeout = click.option(
    "--handler-timeout",
    metavar="TIME",
    callback=_watch,
    expose_value=False,
    help="Stop, without an answer, when a handler runs for this long.",
)
"""Also says which handler runs for long, whether it is given or not."""


def working_directory() -> Path:
    """The working directory. Raises `ConfigError` if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(GONE) from None


def _writable(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Refuses a folder that is not writable before hours are spent on what would go there."""
    if mistake := unplain(value):
        raise ConfigError(f"--out {mistake}")
    nearest = working_directory() / value
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise ConfigError(f"--out {value}: {nearest} is not a folder; name a folder, or one that can be created")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"--out {value}: {nearest} cannot be written to; name a writable folder")
    return value


def out_folder(default: str, what: str) -> Callable[[Any], Any]:
    """The option that names a folder for what is written."""
    return click.option("--out", default=default, show_default=True, metavar="DIR", callback=_writable, help=what)


out = out_folder("counterexamples", "Where counterexamples go.")

html_file = click.option(
    "--html", "html", type=click.Path(), metavar="FILE", help="Write the run as one page for a browser."
)
exports = click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="FORMAT=FILE",
    help=f"Write the run for another tool: {listing(EXPORTS)}; may be repeated.",
)
html_beside = click.option(
    "--html", "html", is_flag=True, help="Also write each counterexample as a page, next to its file."
)


def files_of(html: str | None, given: Sequence[str], scenarios: int) -> dict[str, str]:
    """The files to write for a run: format (`html` is one) -> file. Raises `ConfigError`."""
    found = {"html": html} if html is not None else {}
    mistakes = []
    for text in given:
        form, equals, path = text.partition("=")
        if form not in EXPORTS:
            mistakes.append(f"--export {text!r}: {unknown('format', form, EXPORTS)}")
        elif not equals or not path:
            mistakes.append(f"--export {text!r}: write --export {form}=FILE")
        elif form in found:
            mistakes.append(f"--export {form}=... is given twice; give it once")
        else:
            found[form] = path
    if found and scenarios > 1:
        mistakes.append(f"--html and --export write one run, but {scenarios} scenarios are given; give one")
    files = list(found.values())
    mistakes += [f"{path} would be written twice; name another file" for path in files if files.count(path) > 1][:1]
    if mistakes:
        raise ConfigError(*mistakes)
    return found


def overrides(given: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping. Raises `ConfigError` for each that is malformed, or given twice."""
    found: dict[str, str] = {}
    mistakes = []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            mistakes.append(f"--set {text!r} is not KEY=VALUE; write --set agents=3")
        elif key.strip() in found:
            mistakes.append(f"--set {key.strip()} is given twice; give it once")
        else:
            found[key.strip()] = value.strip()
    if mistakes:
        raise ConfigError(*mistakes)
    return found


def command_line(*words: str | None, sets: Mapping[str, str] | None = None, allow: Sequence[str] = ()) -> str:
    """A command of ours as the user would type it."""
    parts = ["sim", *(word for word in words if word is not None)]
    for key, value in (sets or {}).items():
        parts += ["--set", f"{key}={value}"]
    for name in allow:
        parts += ["--model", name]
    return shlex.join(parts)


def is_watched() -> bool:
    """Whether somebody sees standard error come: then progress is shown."""
    return sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("CI")


@contextmanager
def counting(what: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, to be told how far it is; otherwise nothing."""
    if quiet or not is_watched():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def print_json(data: Mapping[str, Any]) -> None:
    """One object on standard output; in ASCII if it cannot be encoded otherwise."""
    text = json_text(data, indent=2)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    printing.document(text)


def storable(*names: str) -> None:
    """Refuses the name of a file or folder that a campaign could not store. Raises `ConfigError`."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"{name!r}: a campaign is stored under this name, which is not UTF-8; rename it"
            ) from None
