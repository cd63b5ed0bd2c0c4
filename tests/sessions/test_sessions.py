"""The sessions of any program: by branch, the latest activity first, resumed under their own number. What the reference
gets wrong has its test here."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.sessions import (
    NO_BRANCH,
    KeptSession,
    SessionFilter,
    SessionStore,
    SortOrder,
    look,
    resume_picker,
    session_filter,
)
from sim.sessions.session_filter import Clauses
from sim.sessions.store_file import Writing
from tests.campaign.test_git import run

PROGRAM = "coordinator"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository on `main` with a commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    run(folder, "init", "-b", "main")
    (folder / "a").write_text("a")
    run(folder, "add", ".")
    run(folder, "commit", "-m", "one")
    return folder


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction is a second later."""
    ticks = iter(range(1_000, 10_000_000, 1_000))
    monkeypatch.setattr("sim.sessions.store_file.now_ms", lambda: next(ticks))


@pytest.fixture
def store(project: Path) -> Iterator[SessionStore]:
    with SessionStore.of(PROGRAM, project) as opened:
        yield opened


def ids(sessions: list[KeptSession]) -> list[int]:
    return [one.id for one in sessions]


def here(store: SessionStore) -> list[int]:
    """What a resume lists."""
    return ids(store.sessions(SessionFilter.of_here(store.here)))


# --- what the reference gets wrong --------------------------------------------------------------------


def test_sessions_are_those_of_the_branch_not_of_the_folder(store: SessionStore, project: Path) -> None:
    """Reference defect: resume filters by folder, and only displays the branch."""
    first = store.begin("on main")
    run(project, "switch", "-c", "topic")
    second = store.begin("on topic")
    assert (first.branch, second.branch) == ("main", "topic")
    assert here(store) == [second.id]
    assert ids(store.sessions(SessionFilter("main"))) == [first.id]
    assert ids(store.sessions(SessionFilter(cwd=project))) == [second.id, first.id], (
        "the folder alone tells nothing apart"
    )


def test_the_last_one_is_that_of_this_branch(store: SessionStore, project: Path) -> None:
    """Reference defect: the last session is that of all branches."""
    mine = store.begin("on main")
    run(project, "switch", "-c", "topic")
    store.begin("on topic")
    run(project, "switch", "main")
    assert here(store)[0] == mine.id


def test_the_latest_activity_comes_first_not_the_latest_begun(store: SessionStore) -> None:
    """Reference defect: sorted by when they were created, under a column that says Updated."""
    first, second = store.begin("one"), store.begin("two")
    assert here(store) == [second.id, first.id]
    store.go_on(first.id)
    assert here(store) == [first.id, second.id]
    assert ids(store.sessions(SessionFilter(sort_by=SortOrder.NEWEST))) == [second.id, first.id]
    assert ids(store.sessions(SessionFilter(sort_by=SortOrder.OLDEST))) == [first.id, second.id]


def test_a_list_sorted_by_creation_would_be_caught(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = store.begin("one"), store.begin("two")
    store.go_on(first.id)
    monkeypatch.setitem(session_filter._ORDERS, SortOrder.LATEST_ACTIVITY, "created_ms DESC, id DESC")
    assert here(store) == [second.id, first.id]


def test_the_branch_is_that_of_the_last_activity(store: SessionStore, project: Path) -> None:
    """Reference defect: the branch is captured at the beginning and never refreshed."""
    one = store.begin("begun on main")
    run(project, "switch", "-c", "later")
    assert store.session(one.id).branch == "main", "nothing was done here yet"
    assert store.go_on(one.id).branch == "later"
    assert here(store) == [one.id]
    assert store.sessions(SessionFilter("main")) == []


def test_a_resume_goes_on_under_the_same_number(store: SessionStore, project: Path) -> None:
    """Reference defect: a resume mints a new branch id, by which the work that is resumed is not found."""
    one = store.begin("plan", {"round": 1})
    again = store.go_on(one.id, {"round": 2})
    assert (again.id, again.data, again.created_ms) == (one.id, {"round": 2}, one.created_ms)
    assert here(store) == [one.id]


def test_what_is_kept_is_not_replaced_by_what_knows_less(store: SessionStore) -> None:
    """Reference defect: a row is inserted anew at each step, and what an earlier one completed is erased."""
    one = store.begin("plan", {"done": ["plan", "tasks"]})
    other = store.begin("another", {"done": []})
    assert store.end(one.id).data == {"done": ["plan", "tasks"]}
    assert store.go_on(one.id).data == {"done": ["plan", "tasks"]}
    assert store.session(other.id) == other


def test_a_store_that_inserts_or_replaces_would_be_caught(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    one = store.begin("plan", {"done": ["plan"]})

    def replace(self: Writing, statement: str, *values: object) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO session (id, project, title, data, cwd, created_ms, active_ms) VALUES (?,'','','{}','',1,1)",
            (values[-1],),
        )

    monkeypatch.setattr(Writing, "do", replace)
    assert store.end(one.id).data != {"done": ["plan"]}


def test_every_session_on_a_branch_has_it_also_those_begun_at_once(store: SessionStore, project: Path) -> None:
    """Reference defect: stages that ran in parallel were stored without a branch, and no filter found them."""

    def begin(number: int) -> int:
        with SessionStore.of(PROGRAM, project) as own:
            return own.begin(f"stage {number}").id

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(begin, range(16)))
    assert len({*begun}) == 16
    assert sorted(here(store)) == sorted(begun)
    assert {one.branch for one in store.sessions()} == {"main"}


