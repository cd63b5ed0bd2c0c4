"""`sim explore`: a walk by hand in a real browser, and who else may ask for one."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from sim.base.errors import SimError
from sim.cli.explore import command
from sim.run.of_scenario import simulate_scenario
from sim.scenario import load_scenario
from tests.browser import Page
from tests.report.runs import LATE, ROOT
from tests.report.test_check_page import shop  # noqa: F401  a fixture
from tests.report.test_page import STICKS_OUT, selected, states

COMMIT = "models.two_phase_commit"


class Served(NamedTuple):
    address: str
    folder: Path


@pytest.fixture
def served(tmp_path: Path) -> Callable[..., Any]:
    """Serves the page of a target, in a process of its own, which Ctrl-C ends cleanly."""

    @contextmanager
    def serve(*words: str) -> Iterator[Served]:
        begin = f"import sys; sys.path[:0] = {sys.path!r}; from sim.cli import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", begin, "explore", *words, "--out", str(tmp_path / "walks")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        line, how = process.stdout.readline().strip(), process.stdout.readline()
        try:
            yield Served(line.rpartition(" ")[2], tmp_path / "walks")
        finally:
            process.send_signal(signal.SIGINT)
            said, wrong = process.communicate(timeout=30)
        assert how == "walk it in a browser on this machine; Ctrl-C ends this\n"
        assert (process.returncode, said, wrong) == (0, "", "")

    return serve


def offered(shown: Page) -> list[str]:
    shown.wait("return document.querySelector('#next h2') !== null")
    found: list[str] = shown.js(
        "return [...document.querySelectorAll('#next .ways button')].map(one => one.firstChild.textContent)"
    )
    return found


def length(shown: Page) -> int:
    return int(shown.text("#position").partition(" of ")[2].split()[0])


def press_way(shown: Page, words: str, then: int) -> None:
    """Choose what may happen, and wait for so many steps."""
    shown.js(
        "[...document.querySelectorAll('#next button')].find(one => one.textContent.startsWith(arguments[0])).click()",
        words,
    )
    shown.wait("return document.querySelector('#position').textContent.endsWith(` of ${arguments[0]}`)", then)
    shown.wait("return document.querySelector('#next h2') !== null")


def to_the_end(shown: Page) -> None:
    shown.press("e")
    shown.wait("return document.querySelector('#next').textContent.includes('Nothing more happens by itself')")


def saved(shown: Page) -> Path:
    shown.js("document.querySelector('.saved')?.remove()")
    shown.press("s")
    shown.wait("return document.querySelector('.saved') !== null")
    return Path(shown.text(".saved code"))


def test_a_race_is_walked_into_and_saved(chromium: Page, served: Any, shop: str) -> None:  # noqa: F811
    with served(shop) as at:
        chromium.open_at(at.address)
        assert offered(chromium) == ["deliver customer->bank Pay(order=1)", "fire customer.patience"]
        press_way(chromium, "deliver customer->bank", 1)
        press_way(chromium, "fire customer.patience", 2)
        assert states(chromium) == {} or chromium.text("#lanes b") == "customer"
        press_way(chromium, "deliver customer->bank", 3)
        assert "order 1 was charged twice" in chromium.text("#next .finding")
        assert offered(chromium) == []
        path = saved(chromium)
        found = load_scenario(path, allow=(shop,))
        assert simulate_scenario(found).verdict == found.expect.verdict == "violated"
        assert found.expect.violation == "charged_once"
        assert [str(item.address) for item in found.schedule or ()] == [
            "deliver customer->bank Pay(order=1)",
            "fire customer.patience",
            "deliver customer->bank Pay(order=1)",
        ]
        chromium.press("k", "k")
        assert offered(chromium) == ["deliver bank->customer Paid(order=1)", "fire customer.patience"]
        assert chromium.text("#next small") == "taken"
        assert length(chromium) == 3, "what came after it is there until something else is chosen"
        press_way(chromium, "deliver bank->customer", 2)
        to_the_end(chromium)
        second = saved(chromium)
        assert second != path
        assert simulate_scenario(load_scenario(second, allow=(shop,))).verdict == "ok"
        chromium.js("location.reload()")
        assert length(chromium) == 3, "a page that is loaded again goes on"
        chromium.press("1", "2", "3", "5", "Home", "Enter")
        chromium.wait("return document.querySelector('#position').textContent.endsWith(' of 1')")
        assert chromium.messages == []


def test_every_step_of_a_walk_is_that_of_the_model(chromium: Page, served: Any) -> None:
    with served(COMMIT) as at:
        chromium.open_at(at.address)
        press_way(chromium, "move rm2.give_up", 1)
        press_way(chromium, "move manager.abort", 2)
        to_the_end(chromium)
        run = simulate_scenario(load_scenario(saved(chromium)))
        chromium.press("1", "Home")
        graph = run.trace.world
        for place in run.trace.places():
            assert states(chromium) == graph.states(place)
            chromium.press("j")
        assert chromium.messages == []


def test_a_scenario_is_walked_on_from_its_end(chromium: Page, served: Any) -> None:
    with served(str(LATE)) as at:
        chromium.open_at(at.address)
        assert (selected(chromium), length(chromium)) == (7, 7)
        chromium.press("k")
        assert any("attempt=1" in way for way in offered(chromium))
        chromium.press("c")
        chromium.wait("return document.querySelector('#position b').textContent === '7'")
        assert chromium.text("#verdict") == "… under way", "another answer has come first"
        assert chromium.messages == []


def test_a_program_is_walked_too(chromium: Page, served: Any) -> None:
    with served("tests.explore.calm") as at:
        chromium.open_at(at.address)
        chromium.press("c")
        chromium.wait("return document.querySelector('#next').textContent.includes('Nothing more happens')")
        usual = length(chromium)
        assert usual > 3
        chromium.press(*["k"] * (usual - 3))
        (fault,) = [way for way in offered(chromium) if way.startswith("cancel")]
        chromium.js(
            "[...document.querySelectorAll('#next button')].find(b => b.textContent.startsWith('cancel')).click()"
        )
        chromium.wait("return document.querySelector('#rows').textContent.includes('cancelled')")
        to_the_end(chromium)
        scenario = load_scenario(saved(chromium), allow=("tests.explore.calm",))
        run = simulate_scenario(scenario)
        assert run.verdict == "ok"
        (item,) = scenario.schedule or ()
        assert str(item.address).startswith(fault)
        assert run.trace.struck() == {"cancel": 1}
        assert chromium.messages == []


def test_of_many_things_that_may_happen_some_are_sought(chromium: Page, served: Any) -> None:
    with served("tests.report.crowd", "--model", "tests.report.crowd") as at:
        chromium.open_at(at.address)
        assert len(offered(chromium)) == 40
        press_way(chromium, "move p7.shout", 1)
        assert len(offered(chromium)) == 80
        chromium.js("document.querySelector('#next input').focus()")
        chromium.press(*"p7->p3")
        assert offered(chromium) == [f"deliver p7->p{n} Shout(number=1)" for n in (3, *range(30, 40))]
        press_way(chromium, "deliver p7->p33", 2)
        assert "p7 -> p33" in chromium.text("#row-2 .says")
        assert chromium.js("return document.querySelectorAll('*').length") < 2_000
        assert chromium.messages == []


def test_on_a_narrow_screen_all_that_may_happen_can_be_read(chromium: Page, served: Any) -> None:
    with served(str(LATE)) as at:
        try:
            for width in (390, 700):
                chromium.size(width, 844)
                chromium.open_at(at.address + "#step=5")
                assert len(offered(chromium)) > 3
                assert chromium.js(STICKS_OUT) == [], width
            chromium.js("document.querySelector('#next .ways').style.width = '2000px'")
            assert "DIV" in chromium.js(STICKS_OUT)
        finally:
            chromium.size(1400, 900)


def posted(at: Served, what: str, content: object, **headers: str) -> tuple[int, Any]:
    place = urlsplit(at.address)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", (headers.pop("path", "") or place.path) + what, body, given)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if answer.status == 200 else text


def test_only_the_page_itself_may_ask(served: Any) -> None:
    with served(COMMIT) as at:
        place = urlsplit(at.address)
        origin = f"http://{place.netloc}"
        good = {"path": [0]}
        assert posted(at, "ways", good)[0] == 200
        assert posted(at, "ways", good, Origin=origin)[1]["next"]
        refused = [
            posted(at, "ways", good, Origin="http://evil.example"),
            posted(at, "ways", good, Origin="null"),
            posted(at, "ways", good, Host="evil.example"),
            posted(at, "ways", good, Content_Type="text/plain"),
            posted(at, "ways", good, Content_Type="application/x-www-form-urlencoded"),
            posted(at, "ways", good, path="/"),
            posted(at, "ways", good, path=place.path[:-2] + "/"),
            posted(at, "", good),
            posted(at, "nothing", good),
            posted(at, "../ways", good),
            *(posted(at, "walk", bad) for bad in (b"", b"{", b"[" * 50_000, b"\xff", b" " * 100_001, b"null")),
        ]
        assert [status for status, _ in refused if status != 404] == []
        malformed = ([], 1, "x", {}, {"path": 1}, {"path": ["0"]}, {"path": [-1]}, {"path": [True]}, {"path": [0.5]})
        said = [posted(at, "save", bad)[1].get("trouble", "") for bad in (*malformed, {"path": [0] * 10_001})]
        assert {*said} == {"a walk is asked for as a path of at most 10,000 whole numbers"}
        assert not at.folder.exists(), "and nothing was written"


def test_what_does_not_fit_is_said_and_the_walk_goes_on(served: Any) -> None:
    with served(COMMIT) as at:
        assert "there are 7" in posted(at, "walk", {"path": [0, 70]})[1]["trouble"]
        assert "there are 1" in posted(at, "ways", {"path": [9]})[1]["trouble"]
        status, answer = posted(at, "walk", {"path": [0], "wish": "<script>\x7f\u2028\ud800\x1b["})
        assert (status, answer["explore"]["path"]) == (200, [0])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["models.paxs"], "did you mean"),
        (["no/such.yaml"], "no/such.yaml: no such file"),
        ([COMMIT, "--faults", "drp:1"], "drp"),
        ([COMMIT, "--faults", "delay:1(5s)"], "a walk by hand has no clock"),
        ([COMMIT, "--out", str(ROOT / "README.md")], "is not a folder"),
    ],
)
def test_what_cannot_be_walked_is_said_in_one_line(words: list[str], line: str) -> None:
    error = CliRunner().invoke(command, words, standalone_mode=False).exception
    assert isinstance(error, SimError)
    (mistake,) = error.mistakes
    assert line in mistake
