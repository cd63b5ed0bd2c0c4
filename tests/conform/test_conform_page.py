"""The page of a log: its lines beside the steps that explain them, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call
from tests.browser import Page, browser
from tests.conform.test_command import SCENARIO

NASTY = "</script><script>document.title='taken'</script><b>x"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    with browser() as page:
        page.size(1400, 900)
        yield page


def exported(folder: Path) -> list[dict[str, Any]]:
    assert call(["run", SCENARIO, "--export", f"log={folder / 'a.jsonl'}"]) == 0
    return [json.loads(line) for line in (folder / "a.jsonl").read_text(encoding="utf-8").splitlines()]


def shown(chromium: Page, folder: Path, lines: list[dict[str, Any]], status: int) -> Page:
    log = folder / "b.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert call(["conform", str(log), "--model", "models.consensus", "--html", "--out", str(folder)]) == status
    chromium.open(folder / "models.consensus-log.html")
    return chromium


def column(page: Page, row: int) -> str:
    return page.text(f"#row-{row} .log")


def of(lines: list[dict[str, Any]], *processes: str) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("process") in (None, *processes)]


def test_a_log_that_conforms_stands_line_by_line_beside_its_steps(chromium: Page, tmp_path: Path) -> None:
    lines = of(exported(tmp_path), "coordinator")
    page = shown(chromium, tmp_path, lines, 0)
    assert page.text("#verdict") == "✓ conforms"
    assert page.js("return [...document.querySelectorAll('#lanes .column')].map(one => one.textContent)") == [
        "log",
        "model",
    ]
    told = [column(page, row) for row in range(page.js("return document.querySelectorAll('.row').length"))]
    numbers = [int(text.split()[0]) for text in told if text[:1].isdigit()]
    assert numbers == list(range(2, len(lines) + 1))
    assert "not in the log" in told
    page.press("j")
    assert "b.jsonl:3 coordinator: move boot" in page.text("#step .log")
    assert page.messages == []


def test_the_line_that_no_step_explains_is_a_row_with_what_was_possible(chromium: Page, tmp_path: Path) -> None:
    lines = of(exported(tmp_path), "coordinator", "store")
    blamed = [line for line in lines if line.get("process") == "coordinator"][3]
    blamed["state"] = NASTY
    page = shown(chromium, tmp_path, lines, 1)
    number = lines.index(blamed) + 1
    assert page.text("#verdict") == "⚑ does not conform"
    assert f"b.jsonl:{number}: the model has no such step: coordinator" in page.text("#finding")
    page.press("v")
    last = page.js("return Number(document.querySelector('.row.selected').dataset.step)")
    assert column(page, last).startswith(f"{number}  coordinator: ")
    assert "otherwise: state asking" in page.text(f"#row-{last} .says")
    panel = page.text("#step")
    assert "What differs" in panel
    assert "What the model could do there" in panel
    assert NASTY in panel  # as text: nothing of a log is ever markup
    assert page.js("return document.title") != "taken"
    assert page.js("return document.querySelectorAll('b > x, #step script').length") == 0
    page.press("/")
    page.js(
        "document.getElementById('search').value = 'move boot'; document.getElementById('search').dispatchEvent(new Event('input'))"
    )
    assert page.text("#matches") == "1 found"
    assert page.messages == []


def test_what_fits_no_start_has_a_page_too(chromium: Page, tmp_path: Path) -> None:
    lines = of(exported(tmp_path), "coordinator")
    lines[1]["state"] = "storing"
    page = shown(chromium, tmp_path, lines, 1)
    page.press("v")
    assert "the model does not start like that: coordinator" in page.text("#finding")
    assert "storing" in page.text("#step table")
    assert page.messages == []


def test_the_file_of_a_page_holds_no_markup_of_a_log(tmp_path: Path) -> None:
    lines = of(exported(tmp_path), "coordinator")
    lines[3]["state"] = NASTY
    log = tmp_path / "b.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert call(["conform", str(log), "--model", "models.consensus", "--html", "--out", str(tmp_path)]) == 1
    text = (tmp_path / "models.consensus-log.html").read_text(encoding="utf-8")
    assert "document.title='taken'" in text
    assert NASTY not in text
    assert "<b>x" not in text
