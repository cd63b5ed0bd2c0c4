"""Sessions are found by git branch and resumed; each thing that the reference gets wrong has its test here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sim.campaign import sessions
from sim.campaign.store import CampaignStore
from sim.campaign.worker import ChunkOutcome
from sim.cli import call
from sim.sessions.git import GitPlace, look
from sim.sessions.home import home
from tests.campaign.test_git import run
from tests.campaign.toys import (
    a_campaign,
    a_plan,
    forget_dice,
    go_on,
    inline,
    interrupt_at,
    open_store,
    stored,
    write_toy,
)


@pytest.fixture
def project(here: Path) -> Path:
    """The folder with the toy as a repository, on `main`."""
    run(here, "init")
    (here / ".gitignore").write_text("__pycache__/\ncounterexamples/\n")
    run(here, "add", ".")
    run(here, "commit", "-m", "one")
    return here


@pytest.fixture
def begin(here: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Begins a session as of some moment."""
    clock = iter(range(1_000, 1_000_000, 1_000))

    def make(folder: Path | None = None, place: GitPlace | None = None, **given: Any) -> int:
        monkeypatch.setattr("sim.sessions.store_file.now_ms", lambda: next(clock))
        with open_store(here) as store:
            plan = a_plan(**given)
            return sessions.begin(store, "", plan, plan.load(), place or look(folder or here)).id

    return make


def listed(capsys: pytest.CaptureFixture[str], *words: str, command: str = "sessions") -> list[int]:
    """The sessions that a command lists, in its order."""
    capsys.readouterr()
    assert call([command, *words, "--json"]) == 0
    return [one["id"] for one in json.loads(capsys.readouterr().out)["sessions"]]


def resumed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = call(["resume", *words, "--workers", "1", "--json"])
    return status, json.loads(capsys.readouterr().out)


# --- by branch --------------------------------------------------------------------------------------


