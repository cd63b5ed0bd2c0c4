"""The page of a check, in a real browser: its graph, what it covered, and the run that it found."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sim import System
from sim.checker.exhaustive import check
from sim.checker.result import CheckResult
from sim.cli.check import command
from sim.graph.graph import Graph
from sim.scenario import load_target
from tests.browser import Page
from tests.report.test_page import ENDING, MARKUP, STICKS_OUT, Scribe, selected

COMMIT = "models.two_phase_commit"
Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Checks, and gives the page."""

    def checked(target: str, *words: str) -> Path:
        CliRunner().invoke(command, [target, "--html", "--out", str(tmp_path), *words], standalone_mode=False)
        (path,) = tmp_path.glob("*.html")
        return path

    return checked


def embedded(path: Path) -> dict[str, Any]:
    text = path.read_text().partition('id="data">')[2].partition("</script>")[0]
    found: dict[str, Any] = json.loads(text)
    return found


def differences(data: dict[str, Any], system: System) -> list[str]:
    """Where the graph of a page is not that of the system, which is walked here once more, by its definition alone."""
    graph = Graph(system)
    depth = dict.fromkeys(graph.initial(), 0)
    waiting = [*depth]
    edges: Counter[tuple[int, int]] = Counter()
    for state in waiting:
        if graph.judge(state) is not None:
            continue
        for action in graph.enabled(state):
            after = graph.apply(state, action)
            if after not in depth:
                depth[after] = depth[state] + 1
                waiting.append(after)
            if after != state:
                edges[depth[state], depth[after]] += 1
    nodes = data["check"]["graph"]["nodes"]
    drawn = {
        "states": Counter(node[2] for node in nodes),
        "edges": Counter((nodes[a][2], nodes[b][2]) for a, b, _ in data["check"]["graph"]["edges"]),
        "at rest": sum(node[3] for node in nodes),
        "wrong": sum(node[4] >= 0 for node in nodes),
        "places": len({tuple(node[:2]) for node in nodes}),
    }
    resting = [state for state in depth if graph.judge(state) is None and graph.quiescent(state)]
    real = {
        "states": Counter(depth.values()),
        "edges": edges,
        "at rest": len(resting),
        "wrong": sum(graph.judge(s) is not None for s in depth) + sum(graph.rest(s) is not None for s in resting),
        "places": len(depth),
    }
    return [what for what in real if drawn[what] != real[what]]


def test_the_graph_of_a_page_is_that_of_the_system(written: Written) -> None:
    data, system = embedded(written(COMMIT)), load_target(COMMIT).system
    assert isinstance(system, System)
    assert differences(data, system) == []
    data["check"]["graph"]["edges"].pop()
    data["check"]["graph"]["nodes"][0][3] = 1
    assert differences(data, system) == ["edges", "at rest"], "what is left out is noticed"


def test_what_is_covered_is_what_the_check_says(written: Written) -> None:
    data, result = embedded(written(COMMIT)), check(load_target(COMMIT).system)
    assert isinstance(result, CheckResult)
    taken = {name: {row for row, _, _ in rows} for name, _, rows in data["check"]["covered"]}
    assert [*taken] == ["manager", "rm1", "rm2", "rm3"]
    assert len(taken["manager"]) + len(taken["rm1"] | taken["rm2"] | taken["rm3"]) == result.transitions[0]
    states = {name: {data["texts"][state] for state in met} for name, met, _ in data["check"]["covered"]}
    assert states["manager"] == {"undecided", "committed", "aborted"}
    assert states["rm3"] == {"working", "prepared", "committed", "aborted"}


def leads(path: Path, way: list[str], node: int) -> bool:
    """Whether these steps lead from the start to a node, in the graph that a page has."""
    data = embedded(path)
    edges = {(a, data["texts"][says]): b for a, b, says in data["check"]["graph"]["edges"]}
    at = 0
    for step in way:
        at = edges.get((at, step), -1)
    return at == node


