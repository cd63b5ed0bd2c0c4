"""Every kind of difference between two Python trees, classed right in both directions; saboteurs beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sim.surface import rules
from sim.surface.model import Impact, Surface

ReadTree = Callable[..., Surface]
Tell = Callable[..., list[str]]

DATA = "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n"

# kind: (old, new, said there, said back)
TABLE: dict[str, tuple[str, str, str, str]] = {
    "function added": ("", "def f(): ...", "additive added: f", "breaking removed: f"),
    "class added": ("", "class C: ...", "additive added: C", "breaking removed: C"),
    "constant added": ("", "K = 1", "additive added: K", "breaking removed: K"),
    "made private": (
        "def f(a): ...",
        "def _f(a): ...",
        "breaking removed: f",
        "additive added: f",
    ),
    "left out of __all__": (
        "def f(): ...\ndef g(): ...",
        "__all__ = ['g']\ndef f(): ...\ndef g(): ...",
        "breaking visibility: f",
        "additive visibility: f",
    ),
    "renamed": ("def f(a): ...", "def g(a): ...", "breaking renamed: f", "breaking renamed: g"),
    "kind of item": (
        "def f(): ...",
        "class f: ...",
        "breaking removed: f | additive added: f",
        "breaking removed: f | additive added: f",
    ),
    "async": ("def f(): ...", "async def f(): ...", "breaking async: f", "breaking async: f"),
    "parameter": ("def f(a): ...", "def f(a, b): ...", "breaking parameter added: f", "breaking parameter removed: f"),
    "optional parameter": (
        "def f(a): ...",
        "def f(a, b=1): ...",
        "additive parameter added: f",
        "breaking parameter removed: f",
    ),
    "optional parameter in front": (
        "def f(a=1): ...",
        "def f(b=1, a=1): ...",
        "breaking parameter added: f",
        "breaking parameter removed: f",
    ),
    "optional parameter in between": (
        "def f(a=1, c=1): ...",
        "def f(a=1, b=1, c=1): ...",
        "breaking parameter added: f",
        "breaking parameter removed: f",
    ),
    "required keyword": (
        "def f(): ...",
        "def f(*, k): ...",
        "breaking parameter added: f",
        "breaking parameter removed: f",
    ),
    "any arguments": (
        "def f(): ...",
        "def f(*a, **k): ...",
        "additive parameter added: f | additive parameter added: f",
        "breaking parameter removed: f | breaking parameter removed: f",
    ),
    "parameter's name": (
        "def f(a): ...",
        "def f(b): ...",
        "breaking parameter added: f | breaking parameter removed: f",
        "breaking parameter added: f | breaking parameter removed: f",
    ),
    "parameter order": (
        "def f(a, b): ...",
        "def f(b, a): ...",
        "breaking parameter order: f",
        "breaking parameter order: f",
    ),
    "keyword-only": (
        "def f(a): ...",
        "def f(*, a): ...",
        "breaking kind of parameter: f",
        "additive kind of parameter: f",
    ),
    "parameter type": (
        "def f(a: int): ...",
        "def f(a: str): ...",
        "breaking parameter type: f",
        "breaking parameter type: f",
    ),
    "parameter's first type": (
        "def f(a): ...",
        "def f(a: str): ...",
        "additive parameter type: f",
        "additive parameter type: f",
    ),
    "default value": (
        "def f(a=1): ...",
        "def f(a=2): ...",
        "behavioural default value: f",
        "behavioural default value: f",
    ),
    "default": ("def f(a): ...", "def f(a=1): ...", "additive default added: f", "breaking default removed: f"),
    "return type": ("def f() -> int: ...", "def f() -> str: ...", "breaking return type: f", "breaking return type: f"),
    "first return type": ("def f(): ...", "def f() -> str: ...", "additive return type: f", "additive return type: f"),
    "method": ("class C: ...", "class C:\n    def m(self): ...", "additive added: C.m", "breaking removed: C.m"),
    "static method": (
        "class C:\n    def m(self): ...",
        "class C:\n    @staticmethod\n    def m(): ...",
        "breaking kind of method: C.m",
        "breaking kind of method: C.m",
    ),
    "property": (
        "class C:\n    def m(self) -> int: ...",
        "class C:\n    @property\n    def m(self) -> int: ...",
        "breaking kind of method: C.m",
        "breaking kind of method: C.m",
    ),
    "base": ("class C: ...", "class C(Base): ...", "additive bases: C", "breaking bases: C"),
    "decorator": ("class C: ...", "@final\nclass C: ...", "behavioural decorators: C", "behavioural decorators: C"),
    "constant's value": ("K = 1", "K = 2", "behavioural value: K", "behavioural value: K"),
    "constant's type": ("K: int = 1", "K: float = 1", "breaking type: K", "breaking type: K"),
    "constant's first type": ("K = 1", "K: float = 1", "additive type: K", "additive type: K"),
    "value given": ("K: int", "K: int = 1", "behavioural value: K", "behavioural value: K"),
    "required field": (DATA, f"{DATA}    b: int\n", "breaking added: C.b", "breaking removed: C.b"),
    "optional field": (DATA, f"{DATA}    b: int = 1\n", "additive added: C.b", "breaking removed: C.b"),
    "field's default": (
        DATA,
        DATA.replace("a: int", "a: int = 1"),
        "additive required field: C.a | behavioural value: C.a",
        "breaking required field: C.a | behavioural value: C.a",
    ),
    "re-export": ("__all__ = []", "from .x import y\n__all__ = ['y']", "additive added: y", "breaking removed: y"),
    "re-export's target": (
        "from .x import y\n__all__ = ['y']",
        "from .z import y\n__all__ = ['y']",
        "breaking re-export target: y",
        "breaking re-export target: y",
    ),
}

SAME = {
    "layout of the source": (
        "def f(a: int, b=1) -> int: ...",
        "def f(\n    a: int,\n    b = 1,\n) -> int:\n    return 1",
    ),
    "doc strings and comments": ('def f():\n    """old"""', 'def f():\n    """new"""  # new'),
    "private items": ("def _f(): ...", "class _G: ..."),
    "imports": ("import os", "import sys"),
    "positional-only names": ("def f(a, /): ...", "def f(b, /): ..."),
    "name of self": ("class C:\n    def m(self): ...", "class C:\n    def m(this): ..."),
    "quotes": ("K = 'a'", 'K = "a"'),
}


def _tree(text: str) -> dict[str, str]:
    return {"m.py": text}


def _lines(told: str) -> list[str]:
    return sorted(line.strip() for line in told.split("|"))


def _told(tell: Tell, old: Surface, new: Surface) -> list[str]:
    return sorted(line.replace("m.", "", 1) for line in tell(old, new))


@pytest.mark.parametrize(("old", "new", "there", "back"), TABLE.values(), ids=TABLE.keys())
def test_each_kind_is_classed_right_there_and_back(
    old: str, new: str, there: str, back: str, read_tree: ReadTree, tell: Tell
) -> None:
    first, second = read_tree(_tree(old)), read_tree(_tree(new))
    assert _told(tell, first, second) == _lines(there)
    assert _told(tell, second, first) == _lines(back)


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME.keys())
def test_what_no_caller_notices_is_no_difference(old: str, new: str, read_tree: ReadTree, tell: Tell) -> None:
    assert tell(read_tree(_tree(old)), read_tree(_tree(new))) == []


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME.keys())
def test_a_planted_difference_is_not_lost_in_that_noise(old: str, new: str, read_tree: ReadTree, tell: Tell) -> None:
    planted = read_tree(_tree(f"{new}\ndef planted(): ..."))
    assert _told(tell, read_tree(_tree(old)), planted) == ["additive added: planted"]


@pytest.mark.parametrize("aspect", [rule.aspect for rule in rules.PYTHON])
def test_no_rule_can_be_wrong_unnoticed(
    aspect: str, read_tree: ReadTree, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flipped(impact: Impact) -> Impact:
        return Impact.ADDITIVE if impact is not Impact.ADDITIVE else Impact.BREAKING

    table = [
        replace(rule, gained=flipped(rule.gained), lost=flipped(rule.lost), changed=flipped(rule.changed))
        if rule.aspect == aspect
        else rule
        for rule in rules.PYTHON
    ]
    monkeypatch.setattr(rules, "PYTHON", table)
    failed = [
        kind
        for kind, (old, new, there, _) in TABLE.items()
        if _told(tell, read_tree(_tree(old)), read_tree(_tree(new))) != _lines(there)
    ]
    assert failed
