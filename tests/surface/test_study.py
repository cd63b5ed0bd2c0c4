"""A study and its report: the structure of the committed report is the tool's, and a study cannot lie."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sim.cli import call
from sim.cli.surface import command
from sim.surface.render import data, markdown
from sim.surface.report import Report
from sim.surface.study import Study, load_study
from sim.surface.survey import SurveyQuestion, survey
from sim.surface.trees import SurfaceError

Plant = Callable[[str, Mapping[str, str]], Path]

DOCS = Path(__file__).parents[2] / "docs"
FIVE = (
    "AuthCredentialsStoreMode",
    "save_auth",
    "cli_auth_credentials_store_mode",
    "ensure_workspace_allowed",
    "CODEX_API_KEY_ENV_VAR",
)

# The shape of the real trees, in a few lines: none of the five, one of the five, all of them.
FORK = {
    "login/src/lib.rs": "mod server; pub use server::ServerOptions;",
    "login/src/server.rs": "pub struct ServerOptions { pub codex_home: String }",
    "core/src/lib.rs": "pub mod auth;",
    "core/src/auth.rs": "pub struct CodexAuth; impl CodexAuth { pub fn refresh_token(&self) -> Result<u8, String> {} }",
}
UPSTREAM = {
    **FORK,
    "login/src/lib.rs": "mod server; mod device; pub use server::ServerOptions; pub use device::*;",
    "login/src/server.rs": FORK["login/src/server.rs"].replace("codex_home", "code_home"),
    "login/src/device.rs": "pub fn run_device_code_login(o: u8) {} pub struct DeviceCodeSession;",
    "core/src/auth.rs": FORK["core/src/auth.rs"].replace("String", "Failed")
    + 'pub struct Failed; pub const CODEX_API_KEY_ENV_VAR: &str = "KEY";',
}
OPENAI = {
    **FORK,
    "login/src/device.rs": "pub fn run_device_code_login(o: u8) {}",
    "login/src/server.rs": "pub struct ServerOptions { pub codex_home: String, pub cli_auth_credentials_store_mode: u8 }"
    "\npub(crate) fn ensure_workspace_allowed(x: u8) {}",
    "core/src/auth.rs": FORK["core/src/auth.rs"]
    + "pub fn save_auth(m: AuthCredentialsStoreMode) {} pub enum AuthCredentialsStoreMode { File }"
    + 'pub const CODEX_API_KEY_ENV_VAR: &str = "KEY";',
}


def _study() -> Study:
    """The committed study, freed of the commits that it is about."""
    real = load_study(DOCS / "auth-module.toml")
    return real.model_copy(update={"tree": tuple(t.model_copy(update={"revision": ""}) for t in real.tree)})


def _report(plant: Plant, study: Study, **changed: Mapping[str, str]) -> Report:
    trees = {"fork": FORK, "upstream": UPSTREAM, "openai": OPENAI, **changed}
    specs = tuple(str(plant(name, files)) for name, files in trees.items())
    return survey(SurveyQuestion(trees=specs, study=study, tail="--study docs/auth-module.toml"))


def _headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("## ") or "Against" in line]


def _committed() -> str:
    return (DOCS / "AUTH-MODULE-DIFF-REPORT.md").read_text("utf-8")


def test_the_committed_report_has_the_structure_that_the_tool_gives_it(plant: Plant) -> None:
    made = markdown(_report(plant, _study()))
    assert _headings(_committed()) == _headings(made)
    assert _heads(_committed()) >= _heads(made)


def _heads(text: str) -> set[str]:
    """The head rows of all tables."""
    lines = text.splitlines()
    return {line for line, below in itertools.pairwise(lines) if below.startswith("| --- |")}


def test_a_planted_change_of_the_facts_changes_that_structure(plant: Plant) -> None:
    free = {**OPENAI, "login/src/server.rs": FORK["login/src/server.rs"] + "pub fn ensure_workspace_allowed() {}"}
    free["core/src/auth.rs"] += "pub fn cli_auth_credentials_store_mode() {}"
    made = _headings(markdown(_report(plant, _study(), openai=free)))
    assert "## Decision: go" in made
    assert "## SYNC-016: ready" in made
    assert made != _headings(_committed())


def test_the_committed_report_holds_everything_that_only_the_study_says() -> None:
    study, report = load_study(DOCS / "auth-module.toml"), _committed()
    told = [study.title, study.introduction, study.earlier, *(c.why for c in study.claim)]
    told += [one.fact for work in study.work for one in (*work.held, *work.risk)]
    told += [text for work in study.work for text in work.order]
    told += [work.remark for work in study.work] + [r.fact for r in study.remark] + [d.id for d in study.deferred]
    assert [text for text in told if text not in report] == []
    assert all(tree.revision in report for tree in study.tree)


def test_each_piece_of_work_that_can_be_done_is_a_task_list_to_its_end(plant: Plant) -> None:
    said = data(_report(plant, _study()))["work"]
    assert [work["tasks"]["from"] for work in said] == ["OpenAI's tree", "the upstream"]
    for work in said:
        assert "login::device::run_device_code_login" in [item for s in work["tasks"]["steps"] for item in s["items"]]
    text = _committed()
    for work in load_study(DOCS / "auth-module.toml").work:
        assert f"### {work.id}, the tasks: " in text
        assert work.order
        assert work.risk
    lacking = {**OPENAI, "login/src/device.rs": "pub fn other() {}"}
    assert [work["tasks"] is None for work in data(_report(plant, _study(), openai=lacking))["work"]] == [True, False]


BUILDERS = (
    "| cli/src/login.rs | there | - | 16 | - |",
    "| tui/src/app.rs | there | - | 2705 | - |",
    "| tui/src/onboarding/auth.rs | there | - | 337 | - |",
    "| login/tests/suite/login_server_e2e.rs | there | - | - | 109, 163, 199, 218 |",
)
"""The three places of the fork that build the options of the login server, and the four in tests."""


@pytest.mark.parametrize("row", BUILDERS)
def test_the_committed_report_has_every_place_that_builds_the_options(row: str) -> None:
    assert row in _committed().splitlines()


@pytest.mark.parametrize("name", FIVE)
def test_each_of_the_five_has_its_row(name: str) -> None:
    (row,) = [line for line in _committed().splitlines() if line.startswith(f"| `{name}` | absent")]
    assert row.count(" | ") == 3


def test_the_committed_command_line_is_one_that_the_tool_takes() -> None:
    block = re.search(r"```sh\n(.*?)```", _committed(), re.DOTALL)
    assert block is not None
    words = shlex.split(block.group(1).replace("\\\n", ""))
    assert words[:2] == ["sim", "surface"]
    context = command.make_context("surface", words[2:])
    assert [context.params["fork"], context.params["upstream"], *context.params["also"]] == [
        "FORK@f2c3b3da8:codex-rs",
        "UPSTREAM@bc04df155:code-rs",
        "OPENAI@6eeaf46ac:codex-rs",
    ]
    assert str(context.params["study"]) == "docs/auth-module.toml"


def test_no_path_of_a_machine_is_in_a_report(plant: Plant, tmp_path: Path) -> None:
    for text in (markdown(_report(plant, _study())), _committed()):
        assert str(tmp_path) not in text
        assert re.search(r"(?<![\w.])/(home|tmp|work|root|Users|var)/", text) is None


def test_a_report_says_the_same_twice(plant: Plant) -> None:
    assert markdown(_report(plant, _study())) == markdown(_report(plant, _study()))


def test_the_statuses_follow_the_rules(plant: Plant) -> None:
    said = data(_report(plant, _study()))
    assert {work["id"]: work["status"] for work in said["work"]} == {
        "SYNC-016": "needs work",
        "SYNC-016 without the five": "ready",
    }
    lacking = {**OPENAI, "core/src/auth.rs": UPSTREAM["core/src/auth.rs"]}
    blocked = data(_report(plant, _study(), openai=lacking))["work"][0]
    assert blocked["status"] == "blocked"
    assert blocked["reason"] == "in no tree: AuthCredentialsStoreMode, save_auth"


def test_each_claim_is_judged_by_the_trees_and_not_by_the_study(plant: Plant) -> None:
    first = [claim["agrees"] for claim in data(_report(plant, _study()))["claims"]]
    planted = {**UPSTREAM, "core/src/auth.rs": UPSTREAM["core/src/auth.rs"] + "pub fn save_auth() {}"}
    second = [claim["agrees"] for claim in data(_report(plant, _study(), upstream=planted))["claims"]]
    assert first[0]
    assert not second[0]
    assert not first[1]


# -- studies that are none -------------------------------------------------------------------------------

GOOD = """
title = "t"
introduction = "i"
[[tree]]
name = "a"
placeholder = "A"
[[tree]]
name = "b"
placeholder = "B"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "is not TOML"),
        (GOOD + "colour = 1\n", "tree.1.colour: extra inputs"),
        (GOOD.replace('title = "t"', ""), "title: field required"),
        (GOOD + '[[work]]\nid = "w"\ntitle = "t"\nneeds = []\ntrees = ["c"]', "work w: unknown tree 'c'"),
        (
            GOOD + '[[work]]\nid = "w"\ntitle = "t"\nneeds = []\ntrees = ["a"]',
            "work w: 'a' is the tree to port to",
        ),
        (
            GOOD + '[[claim]]\nsaid = "s"\ncheck = "absent"\ntrees = []\nnames = ["n"]\nwhy = "y"',
            "claim.0.trees: tuple should have at least 1 item",
        ),
        (GOOD + '[[deferred]]\nid = "d"\nhangs_on = "w"\nfollows = {}', "deferred d: unknown work 'w'"),
    ],
)
def test_a_mistake_in_a_study_is_one_clear_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(SurfaceError) as error:
        load_study(path)
    (line,) = error.value.mistakes
    assert line.startswith(f"{path}: ")
    assert said in line


