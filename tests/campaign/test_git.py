"""What git says of a folder, in every situation that a folder can be in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.sessions import git
from sim.sessions.git import branches, former_names, look


def run(folder: Path, *words: str) -> str:
    """A git command that says who commits, whatever the machine is set to."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    folder = tmp_path / "project"
    folder.mkdir()
    run(folder, "init")
    (folder / "file").write_text("one\n")
    run(folder, "add", "file")
    run(folder, "commit", "-m", "one")
    return folder


def test_branch_commit_work_tree_and_whether_anything_is_changed(repository: Path) -> None:
    (repository / "inner").mkdir()
    place = look(repository / "inner")
    assert (place.branch, place.commit, place.dirty) == ("main", run(repository, "rev-parse", "HEAD"), False)
    assert (place.work_tree, place.repository) == (str(repository), str(repository / ".git"))
    (repository / "new").touch()
    assert look(repository).dirty is False, "a file that git does not know changes nothing of the commit"
    (repository / "file").write_text("two\n")
    assert look(repository).dirty is True


@pytest.mark.parametrize(
    "name", ["topic/of-mine", "ünï", "heads/odd", "refs/heads/odder", "(detached)", "a\u2028b\x85c"]
)
def test_the_name_of_a_branch_is_what_it_is(repository: Path, name: str) -> None:
    run(repository, "switch", "-c", name)
    assert look(repository).branch == name
    assert name in branches(repository)


def test_a_branch_whose_name_is_no_text_is_spelt_out(repository: Path) -> None:
    subprocess.run([b"git", b"switch", b"-c", b"caf\xe9"], cwd=repository, capture_output=True, check=True)
    assert look(repository).branch == "caf\\xe9"
    assert branches(repository) == ("caf\\xe9", "main")


@pytest.mark.parametrize("name", ["two\nlines", "two\u2028lines", " of spaces "])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    run(folder, "init")
    assert (look(folder).branch, look(folder).work_tree) == ("main", str(folder))


def test_a_detached_head_is_no_branch(repository: Path) -> None:
    run(repository, "checkout", "--detach")
    place = look(repository)
    assert (place.branch, place.shown) == (None, "no branch (detached HEAD)")
    assert place.commit is not None


def test_a_branch_without_a_commit_has_its_name(tmp_path: Path) -> None:
    run(tmp_path, "init")
    place = look(tmp_path)
    assert (place.branch, place.commit, place.dirty) == ("main", None, False)


def test_no_repository_is_no_branch(tmp_path: Path) -> None:
    place = look(tmp_path)
    assert (place.branch, place.commit, place.shown) == (None, None, "no branch (no git repository)")
    assert (branches(tmp_path), former_names(tmp_path, "main")) == ((), ())


def test_a_bare_repository_is_no_branch(tmp_path: Path) -> None:
    run(tmp_path, "init", "--bare")
    assert look(tmp_path).shown == "no branch (no work tree)"


def test_a_linked_work_tree_has_its_own_branch_and_shares_the_repository(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(repository, "worktree", "add", "-b", "topic", str(other))
    place = look(other)
    assert (place.branch, place.work_tree) == ("topic", str(other))
    assert place.repository == look(repository).repository


def test_a_renamed_branch_is_known_by_its_former_names(repository: Path) -> None:
    run(repository, "switch", "-c", "first")
    run(repository, "branch", "-m", "second")
    run(repository, "branch", "-m", "third/one")
    assert look(repository).branch == "third/one"
    assert sorted(former_names(repository, "third/one")) == ["first", "second"]
    run(repository, "branch", "first")
    assert former_names(repository, "third/one") == ("second",), "a new branch of that name is another one"
    assert former_names(repository, "main") == ()


def test_a_branch_that_was_deleted_under_us_keeps_its_name(repository: Path) -> None:
    run(repository, "switch", "-c", "doomed")
    run(repository, "update-ref", "-d", "refs/heads/doomed")
    place = look(repository)
    assert (place.branch, place.commit) == ("doomed", None)
    assert "doomed" not in branches(repository)


@pytest.mark.parametrize("told", ["dubious", "missing", "slow", "broken", "no program"])
def test_a_git_that_does_not_answer_is_no_branch(
    told: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = {
        "dubious": "echo \"fatal: detected dubious ownership in repository at '$3'\" >&2; exit 128",
        "slow": "exec sleep 30",
        "broken": "echo 'fatal: bad config line 1 in file .git/config' >&2; exit 128",
        "no program": "\0",
    }
    folder = tmp_path / "bin"
    folder.mkdir()
    if told in scripts:
        (folder / "git").write_text(scripts[told] if told == "no program" else f"#!/bin/sh\n{scripts[told]}\n")
        (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin" if told == "slow" else str(folder))
    monkeypatch.setattr(git, "TIME_LIMIT_S", 0.2 if told == "slow" else 5.0)
    why = {
        "dubious": "git refuses a repository of another owner",
        "missing": "git is not installed",
        "slow": "git gave no answer in 0.2 s",
        "broken": "bad config line 1 in file .git/config",
        "no program": "git cannot be run: Exec format error",
    }[told]
    assert look(repository).shown == f"no branch ({why})"


def test_a_status_that_takes_too_long_costs_the_commit_and_not_the_branch(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    folder = tmp_path / "bin"
    folder.mkdir()
    slow = f'case "$*" in *" status "*) touch {tmp_path}/asked; exec sleep 30;; *) exec {real} "$@";; esac'
    (folder / "git").write_text(f"#!/bin/sh\n{slow}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    brief = look(repository, brief=True)
    assert not (tmp_path / "asked").exists(), "which is not asked for while a campaign runs"
    monkeypatch.setattr(git, "TIME_LIMIT_S", 1.0)
    assert look(repository) == brief
    assert (brief.branch, brief.commit, brief.dirty, brief.work_tree) == ("main", None, None, str(repository))
    assert (tmp_path / "asked").exists()


def test_dubious_ownership_is_no_branch(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert look(repository).shown == "no branch (git refuses a repository of another owner)"


def test_looking_runs_nothing_of_the_repository_and_writes_nothing(repository: Path) -> None:
    (repository / "evil").write_text(f"#!/bin/sh\ntouch {repository}/ran\n")
    (repository / "evil").chmod(0o755)
    run(repository, "config", "core.fsmonitor", str(repository / "evil"))
    (repository / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in ("post-index-change", "fsmonitor-watchman"):
        (repository / ".git" / "hooks" / hook).symlink_to(repository / "evil")
    os.utime(repository / "file", (1, 1))  # git would like to note that it looked again
    before = (repository / ".git" / "index").stat().st_mtime_ns
    look(repository)
    assert not (repository / "ran").exists()
    assert (repository / ".git" / "index").stat().st_mtime_ns == before
    run(repository, "status")
    assert (repository / "ran").exists(), "a status of anybody else runs it"
