"""The numbers on the map: how many rooms and modules there are, and how many arrows between rooms."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/architecture.md"


def sources() -> dict[str, str]:
    """The modules of sim: path below it -> source."""
    paths = sorted((ROOT / "sim").rglob("*.py"))
    return {path.relative_to(ROOT / "sim").as_posix(): path.read_text("utf-8") for path in paths}


def arrows(modules: dict[str, str]) -> set[tuple[str, str]]:
    """Pairs of rooms one of which imports from the other, whatever it imports and however often."""
    found = set()
    for path, source in modules.items():
        room = path.split("/")[0]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim."):
                found.add((room, (node.module or "").split(".")[1]))
    return {(one, other) for one, other in found if one != other and "/" not in one and not one.endswith(".py")}


def numbers(modules: dict[str, str]) -> str:
    """The sentence of the page."""
    rooms = {path.split("/")[0] for path in modules if "/" in path}
    count = sum(not path.endswith("__init__.py") for path in modules)
    return f"{len(rooms)} rooms, {count} modules, {len(arrows(modules))} arrows between rooms, none of them up."


def test_the_page_has_the_numbers_of_today() -> None:
    assert numbers(sources()) in PAGE.read_text("utf-8")


def test_a_module_and_an_arrow_more_are_seen() -> None:
    before = sources()
    assert numbers({**before, "base/more.py": ""}) != numbers(before)
    assert arrows({**before, "base/more.py": "from sim.cli.run import command"}) == arrows(before) | {("base", "cli")}
