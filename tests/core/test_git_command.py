"""Nothing that a repository is set to run is run: each kind of setting is planted, shown to be live, and looked at."""

from __future__ import annotations

import ast
import os
import pty
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from sim.base.git_command import NoAnswer, run_git
from sim.sessions.git import branches, former_names, look
from sim.surface.trees import SurfaceError, load

ROOT = Path(__file__).parents[2]


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, text: str = "pub fn f() {}\n") -> None:
    (folder / "lib.rs").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")


class Plant(NamedTuple):
    """A kind of setting: what is set (EVIL stands for the program), what else it needs, the plain command that runs it."""

    settings: dict[str, str]
    also: Callable[[Path], object]
    live: tuple[str, ...]


def nothing(_repository: Path) -> None:
    """The setting is enough."""


def changed(repository: Path) -> None:
    """Git has to look into the file again."""
    (repository / "lib.rs").write_text("pub fn g() {}\n")
    os.utime(repository / ".git" / "index", (1_000_000_000,) * 2)


def filtered(name: str) -> Callable[[Path], object]:
    def plant(repository: Path) -> None:
        (repository / ".git" / "info" / "attributes").write_text(f"*.rs filter={name} diff={name}\n")
        changed(repository)

    return plant


def included(repository: Path) -> None:
    (repository / ".git" / "more").write_text(f'[filter "more"]\n\tclean = {repository.parent}/evil\n')
    filtered("more")(repository)


def hooked(repository: Path) -> None:
    (repository / "hooks").mkdir()
    (repository / "hooks" / "post-index-change").symlink_to(repository.parent / "evil")
    os.utime(repository / "lib.rs", (1, 1))


def signed(repository: Path) -> None:
    head = git(repository, "cat-file", "commit", "HEAD")
    forged = head.replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n", 1)
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=repository, input=forged + "\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    git(repository, "update-ref", "refs/heads/main", made.stdout.strip())


def lacking(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:lib.rs")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def nested(repository: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    git(inner, "init")
    commit(inner)
    git(repository, "add", "inner")
    git(repository, "commit", "-m", "two")
    git(inner, "config", "core.fsmonitor", str(repository.parent / "evil"))


PROMISED = {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "protocol.file.allow": "always",
}
STATUS, SHOW, DIFF = ("status",), ("cat-file", "-p", "HEAD:lib.rs"), ("diff",)
PLANTS = {
    "a monitor of files": Plant({"core.fsmonitor": "EVIL"}, nothing, STATUS),
    "hooks": Plant({"core.hooksPath": "hooks"}, hooked, STATUS),
    "a pager": Plant({"core.pager": "EVIL"}, nothing, ("log",)),
    "a pager of one command": Plant({"pager.status": "EVIL"}, nothing, STATUS),
    "a diff": Plant({"diff.external": "EVIL"}, changed, DIFF),
    "a diff of some files": Plant({"diff.x.command": "EVIL"}, filtered("x"), DIFF),
    "a conversion": Plant({"diff.x.textconv": "EVIL"}, filtered("x"), DIFF),
    "a filter": Plant({"filter.x.clean": "EVIL", "filter.x.required": "true"}, filtered("x"), STATUS),
    "a filter that stays": Plant({"filter.x.process": "EVIL"}, filtered("x"), STATUS),
    "a filter with an odd name": Plant({"filter.a.b=c.clean": "EVIL"}, filtered("a.b=c"), STATUS),
    "a filter in another file": Plant({"include.path": "more"}, included, STATUS),
    "a signature": Plant({"log.showSignature": "true", "gpg.program": "EVIL"}, signed, ("log",)),
    "a transport": Plant({**PROMISED, "remote.origin.url": "ext::EVIL"}, lacking, SHOW),
    "a shell": Plant({**PROMISED, "remote.origin.url": "ssh://a/b", "core.sshCommand": "EVIL"}, lacking, SHOW),
    "a server": Plant({**PROMISED, "remote.origin.url": ".", "remote.origin.uploadpack": "EVIL"}, lacking, SHOW),
    "a submodule": Plant({}, nested, STATUS),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, and beside it a program that tells that it ran."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init")
    commit(folder)
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path))}/ran\n")
    (tmp_path / "evil").chmod(0o755)
    return folder


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_repository_that_is_looked_at_runs_nothing(plant: Plant, repository: Path) -> None:
    for key, value in plant.settings.items():
        git(repository, "config", key, value.replace("EVIL", str(repository.parent / "evil")))
    plant.also(repository)
    look(repository)
    former_names(repository, "main")
    assert branches(repository) == ("main",)
    if plant.also is lacking:  # in which words depends on whether git dies of it
        with pytest.raises(SurfaceError, match="the repository lacks "):
            load(f"{repository}@HEAD")
    else:
        assert load(f"{repository}@HEAD").texts["lib.rs"] == b"pub fn f() {}\n"
    ran = repository.parent / "ran"
    assert not ran.exists()
    ours, terminal = pty.openpty()
    subprocess.run(["git", *plant.live], cwd=repository, stdout=terminal, stderr=terminal, check=False, timeout=30)
    os.close(terminal)
    os.close(ours)
    assert ran.exists(), "the plant is live: a plain command runs it"


def test_without_filters_it_is_still_known_what_is_changed(repository: Path) -> None:
    git(repository, "config", "filter.x.clean", "false")
    git(repository, "config", "filter.x.required", "true")
    (repository / ".git" / "info" / "attributes").write_text("*.rs filter=x\n")
    os.utime(repository / ".git" / "index", (1_000_000_000,) * 2)
    assert look(repository).dirty is False
    changed(repository)
    assert look(repository).dirty is True


def test_settings_from_the_users_own_environment_still_count(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repository, "config", "filter.x.clean", "false")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.abbrev")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "7")
    assert look(repository).commit == git(repository, "rev-parse", "HEAD")


def test_a_git_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "held")
    (tmp_path / "git").write_text(f"#!/bin/sh\nsleep 300 3> {shlex.quote(str(tmp_path))}/held &\nwait\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(NoAnswer, match=r"git gave no answer in 0\.5 s"):
        run_git(tmp_path, "status", limit_s=0.5)
    os.set_blocking(held, True)
    assert os.read(held, 1) == b"", "nobody has it open any more"
    os.close(held)


# --- one place that runs git ------------------------------------------------------------------------


def runs_git(source: str) -> bool:
    """Whether a source has a command that begins with git."""
    return any(
        isinstance(node, ast.List | ast.Tuple)
        and any(isinstance(one, ast.Constant) and one.value == "git" for one in node.elts[:1])
        for node in ast.walk(ast.parse(source))
    )


def test_one_module_runs_git() -> None:
    found = [path.name for path in sorted((ROOT / "sim").rglob("*.py")) if runs_git(path.read_text("utf-8"))]
    assert found == ["git_command.py"]


def test_a_second_place_that_runs_git_is_caught() -> None:
    assert runs_git("import subprocess\nsubprocess.run(['git', 'status'])")
    assert runs_git("command = ('git', '-C', folder, *words)")
    assert not runs_git("names = ['a', 'git']")