def test_a_page_without_a_run_shows_the_graph(chromium: Page, written: Written) -> None:
    path = written(COMMIT)
    chromium.open(path)
    assert chromium.js("return document.querySelectorAll('#picture .state').length") == 288
    assert chromium.js("return document.querySelector('#diagram').checkVisibility()") is False
    assert chromium.text("#left") == "288 states, 761 steps"
    assert chromium.js("return document.querySelectorAll('*').length") < 1_100
    chromium.js(
        "const kind = document.querySelector('#graph select');"
        "kind.value = 'rests'; kind.dispatchEvent(new Event('change'))"
    )
    assert chromium.text("#left") == "35 of 288 states"
    assert chromium.js("return document.querySelectorAll('.state:not(.dimmed)').length") == 35
    chromium.js("const find = document.querySelector('#graph input'); find.focus()")
    chromium.press(*"manager: committed")
    few = int(chromium.text("#left").split()[0])
    assert 0 < few < 35
    chromium.js("document.querySelector('[data-node=\"0\"]').dispatchEvent(new Event('click'))")
    assert "State 0, at the start" in chromium.text("#node h2")
    chromium.js("document.querySelector('#node .link').click()")
    assert "1 step from the start" in chromium.text("#node h2")
    for node in (44, 287):
        chromium.js(f"document.querySelector('[data-node=\"{node}\"]').dispatchEvent(new Event('click'))")
        way = chromium.js("return [...document.querySelectorAll('#node ol li')].map(one => one.firstChild.textContent)")
        assert leads(path, [step.strip() for step in way], node)
        assert not leads(path, [step.strip() for step in way][1:], node)
    chromium.js("document.querySelector('#tab-graph').focus()")
    chromium.press("w", "2")
    assert "rows taken" in chromium.text("#machines select")
    assert chromium.js("return document.querySelectorAll('#machines tr.never').length") == 1  # what is deferred
    chromium.press("1", "3", "4")
    assert chromium.js("return document.querySelectorAll('[role=tab]:not([hidden])').length") == 2
    try:
        chromium.size(390, 844)
        assert chromium.js(STICKS_OUT) == []
    finally:
        chromium.size(1400, 900)
    assert chromium.messages == []


SHOP = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The shop of the README, as a module."""
    text = re.search(r"<!-- file: shop.py -->\n```python\n(.*?)```", SHOP.read_text(), re.S)
    assert text is not None
    (tmp_path / "models").mkdir()
    (tmp_path / "models/shop_of_page.py").write_text(text[1])
    monkeypatch.syspath_prepend(str(tmp_path / "models"))
    return "shop_of_page"


def test_the_run_that_was_found_is_the_path_in_the_graph(chromium: Page, written: Written, shop: str) -> None:
    path = written(shop)
    assert differences(embedded(path), load_target(shop).system) == []  # type: ignore[arg-type]
    chromium.open(path)
    chromium.press("4")
    chosen = "return Number(document.querySelector('.state.chosen').dataset.node)"
    steps = embedded(path)["check"]["graph"]["path"]
    assert len(steps) == 4
    assert selected(chromium) == 3
    for node in reversed(steps):
        assert chromium.js(chosen) == node
        chromium.press("k")
    assert chromium.js("return document.querySelectorAll('.state.run').length") == 4
    assert chromium.js("return document.querySelectorAll('.state.wrong').length") == 2
    chromium.js(f"document.querySelector('[data-node=\"{steps[2]}\"]').dispatchEvent(new Event('click'))")
    assert selected(chromium) == 2
    other = next(i for i in range(9) if i not in steps)
    chromium.js(f"document.querySelector('[data-node=\"{other}\"]').dispatchEvent(new Event('click'))")
    assert (selected(chromium), chromium.text("#node h2")[: len(f"State {other},")]) == (2, f"State {other},")
    chromium.press("1", "2", "3", "4")
    assert chromium.messages == []


def test_a_larger_graph_is_not_drawn_and_what_was_covered_is_shown(chromium: Page, written: Written) -> None:
    chromium.open(written("models.paxos", "--max-states", "400"))
    assert "a graph of more than 300 is not drawn" in chromium.text("#graph")
    assert chromium.js("return document.querySelectorAll('#picture').length") == 0
    chromium.press("2")
    assert "rows taken" in chromium.text("#machines select")
    assert chromium.messages == []


HOSTILE = """
from sim import System, always
from tests.report.test_check_page import MARKUP, Scribe, is_calm

def system():
    return System({"scribe": Scribe(), "other": Scribe(text="&amp; %%DATA%%")}, properties=(always(MARKUP, is_calm),))
"""


def is_calm(scribe: Any, other: Any) -> bool:
    return "<b>done</b>" not in (scribe.state, other.state)


def test_markup_in_a_graph_is_shown_as_text(
    chromium: Page, written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ENDING in Scribe.states
    (tmp_path / "models").mkdir()
    (tmp_path / "models/hostile_of_page.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(str(tmp_path / "models"))
    chromium.open(written("hostile_of_page"))
    chromium.press("4")
    for node in range(chromium.js("return document.querySelectorAll('.state').length")):
        chromium.js(f"document.querySelector('[data-node=\"{node}\"]').dispatchEvent(new Event('click'))")
    assert MARKUP in chromium.text("#node")
    assert chromium.js("return document.querySelectorAll('img, b > b, script').length") == 2
    assert chromium.js("return document.title") != "pwned"
    assert chromium.messages == []


def test_a_program_has_no_graph_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calm_of_page.py").write_text(
        "import asyncio\nfrom sim import Program\n\nasync def main(world):\n    await asyncio.sleep(1)\n\n"
        "def system():\n    return Program(main)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["calm_of_page", "--html", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert "a page only where it found something" in done.stderr
    assert not (tmp_path / "out").exists()
