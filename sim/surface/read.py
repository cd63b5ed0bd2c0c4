"""One tree's surface: which of its files are read, and what comes out of them together."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from sim.surface.model import Item, Mention, Place, Surface, Unclean, Unseen
from sim.surface.python_items import read_python
from sim.surface.rust_crate import assemble, parents_of, show, spot_of
from sim.surface.rust_file import RustFile, read_rust
from sim.surface.trees import SurfaceError, Tree

_RUST_ASIDE = {"tests", "benches", "examples"}
_PYTHON_ASIDE = {"tests", "test"}


def read(tree: Tree, only: Sequence[str], names: Sequence[str]) -> Surface:
    """The surface of the files that match one of `only` (of all, if there is none).

    A file that mentions one of `names` is read as well, wherever it is, so that "it is nowhere" is a fact
    about the tree and not about the part that was looked at.
    """
    sources = sorted(name for name in tree.texts if name.endswith((".rs", ".py")))
    surface = [name for name in sources if not _aside(name)]
    scoped = {name for name in surface if not only or any(fnmatchcase(name, one) for one in only)}
    if not scoped:
        raise SurfaceError(f"{tree.label}: no source file matches --only {' '.join(only)}")
    named = {name for name in surface if _mentions_any(tree.texts[name], names)}
    along = {parent for name in scoped | named if name.endswith(".rs") for parent in parents_of(name)}
    wanted = sorted(scoped | named | (along & set(surface)))

    manifests = _manifests(tree)
    items, unclean, unseen = _read_all(tree, wanted, scoped, manifests)
    unclean += [Unclean(Place(name, 1), f"was not read: {reason}") for name, reason in tree.odd]
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
        folder=tree.folder,
        mentions={name: _mention(tree, sources, name) for name in names},
    )


def _read_all(
    tree: Tree, wanted: list[str], scoped: set[str], manifests: _Manifests
) -> tuple[list[Item], list[Unclean], list[Unseen]]:
    items: list[Item] = []
    unclean: list[Unclean] = []
    rust: list[tuple[RustFile, bool]] = []
    crates = {**_by_folder(wanted), **manifests.folders}
    compared = {spot_of(name)[0] for name in scoped if name.endswith(".rs")}
    local = frozenset(name for name, folder in crates.items() if folder in compared)
    for name in wanted:
        source = tree.texts[name]
        if name.endswith(".py"):
            found = read_python(name, source)
            if isinstance(found, Unclean):
                unclean.append(found)
            else:
                items += [replace(item, scoped=name in scoped) for item in found]
            continue
        try:
            source.decode("utf-8")
            rust.append((read_rust(name, source, local), name in scoped))
        except UnicodeDecodeError:
            unclean.append(Unclean(Place(name, 1), "is not UTF-8 text"))
        except RecursionError:
            unclean.append(Unclean(Place(name, 1), "is nested too deeply to be read"))
    items += assemble(rust, crates, manifests.known)
    unclean += [one for file, _ in rust for one in file.unclean]
    return items, unclean, [one for file, _ in rust for one in file.unseen]


def _aside(name: str) -> bool:
    """Tests, examples and benchmarks: programs beside the library, not its surface."""
    parts = name.split("/")
    if name.endswith(".py"):
        front = parts[-1].startswith("test_") or parts[-1] in ("conftest.py", "setup.py")
        return front or any(part in _PYTHON_ASIDE for part in parts[:-1])
    before = parts[: parts.index("src")] if "src" in parts[:-1] else parts[:-1]
    return any(part in _RUST_ASIDE for part in before) or parts[-1] == "build.rs"


# -- required names in the raw text ------------------------------------------------------------------------


def _word(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"\b" + re.escape(name.rpartition("::")[2].rpartition(".")[2].encode()) + rb"\b")


def _mentions_any(source: bytes, names: Sequence[str]) -> bool:
    return any(_word(name).search(source) for name in names)


def _mention(tree: Tree, sources: list[str], name: str) -> Mention:
    counts = [len(_word(name).findall(tree.texts[file])) for file in sources]
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
            content: dict[str, Any] = tomllib.loads(tree.texts[name].decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            found.broken.append(Unclean(Place(name, 1), "is a manifest that cannot be read"))
            continue
        package = content.get("package", {})
        title = content.get("lib", {}).get("name") or package.get("name")
        if isinstance(title, str):
            own = title.replace("-", "_")
            found.folders[own] = folder
            found.depends[show((folder, ()))] = _dependencies(content) | {own}
    return found


def _dependencies(content: dict[str, Any]) -> frozenset[str]:
    found: set[str] = set()
    tables = [content, *content.get("target", {}).values()]
    for table in tables:
        found |= {name.replace("-", "_") for name in table.get("dependencies", {})}
    return frozenset(found)
