"""What Python and the extension must say alike, as a C++ header: `python -m tests.generated` writes it.

One truth: the numbers and the fields of the two modules `layout`, and the registers of `sim.checker.components`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import EllipsisType, ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np

from sim.checker import components
from sim.checker.compiled import layout as walk
from sim.fuzzer.compiled import layout as fuzz

FILE = Path(walk.__file__).parents[2] / "native" / "layout.hpp"
_TYPES = {np.uint8: "uint8_t", np.int32: "int32_t", np.int64: "int64_t", np.uint64: "uint64_t"}


def header() -> str:
    """The text of `layout.hpp`."""
    lines = ["// Generated from the modules `layout` by `python -m tests.generated`; a test holds it to them."]
    lines += ["#pragma once", "", '#include "views.hpp"']
    for name, module in (("cycles", components), ("walk", walk), ("fuzz", fuzz)):
        lines += ["", f"namespace roundsim::{name} {{", "", *_numbers(module)]
        for layout in _layouts(walk if name == "cycles" else module, only_cycles=name == "cycles"):
            lines += ["", *_struct(layout)]
        lines += ["", f"}}  // namespace roundsim::{name}"]
    return "\n".join(lines) + "\n"


def _numbers(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if name.isupper() and type(value) is int:
            yield f"constexpr int64_t {name} = {value};"


def _layouts(module: ModuleType, *, only_cycles: bool) -> Iterator[type]:
    for value in vars(module).values():
        is_ours = isinstance(value, type) and issubclass(value, tuple) and value.__module__ == module.__name__
        if is_ours and (value in (walk.Reach, walk.Components)) == only_cycles:
            yield value


def _struct(layout: type) -> Iterator[str]:
    """The fields, and `each`, which shows them one by one, in the order of the tuple, to whoever fills them."""
    fields = {name: _view(hint) for name, hint in get_type_hints(layout, include_extras=True).items()}
    yield f"struct {layout.__name__} {{"
    yield f'    static constexpr const char* name = "{layout.__name__}";'
    yield from (f"    {view} {name};" for name, view in fields.items())
    yield ""
    yield "    template <class Visitor>"
    yield "    bool each(Visitor&& visit) {"
    yield "        return " + " &&\n            ".join(f'visit("{name}", {name})' for name in fields) + ";"
    yield "    }"
    yield "};"


def _view(hint: Any) -> str:
    width: int | EllipsisType | None = None
    if get_origin(hint) is Annotated:
        hint, width = get_args(hint)
    scalar = _TYPES[get_args(get_args(hint)[1])[0]]
    if width is None:
        return f"Span<{scalar}>"
    return f"Grid<{scalar}>" if width is ... else f"Table<{scalar}, {width}>"
