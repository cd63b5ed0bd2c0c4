"""The documents name what there is: every public name, every module, every key of a scenario file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sim
from sim.cli import COMMANDS
from sim.scenario.schema import KEYS
from tests.generated import PAGE, PARTS, generated

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINES_MAX = 255
WRITTEN = (
    "models.md",
    "scenarios.md",
    "semantics.md",
    "semantics_faults.md",
    "why.md",
    "architecture.md",
    "tutorial.md",
    "comparison.md",
    *(f"guide/{path.name}" for path in sorted((DOCS / "guide").glob("*.md"))),
)


def section(text: str, title: str) -> str:
    """What stands under the heading `title`."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found is not None, title
    return found[1]


def first_cells(text: str) -> list[str]:
    """The code words in the first cell of each row of the tables."""
    cells = re.findall(r"^\| (.*?) \|", text, re.M)
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def packages() -> dict[str, set[str]]:
    """The packages of sim and models, as the map calls them (that of sim itself is ""): the modules in each."""
    found = {}
    for root, prefix in ((ROOT / "sim", ""), (ROOT / "models", "models/")):
        for path in [root, *(init.parent for init in root.rglob("__init__.py") if init.parent != root)]:
            name = f"{prefix}{path.relative_to(root)}/".replace("./", "")
            found[name] = {module.stem for module in path.glob("*.py") if not module.stem.startswith("__")}
    return found


def map_complaints(text: str) -> list[str]:
    """What the tables of a map leave out of the packages, or name and is not there."""
    rows = {}
    for names, told in re.findall(r"^\| (`.*?) \| (.*) \|$", text, re.M):
        rows |= {name: {*re.findall(r"`(\w+)`", told)} for name in re.findall(r"`([^`]+)`", names)}
    known = packages()
    top = known.pop("")
    wanted = top | {name for name in known if name != "models/"}
    found = [f"{name} has no row" for name in sorted(wanted - {*rows})]
    found += [f"{name} is not there" for name in sorted({*rows} - wanted)]
    for name in sorted(wanted & {*known} & {*rows}):
        found += [f"{name}{module} is not named" for module in sorted(known[name] - rows[name])]
        elsewhere = top | {*known} | {*sim.__all__} | {part for path in known for part in path.split("/")}
        found += [f"{name}{word} is not there" for word in sorted(rows[name] - known[name] - elsewhere)]
    return found


def test_every_public_name_has_its_line_once() -> None:
    named = first_cells(section((DOCS / "models.md").read_text(), "Public names"))
    assert sorted(named) == sorted(sim.__all__)


def test_a_name_that_is_missing_or_gone_is_caught() -> None:
    table = "## Public names\n\n| name | what it is |\n|---|---|\n| `Process`, `Old` | x |\n\n## Next\n| `y` | z |\n"
    assert first_cells(section(table, "Public names")) == ["Process", "Old"]


def test_the_map_names_every_module_and_nothing_else() -> None:
    assert map_complaints(section((DOCS / "architecture.md").read_text(), "Where things live")) == []


def test_a_module_that_the_map_leaves_out_or_makes_up_is_caught() -> None:
    text = section((DOCS / "architecture.md").read_text(), "Where things live")
    for old, new, complaint in (
        ("`upstream`", "", "models/consensus/references/upstream is not named"),
        ("`journal`", "`journals`", "models/consensus/journals is not there"),
        ("| `system/` |", "| |", "system/ has no row"),
        ("| `cli/` |", "| `cli/`, `columns/` |", "columns/ is not there"),
        ("`fuzzer/compiled/`", "`fuzzer/`", "fuzzer/compiled/ has no row"),
    ):
        assert old in text
        assert complaint in map_complaints(text.replace(old, new))


def test_every_key_of_a_scenario_is_explained() -> None:
    text = (DOCS / "scenarios.md").read_text()
    assert sorted(first_cells(section(text, "Keys"))) == sorted(KEYS[()])
    for (part,) in (path for path in KEYS if path):
        assert [key for key in KEYS[part,] if f"`{key}`" not in text] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_a_document_can_be_read_in_one_sitting_and_its_links_lead_somewhere(name: str) -> None:
    page = DOCS / name
    text = page.read_text()
    assert text.count("\n") <= LINES_MAX
    for target in re.findall(r"\]\(([^)#]*)(?:#[\w-]+)?\)", text):
        assert not target or target.startswith("https://") or (page.parent / target).exists(), target


def uncited(text: str) -> list[str]:
    """What a comparison says of another tool without a link to where that tool says so itself."""
    tools, _, rest = text.partition("\n## ")
    rows = [row for row in re.findall(r"^\| .*", tools, re.M)[1:] if not row.startswith("| roundsim")]
    claims = [part for part in f"\n## {rest}".split("\n## ") if part.startswith(("What they have", "Ideas taken"))]
    bullets = [bullet for part in claims for bullet in re.findall(r"^- (?:.|\n(?=  ))*", part, re.M)]
    return [claim for claim in [*rows, *bullets] if "](https://" not in claim]


def test_what_is_said_of_other_tools_is_cited() -> None:
    text = (DOCS / "comparison.md").read_text()
    assert uncited(text) == []
    planted = text.replace("## Ideas taken, with thanks\n", "## Ideas taken, with thanks\n\n- Jepsen is slow.\n")
    assert uncited(planted) == ["- Jepsen is slow."]
    assert len(uncited(re.sub(r"\]\(https://[^)]*\)", "]", text))) > 20


def test_the_reference_is_what_the_code_says() -> None:
    text = PAGE.read_text("utf-8")
    assert generated(text) == text, "run `python -m tests.generated`"
    assert [part for part in PARTS if f"<!-- generated: {part} -->" not in text] == []


def test_a_reference_that_is_not_current_is_caught() -> None:
    stale = PAGE.read_text("utf-8").replace("| 2 | bad input |", "| 2 | poor input |")
    assert generated(stale) != stale


def test_every_command_and_every_option_of_it_is_in_the_reference() -> None:
    text = PAGE.read_text("utf-8")
    for name in COMMANDS:
        if name != "bench":  # a group: its commands have words of their own
            assert f"$ sim {name} --help" in text
