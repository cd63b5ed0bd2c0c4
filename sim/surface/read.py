"""One tree's surface: which of its files are read, and what they contain together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from sim.base.files import read_toml
from sim.surface.model import Mention, SourceItem, SourceLine, Surface, Unclean
from sim.surface.python_items import read_python
from sim.surface.rust_crate import assemble, parents_of, show, spot_of
from sim.surface.rust_file import RustFile, read_rust
from sim.surface.trees import SurfaceError, Tree

_RUST_ASIDE = {"tests", "benches", "examples"}
_PYTHON_ASIDE = {"tests", "test"}


def read(tree: Tree, only: Sequence[str], names: Sequence[str]) -> Surface:
    """The surface of the files that match one of `only` (of all files if it is empty).

    A file that mentions one of `names` is read as well, wherever it is, so that "it is nowhere" is a fact about the
    tree and not about the part that was read.
    """
    sources = sorted(name for name in tree.texts if name.endswith((".rs", ".py")))
    surface = [name for name in sources if not is_aside(name)]
    scoped = {name for name in surface if not only or any(fnmatchcase(name, one) for one in only)}
    if not scoped:
        raise SurfaceError(f"{tree.label}: no source file matches --only {' '.join(only)}")
    named = {name for name in surface if any(_count(tree.texts[name], one) for one in names)}
    along = {parent for name in scoped | named if name.endswith(".rs") for parent in parents_of(name)}
    wanted = scoped | named | (along & set(surface))

    manifests = _manifests(tree)
    reading = _Reading(tree, surface, scoped, manifests)
    reading.files(wanted)
    reading.neighbours()
    items, unclean = reading.items(), list(reading.unclean)
    unseen = [one for file in reading.rust.values() for one in file.unseen]
    unclean += [Unclean(SourceLine(name, 1), f"was not read: {reason}") for name, reason in tree.odd]
    if not items and unclean:
        first = sorted(unclean, key=lambda u: u.place)[0]
        raise SurfaceError(f"{tree.label}: {first.place}: {first.reason}; nothing in this tree could be read")
    return Surface(
        label=tree.label,
        revision=tree.revision,
        items=tuple(sorted(items, key=lambda item: (item.path, item.kind, item.place))),
        unclean=tuple(sorted([*unclean, *manifests.broken], key=lambda one: one.place)),
        unseen=tuple(sorted(unseen, key=lambda one: one.place)),
        files=len(scoped),
        left_aside=len(sources) - len(surface),
        crates=manifests.depends,
        packages=manifests.folders,
        folder=tree.folder,
        mentions={name: _mention(tree, sources, name) for name in names},
    )


class _Reading:
    """The files of one tree that have been read so far, and what they hold."""

    def __init__(self, tree: Tree, surface: list[str], scoped: set[str], manifests: _Manifests) -> None:
        self.tree = tree
        self.surface = surface
        self.scoped = scoped
        self.manifests = manifests
        self.crates = {**_by_folder(surface), **manifests.folders}
        self.compared = {spot_of(name)[0] for name in scoped if name.endswith(".rs")}
        self.local = frozenset(name for name, folder in self.crates.items() if folder in self.compared)
        self.python: list[SourceItem] = []
        self.rust: dict[str, RustFile] = {}
        self.unclean: list[Unclean] = []

    def files(self, names: Iterable[str]) -> None:
        for name in sorted(set(names) - self.rust.keys()):
            source = self.tree.texts[name]
            if name.endswith(".py"):
                found = read_python(name, source)
                if isinstance(found, Unclean):
                    self.unclean.append(found)
                else:
                    self.python += [replace(item, scoped=name in self.scoped) for item in found]
                continue
            try:
                source.decode("utf-8")
                self.rust[name] = read_rust(name, source, self.local)
                self.unclean += self.rust[name].unclean
            except UnicodeDecodeError:
                self.unclean.append(Unclean(SourceLine(name, 1), "is not UTF-8 text"))
            except RecursionError:
                self.unclean.append(Unclean(SourceLine(name, 1), "is nested too deeply to be read"))

    def neighbours(self) -> None:
        """Read the tree's other crates that the compared files name, and those that these re-export from.

        A signature may name a type through a crate that only passes it on; which type it is can be seen there.
        """
        named = {use.path[0] for name in self.scoped & self.rust.keys() for use in self.rust[name].uses}
        done = set(self.compared)
        while named:
            folders = {self.crates[head] for head in named if head in self.crates} - done
            done |= folders
            fresh = [n for n in self.surface if n.endswith(".rs") and spot_of(n)[0] in folders]
            self.files(fresh)
            passed_on = (use for n in fresh if n in self.rust for use in self.rust[n].uses)
            named = {use.path[0] for use in passed_on if use.visibility == "pub"}

    def items(self) -> list[SourceItem]:
        files = [(file, name in self.scoped) for name, file in sorted(self.rust.items())]
        return [*self.python, *assemble(files, self.crates, self.local, self.manifests.known)]


def is_aside(name: str) -> bool:
    """Tests, examples and benchmarks: programs that use the library, not its surface."""
    parts = name.split("/")
    if name.endswith(".py"):
        front = parts[-1].startswith("test_") or parts[-1] in ("conftest.py", "setup.py")
        return front or any(part in _PYTHON_ASIDE for part in parts[:-1])
    before = parts[: parts.index("src")] if "src" in parts[:-1] else parts[:-1]
    return any(part in _RUST_ASIDE for part in before) or parts[-1] == "build.rs"


# -- required names in the raw text ------------------------------------------------------------------------


def _count(source: bytes, name: str) -> int:
    """How often the last part of a name occurs in a text as a whole word."""
    word = name.rpartition("::")[2].rpartition(".")[2].encode()
    if word not in source:  # 20 times faster than the expression, and nearly always the answer
        return 0
    return len(re.findall(rb"\b" + re.escape(word) + rb"\b", source))


def _mention(tree: Tree, sources: list[str], name: str) -> Mention:
    counts = [_count(tree.texts[file], name) for file in sources]
    return Mention(sum(counts), sum(1 for count in counts if count))


# -- manifests -----------------------------------------------------------------------------------------------


def _by_folder(files: list[str]) -> dict[str, str]:
    """Crate identifiers guessed from folders, for trees without manifests."""
    folders = {spot_of(name)[0] for name in files if name.endswith(".rs")}
    return {folder.rpartition("/")[2].replace("-", "_"): folder for folder in sorted(folders) if folder}


@dataclass(frozen=True, slots=True)
class _Manifests:
    """What the manifests of a tree declare."""

    folders: dict[str, str]
    """Package identifier to its folder."""
    depends: dict[str, frozenset[str]]
    """Package, by the first part of its items' paths, to the identifiers of its dependencies."""
    broken: list[Unclean]

    @property
    def known(self) -> frozenset[str]:
        return frozenset(self.folders).union(*self.depends.values())


def _manifests(tree: Tree) -> _Manifests:
    found = _Manifests({}, {}, [])
    for name in sorted(tree.texts):
        folder, _, last = name.rpartition("/")
        if last != "Cargo.toml":
            continue
        try:
            content = read_toml(tree.texts[name])
        except ValueError:
            found.broken.append(Unclean(SourceLine(name, 1), "is a manifest that cannot be read"))
            continue
        title = _table(content, "lib").get("name") or _table(content, "package").get("name")
        if isinstance(title, str):
            own = title.replace("-", "_")
            found.folders[own] = folder
            found.depends[show((folder, ()))] = _dependencies(content) | {own}
    return found


def _dependencies(content: dict[str, Any]) -> frozenset[str]:
    found: set[str] = set()
    targets = _table(content, "target")
    for table in (content, *(_table(targets, name) for name in targets)):
        found |= {name.replace("-", "_") for name in _table(table, "dependencies")}
    return frozenset(found)


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    """A table inside another; one that is not there, or is something else, is empty."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}
