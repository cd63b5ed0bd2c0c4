"""A run drawn as one SVG file: every step has its row, every message its arrow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli.draw import command
from sim.report.draw import sequence
from sim.report.draw.space_time import ROW, TOP
from sim.report.outcome import JudgedRun
from sim.world.story import Fate
from tests.report.runs import LATE, SCENARIOS, faulty, outcome_of

SVG = "{http://www.w3.org/2000/svg}"


def drawn(outcome: JudgedRun) -> ET.Element:
    return ET.fromstring(sequence(outcome.story, outcome.scenario.description, outcome.run.finding))


def missing(outcome: JudgedRun, picture: ET.Element) -> list[str]:
    """What of a run is not in its picture: lanes, steps, and arrows from where a message was sent to where it arrived."""
    story = outcome.story
    texts = [(round(float(t.get("y", "0"))), t.text or "") for t in picture.iter(f"{SVG}text")]
    x = {text: float(t.get("x", "0")) for t in picture.iter(f"{SVG}text") if (text := t.text) in story.processes}
    lines = [[float(one.get(key, "0")) for key in ("x1", "y1", "x2", "y2")] for one in picture.iter(f"{SVG}line")]
    found = [name for name in story.processes if name not in x]
    for event in story.events[1:]:
        row = [text for y, text in texts if y == round(TOP + event.number * ROW + 4)]
        if str(event.number) not in row or len(row) < 2:
            found.append(f"step {event.number}")
    for way in story.journeys:
        if way.fate is not Fate.DELIVERED or way.source == way.target or way.beside is not None or found:
            continue
        begin, end = (x[way.source], TOP + way.sent * ROW), (x[way.target], TOP + (way.ended or 0) * ROW)
        if not any(
            abs(a - begin[0]) < 1 and abs(b - begin[1]) < 1 and abs(c - end[0]) < 9 and abs(d - end[1]) < ROW
            for a, b, c, d in lines
        ):
            found.append(f"{way.name} of step {way.sent}")
    return found


@pytest.mark.parametrize("part", range(4))
def test_every_step_and_every_message_of_every_scenario_is_drawn(part: int) -> None:
    for path in SCENARIOS[part::4]:
        outcome = outcome_of(path)
        assert missing(outcome, drawn(outcome)) == [], path


def test_what_is_missing_is_caught() -> None:
    outcome = outcome_of(LATE)
    picture = drawn(outcome)
    for line in [*picture.iter(f"{SVG}line")]:
        if "url(#tip)" in line.get("marker-end", ""):
            picture.remove(line)
    assert "Ask of step 1" in missing(outcome, picture)
    for text in [*picture.iter(f"{SVG}text")]:
        if text.text == "7":
            picture.remove(text)
    assert "step 7" in missing(outcome, picture)


def test_faults_and_what_is_wrong_are_seen(tmp_path: Path) -> None:
    texts = [t.text for t in drawn(faulty(tmp_path)).iter(f"{SVG}text")]
    assert {"✖", "▲", "○", "cut wire", "b: open → (down)", "(Pong)"} <= {*texts}
    found = sequence(outcome_of(LATE).story, "late", outcome_of(LATE).run.finding)
    assert "⚑ exactly_once_inputs: input (&#x27;run-1&#x27;, 1, validate, claude) was counted twice" in found
    assert "⚑" not in sequence(outcome_of(LATE).story, "late")


def test_a_run_has_one_picture_and_names_cannot_break_it() -> None:
    outcome = outcome_of(LATE)
    assert sequence(outcome.story, "a") == sequence(outcome_of(LATE).story, "a")
    text = sequence(outcome.story, "<script>x</script>\u202e & \x00")
    assert "<script" not in text
    assert ET.fromstring(text) is not None


def test_the_command_draws_the_run_of_a_scenario(tmp_path: Path) -> None:
    out = tmp_path / "late.svg"
    words = [str(LATE), "--sequence", "--format", "svg", "--out", str(out)]
    assert CliRunner().invoke(command, words, standalone_mode=False).exception is None
    assert missing(outcome_of(LATE), ET.fromstring(out.read_text())) == []
    text = CliRunner().invoke(command, [str(LATE), "--sequence"], standalone_mode=False).output
    assert text.startswith("sequenceDiagram\n")
    assert len(re.findall(r"-\)p\d", text)) == 6
