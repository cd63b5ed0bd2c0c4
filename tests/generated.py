"""Writes the parts of docs/reference.md that are made from the code, the picture of README.md, and the header of the
extension: `python -m tests.generated`.

What stands between `<!-- generated: NAME -->` and `<!-- end -->` is one of `PARTS`. The output of commands on that
page is the business of `tests.documents`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sim
from sim.base.errors import ExitStatus
from sim.cli import COMMANDS
from sim.faults.catalogue import markdown as faults
from sim.report.export import FORMATS
from tests.native.header import FILE, header
from tests.picture import PICTURE, drawn

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
_PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.S)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def commands() -> str:
    return table(("command", "what it does"), ((f"`sim {name}`", says) for name, says in COMMANDS.items()))


def statuses() -> str:
    return table(("status", "meaning"), ((str(int(status)), status.sentence) for status in ExitStatus))


def exports() -> str:
    return table(("format", "what it is"), ((f"`{name}`", says) for name, says in FORMATS.items()))


def scenario() -> str:
    schema = json.loads((ROOT / "docs" / "scenario.schema.json").read_text("utf-8"))
    return table(("key", "what fits", "meaning"), _keys(schema, schema, ""))


def _keys(schema: dict[str, Any], whole: dict[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    for name, key in schema["properties"].items():
        if "$ref" in key:
            yield f"`{prefix}{name}`", "keys, below", key.get("description", "")
            yield from _keys(whole["$defs"][key["$ref"].rpartition("/")[2]], whole, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", _fits(key, whole), key.get("description", "")


def _fits(key: dict[str, Any], whole: dict[str, Any]) -> str:
    if "$ref" in key:
        return _fits(whole["$defs"][key["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in key:
        return " or ".join(dict.fromkeys(_fits(one, whole) for one in key["anyOf"]))
    if "enum" in key:
        return ", ".join(f"`{value}`" for value in key["enum"])
    kind = key.get("type", "anything")
    if kind == "array":
        return f"list of {_fits(key.get('items', {}), whole)}"
    if kind == "object":
        more = key.get("additionalProperties")
        return f"mapping to {_fits(more, whole)}" if isinstance(more, dict) else "mapping"
    names = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true or false",
        "null": "null",
    }
    ends = [f"from {key['minimum']}"] if "minimum" in key else []
    ends += [f"to {key['maximum']}"] if "maximum" in key else []
    return " ".join([names.get(kind, str(kind)), *ends])


def names() -> str:
    return table(
        ("name", "what it is"),
        ((f"`{_called(name, getattr(sim, name))}`", _first(getattr(sim, name))) for name in sim.__all__),
    )


LIBRARY = ("sim.consensus", "sim.metrics", "sim.faults", "sim.sessions")
"""The packages that are of use without a simulation."""


def library() -> str:
    """Their public names: functions and classes with parameters, the methods of classes, constants with their values."""
    return table(("name", "what it is"), (row for package in LIBRARY for row in _of_package(package)))


def _of_package(package: str) -> Iterator[tuple[str, str]]:
    module = importlib.import_module(package)
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield f"`{package}.{_called(name, thing)}`", _first(thing)
        elif type(thing).__module__.startswith("sim."):
            yield f"`{package}.{name}`", f"the `{type(thing).__name__}` {thing}"
        for method, made in vars(thing).items() if inspect.isclass(thing) and package != "sim.faults" else ():
            function = made.__func__ if isinstance(made, classmethod) else made
            if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                yield f"`{name}.{_called(method, function)}`", _first(function)


def _called(name: str, thing: Any) -> str:
    """A function with its parameters; of anything else the name."""
    if not inspect.isfunction(thing):
        return name
    shown = []
    starred = False
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        if parameter.name in ("self", "cls"):
            continue
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        shown.append(star + parameter.name + ("" if parameter.default is parameter.empty else "=..."))
    return f"{name}({', '.join(shown)})"


def _first(thing: Any) -> str:
    """The first sentence of what a name says of itself; of a constant, its value's."""
    text = thing.value if isinstance(getattr(thing, "value", None), str) else inspect.getdoc(thing) or ""
    sentence = re.split(r"(?<=[.])\s", " ".join(text.split("\n\n")[0].split()))[0]
    return sentence.rstrip(".:;")


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "statuses": statuses,
    "exports": exports,
    "scenario": scenario,
    "faults": faults,
    "names": names,
    "library": library,
}


def generated(text: str) -> str:
    """The page with its generated parts as the code has them today."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]().strip()}\n\n{part[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text("utf-8")), "utf-8")
    FILE.write_text(header(), "utf-8")
    with TemporaryDirectory() as folder:
        PICTURE.write_text(drawn(Path(folder)), "utf-8")
