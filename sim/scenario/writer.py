"""Writes scenario files: the same text for the same scenario, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.base.errors import ScenarioError
from sim.base.files import unplain, write_whole
from sim.faults.plan import FaultEntry, show_plan
from sim.scenario.mistakes import one_line
from sim.scenario.parsed import Expectation, Then
from sim.scenario.tree import resolve


def write_scenario(
    path: str | Path,
    *,
    model: str,
    config: Mapping[str, Any] | None = None,
    network: str | Mapping[str, str] | None = None,
    properties: Sequence[str] = (),
    description: str = "",
    faults: str | Sequence[FaultEntry] | None = None,
    strategy: str | None = None,
    seed: int | None = None,
    schedule: Sequence[str] | None = None,
    then: Then | None = None,
    timing: Mapping[str, Any] | None = None,
    steps: int | None = None,
    epoch: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    expect: Expectation | None = None,
    header: Sequence[str] = (),
) -> None:
    """Write a scenario that `load_scenario` reads back; the arguments are the keys of the file, `header`
    lines of comment at its top. `timing` and `metrics` are as a file has them (durations as texts).

    The file is written whole or not at all; its folder is created. Raises `ScenarioError` if it cannot be written.
    """
    plan = faults if faults is None or isinstance(faults, str) else show_plan(faults)
    text = scenario_text(
        {
            "model": model,
            "description": description or None,
            "config": dict(config or {}) or None,
            "network": network,
            "properties": list(properties) or None,
            "faults": plan,
            "strategy": strategy,
            "seed": seed,
            "timing": timing or None,
            "steps": steps,
            "epoch": epoch,
            "metrics": metrics or None,
            "expect": _expected(expect) if expect is not None else None,
            "schedule": None if schedule is None else list(schedule),
            "then": then,
        },
        header,
    )
    write_text(path, text)


def scenario_text(keys: Mapping[str, Any], header: Sequence[str] = ()) -> str:
    """The text of a file with these top-level keys, in this order; keys that are None are omitted."""
    lines = [f"# {_comment(line)}".rstrip() for block in header for line in block.splitlines() or [""]]
    if lines:
        lines.append("")
    for key, value in keys.items():
        if value is not None:
            lines += _pair(key, value, "")
    return "\n".join(lines) + "\n"


def _expected(expect: Expectation) -> dict[str, Any]:
    counts = {"emitted": expect.emitted, "rejected": expect.rejected, "states": expect.states}
    violation = {} if expect.violation is None else {"violation": expect.violation}
    return {"verdict": expect.verdict, **violation, **{key: dict(value) for key, value in counts.items() if value}}


def _pair(key: str, value: Any, indent: str) -> Iterator[str]:
    """The lines of `key: value`."""
    head = f"{indent}{quoted(key)}:"
    if isinstance(value, Mapping) and value:
        yield head
        for name, inner in value.items():
            yield from _pair(str(name), inner, indent + "  ")
    elif (
        isinstance(value, list | tuple) and value and not any(isinstance(v, list | tuple | Mapping) for v in value)
    ) or (isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value)):
        yield head
        for inner in value:
            yield f"{indent}  - {_flow(inner)}"
    else:
        yield f"{head} {_flow(value)}"


def _flow(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(value), repr(value))
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_in_quotes(str(key))}: {_inner(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inner, value)) + "]"
    raise ScenarioError(
        f"a scenario file cannot contain a value of type {type(value).__name__}; use text, numbers, lists, mappings"
    )


def _inner(value: Any) -> str:
    return _in_quotes(value) if isinstance(value, str) else _flow(value)


_SAFE = re.compile(r"[A-Za-z_][\w.,()=#>@/+*-]*( [\w(=>@/+*-][\w.,()=#>@/+*-]*)*", re.ASCII)
"""Texts that mean themselves without quotes: no ': ', no ' #', no quotes, nothing at the ends."""


def quoted(text: str) -> str:
    """`text` as a YAML scalar that is read back as exactly this text."""
    return text if _SAFE.fullmatch(text) and resolve(text) == text else _in_quotes(text)


def _in_quotes(text: str) -> str:
    """In double quotes; in single ones if it has double ones itself, as JSON does, and nothing that has to be escaped."""
    if '"' in text and "'" not in text and all(" " <= c <= "~" or _is_plain(c) for c in text):
        return f"'{text}'"
    return '"' + "".join(_ESCAPES.get(c) or (c if " " <= c <= "~" or _is_plain(c) else _escape(c)) for c in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def _is_plain(char: str) -> bool:
    return char.isprintable() and char != "\ufeff" and not char.isspace() and ord(char) >= 0xA1


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _comment(line: str) -> str:
    """A comment that stays on one line: whatever could end it is escaped."""
    return "".join(c if c.isprintable() and _is_encodable(c) else _escape(c) for c in line)


def _is_encodable(char: str) -> bool:
    return not 0xD800 <= ord(char) <= 0xDFFF


def write_text(path: str | Path, text: str) -> None:
    """Write a scenario's text next to the file, then move it into place. Raises `ScenarioError`."""
    path = Path(path)
    if mistake := unplain(str(path)):
        raise ScenarioError(mistake)
    try:
        write_whole(path, text)
    except OSError as error:
        raise ScenarioError(
            f"{one_line(str(path))}: cannot be written: {error.strerror or error}; name a file in a writable folder"
        ) from None
