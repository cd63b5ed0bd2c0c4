"""Where a tree uses what is about to change: the places that have to follow.

A use is found by its words, not by a compiler: comments, texts and imports are left out, a method without its type in
front counts in files that name the type. That may list a place too many, which a look settles, and misses what goes
through an alias or a macro.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sim.surface.model import Difference, Impact, SourceItem, SourceLine
from sim.surface.read import is_aside
from sim.surface.rust_items import NOISE
from sim.surface.trees import Tree

_PYTHON_NOISE = re.compile(rb"#[^\n]*|(\"\"\"|''').*?\1|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_RUST_IMPORT = re.compile(rb"\b(?:use|extern\s+crate)\s[^;]*;")
_PYTHON_IMPORT = re.compile(rb"^[ \t]*(?:from\s.*?\simport\s*(?:\([^)]*\)|[^\n]*)|import\s[^\n]*)", re.MULTILINE)
_TEST_MODULE = re.compile(rb"#\[cfg\(test\)\]\s*(?:pub\s+)?mod\s+\w+\s*\{")


@dataclass(frozen=True, slots=True, order=True)
class CallSite:
    """A line that uses an item, and whether it is a test's."""

    place: SourceLine
    test: bool


def call_sites(tree: Tree, changed: Iterable[Difference]) -> tuple[CallSite, ...]:
    """Every line of the first tree that has to follow a breaking difference."""
    uses = {use for d in changed if d.impact is Impact.BREAKING for use in _uses(d.subject, there=d.old is not None)}
    if not uses:
        return ()
    sources = sorted(name for name in tree.texts if name.endswith((".rs", ".py")))
    return tuple(sorted({site for name in sources for site in _in_file(name, tree.texts[name], uses)}))


_Use = tuple[str, str]
"""An expression, and a word without which a file is not searched for it."""


def _uses(item: SourceItem, *, there: bool) -> Iterator[_Use]:
    name, owner = _last(item.shown), re.escape(_last(item.owner))
    word = re.escape(name)
    if item.kind in ("fn", "function"):
        yield rf"(?<!fn )(?<!def )\b{word}\s*\(", name
    elif item.kind in ("method", "trait method", "associated const"):
        yield rf"\b{owner}(?:::|\.){word}\b", owner
        if item.facts.get("receiver"):
            yield rf"\.\s*{word}\s*\(", owner
    elif item.kind == "field":
        yield rf"(?<!struct )(?<!impl )(?<!for )(?<!-> )\b{owner}\s*\{{", owner
        if there:
            yield rf"\.\s*{word}\b(?!\s*\()", owner
    elif item.kind == "variant":
        yield rf"\b{owner}::{word}\b", owner
    elif item.kind not in ("impl", "re-export"):
        yield rf"(?<!struct )(?<!enum )(?<!trait )(?<!const )(?<!static )(?<!type )(?<!class )\b{word}\b", name


def _last(path: str) -> str:
    return path.rpartition("::")[2].rpartition(".")[2]


def _in_file(name: str, source: bytes, uses: Iterable[_Use]) -> Iterator[CallSite]:
    expressions = [expression for expression, word in uses if word.encode() in source]
    if not expressions:
        return
    code = source
    for noise in (NOISE, _RUST_IMPORT) if name.endswith(".rs") else (_PYTHON_NOISE, _PYTHON_IMPORT):
        code = noise.sub(_blank, code)
    tests = list(_test_modules(code))
    for match in re.finditer("|".join(sorted(expressions)).encode(), code):
        inside = is_aside(name) or any(start <= match.start() < end for start, end in tests)
        yield CallSite(SourceLine(name, code.count(b"\n", 0, match.start()) + 1), inside)


def _blank(match: re.Match[bytes]) -> bytes:
    """As many lines of nothing."""
    return b" " + b"\n" * match.group().count(b"\n")


def _test_modules(code: bytes) -> Iterator[tuple[int, int]]:
    """Where modules that only a test build has begin and end."""
    for match in _TEST_MODULE.finditer(code):
        depth, at = 1, match.end()
        while depth and at < len(code):
            depth += {b"{": 1, b"}": -1}.get(code[at : at + 1], 0)
            at += 1
        yield match.start(), at
