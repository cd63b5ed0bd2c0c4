"""The page of a session that goes on: in a real browser, beside a host that runs."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sim.base.errors import SimError
from sim.cli.live_page import LivePage
from sim.cli.page_server import HTML, JSON, Body, PageServer
from sim.host.journal import open_journal
from tests.browser import Page, browser
from tests.host.small_council import NAME, NASTY, Agents, entry_of, over, under_way

PATIENCE_S = 60


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    with browser() as page:
        page.size(1400, 500)
        yield page


@contextmanager
def live_page(journal: Path) -> Iterator[LivePage]:
    with open_journal(str(journal), fresh=False) as opened:
        live = LivePage(opened, entry_of(journal))
        live.draw()
        yield live


def until(holds: Callable[[], bool], live: LivePage | None = None) -> bool:
    """Whether it comes to hold."""
    for _ in range(PATIENCE_S * 10):
        if live is not None:
            live.look()
        if holds():
            return True
        time.sleep(0.1)
    return False


def rows(page: Page) -> int:
    return int(page.text("#position").rpartition(" of ")[2].partition(" ")[0].replace(",", ""))


def selected(page: Page) -> int:
    return int(page.text("#position b").replace(",", ""))


def visit(page: Page, server: PageServer) -> None:
    """Open a page; what one before it said of a server that has gone is forgotten."""
    page.open_at("about:blank")
    assert isinstance(page.messages, list)
    page.open_at(server.address)


def complaints(page: Page) -> list[str]:
    """What the console says; a browser looks for an icon by itself, and there is none."""
    return [message for message in page.messages if "favicon.ico" not in message]


def lines_of(live: LivePage) -> int:
    return int(json.loads(live.bodies["version"]().text)["lines"])


def test_the_page_goes_on_with_the_session_and_the_reader_stays(chromium: Page, tmp_path: Path) -> None:
    agents, journal = Agents(3), tmp_path / "j.db"
    with under_way(journal, agents, rounds=6), live_page(journal) as live, PageServer(live.bodies) as server:
        assert until(lambda: lines_of(live) >= 29, live)  # the third round is over, and the fourth is asked about
        live.draw()
        visit(chromium, server)
        assert chromium.text("#verdict") == "✓ conforms"
        first = rows(chromium)
        assert selected(chromium) == first, "it begins where the session is"
        assert until(lambda: chromium.text("#live").startswith("live, last input"))
        chromium.js("window.kept = true; document.getElementById('search').value = 'move boot'")

        agents.allow()  # who looks at the last step goes on
        assert until(lambda: rows(chromium) > first, live)
        assert selected(chromium) == rows(chromium)

        chromium.press("Home", "j", "j", "2")  # who looks elsewhere stays
        chromium.js("document.getElementById('scroller').scrollTop = 40")
        second = rows(chromium)
        agents.allow(2)
        assert until(lambda: rows(chromium) > second, live)
        assert selected(chromium) == 2
        assert chromium.js("return document.getElementById('scroller').scrollTop") == 40
        assert chromium.js("return document.querySelector('[role=tab][aria-selected=true]').id") == "tab-machines"
        assert chromium.js("return window.kept"), "it was not loaded again"
        assert chromium.text("#matches") == "1 found"

        assert until(lambda: chromium.text("#live") == "over", live)
        assert chromium.js("return document.querySelector('#machines').textContent").count("never") > 0
        assert complaints(chromium) == []
    assert until(lambda: chromium.text("#live").startswith("cannot be reached"))


def test_a_page_whose_data_does_not_come_is_told(chromium: Page, tmp_path: Path) -> None:
    agents, journal = Agents(1), tmp_path / "j.db"
    with under_way(journal, agents, rounds=2), live_page(journal) as live:
        frozen = live.bodies["data"]()
        with PageServer({**live.bodies, "data": lambda: frozen}) as server:
            visit(chromium, server)
            before = rows(chromium)
            agents.allow()
            assert until(lambda: "lines behind" in chromium.text("#live"), live)
            assert rows(chromium) == before


def test_what_cannot_be_read_is_told(chromium: Page, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    over(journal)
    with live_page(journal) as live, PageServer(live.bodies) as server:
        visit(chromium, server)
        assert until(lambda: chromium.text("#live") == "over", live)
        change(journal, "UPDATE trace SET line = '{' WHERE n = (SELECT max(n) FROM trace)")
        change(journal, "UPDATE trace SET n = n + 100 WHERE n = (SELECT max(n) FROM trace)")
        assert until(lambda: "is damaged" in chromium.text("#live"), live)


def change(journal: Path, statement: str) -> None:
    with sqlite3.connect(journal) as database:
        database.execute(statement)
    database.close()


def test_what_was_said_is_shown_as_text(chromium: Page, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    over(journal, text=NASTY)
    with live_page(journal) as live, PageServer(live.bodies) as server:
        assert "taken" in live.bodies[""]().text
        for body in ("", "data"):
            assert NASTY not in live.bodies[body]().text
            assert "<b>x" not in live.bodies[body]().text
        visit(chromium, server)
        chromium.press("/", *"deliver Ask", "Enter")
        assert chromium.text("#step .payload") in {f"{name}: {NASTY}" for name in ("gemini", "claude")}
        chromium.press("Enter")
        assert NASTY in chromium.text("#step .payload")
        chromium.js("document.getElementById('search').value = ''")
        chromium.press("Escape", "/", *"deliver Store", "Enter")
        assert chromium.js("return document.querySelectorAll('#step .payload').length") == 2, "it was brought on"
        assert chromium.js("return document.querySelectorAll('b > x, #step script').length") == 0
        assert chromium.js("return document.title") == f"session 1 ({NAME}): models.consensus"
        assert complaints(chromium) == []


def test_a_text_that_acts_would_be_seen(chromium: Page) -> None:
    text = f"<html><pre class='payload'>{NASTY}</pre></html>"
    with PageServer({"": lambda: Body(HTML, text, "script-src 'unsafe-inline'")}) as server:
        visit(chromium, server)
        assert chromium.js("return document.title") == "taken"


def test_a_session_that_does_not_conform_shows_where_it_parts(chromium: Page, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    over(journal)
    spoilt = 'UPDATE trace SET line = replace(line, \'"state":"storing"\', \'"state":"asking"\') WHERE n > 8'
    change(journal, spoilt)
    with live_page(journal) as live, PageServer(live.bodies) as server:
        visit(chromium, server)
        assert chromium.text("#verdict") == "⚑ does not conform"
        assert "the model can do that, but then coordinator is not as the log says" in chromium.text("#step")
        assert f"{NAME}:" in chromium.text("#finding")
        assert complaints(chromium) == []


def test_the_journal_is_only_read(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    over(journal)

    def content() -> list[str]:
        with sqlite3.connect(journal) as database:
            return [*database.iterdump()]

    before = content()
    with live_page(journal) as live:
        live._journal.database._db.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]
        live.draw()
        live.look()
    assert content() == before


# --- the door -----------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PageServer]:
    bodies = {"": lambda: Body(HTML, "<p>in", "default-src 'none'"), "version": lambda: Body(JSON, "{}")}
    with PageServer(bodies) as found:
        yield found


def asked(server: PageServer, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    place = urlsplit(server.address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_only_who_has_the_token_is_let_in(server: PageServer) -> None:
    path = urlsplit(server.address).path
    assert asked(server, path).status == 200
    assert asked(server, path + "version").status == 200
    wrong = [
        "/", "", "//", "/version", path[:-1].swapcase() + "/", path[:-2] + "/", path + "nothing", path + "../version",
        "/x" + path, path + "?x=1", f"http://example.com{path}", "/%00/",
    ]  # fmt: skip
    assert [one for one in wrong if asked(server, one).status != 404] == []
    assert [m for m in ("POST", "PUT", "HEAD", "OPTIONS", "TRACE") if asked(server, path, m).status != 404] == []


def test_another_name_that_leads_here_is_refused(server: PageServer) -> None:
    place = urlsplit(server.address)
    hosts = (
        "evil.example",
        f"evil.example:{place.port}",
        f"127.0.0.2:{place.port}",
        "",
        f"{place.netloc}.evil.example",
    )
    assert [one for one in hosts if asked(server, place.path, Host=one).status != 404] == []
    assert asked(server, place.path, Host=place.netloc).status == 200


def test_every_answer_says_how_it_may_be_used(server: PageServer) -> None:
    for path in (urlsplit(server.address).path, "/"):
        answer = asked(server, path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Python" not in answer.headers["Server"]


def test_two_servers_have_two_tokens(server: PageServer) -> None:
    with PageServer({}) as other:
        assert urlsplit(other.address).path != urlsplit(server.address).path
        assert urlsplit(other.address).hostname == "127.0.0.1"


def test_a_session_of_a_model_that_is_gone_is_a_line(tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    over(journal)
    change(journal, 'UPDATE session SET config = \'{"agents": 99, "rounds": 1}\'')
    with open_journal(str(journal), fresh=False) as opened, pytest.raises(SimError, match="agents"):
        LivePage(opened, entry_of(journal)).draw()
