"""House rules on the source: names that break determinism are banned, each with what to use instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("sim", "models")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
BENCH = sorted((ROOT / "bench").rglob("*.py"))


@dataclass(frozen=True)
class Ban:
    """`names` may be used only in files below one of `allowed` (paths from the root, `/` at the end of folders)."""

    names: tuple[str, ...]
    instead: str
    allowed: tuple[str, ...] = ()


WALL_CLOCK = ("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime", "time.ctime")
STREAMS = tuple(
    f"sys.{stream}.{verb}"
    for stream in ("stdout", "stderr", "__stdout__", "__stderr__")
    for verb in ("write", "writelines", "buffer")
)
OUTSIDE = ("sim/host/",)
"""A host deals with the world: no engine and no trace of a simulation sees it."""
BANS = (
    Ban(
        ("random", "secrets", "uuid", "os.urandom", "numpy.random"),
        "draw from the strategy's generator (sim.base.mixer): its stream is the same next year",
        (
            "sim/campaign/maker.py",
            "sim/campaign/private_ray.py",
            "sim/cli/page_server.py",
            "sim/live/dice.py",
            "sim/live/draws.py",
            "sim/live/net/own_certificate.py",
            *OUTSIDE,
        ),  # keys, which nobody must be able to guess; and what stands for a program's own draws
    ),
    Ban(
        (*WALL_CLOCK, "datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        "time is the strategy's virtual clock; only the session store notes when something happened",
        # what stands for a program's own clocks is made of them
        ("sim/campaign/", "sim/sessions/", "sim/live/clocks.py", *OUTSIDE),
    ),
    Ban(
        ("time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns", "time.process_time"),
        "only the command line, campaigns, checks and fuzzes measure how long they take",
        ("sim/cli/", "sim/campaign/", "sim/checker/", "sim/fuzzer/", *OUTSIDE),
    ),
    Ban(
        ("time.sleep",),
        "a coordinator takes inputs and returns outputs; let the strategy's clock run",
        ("sim/cli/live_page.py", "sim/cli/hosting.py", "sim/live/threads/blocking.py", *OUTSIDE),
    ),
    Ban(
        ("os.environ", "os.getenv", "os.putenv"),
        "pass it as an argument; only the command line and the environment gate of faults read variables",
        (
            "sim/cli/",
            "sim/faults/environment.py",
            "sim/run/elsewhere.py",
            "sim/base/git_command.py",
            "sim/campaign/private_ray.py",
            "sim/host/secret.py",
            "sim/host/postgres_address.py",
            "sim/host/command_agent.py",
            "sim/live/processes/inherited.py",
        ),  # elsewhere, git and Ray give their children another environment; a host has keys and passwords from it, by name;
        # a process of a run is given that of its program
    ),
    Ban(
        ("id",),
        "compare by canonical encoding (sim.base.values.encode), never by address",
        # the one counts bytes, each object once; the other remembers the encodings of values that it keeps; the others
        # write to the object that is there, or note something of one that takes no attribute
        (
            "sim/metrics/overhead.py",
            "sim/base/values.py",
            "sim/live/in_place.py",
            "sim/live/orders.py",
            "sim/live/threads/databases.py",
            "sim/live/threads/pools.py",
            "sim/live/naming.py",
            "sim/live/orders.py",  # numbers what hashes by its address, for as long as it lives
            "sim/live/tokens.py",
        ),
    ),
    Ban(("hash",), "use key64 of a canonical encoding: hash() of a str differs from process to process"),
    Ban(
        ("threading", "asyncio", "multiprocessing"),
        "a process is a value; only sim.run.local and campaign start workers",
        # the sequence, the injector, the recorder and the spans are for production code, with a lock
        (
            "sim/campaign/",
            "sim/consensus/",
            "sim/faults/injector.py",
            "sim/faults/gate.py",
            "sim/conform/recorder.py",
            "sim/run/local.py",
            "sim/conform/spans.py",
            "sim/cli/page_server.py",
            "sim/cli/page_process.py",
            "sim/cli/hosting.py",
            "sim/live/",  # what asyncio runs on
            *OUTSIDE,
        ),
    ),
    Ban(
        ("pickle", "marshal", "shelve"),
        "write a scenario or the canonical encoding",
        ("sim/campaign/", "sim/run/local.py"),
    ),
    # the command line runs an empty text, so that an interrupt of an earlier one does not decide the exit status
    Ban(("eval", "exec"), "a file that is merely opened runs no code", ("sim/cli/__init__.py",)),
    Ban(
        ("print", "click.echo", "click.secho", "click.echo_via_pager", "pprint", "warnings.warn", *STREAMS),
        "say it by sim.base.printing: there nothing in a text can steer a terminal or pass for another line",
        ("sim/base/printing.py",),
    ),
)


def _aliases(tree: ast.AST) -> dict[str, str]:
    """Local name -> what it was imported as, dotted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, aliases)
        return f"{base}.{node.attr}" if base else None
    return None


