"""Finds, without running it, what a handler must not read: clocks, random numbers, addresses in memory, the outside
world.

It reads the code of a class's callbacks and of all functions of the same package that they reach by name. What it
cannot see (a function taken from a table, a clock in another library, a list that is appended to) is left to
`--verify`.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from sim.machine.table import Table

_NO_CLOCK = "a handler has no clock; arm a timer, or let a message bring the time"
_NO_CHANCE = "a handler has no random numbers; let self.choose(...) take one of the outcomes"
_NO_ADDRESS = "it differs from process to process; compare values, or sort them"
_NO_WORLD = "a handler sees only its fields and its input; make what it needs a field of the process"
_NO_THREADS = "a handler is one step, which nothing interrupts; processes share nothing but messages"

BANS: dict[str, str] = {
    "time": _NO_CLOCK,
    "datetime.datetime.now": _NO_CLOCK,
    "datetime.datetime.utcnow": _NO_CLOCK,
    "datetime.datetime.today": _NO_CLOCK,
    "datetime.date.today": _NO_CLOCK,
    "random": _NO_CHANCE,
    "secrets": _NO_CHANCE,
    "uuid.uuid1": _NO_CHANCE,
    "uuid.uuid4": _NO_CHANCE,
    "os.urandom": _NO_CHANCE,
    "numpy.random": _NO_CHANCE,
    "global": "only fields of the process may change; make it one",
    "builtins.id": _NO_ADDRESS,
    "builtins.hash": _NO_ADDRESS,
    "builtins.open": _NO_WORLD,
    "builtins.input": _NO_WORLD,
    "os": _NO_WORLD,
    "sys": _NO_WORLD,
    "pathlib.Path": _NO_WORLD,
    "pathlib.PosixPath": _NO_WORLD,
    "pathlib.WindowsPath": _NO_WORLD,
    "__file__": _NO_WORLD,
    "platform": _NO_WORLD,
    "getpass": _NO_WORLD,
    "pwd": _NO_WORLD,
    "locale": _NO_WORLD,
    "tempfile": _NO_WORLD,
    "shutil": _NO_WORLD,
    "glob": _NO_WORLD,
    **dict.fromkeys(
        ("configparser", "fileinput", "gettext", "importlib", "linecache", "mimetypes", "site", "sqlite3"), _NO_WORLD
    ),
    **dict.fromkeys(("sysconfig", "traceback", "uuid.getnode"), _NO_WORLD),
    "urllib": _NO_WORLD,
    "http": _NO_WORLD,
    "requests": _NO_WORLD,
    "httpx": _NO_WORLD,
    "openai": _NO_WORLD,
    "anthropic": _NO_WORLD,
    "socket": _NO_WORLD,
    "subprocess": _NO_WORLD,
    "threading": _NO_THREADS,
    "multiprocessing": _NO_THREADS,
    "concurrent": _NO_THREADS,
    "queue": _NO_THREADS,
    "asyncio": _NO_THREADS,
}
"""Dotted name, of a thing or of everything below it -> what to do instead. The most specific entry counts."""

_SAME = {
    "posix": "os",
    "nt": "os",
    "_io": "builtins",
    "io": "builtins",
    "_random": "random",
    "_datetime": "datetime",
    "_thread": "threading",
    "_queue": "queue",
    "_locale": "locale",
    "_asyncio": "asyncio",
    "posixpath": "os.path",
    "ntpath": "os.path",
    "genericpath": "os.path",
    "pathlib._local": "pathlib",  # in Python 3.13
}
"""Modules that implement other modules."""
_OF_TEXT = (
    "basename",
    "commonpath",
    "commonprefix",
    "dirname",
    "isabs",
    "join",
    "normcase",
    "normpath",
    "split",
    "splitext",
)
_HARMLESS = (
    *(f"os.path.{name}" for name in _OF_TEXT),
    "os.path.sep",
    "os.sep",
    "time.struct_time",
    "sys.maxsize",
    "urllib.parse",
    "http.HTTPStatus",
)
_IMPORTED = (
    *("random", "secrets", "time", "socket", "subprocess", "requests", "httpx", "openai", "anthropic"),
    *("platform", "getpass", "locale", "threading", "multiprocessing"),
)
"""What a handler can never use, whatever it takes from there."""
_PLACES = ("__file__", "__path__", "__spec__", "__cached__")
"""Names by which a module knows where it is."""
_NO_STEP = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


@cache
def impurities(cls: type) -> tuple[str, ...]:
    """One line for each thing that a callback of `cls` must not read: where it is, and what to do instead."""
    table: Table = cls.table  # type: ignore[attr-defined]
    names = [name for row in table.rows for name in (*row.conditions, *row.unless, *row.before, *row.after)]
    names += [name for hooks in (table.on_enter, table.on_exit) for found in hooks.values() for name in found]
    names += [name for name in ("on_start", "on_restart", "migrate") if hasattr(cls, name)]
    roots = [found for name in dict.fromkeys(names) if callable(found := getattr(cls, name, None))]
    lines = [*_unfinished(roots), *_Reader(cls).read(roots)]
    return tuple(dict.fromkeys(f"{cls.__name__}: {line}" for line in lines))


def impure(function: Callable[..., Any]) -> list[str]:
    """The same for a single function, such as a predicate."""
    return [*_unfinished([function]), *_Reader(function).read([function])]


def _unfinished(functions: Iterable[Any]) -> Iterator[str]:
    """Calling one of these does nothing: it only makes something that could be awaited or iterated over."""
    for function in functions:
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & _NO_STEP:
            place = f"{_file(code)}:{code.co_firstlineno}"
            yield f"{function.__name__} awaits or yields ({place}): it is one step; write a plain def without them"


def _left_out(function: FunctionType) -> Iterator[str]:
    """What `python -O` has taken out of a function, and with it what it would find. Asserts for a type checker may go."""
    code = function.__code__
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and not _narrows(node.test):
            place = f"{_file(code)}:{code.co_firstlineno + node.lineno - 1}"
            yield f"{function.__name__} asserts, which python -O leaves out ({place}): raise an exception, or run without -O"


def _narrows(claim: ast.expr) -> bool:
    """`isinstance(...)`, `... is not None`."""
    if isinstance(claim, ast.Call):
        return isinstance(claim.func, ast.Name) and claim.func.id == "isinstance"
    return isinstance(claim, ast.Compare) and isinstance(claim.ops[0], ast.IsNot) and len(claim.ops) == 1


def _file(code: CodeType) -> str:
    return code.co_filename.replace(chr(92), "/").rpartition("/")[2]


class _Reader:
    def __init__(self, owner: Any) -> None:
        self.owner = owner if isinstance(owner, type) else None
        self.package = str(getattr(owner, "__module__", "")).partition(".")[0]
        self.seen: dict[CodeType, None] = {}

    def read(self, functions: list[Any]) -> Iterator[str]:
        rest = list(functions)
        while rest:
            function = rest.pop(0)
            function = getattr(function, "__func__", function)
            if not isinstance(function, FunctionType) or function.__code__ in self.seen:
                continue
            for line, code, thing, dotted in _things(function, function.__code__):
                self.seen.setdefault(code)
                banned = None if dotted.startswith(f"{self.package}.") else _banned(dotted)
                if banned is not None:
                    does = f"changes the {dotted.replace('.', ' ')}" if banned == "global" else f"reads {dotted}"
                    yield f"{function.__name__} {does} ({_file(code)}:{line}): {BANS[banned]}"
                elif isinstance(thing, FunctionType) and thing.__module__.partition(".")[0] == self.package:
                    rest.append(thing)
            self.seen.setdefault(function.__code__)
            if sys.flags.optimize:
                yield from _left_out(function)
            for name, thing in self._of_class(function.__code__):
                banned = _banned(_dotted(thing))
                if isinstance(thing, FunctionType):
                    rest.append(thing)
                elif banned is not None:
                    place = f"{_file(function.__code__)}:{function.__code__.co_firstlineno}"
                    yield f"{function.__name__} reads {_dotted(thing)} as {name} ({place}): {BANS[banned]}"

    def _of_class(self, code: CodeType) -> Iterator[tuple[str, Any]]:
        """What a callback may take from its class: whatever it names. A property is what computes it."""
        for cls in self.owner.__mro__[:-1] if self.owner is not None else ():
            if cls.__module__.partition(".")[0] != "sim":
                for name in dict.fromkeys(_names(code)):
                    thing = vars(cls).get(name)
                    thing = getattr(thing, "__func__", thing)
                    yield name, thing.fget if isinstance(thing, property) else thing


def names_in(function: object) -> set[str]:
    """Every name that a function, method or property reads or writes by itself; nothing of anything else."""
    function = getattr(function, "__func__", getattr(function, "fget", function))
    code = getattr(function, "__code__", None)
    return {*_names(code)} if isinstance(code, CodeType) else set()


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _things(function: FunctionType, code: CodeType) -> Iterator[tuple[int, CodeType, Any, str]]:
    """What code takes by name from outside: (line, code, the thing, its dotted name)."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
    thing: Any = None
    dotted, line, module = "", 0, ""
    for step in dis.get_instructions(code):
        line = (step.positions.lineno if step.positions else None) or line
        if dotted and step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(thing, ModuleType | type):
            thing, dotted = getattr(thing, step.argval, None), f"{dotted}.{step.argval}"
            if step.argval in _PLACES:
                thing, dotted = None, "__file__"
            continue
        if dotted:
            yield line, code, thing, dotted
        dotted = ""
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield line, code, None, f"global.{step.argval}"
        elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            thing = function.__globals__.get(step.argval, vars(builtins).get(step.argval))
            dotted = "__file__" if step.argval in _PLACES else _dotted(thing)
        elif step.opname in ("LOAD_DEREF", "LOAD_CLASSDEREF") and step.argval in cells:
            thing = _content(cells[step.argval])
            dotted = _dotted(thing)
        elif step.opname == "IMPORT_NAME":
            module = step.argval
            yield line, code, None, module if module in _IMPORTED else ""
        elif step.opname == "IMPORT_FROM":
            yield line, code, None, f"{module}.{step.argval}"
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _things(function, inner)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is still empty
        return None


def _dotted(thing: Any) -> str:
    """The name of a thing at its origin; for anything but a module, class or function, the name of its class."""
    if isinstance(thing, ModuleType):
        return _SAME.get(thing.__name__, thing.__name__)
    if isinstance(thing, BuiltinFunctionType | MethodType):
        owner = thing.__self__
        if owner is not None and not isinstance(owner, ModuleType):
            owner = owner if isinstance(owner, type) else type(owner)
            return f"{_home(owner)}.{owner.__qualname__}.{thing.__name__}"
    named = thing if isinstance(thing, type | FunctionType | BuiltinFunctionType) else type(thing)
    return f"{_home(named)}.{named.__qualname__}"


def _home(thing: Any) -> str:
    module = str(getattr(thing, "__module__", "") or "")
    return _SAME.get(module, module)


@cache
def _banned(dotted: str) -> str | None:
    """The entry of `BANS` that a name falls under."""
    if any(dotted == name or dotted.startswith(f"{name}.") for name in _HARMLESS):
        return None
    found = [name for name in BANS if dotted == name or dotted.startswith(f"{name}.")]
    return max(found, key=len, default=None)