def test_sessions_and_resume_show_those_of_the_current_branch(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reference defect: resume filters by directory, and only displays the branch."""
    first = begin()
    run(project, "switch", "-c", "topic")
    second = begin()
    assert listed(capsys) == [second]
    assert listed(capsys, command="resume") == [second]
    run(project, "switch", "main")
    assert listed(capsys) == [first]
    assert listed(capsys, "--branch", "topic") == [second]
    assert listed(capsys, "--all") == [second, first]


def test_the_branch_is_that_of_the_last_activity(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reference defect: the branch is captured when a session begins and never refreshed."""
    with open_store(project) as store:
        campaign = a_campaign(store, project, look(project))

        def switch(request: Any) -> None:
            if request.first == 50:
                run(project, "switch", "-c", "later")
                monkey.setattr("sim.campaign.dispatch.LOOK_S", 0.0)

        with pytest.MonkeyPatch.context() as monkey:
            campaign.run(inline(switch))
        assert sessions.session(store, 1).branch == "later"
    assert listed(capsys) == [1]
    assert listed(capsys, "--branch", "main") == []


def test_the_last_activity_comes_first_not_the_last_begun(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reference defect: sessions are sorted by when they were created, under a column that says Updated."""
    first, second = begin(), begin()
    assert listed(capsys) == [second, first]
    with open_store(project) as store:
        go_on(store, first, project, look(project)).run(inline(), seconds=0)
    assert listed(capsys) == [first, second]


def test_what_was_done_stays_done_however_often_it_is_resumed(project: Path) -> None:
    """Reference defect: a completion that comes in later replaces the one before it."""
    with open_store(project) as store:
        a_campaign(store, project).run(inline(interrupt_at(40)))
        before = stored(project, "SELECT first, part, schedules, steps FROM chunk ORDER BY first")
        assert 0 < len(before) < 10
        campaign = go_on(store, 1, project)
        campaign.run(inline())
        after = stored(project, "SELECT first, part, schedules, steps FROM chunk ORDER BY first")
        assert after[: len(before)] == before
        assert [row[0] for row in after] == [*range(0, 100, 10)]
        with pytest.raises(Exception, match="UNIQUE"):
            sessions.record(store, campaign.session, campaign.part, ChunkOutcome(0, 10), [], GitPlace(), 0)


def test_resuming_goes_on_under_the_same_number(project: Path, begin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Reference defect: a resume mints a new id, by which the work that is resumed is not found."""
    begin()
    begin(seed=5)
    status, data = resumed(capsys, "1")
    assert (status, data["session"]["id"], data["session"]["schedules"]) == (1, 1, 100)
    assert stored(project, "SELECT id, state FROM session") == [(1, "done"), (2, "open")]
    assert listed(capsys) == [1, 2]


def test_last_is_the_most_recent_that_is_not_finished(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        begin(overrides=(("sound", "true"),))
    status, data = resumed(capsys, "--last")
    assert (status, data["session"]["id"], data["session"]["state"]) == (0, 3, "done")
    assert resumed(capsys, "--last")[1]["session"]["id"] == 2, "3 has the most recent activity, and is finished"
    run(project, "switch", "-c", "topic")
    begin(overrides=(("sound", "true"),))
    run(project, "switch", "main")
    assert resumed(capsys, "--last")[1]["session"]["id"] == 1, "what another branch did last is not meant"


@pytest.mark.parametrize(
    ("leave", "shown"),
    [
        (("checkout", "--detach"), "no branch (detached HEAD)"),
        (("switch", "--orphan", "fresh"), "fresh"),
    ],
)
def test_without_a_branch_the_sessions_without_one_are_shown(
    leave: tuple[str, ...], shown: str, project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    run(project, *leave)
    assert look(project).shown == shown
    assert listed(capsys) == []
    write_toy(project)  # a branch without a commit has no files
    other = begin()
    assert listed(capsys) == [other]
    run(project, "switch", "-f", "main")
    assert listed(capsys) == [1]


def test_a_branch_whose_name_is_no_text_has_its_sessions(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    subprocess.run([b"git", b"switch", b"-c", b"caf\xe9"], capture_output=True, check=True)
    other = begin()
    assert (
        listed(capsys) == listed(capsys, "--branch", "caf\udce9") == listed(capsys, "--branch", "caf\\xe9") == [other]
    )


def test_without_a_repository_every_command_works(here: Path, begin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    first = begin()
    assert listed(capsys) == [first]
    status, data = resumed(capsys, "--last")
    assert (status, data["session"]["branch"], data["session"]["state"]) == (1, None, "done")


def test_a_renamed_branch_keeps_its_sessions_and_a_deleted_one_is_named_as_gone(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, "switch", "-c", "draft")
    session = begin()
    run(project, "branch", "-m", "final")
    assert listed(capsys) == [session]
    assert listed(capsys, "--branch", "final") == [session]
    assert call(["sessions"]) == 0
    assert "draft (gone)" in capsys.readouterr().out
    _, data = resumed(capsys, "--last")
    assert data["session"]["branch"] == "final", "the name is refreshed"
    run(project, "switch", "main")
    run(project, "branch", "-D", "final")
    assert listed(capsys) == []
    assert listed(capsys, "--branch", "final") == [session]
    assert call(["sessions", "--all"]) == 0
    assert "final (gone)" in capsys.readouterr().out


def test_a_shared_store_tells_projects_apart_and_work_trees_of_one_together(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIM_HOME", str(tmp_path / "kept"))
    tree, other = tmp_path / "tree", tmp_path / "other"
    run(project, "worktree", "add", "-b", "topic", str(tree))
    other.mkdir()
    run(other, "init")
    for folder in (project, tree, other):
        place = home(folder, str(tmp_path / "kept"))
        place.prepare()
        with CampaignStore(place.file) as store:
            plan, at = a_plan(), look(folder)
            sessions.begin(store, place.project(at), plan, plan.load(), at)
    assert listed(capsys) == [1], "`main` of another project is not ours"
    assert listed(capsys, "--branch", "topic") == [2], "a branch is the same in every work tree"
    monkeypatch.chdir(other)
    assert listed(capsys) == [3]
    assert listed(capsys, "--all") == [3, 2, 1]


# --- finished, bounded ------------------------------------------------------------------------------


def test_a_finished_session_says_so_and_is_no_failure(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    assert resumed(capsys, "1")[0] == 1, "it found violations"
    assert resumed(capsys, "1") == (0, {"finished": True, "session": {**_shown(capsys), "age_ms": _Any()}})
    assert call(["resume", "1"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (
        "session 1 is finished (done): 100 of 100 schedules, 2 findings; sim status 1 shows them\n",
        "",
    )


class _Any:
    def __eq__(self, other: object) -> bool:
        return True


def _shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert call(["sessions", "--json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data["sessions"][0]  # type: ignore[no-any-return]


def test_a_bound_on_time_leaves_the_rest_for_later(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(schedules=1_000_000, overrides=(("sound", "true"),))
    status, data = resumed(capsys, "1", "--for", "300ms")
    done = data["session"]["schedules"]
    assert (status, data["session"]["state"], 0 < done < 1_000_000) == (0, "open", True)
    _, data = resumed(capsys, "1", "--for", "300ms")
    assert data["session"]["schedules"] > done
    assert data["schedules"] == data["session"]["schedules"], "what is told is the whole session"


def test_a_campaign_by_time_is_done_after_its_time_and_goes_on_if_it_is_given_more(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(schedules=None, seconds=0.5, overrides=(("sound", "true"),))
    _, data = resumed(capsys, "1")
    done = data["session"]["schedules"]
    assert (data["session"]["state"], data["session"]["of"]) == ("done", None)
    assert resumed(capsys, "1")[1]["finished"]
    assert call(["resume", "1"]) == 0
    assert capsys.readouterr().out.endswith("; --for 60s continues it\n")
    _, data = resumed(capsys, "1", "--for", "300ms")
    assert data["session"]["schedules"] > done


# --- changed code -----------------------------------------------------------------------------------


def test_changed_code_is_said_and_its_results_are_kept_apart(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(project) as store:
        a_campaign(store, project, look(project)).run(inline(interrupt_at(40)))
        before = sessions.session(store, 1).schedules
    assert 0 < before < 100
    text = (project / "dice.py").read_text()
    (project / "dice.py").write_text(text.replace("(2143, 3412)", "()"))
    forget_dice()
    capsys.readouterr()
    assert call(["resume", "1", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    commit = run(project, "rev-parse", "HEAD")[:8]
    assert f"changed   the code differs from that of part 1 (commit {commit}): this is part 2, kept separately\n" in out
    assert "known     crossed: fixed: its counterexample no longer violates it (found in session 1)" in out
    assert "session 1, part 2: done, 100 of 100 schedules" in out
    assert call(["status", "1", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["parts"]
    assert (first["schedules"], second["schedules"]) == (before, 100 - before)
    assert (first["changed"], second["changed"]) == (True, False)
    assert {one["property"] for one in second["found"]} == {"falling"}
    assert "crossed" in {one["property"] for one in first["found"]}
    assert (first["dirty"], second["dirty"]) == (False, True)
    assert first["code"] != second["code"]


def test_a_session_of_edited_code_says_that_its_transitions_are_named_by_another(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "changed     the code has changed since; the transitions are named by its current tables\n"
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
    assert call(["status", "1"]) == 0
    assert said not in capsys.readouterr().out
    text = (here / "dice.py").read_text()
    first = '{"trigger": Tell, "source": "open", "dest": "open", "conditions": "is_odd", "after": "note"},'
    odd = "    def is_odd(self, tell):\n        return tell.n % 2 == 1\n\n    def note(self, tell):"
    edited = text.replace('({"trigger": Tell', f'({first} {{"trigger": Tell').replace("    def note(self, tell):", odd)
    (here / "dice.py").write_text(edited)
    forget_dice()
    assert call(["status", "1"]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert "transitions  1 of 2 taken" in out, "by its number, which is another row's now"


def test_going_back_to_the_code_goes_on_with_its_part(project: Path, begin: Any) -> None:
    text = (project / "dice.py").read_text()
    with open_store(project) as store:
        a_campaign(store, project).run(inline(interrupt_at(40)))
        (project / "dice.py").write_text(text.replace("(2143, 3412)", "()"))
        forget_dice()
        go_on(store, 1, project).run(inline(interrupt_at(40)))
        (project / "dice.py").write_text(text)
        forget_dice()
        campaign = go_on(store, 1, project)
        assert (campaign.part.id, len(sessions.parts(store, 1))) == (1, 2)


def test_a_module_that_the_model_imports_is_its_code_too(project: Path) -> None:
    with open_store(project) as store:
        a_campaign(store, project).run(inline(), seconds=0)
        (project / "numbers_of_the_dealer.py").write_text("NUMBERS = (4, 3, 2, 1)\n")
        forget_dice()
        go_on(store, 1, project)
        assert len(sessions.parts(store, 1)) == 2


def test_another_roundsim_is_another_code(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(project) as store:
        a_campaign(store, project).run(inline(), seconds=0)
        go_on(store, 1, project)
        assert len(sessions.parts(store, 1)) == 1
        monkeypatch.setattr("sim.campaign.code.engine_digest", lambda: "another")
        go_on(store, 1, project)
        assert len(sessions.parts(store, 1)) == 2


def test_a_session_whose_model_is_gone_is_told_without_it(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(project) as store:
        a_campaign(store, project).run(inline())
    (project / "dice.py").unlink()
    forget_dice()
    assert call(["status", "1"]) == 0
    out = capsys.readouterr().out
    assert "their coverage is unknown: unknown model 'dice'" in out
    assert "VIOLATED  crossed: heard 2143" in out
    begin_open = call(["resume", "1"])
    assert begin_open == 0, "it is finished"


# --- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("dusk", "--engine dusk: unknown engine 'dusk' (did you mean 'dask'?): use local, dask or ray"),
        ("ray", "--engine ray: ray is not installed; pip install 'roundsim[ray]'"),
    ],
)
def test_no_session_begins_for_an_engine_that_is_not_there(
    engine: str, said: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sim.campaign.engines.find_spec", lambda name: None)
    assert call(["fuzz", "dice", "--engine", engine]) == 2
    assert capsys.readouterr().err == f"sim: {said}\n"
    assert not (here / ".sim").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("resume", "7"), "session 7 not found; sim sessions --all lists them"),
        (("resume", "1", "--all"), "session 1 is given; leave out --branch, --all and --last"),
        (("sessions", "--all", "--branch", "x"), "--all and --branch are both given; give one"),
        (("status", "7"), "session 7 not found"),
        (("status", "9" * 30), f"session {'9' * 30} not found; sim sessions --all lists them"),
        (("resume", "9" * 30), f"session {'9' * 30} not found; sim sessions --all lists them"),
        (("status", "1", "--format", "otel"), "1 is a session, which takes only --json"),
        (("resume", "1", "--for", "0s"), "--for 0s: must be more than 0"),
        (
            ("resume", "1", "--engine", "dusk"),
            "unknown engine 'dusk' (did you mean 'dask'?): use local, dask or ray",
        ),
        (
            ("resume", "1", "--engine", "local=here"),
            "--engine local=here: write local, dask, ray, dask=ADDRESS or ray=ADDRESS",
        ),
        (("fuzz", "dice", "--chunk", "3"), "--chunk requires a campaign; add --workers"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    words: tuple[str, ...], said: str, project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    assert call([*words]) == 2
    out, err = capsys.readouterr()
    assert (out if words[0] != "resume" else "", err.count("\n")) == ("", 1)
    assert said in err


def test_a_working_directory_that_is_gone_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for words in (("sessions",), ("resume",), ("status", "1")):
        assert call([*words]) == 2
        assert capsys.readouterr() == ("", "sim: the working directory was deleted; change to another one\n")


def test_a_branch_without_sessions_says_how_many_others_have(
    project: Path, begin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["sessions"]) == 0
    assert capsys.readouterr().out == "no session of branch main; sim fuzz TARGET --workers 2 starts one\n"
    begin()
    run(project, "switch", "-c", "topic")
    assert call(["resume"]) == 0
    assert capsys.readouterr().out == "no session of branch topic; sim sessions --all lists 1 of others\n"


def test_the_table_says_what_there_is(project: Path, begin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(project, "switch", "-c", "a-branch-with-a-name-that-goes-on/to-the-end")
    begin()
    assert call(["resume"]) == 0
    head, row, hint = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "active", "branch", "target", "schedules", "findings", "state"]
    assert row.split()[-7:] == ["…that-goes-on/to-the-end", "dice", "0", "of", "100", "0", "open"]
    assert hint == "resume one of them: sim resume ID, or sim resume --last"
