"""Where a tree's text comes from: a folder, one file, or a folder of a git revision.

A revision is read through git's object commands, so a checkout is not needed and nothing of the tree ever
touches the disk. Links are followed only inside the tree: one that loops, leads out or nowhere is listed, because
its target has not been read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sim.base.errors import SimError
from sim.base.files import unplain
from sim.base.git_command import NoAnswer, run_git

_SKIPPED_FOLDERS = {"node_modules", "__pycache__", "target"}
TIME_LIMIT_S = 60.0
"""Seconds that one git command may take."""

_LOOP = "a link that loops"
_BUILD_TAG = "CACHEDIR.TAG"
_ENDINGS = (".rs", ".py", "Cargo.toml")


class SurfaceError(SimError):
    """A tree, an option or a study file that `sim surface` cannot work with."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The sources and manifests of one tree; `odd` are the paths that were not read, and why."""

    label: str
    revision: str
    texts: dict[str, bytes]
    odd: tuple[tuple[str, str], ...]
    folder: str = ""
    """The folder inside the revision, if it is one."""


def load(spec: str, label: str = "") -> Tree:
    """The tree that `spec` names: `FOLDER`, `FILE`, or `REPOSITORY@COMMIT[:FOLDER]`.

    A path that exists wins over the git reading of the same text.
    """
    if not spec.strip():
        raise SurfaceError("a tree has an empty name; a tree is a folder, or REPOSITORY@COMMIT[:FOLDER]")
    if mistake := unplain(spec):
        raise SurfaceError(mistake)
    path = Path(spec)
    try:
        if path.is_dir():
            return _filled(spec, *_folder(path), label=label)
        if path.is_file():
            return _filled(spec, {path.name: path.read_bytes()}, [], label=label, single=True)
    except OSError as error:
        raise SurfaceError(f"{spec}: cannot be read: {error.strerror}") from None
    if "@" in spec:
        return _revision(spec, label)
    raise SurfaceError(f"{spec}: no such folder or file; a tree is a folder, or REPOSITORY@COMMIT[:FOLDER]")


def _filled(
    spec: str,
    texts: dict[str, bytes],
    odd: list[tuple[str, str]],
    *,
    label: str,
    revision: str = "",
    inside: str = "",
    single: bool = False,
) -> Tree:
    """The tree, after checking that it holds text that can be compared."""
    sources = [name for name in texts if name.endswith((".rs", ".py"))]
    binary = [name for name in sources or texts if b"\0" in texts[name]]
    if binary:
        where = spec if single else f"{spec}: {binary[0]}"
        raise SurfaceError(f"{where}: is a binary file; a tree must hold Rust or Python sources")
    if not sources:
        raise SurfaceError(f"{spec}: no Rust or Python source in it (.rs, .py)")
    return Tree(label or spec, revision, texts, tuple(sorted(odd)), inside)


# -- folders ---------------------------------------------------------------------------------------------


def _folder(root: Path) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    real_root = root.resolve()
    texts: dict[str, bytes] = {}
    odd: list[tuple[str, str]] = []
    waiting = [root]
    while waiting:
        for entry in sorted(waiting.pop().iterdir()):
            name = entry.relative_to(root).as_posix()
            if entry.is_symlink():
                reason = _odd_link(entry, real_root)
                if reason:
                    odd.append((name, reason))
                    continue
            if entry.is_dir():
                if not _skipped(entry):
                    waiting.append(entry)
            elif name.endswith(_ENDINGS):
                if entry.is_file():
                    texts[name] = entry.read_bytes()
                else:
                    odd.append((name, "neither a file nor a folder"))
    return texts, odd


def _skipped(folder: Path) -> bool:
    return _is_aside(folder.name, tagged=(folder / _BUILD_TAG).exists())


def _is_aside(folder: str, *, tagged: bool) -> bool:
    """Hidden folders and what build tools write; a build folder is tagged, a module is not."""
    if folder == "target":
        return tagged
    return folder.startswith(".") or folder in _SKIPPED_FOLDERS


def _odd_link(link: Path, real_root: Path) -> str:
    """Why a link is not followed; empty if it may be."""
    try:
        target = link.resolve(strict=True)
    except FileNotFoundError:
        return "a link to nothing"
    except (RuntimeError, OSError):  # which of the two a loop of links raises depends on Python's version
        return _LOOP
    if target.is_dir() and link.parent.resolve().is_relative_to(target):
        return _LOOP
    if not target.is_relative_to(real_root):
        return "a link out of the tree"
    return "a link to a folder that is read at its own place" if target.is_dir() else ""


