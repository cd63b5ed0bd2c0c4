"""The page of a run, in a real browser."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from sim import Message, Process, System, View, VirtualTime, always, simulate
from sim.report.html import page
from sim.report.outcome import JudgedRun, compare
from sim.scenario import load_scenario
from tests.browser import Page
from tests.report.runs import LATE, ROOT, SCENARIOS, faulty, outcome_of, written

Open = Callable[[JudgedRun], Page]


@pytest.fixture
def show(chromium: Page, tmp_path: Path) -> Open:
    """Opens the page of a run."""

    def opened(outcome: JudgedRun) -> Page:
        path = tmp_path / "page.html"
        path.write_text(page(outcome), "utf-8")
        chromium.open(path)
        return chromium

    return opened


def selected(shown: Page) -> int:
    return int(shown.text("#position b").replace(",", ""))


def states(shown: Page) -> dict[str, str]:
    """Machine -> its state, as the panel has it behind the selected step."""
    found: dict[str, str] = shown.js(
        "return Object.fromEntries([...document.querySelectorAll('#step .card')].map("
        "card => [card.dataset.machine, (card.querySelector('.state b') ?? card.querySelector('.state')).textContent]))"
    )
    return found


def fields(shown: Page, machine: str) -> dict[str, str]:
    """Field -> its value, without what it was before."""
    shown.js("document.querySelectorAll('#step details').forEach(one => { one.open = true })")
    found: dict[str, str] = shown.js(
        "const card = [...document.querySelectorAll('#step .card')].find(one => one.dataset.machine === arguments[0]);"
        "return Object.fromEntries([...card.querySelectorAll('dt')].map("
        "name => [name.textContent, name.nextSibling.lastChild?.textContent ?? '']))",
        machine,
    )
    return found


@pytest.mark.parametrize("part", range(4))  # a browser takes its time: several workers can share the waiting
def test_every_scenario_opens_without_a_complaint(part: int, show: Open) -> None:
    for path in SCENARIOS[part::4]:
        shown = show(outcome_of(path))
        shown.press("End", "2", "3")
        assert shown.messages == [], path
        assert selected(shown) > 0, path


def test_a_complaint_would_be_seen(chromium: Page, tmp_path: Path) -> None:
    broken = page(outcome_of(LATE)).replace('"steps":[', '"steps_":[')
    (tmp_path / "broken.html").write_text(broken)
    chromium.open(tmp_path / "broken.html")
    assert any("TypeError" in message for message in chromium.messages)


def test_the_keyboard_alone_leads_to_the_violation_and_back(show: Open) -> None:
    shown = show(outcome_of(LATE))
    shown.press("Home")
    assert (selected(shown), states(shown)["coordinator"]) == (0, "booting")
    shown.press("j")
    assert (selected(shown), states(shown)["coordinator"]) == (1, "asking")
    shown.press("v")
    assert selected(shown) == 7
    assert states(shown)["exactly_once_inputs"] == "(failed)"
    assert fields(shown, "coordinator")["journal.answers"] == "((claude, ok), (claude, ok))"
    assert "input ('run-1', 1, validate, claude) was counted twice" in shown.text("#step .finding")
    assert shown.js("return document.querySelector('.row.selected').classList.contains('violated')")
    shown.press("k", "ArrowUp", "ArrowLeft")
    assert selected(shown) == 4
    assert "fault: agent_timeout" in shown.text("#step .tag")
    shown.press("Home", "ArrowDown", "ArrowRight", "End")
    assert selected(shown) == 7
    shown.press("m")
    assert selected(shown) == 3  # where the late answer was sent
    assert shown.messages == []


def test_a_page_opens_at_the_violation_and_an_address_leads_to_a_step(show: Open, tmp_path: Path) -> None:
    shown = show(outcome_of(LATE))
    assert selected(shown) == 7
    assert "counted twice" in shown.text("#step .finding")
    for named, step in {"#step=3": 3, "#step=0": 0, "#step=999": 7}.items():
        shown.open_at(f"{(tmp_path / 'page.html').absolute().as_uri()}{named}")
        assert selected(shown) == step
        shown.js("location.reload()")
        assert selected(shown) == step
    shown.press("Home", "j", "j", "j", "j")
    assert shown.wait("return location.hash === '#step=4'")
    shown.js("location.hash = 'step=2'")
    assert shown.wait("return document.querySelector('#position b').textContent === '2'")
    for named in ("#step=", "#step=-1", "#step=1e3", "#x=<img>", "#%"):
        shown.js("location.hash = arguments[0]", named)
        assert selected(shown) == 2
    assert shown.messages == []


def test_without_a_violation_a_page_opens_at_the_start(show: Open) -> None:
    assert selected(show(outcome_of(ROOT / "scenarios/consensus/round.yaml"))) == 0


def cut_off(shown: Page) -> list[str]:
    """The labels of rows that are not whole on the screen."""
    found: list[str] = shown.js(
        "return [...document.querySelectorAll('.row:not([hidden]) .says')]"
        ".filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    )
    return found


def test_labels_use_the_room_that_there_is(show: Open) -> None:
    try:
        shown = show(outcome_of(LATE))
        shown.size(1900, 900)
        assert cut_off(shown) == []
        assert "Ask" in shown.text("#row-2 .says")
        shown.size(3400, 900)
        shown.wait("return document.querySelector('#row-2 .says').textContent.includes('attempt=1')")
        assert cut_off(shown) == []
        shown.js("document.querySelector('#row-2 .says').textContent = 'x'.repeat(500)")
        assert len(cut_off(shown)) == 1, "what is cut off is noticed"
    finally:
        shown.size(1400, 900)


def elements_of(shown: Page, steps: tuple[int, ...]) -> int:
    """The most elements that the page has at these steps, in any of its tabs."""
    most = 0
    for step in steps:
        shown.js("location.hash = `step=${arguments[0]}`", step)
        shown.wait("return document.querySelector('#position b').textContent === arguments[0]", f"{step:,}")
        for tab in "231":
            shown.press(tab)
            most = max(most, shown.js("return document.querySelectorAll('*').length"))
    return most


def test_of_a_run_of_ten_thousand_steps_few_elements_are_in_the_page(show: Open, tmp_path: Path) -> None:
    text = "model: tests.report.crowd\nsteps: 10000\nstrategy: uniform\nseed: 3\n"
    outcome = written(tmp_path, text, allow=("tests.report.crowd",))
    assert outcome.run.steps == 10_000
    shown = show(outcome)
    steps = (0, 1, 40, 700, 5_000, 9_999, 10_000)
    try:
        assert elements_of(shown, steps) <= 2_000
        shown.size(3_840, 2_160)
        assert elements_of(shown, steps) <= 2_000
        shown.size(1_400, 900)
        wasteful = re.sub(r"const ROOM = \{[^}]+\}", "const ROOM = new Proxy({}, { get: () => 1e6 })", page(outcome))
        (tmp_path / "wasteful.html").write_text(hashed_anew(wasteful))
        shown.open(tmp_path / "wasteful.html")
        assert elements_of(shown, (1, 700)) > 2_000
    finally:
        shown.size(1_400, 900)


def hashed_anew(text: str) -> str:
    """A page whose script was changed, with the policy that allows it."""
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return re.sub(r"script-src 'sha256-[^']+'", f"script-src 'sha256-{digest}'", text, count=1)


def test_what_can_be_repeated_forever_is_marked(show: Open, tmp_path: Path) -> None:
    text = """
