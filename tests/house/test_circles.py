"""No modules of `sim` import each other in a circle, late imports included: not even within a room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import grimp


def circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules that import each other in a circle, if any do."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("sim", cache_dir=None, exclude_type_checking_imports=True)
    assert circle({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}) == []


def test_a_circle_is_caught() -> None:
    plain: dict[str, list[str]] = {"sim.a.x": ["sim.a.y"], "sim.a.y": [], "sim.b.z": ["sim.a.x"]}
    assert circle(plain) == []
    assert {*circle({**plain, "sim.a.y": ["sim.b.z"]})} == {"sim.a.x", "sim.a.y", "sim.b.z"}