# -- git revisions ---------------------------------------------------------------------------------------


def _revision(spec: str, label: str) -> Tree:
    repository, _, rest = spec.rpartition("@")
    commit, _, folder = rest.partition(":")
    if not Path(repository).is_dir():
        raise SurfaceError(f"{spec}: no repository at {repository or '(nothing)'}")
    found = _git(spec, repository, "rev-parse", "--verify", "--quiet", "--end-of-options", commit + "^{commit}")
    try:
        return _read_revision(spec, label, repository, found.decode().strip(), folder.strip("/"))
    except (ValueError, LookupError):
        raise SurfaceError(f"{spec}: git's answer cannot be read") from None


def _read_revision(spec: str, label: str, repository: str, sha: str, folder: str) -> Tree:
    paths = ["--", folder] if folder else []
    listing = _git(spec, repository, "ls-tree", "-r", "-z", "--full-tree", sha, *paths)
    blobs: dict[str, str] = {}
    links: dict[str, str] = {}
    modules: list[tuple[str, str]] = []
    prefix = f"{folder}/" if folder else ""
    rows = [row.partition("\t")[::2] for row in listing.decode("utf-8", "surrogateescape").split("\0")]
    tagged = {posixpath.dirname(name) for _, name in rows if posixpath.basename(name) == _BUILD_TAG}
    for about, name in rows:
        if not name or not name.startswith(prefix) or _in_skipped(name, prefix, tagged):
            continue
        mode, _, blob = about.split(" ")
        if mode == "120000":
            links[name] = blob
        elif mode == "160000":
            modules.append((name.removeprefix(prefix), "a submodule"))
        elif mode.startswith("100") and name.endswith(_ENDINGS):
            blobs[name] = blob
    if not blobs:
        raise SurfaceError(f"{spec}: no Rust or Python source in that folder of that commit")
    contents = dict(zip(blobs, _blobs(spec, repository, blobs.values()), strict=True))
    targets = dict(zip(links, _blobs(spec, repository, links.values()), strict=True))
    odd = [*modules, *_git_links(prefix, targets)]
    texts = {name.removeprefix(prefix): text for name, text in contents.items()}
    return _filled(spec, texts, odd, label=label, revision=sha, inside=folder)


def _in_skipped(name: str, prefix: str, tagged: set[str]) -> bool:
    """Whether one of the folders between the tree's root and a file is skipped, as in a checkout."""
    at = posixpath.dirname(name)
    while len(at) >= len(prefix) and at:
        if _is_aside(posixpath.basename(at), tagged=at in tagged):
            return True
        at = posixpath.dirname(at)
    return False


def _git_links(prefix: str, targets: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Links of a revision are listed, not followed: what they lead to inside is read at its own place."""
    for name, target in sorted(targets.items()):
        seen = {name}
        here = name
        while True:
            aim = targets[here].decode("utf-8", "replace")
            here = posixpath.normpath(posixpath.join(posixpath.dirname(here), aim))
            if here in seen or name.startswith(f"{here}/") or here == ".":
                yield name.removeprefix(prefix), _LOOP
                break
            if here not in targets:
                if name.endswith((".rs", ".py")):
                    yield name.removeprefix(prefix), f"a link to {target.decode('utf-8', 'replace')}"
                break
            seen.add(here)


def _blobs(spec: str, repository: str, blobs: Iterable[str]) -> Iterator[bytes]:
    wanted = list(blobs)
    if not wanted:
        return
    answer = _git(spec, repository, "cat-file", "--batch", feed="\n".join(wanted) + "\n")
    at = 0
    for blob in wanted:
        end = answer.index(b"\n", at)
        head = answer[at:end].split(b" ")
        if head[-1] == b"missing":
            raise SurfaceError(f"{spec}: the repository lacks the object {blob}; fetch it first")
        size = int(head[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 2 + size


def _git(spec: str, repository: str, *arguments: str, feed: str = "") -> bytes:
    try:
        return run_git(Path(repository), *arguments, limit_s=TIME_LIMIT_S, feed=feed.encode())
    except NoAnswer as no:
        raise SurfaceError(f"{spec}: {str(no) or 'no such commit'}") from None