def _uses(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported, every use of what was imported, and every bare call."""
    tree = ast.parse(source)
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Attribute):
            name = _dotted(node, aliases)
            if name:
                yield node.lineno, name
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in aliases:
            yield node.lineno, node.func.id


def banned(path: str, source: str) -> list[str]:
    """One line for each use of a banned name in `source`, which stands at `path`."""
    lines = []
    for line, used in _uses(source):
        for ban in BANS:
            if any(path.startswith(place) for place in ban.allowed):
                continue
            for name in ban.names:
                short = used.removeprefix("datetime.")  # the module and its class have one name
                if name in (used, short) or used.startswith(f"{name}.") or short.startswith(f"{name}."):
                    lines.append(f"{path}:{line}: {name} is banned: {ban.instead}")
    return list(dict.fromkeys(lines))


def unordered(path: str, source: str) -> list[str]:
    """One line for each loop over something that is visibly a set: its order differs from process to process."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        loops = [node.iter] if isinstance(node, ast.For) else []
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            loops = [generator.iter for generator in node.generators]
        lines += [
            f"{path}:{loop.lineno}: a loop over a set is banned: sort it, or keep a tuple or dict"
            for loop in loops
            if _is_set(loop)
        ]
    return lines


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return named or isinstance(node, ast.Set | ast.SetComp)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_banned_is_used(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    source = path.read_text(encoding="utf-8")
    assert banned(name, source) == []
    assert unordered(name, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import Random",
        "import numpy as np\nnp.random.default_rng()",
        "import time\nx = time.time()",
        "from time import time",
        "import time as t\nt.time_ns()",
        "import time\ntime.perf_counter()",
        "import time\ntime.sleep(1)",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import date\ndate.today()",
        "import os\nos.environ['X']",
        "from os import environ",
        "import os\nos.getenv('X')",
        "print(id(3))",
        "print(hash('x'))",
        "import asyncio",
        "from threading import Lock",
        "import pickle",
        "eval('1')",
        "from uuid import uuid4",
        "print('verdict ok')",
        "import click\nclick.echo('x')",
        "from click import secho",
        "import sys\nsys.stdout.write('x')",
        "from sys import stderr\nstderr.buffer.write(b'x')",
    ],
)
def test_each_banned_name_is_caught_and_the_replacement_said(source: str) -> None:
    lines = banned("sim/graph/graph.py", source)
    assert lines
    assert all(" is banned: " in line and len(line.split(" is banned: ")[1]) > 10 for line in lines)


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "for x in set(y) - {'a'}: pass",
        "any(x for x in frozenset(y) | z)",
        "{x: 1 for x in {y for y in z}}",
    ],
)
def test_a_loop_over_a_set_is_caught(source: str) -> None:
    assert unordered("sim/graph/graph.py", source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("sim/sessions/store_file.py", "import time\ntime.time()"),
        ("sim/checker/exhaustive.py", "import time\ntime.perf_counter()"),
        ("sim/cli/run.py", "import os\nos.environ.get('CI')"),
        ("sim/graph/graph.py", "x.id(3)\nx.hash()\nrow.random = 1\ndef id_of(): ..."),
        ("sim/graph/graph.py", "for x in sorted({1, 2}): pass\nfor y in {1: 2}: pass"),
    ],
)
def test_what_is_allowed_is_not_reported(path: str, source: str) -> None:
    assert banned(path, source) == []
    assert unordered(path, source) == []


# --- python -O leaves asserts out -------------------------------------------------------------------

PURE = (
    "isinstance",
    "issubclass",
    "callable",
    "len",
    "abs",
    "min",
    "max",
    "sum",
    "all",
    "any",
    "set",
    "sorted",
    "type",
)
"""What an `assert` may call: whether anything else has an effect cannot be seen where it is called."""


def optimised_away(path: str, source: str) -> list[str]:
    """One line for everything in `source` that acts otherwise under `python -O`."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            lines += [
                f"{path}:{node.lineno}: an assert calls {said}: python -O leaves it out; give what it returns a name"
                for said in _effects(node)
            ]
        elif isinstance(node, ast.Name) and node.id == "__debug__":
            lines.append(f"{path}:{node.lineno}: __debug__ is banned: python -O acts as python does")
    return lines


def _effects(claim: ast.Assert) -> Iterator[str]:
    for node in ast.walk(claim):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in PURE):
            yield ast.unparse(node.func)
        elif isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", [*SOURCES, *BENCH], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_acts_otherwise_under_python_with_optimisation(path: Path) -> None:
    assert optimised_away(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "assert sequence.issue(run, step).accepted",
        "assert not queue.pop()",
        "assert all(seen.add(x) for x in y)",
        "assert (found := 3)",
        "assert ready, log('late')",
        "async def f():\n    assert await g",
        "def f():\n    assert (yield) is None",
        "if __debug__:\n    count += 1",
    ],
)
def test_an_effect_in_an_assert_is_caught(source: str) -> None:
    assert optimised_away("models/paxos/__init__.py", source)


@pytest.mark.parametrize(
    "source",
    ["assert isinstance(x, tuple)", "assert len(found) == 1, f'{found}'", "assert x is not None", "assert a == b.c[0]"],
)
def test_a_pure_assert_is_not_reported(source: str) -> None:
    assert optimised_away("models/paxos/__init__.py", source) == []
