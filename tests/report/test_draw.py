"""Machines drawn: nothing is left out, nothing lies on anything else."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim import Message, Process, System
from sim.base.errors import SimError
from sim.cli.draw import command
from sim.machine.diagrams import diagrams
from sim.machine.table import IGNORE
from sim.report.draw import Sketch, mermaid, sketches, svg
from sim.report.draw.grouping import FOLDED, inner_rows, leading_rows
from sim.report.draw.layout import lay_out
from sim.scenario import load_target
from tests.report.runs import ROOT

ROUND = ROOT / "scenarios/consensus/round.yaml"
MODELS = ("models.consensus", "models.device_login", "models.two_phase_commit", "models.paxos")


def drawings(system: System, *, folded: bool = False, states: Sequence[str] = ()) -> list[Sketch]:
    return sketches(diagrams({**system.processes, **system.monitors}), folded=folded, states=states)


def drawn(model: str, *, folded: bool = False, states: Sequence[str] = ()) -> list[Sketch]:
    return drawings(load_target(model).system, folded=folded, states=states)


def overlapping(rects: list[tuple[float, float, float, float]]) -> list[tuple[int, int]]:
    """Pairs of rectangles (left, top, width, height) that share room."""
    return [
        (i, j)
        for i, (ax, ay, aw, ah) in enumerate(rects)
        for j, (bx, by, bw, bh) in enumerate(rects[:i])
        if ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_state_and_every_row_is_drawn_once(model: str) -> None:
    for sketch in drawn(model):
        assert sorted(box.state for box in sketch.boxes) == sorted(sketch.states)
        inner = [(box.state, row) for box in sketch.boxes for line in box.lines for row in line.rows]
        leading = [(arrow.source, row) for arrow in sketch.arrows for line in arrow.lines for row in line.rows]
        declared = [(source, row.index) for row in sketch.rows for source in row.sources]
        assert sorted(inner + leading) == sorted(declared)


@pytest.mark.parametrize("model", MODELS)
def test_folded_every_row_is_still_told(model: str) -> None:
    for sketch in drawn(model, folded=True):
        inner = {(state, row) for state, groups in sketch.inner.items() for group in groups for row in group.rows}
        everywhere = {(state, row) for state in sketch.states for line in sketch.common for row in line.rows}
        leading = {(pair[0], row) for pair, groups in sketch.leading.items() for group in groups for row in group.rows}
        declared = {(source, row.index) for row in sketch.rows for source in row.sources}
        assert inner | everywhere | leading == declared
        triggers = {row.index: row.trigger for row in sketch.rows}
        for groups in (*sketch.inner.values(), *sketch.leading.values()):
            for group in groups:
                assert all(triggers[row] in group.text for row in group.rows)
                assert group.text.split() == " ".join(group.lines(20)).split(), "breaking lines loses nothing"


def is_legible(sketch: Sketch) -> bool:
    """Whether it can be read on a screen of 1,440 by 900."""
    return sketch.width <= 1_400 and sketch.height <= 850


def test_the_coordinator_can_be_read_on_a_screen() -> None:
    (folded,), (whole,) = (
        [one for one in drawn("models.consensus", folded=way) if one.names == ("coordinator",)] for way in (True, False)
    )
    assert is_legible(folded)
    assert not is_legible(whole)
    assert FOLDED in svg([folded])
    assert "--rows" in svg([folded])
    assert "--rows" not in svg([whole])


@pytest.mark.parametrize("model", MODELS)
def test_a_state_is_drawn_with_its_neighbours_and_all_its_rows(model: str) -> None:
    for sketch in drawn(model):
        for state in sketch.states:
            (found,) = [one for one in drawn(model, states=[state]) if one.cls == sketch.cls]
            around = {pair for pair in sketch.leading if state in pair}
            assert {*found.leading} == around
            assert {*found.states} == {state, *(one for pair in around for one in pair)}
            assert found.inner[state] == sketch.inner[state]
            assert all(not groups for other, groups in found.inner.items() if other != state)
            assert found.initial in (None, sketch.initial)


def test_drawings_stand_side_by_side_and_none_lies_on_another() -> None:
    for model in MODELS:
        found = drawn(model, folded=True)
        places = re.findall(r'<g transform="translate\(([\d.]+),([\d.]+)\)"><?', svg(found))
        corners = [(float(x), float(y)) for x, y in places if x != "0"]
        assert len(corners) == len(found)
        assert overlapping([(x, y, s.width, s.height) for (x, y), s in zip(corners, found, strict=True)]) == []


@pytest.mark.parametrize("model", MODELS)
def test_no_box_or_label_lies_on_another_and_no_arrow_ends_elsewhere(model: str) -> None:
    for sketch in drawn(model):
        boxes = {box.state: (box.x, box.y, box.width, box.height) for box in sketch.boxes}
        labels = [(a.x - a.width / 2, a.y - a.height / 2, a.width, a.height) for a in sketch.arrows]
        assert overlapping([*boxes.values(), *labels]) == []
        for arrow in sketch.arrows:
            for state, (x, y) in ((arrow.source, arrow.way[0]), (arrow.dest, arrow.way[-1])):
                left, top, width, height = boxes[state]
                assert left <= x <= left + width
                assert y == pytest.approx(top) or y == pytest.approx(top + height)


def test_what_lies_on_something_is_caught() -> None:
    assert overlapping([(0, 0, 10, 10), (20, 0, 5, 5), (9, 9, 5, 5)]) == [(2, 0)]


def test_one_graph_has_one_drawing_and_circles_end() -> None:
    sizes, edges, labels = [(50.0, 20.0)] * 4, [(0, 1), (1, 2), (2, 0), (0, 2), (3, 1)], [(30.0, 10.0)] * 5
    laid = lay_out(sizes, edges, labels)
    assert laid == lay_out(sizes, edges, labels)
    assert laid.nodes[0][1] < laid.nodes[1][1] < laid.nodes[2][1]
    assert lay_out([(10.0, 10.0)], [], []).width == 10.0
    assert laid.ways[2][0][1] > laid.ways[2][-1][1], "the way back leads up"


@pytest.mark.parametrize("model", MODELS)
def test_mermaid_has_every_state_and_row(model: str) -> None:
    found = drawn(model)
    text = mermaid(found)
    lines = text.splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert text.count(" as m") == sum(1 + len(sketch.states) for sketch in found)
    arrows = [line for line in lines if re.fullmatch(r" +m\d+s\d+ --> m\d+s\d+ : [^:]+", line)]
    stays = [line for line in lines if re.fullmatch(r" +m\d+s\d+ : [^:]+", line)]
    assert len(arrows) == sum(len(rows) for s in found for rows in leading_rows(s.rows, s.states).values())
    assert len(stays) == sum(len(inner_rows(s.rows, state)) for s in found for state in s.states)


class Odd(Message):
    pass


class Strange(Process):
    states = ("<b>", 'a "quoted": one; {x}')
    transitions = (
        {"trigger": Odd, "source": "<b>", "dest": 'a "quoted": one; {x}'},
        {"trigger": Odd, "source": 'a "quoted": one; {x}', "dest": IGNORE},
    )


def test_strange_names_break_neither_form() -> None:
    found = drawings(System({"one": Strange(), "two": Strange()}))
    assert len(found) == 1
    assert found[0].names == ("one", "two")
    root = ET.fromstring(svg(found))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "● <b>" in texts
    assert 'a "quoted": one; {x}' in texts
    text = mermaid(found)
    assert "<b>" not in text
    assert '"a #quot;quoted#quot;#58; one#59; #123;x#125;" as m0s1' in text


def call(*words: str) -> str:
    done = CliRunner().invoke(command, words, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    assert call("models.paxos").startswith("stateDiagram-v2\n")
    out = tmp_path / "paxos.svg"
    assert call("models.paxos", "--format", "svg", "--out", str(out)) == ""
    assert ET.fromstring(out.read_text()).tag.endswith("svg")
    data = json.loads(call("models.consensus", "--json", "--only", "gemini"))
    assert [machine["names"] for machine in data["machines"]] == [["gemini"]]
    assert data["machines"][0]["rows"][0]["trigger"] == "Ask"


@pytest.mark.parametrize(
    ("attempt", "line"),
    [
        (
            lambda _: call("models.paxos", "--only", "s00"),
            "unknown process or monitor 's00' (did you mean 's0'?)",
        ),
        (
            lambda _: call("models.consensus", "--state", "gate"),
            "--state: unknown state 'gate' (did you mean 'gated'?)",
        ),
        (
            lambda _: call("models.paxos", "--sequence"),
            "models.paxos: --sequence draws the run of a scenario file, such as models.paxos.yaml; name one",
        ),
        (
            lambda _: call(str(ROUND), "--sequence", "--rows"),
            "--rows is about machines, and --sequence draws a run; leave one out",
        ),
        (
            lambda _: call("models.paxos", "--json", "--format", "svg"),
            "--json and --format svg are both given; give one",
        ),
        (lambda f: call("models.paxos", "--out", str(f)), "cannot be written: Is a directory; name a writable file"),
        (lambda _: call("models.paxs"), "models.paxs"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(attempt: Callable[[Path], object], line: str, tmp_path: Path) -> None:
    with pytest.raises(SimError) as caught:
        attempt(tmp_path)
    (mistake,) = caught.value.mistakes
    assert line in mistake
