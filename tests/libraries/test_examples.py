"""The examples in docs/examples: what their pages show is what the commands print, what was found is found again, and what is
fixed is fine; with the fix taken out it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.documents import EXAMPLES, FOUND, comparable, copied, run_document

DEVIATIONS_MAX = 3
SCHEDULES = 500
FIXES = {
    "approval": ("if shown == await self.pending(customer):", "if await self.pending(customer):"),
    "booking": ('headers={"Idempotency-Key": self.key}', "headers={}"),
    "moderation": ('hsetnx("letters", post, verdict)', 'rpush("letters", f"{post}: {verdict}")'),
}
"""Example -> what its fix is, and what it would be without thinking."""

each = pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)


def page_of(name: str) -> Path:
    return next(page for page in EXAMPLES if page.parent.name == name)


def sim(folder: Path, *words: str) -> tuple[int, dict[str, object]]:
    """The exit status of a command in this folder, and what it says as JSON."""
    command = [Path(sys.executable).parent / "sim", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def fuzzed(folder: Path, *words: str, fixed: str = "true") -> tuple[int, dict[str, object]]:
    how = ("--set", f"fixed={fixed}", "--schedules", str(SCHEDULES))
    return sim(folder, "fuzz", "explored", *how, *words)


@each
def test_a_page_shows_what_its_commands_print_and_what_they_find(page: Path, tmp_path: Path) -> None:
    kept = (page.parent / FOUND).read_text()
    (copied(page, tmp_path) / FOUND).unlink()
    for command in run_document(page.read_text(), tmp_path):
        assert comparable(command.actual) == comparable(command.expected), command.line
    assert (tmp_path / FOUND).read_text() == kept


@each
def test_what_was_found_takes_few_deviations_and_is_found_again_unless_it_is_fixed(page: Path) -> None:
    assert len(YAML(typ="safe").load(page.parent / FOUND)["schedule"]) <= DEVIATIONS_MAX
    replay = ("run", FOUND, "--model", "explored")
    status, said = sim(page.parent, *replay)
    assert (status, said["verdict"]) == (0, "violated")
    status, said = sim(page.parent, *replay, "--set", "fixed=true")
    assert (status, said["verdict"]) == (1, "ok")


@each
def test_a_fix_that_is_taken_out_is_missed(page: Path, tmp_path: Path) -> None:
    fixed = copied(page, tmp_path) / "fixed.py"
    fix, without = FIXES[page.parent.name]
    assert fix in fixed.read_text()
    fixed.write_text(fixed.read_text().replace(fix, without))
    status, said = fuzzed(tmp_path)
    assert (status, said["verdict"]) == (1, "violated")


def test_a_key_that_names_the_flight_is_not_enough_where_another_run_has_another_idea(tmp_path: Path) -> None:
    fixed = copied(page_of("booking"), tmp_path) / "fixed.py"
    with (tmp_path / FOUND).open("a") as found:
        found.write("  - deliver openai->main bytes choosing book-2\n")
    replay = ("run", FOUND, "--model", "explored", "--set", "fixed=true")
    assert sim(tmp_path, *replay)[1]["verdict"] == "ok"
    fixed.write_text(fixed.read_text().replace("self.key}", "self.key + flight}"))
    assert sim(tmp_path, *replay)[1]["verdict"] == "violated"


def test_the_fixed_workers_may_be_stopped_and_the_others_may_not(tmp_path: Path) -> None:
    stopped = ("--set", "faults=cancel:1@worker")
    assert fuzzed(copied(page_of("moderation"), tmp_path), *stopped)[0] == 0
    assert fuzzed(tmp_path, *stopped, fixed="false")[0] == 1