def test_a_detached_head_is_no_branch_and_its_sessions_are_found(store: SessionStore, project: Path) -> None:
    """Reference defect: what has no branch is stored as null, which equals nothing."""
    on_main = store.begin("on main")
    run(project, "checkout", "--detach")
    loose = store.begin("detached")
    assert loose.branch is None
    assert here(store) == [loose.id]
    assert ids(store.sessions(SessionFilter(NO_BRANCH))) == [loose.id]
    assert ids(store.sessions()) == [loose.id, on_main.id]
    assert ids(store.sessions(SessionFilter((NO_BRANCH, "main")))) == [loose.id, on_main.id]


def test_a_filter_that_compares_with_null_would_be_caught(
    store: SessionStore, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(project, "checkout", "--detach")
    store.begin("detached")
    right = SessionFilter.clauses

    def wrong(self: SessionFilter, cwd_column: str = "cwd") -> Clauses:
        found = right(self, cwd_column)
        return found._replace(where=found.where.replace("IS ?", "= ?"))

    monkeypatch.setattr(SessionFilter, "clauses", wrong)
    assert here(store) == []


def test_a_folder_is_the_same_by_whatever_way_it_is_named(store: SessionStore, project: Path, tmp_path: Path) -> None:
    """Reference defect: the folder of a session is compared as it was written."""
    (tmp_path / "link").symlink_to(project)
    with SessionStore.of(PROGRAM, tmp_path / "link") as other:
        begun = other.begin("through a link")
    for folder in (project, tmp_path / "link", project / "..." / ".." / ".", str(project)):
        assert ids(store.sessions(SessionFilter(cwd=folder))) == [begun.id], folder
    assert store.sessions(SessionFilter(cwd=tmp_path)) == []


def test_a_renamed_branch_keeps_its_sessions(store: SessionStore, project: Path) -> None:
    run(project, "switch", "-c", "draft")
    one = store.begin("plan")
    run(project, "branch", "-m", "final")
    assert here(store) == [one.id]
    assert store.go_on(one.id).branch == "final"


# --- the store ----------------------------------------------------------------------------------------


def test_a_session_says_what_was_put_into_it(store: SessionStore, project: Path) -> None:
    one = store.begin("plan the release", {"run": "r7", "agents": ["gemini", "claude"]})
    assert store.session(one.id) == one
    assert (one.title, one.data, one.state, one.cwd) == (
        "plan the release",
        {"run": "r7", "agents": ["gemini", "claude"]},
        "open",
        str(project.resolve()),
    )
    assert store.end(one.id).is_finished
    assert not store.go_on(one.id).is_finished
    assert one.age_ms > 0


def test_a_store_is_the_programs_own_private_and_hidden_from_git(store: SessionStore, project: Path) -> None:
    folder = project / ".coordinator"
    assert store.file == folder / "sessions.sqlite"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600
    assert subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True).stdout == b""


def test_a_store_of_others_is_refused(store: SessionStore, project: Path) -> None:
    store.close()
    store.file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read or write it"):
        SessionStore.of(PROGRAM, project)


def test_a_named_folder_tells_projects_apart(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run(other, "init", "-b", "main")
    for folder in (project, other):
        with SessionStore.of(PROGRAM, folder, named=str(tmp_path / "kept")) as store:
            begun = store.begin(folder.name)
            assert ids(store.sessions()) == [begun.id]
    with (
        SessionStore.of(PROGRAM, project, named=str(tmp_path / "kept")) as store,
        pytest.raises(ConfigError, match="session 2 not found"),
    ):
        store.session(2)


def test_a_store_belongs_to_one_program(store: SessionStore, project: Path) -> None:
    with pytest.raises(ConfigError, match="holds sessions of coordinator, not of another; name another file"):
        SessionStore(store.file, "another")
    file = project / "x.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE session (notes)")
    with pytest.raises(ConfigError, match=r"is not a store of sessions; .*set COORDINATOR_HOME to another folder"):
        SessionStore(file, PROGRAM)


