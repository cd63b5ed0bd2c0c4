"""Writes the public names of `sim` as one module of declarations: `python -m tests.released`.

What is kept of a release is this text (`tests/house/released/sim.py`). It says nothing of the modules in which names
live, so these may move; a base class that is not public is left out, and what it hands down stands in the class itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]


def declarations(root: Path = ROOT) -> str:
    """The public names of the package `sim` in `root`, which is read and not imported."""
    package = griffe.load("sim", search_paths=[root], try_relative_path=False, resolve_aliases=True)
    assert isinstance(package, griffe.Module)
    public = sorted(str(name) for name in package.exports or ())
    lines = ['"""The public names of sim, by `python -m tests.released`."""', ""]
    for name in public:
        thing = package[name].final_target if package[name].is_alias else package[name]
        lines += _class(thing, public) if isinstance(thing, griffe.Class) else _plain(name, thing)
    return "\n".join(lines) + "\n"


def _class(cls: griffe.Class, public: list[str]) -> Iterator[str]:
    bases = [str(base) for base in cls.bases if _is_seen(base, public)]
    handed = {name: one.final_target if one.is_alias else one for name, one in cls.all_members.items()}
    kept = [name for name, one in handed.items() if not (name.startswith("_") or one.is_class or one.is_module)]
    yield ""
    if _has_fields(cls):
        yield "@dataclass"
    else:  # the order of fields is that of their arguments; of anything else it means nothing
        kept = [*(["__init__"] if "__init__" in handed else []), *sorted(kept)]
    yield f"class {cls.name}({', '.join(bases)}):" if bases else f"class {cls.name}:"
    inside = [line for name in kept for line in _plain(name, handed[name], inside=True)]
    yield from (f"    {line}" for line in inside or ["..."])
    yield ""


def _is_seen(base: griffe.Expr | str, public: list[str]) -> bool:
    path = base if isinstance(base, str) else base.canonical_path
    return not path.startswith("sim.") or path.rpartition(".")[2] in public


def _has_fields(cls: griffe.Class) -> bool:
    """Whether its annotated attributes are what it is made of."""
    decorated = any(str(one.value).startswith("dataclass") for one in cls.decorators)
    return decorated or any(one.name == "Record" for one in [cls, *cls.mro()])


def _plain(name: str, thing: griffe.Object, *, inside: bool = False) -> Iterator[str]:
    """The lines of a function, a method, a property or an attribute."""
    if thing.is_module:  # it hides the public name that it shares
        yield f"{name} = ..."
    elif thing.is_function:
        first = (
            "" if not inside or "staticmethod" in thing.labels else "cls" if "classmethod" in thing.labels else "self"
        )
        yield from (f"@{label}" for label in ("classmethod", "staticmethod") if label in thing.labels)
        given = thing.signature(name="").partition("(")[2]
        yield f"def {name}({first}{', ' if first and not given.startswith(')') else ''}{given}: ..."
    elif "property" in thing.labels:
        yield "@property"
        yield f"def {name}(self){f' -> {thing.annotation}' if thing.annotation else ''}: ..."
    else:
        yield f"{name}{f': {thing.annotation}' if thing.annotation else ''}{' = ...' if thing.value is not None else ''}"


if __name__ == "__main__":
    sys.stdout.write(declarations())