def test_a_good_study_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(GOOD)
    assert [tree.name for tree in load_study(path).tree] == ["a", "b"]


@pytest.mark.parametrize(
    ("study", "trees", "said"),
    [
        (GOOD, 3, "the study names 2 trees and the command line 3"),
        (GOOD.replace('"A"', '"A"\nrevision = "abc"'), 2, "a: the study is about abc, this is a folder"),
    ],
)
def test_a_study_of_other_trees_is_refused(
    study: str, trees: int, said: str, plant: Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(study)
    specs = [str(plant(f"t{n}", FORK)) for n in range(trees)]
    also = [word for spec in specs[2:] for word in ("--also", spec)]
    assert call(["surface", *specs[:2], *also, "--study", str(path)]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


CLAIMS = (
    GOOD
    + """
[[claim]]
said = "helper is needed for wanted"
check = "needed"
trees = ["b"]
names = ["helper"]
for_names = ["wanted"]
why = "w"
[[claim]]
said = "wanted is additive"
check = "additive"
trees = ["b"]
names = ["wanted"]
why = "w"
"""
)
HAS = "pub struct Options { pub a: u8 }\n"


@pytest.mark.parametrize(
    ("brought", "agrees", "found"),
    [
        ("pub fn wanted() { helper() } fn helper() {}", [True, True], "all needed"),
        ("pub fn wanted() {} fn helper() {}", [False, True], "not needed: helper"),
        ("pub fn wanted(o: Options) { helper() } fn helper() {}", [True, True], "all needed"),
        ("pub fn wanted(o: Options, p: u8) { helper() } fn helper() {} // b", [True, False], "all needed"),
    ],
    ids=["both hold", "not needed", "uses what is there", "breaks what is there"],
)
def test_what_is_needed_and_what_is_additive_is_judged_by_the_path(
    brought: str, agrees: list[bool], found: str, plant: Plant, tmp_path: Path
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(CLAIMS)
    options = HAS.replace("a: u8", "a: u16") if "// b" in brought else HAS
    trees = (str(plant("a", {"src/lib.rs": HAS})), str(plant("b", {"src/lib.rs": options + brought})))
    claims = data(survey(SurveyQuestion(trees=trees, study=load_study(path))))["claims"]
    assert [claim["agrees"] for claim in claims] == agrees
    assert found in claims[0]["found"]