def test_without_a_repository_sessions_are_kept_too(tmp_path: Path) -> None:
    with SessionStore.of(PROGRAM, tmp_path) as store:
        one = store.begin("plan")
        assert one.branch is None
        assert here(store) == [one.id]


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["", "Sim", "sim", "git", "a/b", "../x", "a b", ".x", None, 5])
def test_a_name_that_no_folder_can_have_is_refused(program: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"program is .*; expected a name in lower case"):
        SessionStore.of(program, tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("number", [0, -1, 99, 2**63, 2**70, True, "1", None])
def test_a_number_that_no_session_has_is_told(number: Any, store: SessionStore) -> None:
    store.begin("one")
    for call in (store.session, store.go_on, store.end):
        with pytest.raises(ConfigError, match=f"session {number} not found"):
            call(number)


@pytest.mark.parametrize("data", [{"x": object()}, {"x": float("nan")}, {"x": {1, 2}}])
def test_data_that_is_not_json_is_refused_and_nothing_is_kept(data: Any, store: SessionStore) -> None:
    one = store.begin("one")
    for call in (lambda: store.begin("two", data), lambda: store.go_on(one.id, data)):
        with pytest.raises(ConfigError, match="the data of a session is not JSON"):
            call()
    assert store.sessions() == [one]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"branch": 5}, "branch is 5; expected a name"),
        ({"branch": ()}, r"branch is \(\); expected a name"),
        ({"branch": ("a", None)}, "branch is .*; expected a name"),
        ({"sort_by": "active"}, "sort_by is 'active'; expected SortOrder.LATEST_ACTIVITY, SortOrder.NEWEST or"),
        ({"cwd": 5}, "cwd is 5; expected a path"),
    ],
)
def test_a_filter_that_is_none_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        SessionFilter(**given)


def test_a_session_whose_data_is_damaged_is_told(store: SessionStore) -> None:
    store.begin("one")
    with store.writing() as change:
        change.do("UPDATE session SET data = '[]'")
    with pytest.raises(ConfigError, match="its content cannot be decoded"):
        store.sessions()


# --- picking ------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A terminal on which the row named `answer` is picked; what was shown."""
    from sim.sessions import picker

    seen: dict[str, Any] = {"answer": 0}

    def application(found: Any) -> SimpleNamespace:
        seen["lines"] = [line for line, _ in found.lines(100, 30)]
        return SimpleNamespace(run=lambda: seen["answer"])

    monkeypatch.setattr(picker, "_application", application)
    monkeypatch.setattr(picker, "can_pick", lambda: True)
    return seen


def test_the_picked_session_is_given_and_the_list_is_in_its_order(
    store: SessionStore, terminal: dict[str, Any]
) -> None:
    first, second = store.begin("plan"), store.begin("tasks\x1b[2J")
    found = store.sessions()
    assert resume_picker(found) is found[0]
    terminal["answer"] = 1
    assert resume_picker(found) == first
    head, *lines = terminal["lines"]
    assert head.split() == ["id", "active", "branch", "title", "state"]
    assert [line.removeprefix("> ").split()[0] for line in lines] == [str(second.id), str(first.id)]
    assert "\x1b" not in "".join(lines), "a title steers no terminal"
    terminal["answer"] = None
    assert resume_picker(found) is None


def test_a_program_shows_what_it_likes_of_sessions_of_its_own(terminal: dict[str, Any]) -> None:
    terminal["answer"] = 1
    assert resume_picker(["a", "b"], lambda one: (one, one * 3), ("name", "thrice")) == "b"
    assert terminal["lines"] == ["  name  thrice", "> a     aaa", "  b     bbb"]


def test_without_a_terminal_nothing_is_asked(store: SessionStore) -> None:
    assert resume_picker([]) is None
    with pytest.raises(ConfigError, match="there is no terminal to pick a session on; give its number"):
        resume_picker([store.begin("one")])


# --- alone --------------------------------------------------------------------------------------------


def test_sessions_load_nothing_of_the_simulation(project: Path) -> None:
    code = """
import sys
from pathlib import Path
from sim.sessions import SessionFilter, SessionStore
with SessionStore.of("coordinator", Path(sys.argv[1])) as store:
    one = store.begin("plan")
    assert [s.id for s in store.sessions(SessionFilter.of_here(store.here))] == [one.id]
heavy = ("sim", "click", "pydantic", "numpy", "prompt_toolkit")
print(*(name for name in sys.modules if name.partition(".")[0] in heavy))
"""
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=True, env=environment
    )
    loaded = done.stdout.split()
    assert [name for name in loaded if not name.startswith(("sim.sessions", "sim.base"))] == ["sim"]
    assert look(project).branch == "main"
