"""README and docs are run: what they show is what the commands print. The pages of a newcomer are run in `test_newcomer`,
examples where their libraries are, in `tests/libraries/test_examples.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sim import CheckResult, System, check
from tests.documents import DOCUMENTS, EXAMPLES, FOUND, MAKE_RUN, PAGES, ROOT, comparable, quoted, run_document, unread

ELSEWHERE = {
    "AUTH-MODULE-DIFF-REPORT.md": "sim surface FORK@f2c3b3da8:codex-rs UPSTREAM@bc04df155:code-rs",
    "campaigns.md": "id  active     branch",
    "metrics.md": "metrics cost ",
}
"""Document -> the beginning of the one block that cannot be run here: it needs three other repositories; it lists
sessions of days, with the time that went by; it says how long things took on one machine."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_of_a_document_is_run_or_compared(path: Path) -> None:
    left = [line for line in unread(path.read_text()) if not line.startswith(ELSEWHERE.get(path.name, "\0"))]
    assert left == []


def test_a_block_that_is_not_run_is_caught() -> None:
    page = "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```yaml\na: 1\n```\n\n```text\nloose\n```\n"
    assert unread(page) == ["a: 1", "loose"]


def test_a_program_in_a_document_is_run_and_its_output_compared(tmp_path: Path) -> None:
    page = "```python\nprint(6 * 7)\n```\n\n```text\n43\n```\n"
    (command,) = run_document(page, tmp_path)
    assert (command.expected, command.actual) == ("43\n", "42\n")


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path not in PAGES and path not in EXAMPLES], ids=lambda path: path.name
)
def test_a_document_shows_what_its_commands_print(path: Path, tmp_path: Path) -> None:
    for command in run_document(path.read_text(), tmp_path):
        assert comparable(command.actual) == comparable(command.expected), command.line


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_shows_the_files_that_stand_beside_it(path: Path) -> None:
    text = path.read_text()
    assert quoted(text, path.parent) == text
    assert set(re.findall(r"<!-- file: (\S+) -->", text)) == {"coordinator.py", "explored.py", "fixed.py"}
    assert (path.parent / FOUND).read_text() in text


def test_a_file_that_an_example_shows_as_it_was_is_caught(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 2\n")
    page = "<!-- file: a.py -->\n```python\na = 1\n```\n\n<!-- file: b.py -->\n```python\nb = 1\n```\n"
    assert quoted(page, tmp_path) == page.replace("a = 1", "a = 2")


LOST = re.compile("no such file|command not found|Traceback", re.I)
"""What a command prints that a document should not have: made current, its page would show that as well."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_command_of_a_document_fails_for_what_is_not_there(path: Path) -> None:
    assert LOST.findall(path.read_text()) == []


def test_a_document_that_names_a_file_of_yesterday_is_caught(tmp_path: Path) -> None:
    (command,) = run_document("```console\n$ cat yesterday.yaml\n```\n", tmp_path)
    assert LOST.search(command.actual)


def test_a_document_whose_output_is_stale_is_caught(tmp_path: Path) -> None:
    text = "```console\n$ sim check models.two_phase_commit\n289 states\n```\n"
    (command,) = run_document(text, tmp_path)
    assert "288 states" in command.actual
    assert comparable(command.actual) != comparable(command.expected)


def test_durations_and_rates_make_no_difference_and_nothing_else_is_left_out() -> None:
    slow, fast = "7 states, 10 calls, 1.20 s, 5,000 states/s\n", "7 states, 10 calls, 0.00 s\n"
    assert comparable(slow) == comparable(fast)
    assert comparable(slow) != comparable("7 states, 11 calls, 0.00 s\n")


def test_make_run_runs_what_the_readme_shows() -> None:
    recipe = re.search(r"^run:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert recipe is not None
    assert recipe[1] == f"@$(BIN)/{MAKE_RUN}"


def test_the_readme_mends_its_bug_as_it_says(tmp_path: Path) -> None:
    """The remedy that the README describes in words makes the check say ok, and a crash undoes it unless
    the field is durable."""
    text = (ROOT / "README.md").read_text()
    shop = re.search(r"<!-- file: shop.py -->\n```python\n(.*?)^```", text, re.M | re.S)
    assert shop is not None
    mended = (
        shop[1]
        .replace(
            """    transitions = ({"trigger": Pay, "source": "open", "dest": None, "after": "charge"},)
""",
            """    transitions = (
        {"trigger": Pay, "source": "open", "dest": None, "conditions": "is_charged", "after": "confirm"},
        {"trigger": Pay, "source": "open", "dest": None, "after": ["charge", "confirm"]},
    )
    DURABLE
    charged: frozenset[int] = frozenset()

    def is_charged(self, pay):
        return pay.order in self.charged

    def confirm(self, pay):
        self.send(self.sender, Paid(pay.order))
""",
        )
        .replace(
            """        self.emit(Charged(pay.order))
        self.send(self.sender, Paid(pay.order))
""",
            """        EMIT
""",
        )
    )
    assert "EMIT" in mended
    volatile = mended.replace("DURABLE", "").replace(
        "EMIT", "self.emit(Charged(pay.order)); self.charged |= {pay.order}"
    )
    durable = mended.replace("DURABLE", 'durable = ("charged",)').replace(
        "EMIT", "self.emit(Charged(pay.order), charged=self.charged | {pay.order})"
    )
    assert _check(volatile, "none").verdict == "ok"
    assert _check(volatile, "crash:1@bank").verdict == "violated"
    assert _check(durable, "none").verdict == "ok"
    finding = _check(durable, "crash:1@bank").finding
    assert finding is None or finding.property == "stuck"  # the answer may be lost; nobody is charged twice


def _check(source: str, faults: str) -> CheckResult:
    space: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, "shop.py", "exec", dont_inherit=True), space)
    system: System = space["system"]()
    return check(system.with_(faults=faults))
