"""Writes `docs/consensus.md` from the scenarios of `scenarios/consensus` and what comes of them.

`python -m bench.consensus` looks for the shortest counterexample of each deviation (`scenarios/consensus/found`),
runs every scenario, and writes both. Tests hold files and page to what comes out today. What a page says in words is
in `bench.consensus_table`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench import consensus_bounds as bounds
from bench.consensus_table import FOUND, RACES, WORDS, Found, Race
from models.consensus import system
from models.consensus.references.profiles import PROFILES
from models.consensus.references.switches import SWITCHES
from sim import CheckResult, check
from sim.report.outcome import JudgedRun, compare
from sim.run.of_scenario import simulate_scenario
from sim.scenario import load_scenario, scenario_text

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "consensus.md"
FOLDER = ROOT / "scenarios" / "consensus"
SCHEMA = "# yaml-language-server: $schema=../../../docs/scenario.schema.json\n"


def search(found: Found) -> CheckResult:
    """The shortest counterexample of a deviation: its property alone, in its bounds."""
    return check(system(**found.config).with_(faults=found.faults).judging(found.prop))


@cache
def ours(file: str) -> CheckResult:
    """Ours in the bounds of a deviation, judged by all its properties. Where a message may be lost, a request must
    be repeated."""
    found = next(found for found in FOUND if found.file == file)
    config = {key: value for key, value in found.config.items() if key not in ("profile", "switches", "sequencing")}
    if found.faults.startswith("drop"):
        config["resends"] = 1
    return check(system(**config).with_(faults=found.faults))


def file_of(found: Found) -> str:
    """The scenario that keeps it."""
    path = [str(action.address) for action in search(found).path]
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.config.items()}
    expect = {"verdict": "violated", "violation": found.prop}
    keys = {"model": "models.consensus", "config": plain, "properties": [found.prop]}
    text = scenario_text({**keys, "schedule": path, "expect": expect})
    return f"{SCHEMA}# {found.what}\n# {found.why}\n# Found by: {found.command}\n{text}"


def outcome_of(path: Path) -> JudgedRun:
    """A scenario's run, held against what it expects."""
    scenario = load_scenario(path)
    return compare(scenario, simulate_scenario(scenario), replay="")


def said(path: Path) -> str:
    """What came of a scenario, in a cell of a table."""
    outcome = outcome_of(path)
    assert outcome.as_expected, path
    finding = outcome.run.finding
    return f"**{finding.property}**" if finding else "ok"


def race_row(race: Race) -> str:
    ours, theirs = FOLDER / f"{race.file}.yaml", FOLDER / f"{race.file}_{race.twin}.yaml"
    if race.folder:
        ours, theirs = (ROOT / "scenarios" / race.folder / name for name in race.files)
    cells = (f"`{ours.name}`: {said(ours)}; {race.ours}", f"`{theirs.name}`: {said(theirs)}; {race.theirs}")
    pattern = f"scenarios/{race.folder or FOLDER.name}/{race.file}*.yaml"
    return f"| {race.name} | {race.what} | {cells[0]} | {cells[1]} | `{pattern}` |"


def found_row(found: Found) -> str:
    path = FOLDER / "found" / f"{found.file}.yaml"
    steps = len(load_scenario(path).schedule or ())
    where = found.config.get("profile") or ("unsequenced" if "sequencing" in found.config else "alone")
    sound = ours(found.file)
    holds = f"{sound.verdict}, {sound.states:,} states"
    cells = (found.name, found.what, where, f"`{found.switch}`", f"`{path.name}`", said(path), str(steps), holds)
    return f"| {' | '.join(cells)} |"


def switch_rows() -> Iterator[str]:
    source = (ROOT / "models" / "consensus" / "references" / "switches.py").read_text(encoding="utf-8").split("\n")
    for name in SWITCHES:
        at = next(n for n, line in enumerate(source) if line == f"    {name}: bool = False") + 1
        text = source[at].strip()
        while not text.endswith('"""') or text == '"""':
            at += 1
            text += " " + source[at].strip()
        on = [profile for profile, row in PROFILES.items() if getattr(row.switches, name)]
        yield f"| `{name}` | {text.strip(chr(34))} | {', '.join(on)} |"


def document() -> Iterator[str]:
    """The lines of the page."""
    yield from WORDS["head"].strip().split("\n")
    yield from ("", "| | what happens | ours | the reference | `sim run` with |", "|---|---|---|---|---|")
    yield from map(race_row, RACES)
    yield from ("", *WORDS["found"].strip().split("\n"), "")
    yield from (
        "| | what happens | profile | switch | file | violated | steps | ours |",
        "|---|---|---|---|---|---|---|---|",
    )
    yield from map(found_row, FOUND)
    yield from ("", *WORDS["commands"].strip().split("\n"), "")
    yield from (f"- `{found.command}`" for found in FOUND)
    yield from ("", *WORDS["behaviour"].strip().split("\n"), "")
    yield from ("| switch | what it does | profiles |", "|---|---|---|")
    yield from switch_rows()
    yield from ("", *WORDS["unsequenced"].strip().split("\n"), "")
    yield from ("| bounds | faults | states | where |", "|---|---|---|---|")
    yield from bounds.rows()
    yield from ("", *WORDS["tail"].strip().split("\n"))


def write() -> None:
    (FOLDER / "found").mkdir(exist_ok=True)
    for found in FOUND:
        (FOLDER / "found" / f"{found.file}.yaml").write_text(file_of(found), encoding="utf-8")
    DOCUMENT.write_text("\n".join(document()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
