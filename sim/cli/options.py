"""Arguments and options that several commands share."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sim.base.durations import parse_duration
from sim.base.errors import ConfigError, listing, nearest

EXPORTS = ("jsonl", "mermaid", "perfetto", "shiviz")
"""The formats of `report.export`, whose modules are loaded when they are asked for."""


class Whole(click.IntRange):
    """A whole number between bounds, by a name that a user can read in an error."""

    name = "whole number"


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
settings = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override the configuration; may be repeated."
)
metrics = click.option(
    "--metrics/--no-metrics",
    "metrics",
    default=None,
    help="Count tokens, duplicates and cost, or do not, whatever the file says.",
)
models = click.option(
    "--model", "models", multiple=True, metavar="NAME", help="A module that scenario files may import as their model."
)


def _seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        milliseconds = parse_duration(value)
    except ConfigError as error:
        raise ConfigError(*(f"--for {mistake}" for mistake in error.mistakes)) from None
    if milliseconds <= 0:
        raise ConfigError(f"--for {value}: give more than no time, such as 60s")
    return milliseconds / 1000


duration = click.option(
    "--for", "seconds", metavar="TIME", callback=_seconds, help="How long instead, such as 60s or 5min."
)


def working_directory() -> Path:
    """Where we are. Raises `ConfigError` if that was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError("the working directory is gone; change to one that is there") from None


def _writable(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Refuses a folder that nothing can be written to before hours are spent on what would go there."""
    nearest = working_directory() / value
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise ConfigError(f"--out {value}: {nearest} is no folder; name a folder, or one that can be made")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"--out {value}: {nearest} cannot be written to; name a folder that can be")
    return value


out = click.option(
    "--out",
    default="counterexamples",
    show_default=True,
    metavar="DIR",
    callback=_writable,
    help="Where counterexamples go.",
)

html_file = click.option(
    "--html", "html", type=click.Path(), metavar="FILE", help="Write the run as one page, to be looked at in a browser."
)
exports = click.option(
    "--export",
    "exports",
    multiple=True,
    metavar="FORMAT=FILE",
    help=f"Write the run for another tool: {listing(EXPORTS)}; may be repeated.",
)
html_beside = click.option(
    "--html", "html", is_flag=True, help="Write each counterexample also as a page, beside its file."
)


def files_of(html: str | None, given: Sequence[str], scenarios: int) -> dict[str, str]:
    """What is to be written of a run: format (`html` among them) -> file. Raises `ConfigError`."""
    found = {"html": html} if html is not None else {}
    mistakes = []
    for text in given:
        form, equals, path = text.partition("=")
        if not equals or not path or form not in EXPORTS:
            hint = nearest(form, EXPORTS) if form not in EXPORTS else f": write --export {form}=FILE"
            mistakes.append(f"--export {text!r} is no FORMAT=FILE{hint}; formats are {listing(EXPORTS, 'and')}")
        elif form in found:
            mistakes.append(f"--export {form}=... is given twice; give it once")
        else:
            found[form] = path
    if found and scenarios > 1:
        mistakes.append(f"--html and --export hold one run, and {scenarios} scenarios are given; give one")
    files = list(found.values())
    mistakes += [f"{path} is to be written twice; name another file" for path in files if files.count(path) > 1][:1]
    if mistakes:
        raise ConfigError(*mistakes)
    return found


def overrides(given: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping. Raises `ConfigError` for each that is none, or given twice."""
    found: dict[str, str] = {}
    mistakes = []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            mistakes.append(f"--set {text!r} is no KEY=VALUE; write --set agents=3")
        elif key.strip() in found:
            mistakes.append(f"--set {key.strip()} is given twice; give it once")
        else:
            found[key.strip()] = value.strip()
    if mistakes:
        raise ConfigError(*mistakes)
    return found


def command_line(*words: str | None, sets: Mapping[str, str] | None = None, allow: Sequence[str] = ()) -> str:
    """A command of ours as one types it."""
    parts = ["sim", *(word for word in words if word is not None)]
    for key, value in (sets or {}).items():
        parts += ["--set", f"{key}={value}"]
    for name in allow:
        parts += ["--model", name]
    return shlex.join(parts)


def in_ci() -> bool:
    """Whether nobody watches: progress is then left out."""
    return bool(os.environ.get("CI"))


def print_json(data: Mapping[str, Any]) -> None:
    """One object on standard output; spelt in ASCII if that has no other way to say it (half a character, say, which
    a file's name may have)."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    click.echo(text)


def storable(*names: str) -> None:
    """Refuses a name of a file or folder that a campaign could not keep. Raises `ConfigError`."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{name!r}: a campaign is kept by this name, which is no UTF-8; rename it") from None
