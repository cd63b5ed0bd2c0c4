"""The declarations of one Python file, read with griffe's model; the file is parsed, never imported.

Visibility follows `__all__` where a module has one and the leading underscore where it has none. Type
annotations are facts like any other: they are what a type checker of a caller sees.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sim.surface.model import SourceItem, SourceLine, Unclean

if TYPE_CHECKING:
    import griffe

_WORD = re.compile(r"[A-Za-z_]\w*")
FIELD = "\t"
"""Separates kind, name, annotation and default of a parameter inside one fact."""

_KINDS = {
    "positional-only": "positional-only",
    "positional or keyword": "normal",
    "variadic positional": "*",
    "keyword-only": "keyword-only",
    "variadic keyword": "**",
}
_DATA = {"dataclass", "NamedTuple", "TypedDict", "BaseModel"}


def read_python(file: str, source: bytes) -> list[SourceItem] | Unclean:
    """The items of one file, or the reason why it could not be read."""
    import griffe

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tree's style does not matter here
            module = griffe.visit(_module_name(file), Path(file), source.decode("utf-8"))
    except SyntaxError as error:
        return Unclean(SourceLine(file, error.lineno or 1), f"is not valid Python of this version: {error.msg}")
    except UnicodeDecodeError:
        return Unclean(SourceLine(file, 1), "is not UTF-8 text")
    except RecursionError:
        return Unclean(SourceLine(file, 1), "is nested too deeply to be read")
    lines = source.decode("utf-8").splitlines()
    return list(_members(module, _Context(file, module.path, lines), "", "public"))


def _module_name(file: str) -> str:
    parts = file.removesuffix(".py").split("/")
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


class _Context:
    """What every item of a file shares."""

    def __init__(self, file: str, module: str, lines: list[str]) -> None:
        self.file = file
        self.module = module
        self.lines = lines

    def words(self, start: int, end: int) -> frozenset[str]:
        return frozenset(_WORD.findall("\n".join(self.lines[start - 1 : end])))


def _members(holder: griffe.Object, context: _Context, owner: str, reach: str) -> Iterator[SourceItem]:
    import griffe

    exports = {str(name) for name in holder.exports} if owner == "" and holder.exports is not None else None
    for name, member in holder.members.items():
        if name == "__all__":
            continue
        seen = _visibility(name, exports)
        reached = reach if seen == "public" and not _hidden_module(context.module) else "private"
        if isinstance(member, griffe.Alias):
            if owner or not _is_reexport(name, member, exports):
                continue
            start = member.alias_lineno or 1
            facts = {"target": (member.target_path,)}
            path = f"{context.module}.{name}"
            yield SourceItem(
                "python", "re-export", path, name, "", seen, reached, SourceLine(context.file, start), facts
            )
            continue
        item = _item(name, member, context, (owner, seen, reached))
        if item is None:
            continue
        yield item
        if isinstance(member, griffe.Class):
            yield from _members(member, context, item.path, reached)


def _visibility(name: str, exports: set[str] | None) -> str:
    if exports is not None:
        return "public" if name in exports else "not in __all__"
    dunder = name.startswith("__") and name.endswith("__")
    return "private" if name.startswith("_") and not dunder else "public"


def _hidden_module(module: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in module.split("."))


def _is_reexport(name: str, alias: griffe.Alias, exports: set[str] | None) -> bool:
    """An import is surface if `__all__` lists it, or if it is in a package's `__init__`."""
    if exports is not None:
        return name in exports
    package = alias.parent
    return bool(package is not None and getattr(package, "is_init_module", False) and not name.startswith("_"))


def _item(
    name: str,
    member: griffe.Object,
    context: _Context,
    about: tuple[str, str, str],
) -> SourceItem | None:
    import griffe

    owner, seen, reach = about
    facts: dict[str, tuple[str, ...]]
    if isinstance(member, griffe.Class):
        kind, facts = "class", _class_facts(member)
    elif isinstance(member, griffe.Function):
        kind, facts = "method" if owner else "function", _function_facts(member)
    elif isinstance(member, griffe.Attribute) and "property" in member.labels:
        kind, facts = "method", {"called": ("property",), "returns": _texts(member.annotation)}
    elif isinstance(member, griffe.Attribute):
        kind = "attribute"
        facts = {"type": _texts(member.annotation), "value": _texts(member.value)}
        facts["required"] = ("required",) if _is_required(member) else ()
    else:
        return None
    start, end = member.lineno or 1, member.endlineno or member.lineno or 1
    path = f"{owner or context.module}.{name}"
    place = SourceLine(context.file, start)
    uses = context.words(start, end)
    return SourceItem("python", kind, path, name, owner, seen, reach, place, facts, uses, end=end)


def _texts(expression: object) -> tuple[str, ...]:
    """The text of an annotation or value; a quoted annotation is the same annotation."""
    if expression is None:
        return ()
    return (str(expression),)


def _class_facts(member: griffe.Class) -> dict[str, tuple[str, ...]]:
    return {
        "bases": tuple(str(base) for base in member.bases),
        "decorators": tuple(sorted(str(d.value).partition("(")[0] for d in member.decorators)),
    }


def _is_required(member: griffe.Attribute) -> bool:
    """A field without a default, which a generated constructor requires."""
    holder = member.parent
    if holder is None or not holder.is_class or member.value is not None or member.annotation is None:
        return False
    names = {str(base).rpartition(".")[2] for base in getattr(holder, "bases", ())}
    names |= {str(d.value).partition("(")[0].rpartition(".")[2] for d in getattr(holder, "decorators", ())}
    return bool(names & _DATA)


def _function_facts(member: griffe.Function) -> dict[str, tuple[str, ...]]:
    called = {"staticmethod", "classmethod"} & member.labels
    parameters = []
    for position, one in enumerate(member.parameters):
        if position == 0 and member.parent is not None and member.parent.is_class and not called:
            continue  # self, by whatever name
        if position == 0 and "classmethod" in called:
            continue
        kind = _KINDS[one.kind.value if one.kind else "positional or keyword"]
        default = "" if kind.startswith("*") or one.default is None else str(one.default)
        annotation = "" if one.annotation is None else str(one.annotation)
        parameters.append(FIELD.join((kind, one.name, annotation, default)))
    return {
        "async": ("async",) if "async" in member.labels else (),
        "called": tuple(sorted(called)) or ("call",),
        "parameters": tuple(parameters),
        "returns": _texts(member.returns),
    }