model: tests.report.endless
expect: {verdict: violated}
schedule:
  - move poor.sigh
  - deliver clock->clock Beat
  - deliver clock->clock Beat
"""
    shown = show(written(tmp_path, text, allow=("tests.report.endless",)))
    assert "the last 2 actions can be repeated forever" in shown.text("#finding")
    assert shown.js("return document.querySelectorAll('.row.round').length") == 2
    assert shown.text("#row-2 .says").startswith("↻")
    assert not shown.text("#row-1 .says").startswith("↻")
    assert shown.messages == []


def test_every_control_is_reached_with_the_tab_key(show: Open) -> None:
    shown = show(outcome_of(LATE))
    shown.press("k")  # so that no button is switched off
    shown.js("document.body.focus(); document.activeElement.blur()")
    seen = []
    for _ in range(40):
        shown.press("Tab")
        seen.append(shown.js("return document.activeElement.id || document.activeElement.tagName"))
    wanted = {"first", "back", "forth", "last", "violation", "search", "who", "what", "theme", "keys", "copy"}
    assert wanted | {"scroller", "tab-step", "step"} <= {*seen}


@pytest.mark.parametrize("name", ["consensus/r8_late_original_unsequenced", "consensus/round", "device_login/granted"])
def test_the_states_of_every_step_are_those_of_the_run(name: str, show: Open) -> None:
    outcome = outcome_of(ROOT / f"scenarios/{name}.yaml")
    shown = show(outcome)
    graph = outcome.run.trace.world
    shown.press("Home")
    for state in outcome.run.trace.places():
        assert states(shown) == {name: graph.view(state, name).state for name in graph.names}
        shown.press("j")


def test_every_kind_of_step_is_drawn(show: Open, tmp_path: Path) -> None:
    outcome = faulty(tmp_path)
    shown = show(outcome)
    for number in range(11):
        assert selected(shown) == number
        shown.press("j")
    shown.press("Home", "f", "f", "f", "f")
    assert selected(shown) == 5  # duplicate, drop, cut, heal
    assert shown.text("#step .sentence") == "heal wire"
    shown.press("f")
    assert states(shown)["b"] == "(down)"
    assert shown.js("return document.querySelector('#lanes .down b').textContent") == "b"
    assert shown.messages == []


def test_the_reason_of_every_rejection_is_told(show: Open) -> None:
    shown = show(outcome_of(ROOT / "scenarios/consensus/round.yaml"))
    shown.press("r")
    assert selected(shown) == 14
    assert shown.text("#step li.rejected") == "rejected, late: key=('run-1', 1, validate, claude)"
    shown.press("3")
    assert "Rejections (1)" in shown.text("#run")


def test_search_and_filter(show: Open) -> None:
    shown = show(outcome_of(ROOT / "scenarios/consensus/round.yaml"))
    shown.press("/", *"Response", "Enter")
    assert shown.text("#matches") == "8 found"  # four answers, and the four questions that sent them
    first = selected(shown)
    shown.press("Enter")
    assert selected(shown) > first
    shown.press("Escape")
    assert shown.js("return document.querySelector('#search').value") == ""
    shown.js(
        "const what = document.querySelector('#what'); what.value = 'own'; what.dispatchEvent(new Event('change'))"
    )
    rows = shown.js("return [...document.querySelectorAll('.row:not([hidden])')].map(row => Number(row.dataset.step))")
    assert rows == [1, 7]
    shown.press("End")
    assert selected(shown) == 7
    shown.press("Escape")
    assert len(shown.js("return [...document.querySelectorAll('.row:not([hidden])')].map(row => 1)")) == 15


def test_the_machines_show_what_was_taken_and_what_never(show: Open) -> None:
    outcome = outcome_of(LATE)
    trace = outcome.run.trace
    shown = show(outcome)
    shown.press("2")
    for index, name in enumerate(trace.world.system.processes):
        shown.js(
            "const choice = document.querySelector('#machines select');"
            "choice.value = arguments[0]; choice.dispatchEvent(new Event('change'))",
            index,
        )
        never = shown.js("return document.querySelectorAll('#machines tr.never').length")
        taken = {action.covers for _, action in trace.steps}
        declared = [row.index for row in type(trace.world.system.processes[name]).table.rows]
        assert never == len([row for row in declared if (name, row) not in taken]), name
        assert shown.js("return document.querySelectorAll('#machines .box.here').length") == 1
    assert shown.messages == []


def test_a_diagram_is_readable_around_where_the_machine_is_or_whole(show: Open) -> None:
    shown = show(outcome_of(LATE))
    seen = (
        "const frame = document.querySelector('#machines .svg').getBoundingClientRect();"
        "const box = document.querySelector('#machines .box.here').getBoundingClientRect();"
        "return [box.left < frame.right && box.right > frame.left && box.top < frame.bottom && box.bottom > frame.top,"
        " document.querySelector('#machines .svg').scrollWidth <= frame.width]"
    )
    shown.press("2", "Home")
    for _ in range(8):
        assert shown.js(seen) == [True, False]
        shown.press("j")
    shown.press("w")
    assert shown.js(seen) == [True, True]
    assert shown.js("return document.querySelector('#machines button').getAttribute('aria-pressed')") == "true"
    shown.press("w", "1", "w")
    assert shown.messages == []


STICKS_OUT = (
    "return [...document.querySelectorAll('header *, aside, .tabs *, select, #graph input, #graph button, #next *')]"
    ".filter(one => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)"
    ".map(one => one.id || one.tagName)"
)


def test_on_a_narrow_screen_nothing_is_cut_off(show: Open) -> None:
    sticks_out = STICKS_OUT
    shown = show(outcome_of(LATE))
    try:
        for width in (390, 700):
            shown.size(width, 844)
            shown.press("v", "3", "2")
            assert shown.js(sticks_out) == [], width
            assert shown.js("return document.documentElement.scrollWidth <= innerWidth")
        shown.js("document.querySelector('#what').style.minWidth = '800px'")
        assert shown.js(sticks_out) == ["what"]
    finally:
        shown.size(1400, 900)


MARKUP = "<img src=x onerror=document.title=`pwned`>"
ENDING = "</script><script>document.title='pwned'</script><!--"


class Note(Message):
    text: str


class Scribe(Process):
    states = (ENDING, "<b>done</b>")
    transitions = ({"trigger": Note, "source": ENDING, "dest": "<b>done</b>", "after": "keep"},)

    text: str = MARKUP

    def on_start(self) -> None:
        self.send(self.name, Note("\u2028&lt;<!--" + MARKUP))

    def keep(self, note: Note) -> None:
        self.text = note.text


def is_calm(scribe: View, other: View) -> bool:
    return "<b>done</b>" not in (scribe.state, other.state)


def test_markup_in_a_trace_is_shown_as_text(show: Open, tmp_path: Path) -> None:
    system = System({"scribe": Scribe(), "other": Scribe(text="&amp; %%DATA%%")}, properties=(always(MARKUP, is_calm),))
    scenario = load_scenario(LATE)
    hostile = type(scenario)(**{**vars(scenario), "system": system, "description": ENDING, "path": f"{MARKUP}.yaml"})
    shown = show(compare(hostile, simulate(system, VirtualTime()), ENDING))
    shown.press("v", "2", "3", "1")
    assert shown.messages == []
    assert shown.js("return document.querySelectorAll('img, b > b, script').length") == 2  # data and page
    assert "pwned" not in shown.js("return document.title").replace(MARKUP, "").replace(ENDING, "")
    assert states(shown)["scribe"] == "<b>done</b>"
    assert MARKUP in fields(shown, "scribe")["text"]
    assert fields(shown, "other")["text"] == repr("&amp; %%DATA%%")
    assert MARKUP in shown.text("#finding")
    assert shown.text("#replay") == ENDING


def test_unescaped_markup_would_be_seen(chromium: Page, tmp_path: Path) -> None:
    text = page(outcome_of(LATE)).replace("made.append(...children);", "made.innerHTML += children.join('');", 1)
    path = tmp_path / "unescaped.html"
    path.write_text(text)
    chromium.open(path)
    messages = chromium.messages  # it does not even run: its hash is not that of the policy
    assert any("Content Security Policy" in message for message in messages)


def test_the_policy_keeps_the_page_from_every_network(show: Open) -> None:
    text = page(outcome_of(LATE))
    assert "default-src 'none'" in text
    assert re.search(r"(src|href)\s*=\s*[\"'](?!x onerror)", text) is None
    shown = show(outcome_of(LATE))
    tried = "return fetch(arguments[0]).then(() => 'got it', error => String(error))"
    assert "Failed to fetch" in shown.js(tried, "http://127.0.0.1:9/")
    assert any("Content Security Policy" in message for message in shown.messages)


def test_of_fifty_thousand_steps_only_what_can_be_seen_is_drawn(show: Open, tmp_path: Path) -> None:
    outcome = written(tmp_path, "model: bench.long\nsteps: 50000\nseed: 3\n", allow=("bench.long",))
    assert outcome.run.steps == 50_000
    shown = show(outcome)
    shown.press("End", "k", "PageUp", "Home", "j")
    assert shown.js("return document.querySelectorAll('.row').length") < 60
    shown.press("End", "2", "3", "1")
    assert selected(shown) == 50_000
    assert shown.js("return document.querySelectorAll('*').length") < 2_000
    assert shown.messages == []


def test_light_and_dark(show: Open) -> None:
    shown = show(outcome_of(LATE))
    background = "return getComputedStyle(document.body).backgroundColor"
    shown.prefer("dark")
    dark = shown.js(background)
    shown.prefer("light")
    light = shown.js(background)
    assert dark != light
    shown.press("t")
    assert shown.js(background) == dark


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(one: str, other: str) -> float:
    a, b = sorted((_luminance(one), _luminance(other)))
    return (b + 0.05) / (a + 0.05)


def test_every_text_has_the_contrast_that_wcag_asks_for() -> None:
    style = (ROOT / "sim/report/html/page.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    for palette in ({name: pair[which] for name, *pair in pairs} for which in (0, 1)):
        for ground in ("bg", "panel", "raised", "select"):
            for ink in ("text", "muted", "accent", "bad", "warn"):
                assert _contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
        for name in ("bad", "good", "warn"):
            assert _contrast(palette[name], palette[f"{name}-soft"]) >= 4.5, name
    assert _contrast("#777777", "#888888") < 4.5
