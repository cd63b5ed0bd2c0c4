"""Rust files combined: module paths, who can reach what, and what re-exports show where.

`pub` says little by itself: in a private module it ends at the crate, and a `pub use` elsewhere may open it again.
`SourceItem.reach` considers both, as far as the files that were read show; a module whose declaration was not read
counts as public, so that nothing of it is lost.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.surface.model import SourceItem, SourceLine
from sim.surface.rust_file import RustFile, RustModule
from sim.surface.rust_items import Raw
from sim.surface.rust_uses import Use

_DEEPEST = 20
"""How far re-exports of re-exports are followed: a cycle of them must end."""

Spot = tuple[str, tuple[str, ...]]
"""A module: its crate's folder and its path inside the crate."""


def spot_of(file: str) -> Spot:
    """The module that a file is by its place; `src` marks a crate's folder, and a tree may be one crate."""
    parts = file.split("/")
    crate, rest = "", parts
    if "src" in parts[:-1]:
        at = parts.index("src")
        crate, rest = "/".join(parts[:at]), parts[at + 1 :]
    if rest[0] == "bin" and len(rest) > 1:
        crate, rest = f"{crate}/bin/{rest[1].removesuffix('.rs')}".strip("/"), ["main.rs", *rest[2:]]
        rest = rest[1:] or ["main.rs"]
    stem = rest[-1].removesuffix(".rs")
    front = tuple(rest[:-1])
    if stem == "mod" or (stem in ("lib", "main") and not front):
        return crate, front
    return crate, (*front, stem)


def parents_of(file: str) -> list[str]:
    """The files that may declare the module that `file` is, for reading along."""
    parts = file.split("/")
    at = parts.index("src") + 1 if "src" in parts[:-1] else 0
    root = "/".join(parts[:at])
    candidates = [posixpath.join(root, name) for name in ("lib.rs", "main.rs", "mod.rs")]
    for end in range(at + 1, len(parts)):
        folder = "/".join(parts[:end])
        candidates += [f"{folder}.rs", f"{folder}/mod.rs"]
    return [name for name in candidates if name != file]


def show(spot: Spot, *names: str) -> str:
    """`core::auth::save_auth`: the crate by its folder, because that survives a renaming of the package."""
    crate = spot[0].replace("/", "::").replace("-", "_") or "crate"
    return "::".join((crate, *spot[1], *names))


@dataclass(frozen=True, slots=True)
class _Definition:
    raw: Raw
    spot: Spot
    file: RustFile


@dataclass(frozen=True, slots=True)
class _Alias:
    """A name that a `use` shows in another module: where it points."""

    use: Use
    file: RustFile
    spot: Spot
    name: str


_Aliases = dict[tuple[Spot, str], _Alias]


def assemble(
    files: Sequence[tuple[RustFile, bool]],
    crates: Mapping[str, str],
    local: frozenset[str],
    dependencies: frozenset[str],
) -> list[SourceItem]:
    """The items of all files with their paths; `crates` maps a crate's identifier to its folder.

    Types of `local` crates are already reduced to their last name; those of the tree's other crates get the path of
    their definition here, whichever crate passed them on.
    """
    return _Assembly(files, crates, local, dependencies).items()


class _Assembly:
    def __init__(
        self,
        files: Sequence[tuple[RustFile, bool]],
        crates: Mapping[str, str],
        local: frozenset[str],
        dependencies: frozenset[str],
    ) -> None:
        foreign = "|".join(sorted(map(re.escape, crates.keys() - local)))
        self.foreign = re.compile(rf"(?<![\w:])(?:{foreign})(?:::\w+)+") if foreign else None
        self.crates = crates
        self.dependencies = dependencies
        self.scoped = {file.file: scoped for file, scoped in files}
        self.spots = self._spots([file for file, _ in files])
        self.modules: dict[Spot, RustModule] = {}
        self.definitions: dict[tuple[Spot, str], list[_Definition]] = defaultdict(list)
        self.by_name: dict[tuple[str, str], list[_Definition]] = defaultdict(list)
        self.members: list[_Definition] = []
        self.uses: list[tuple[Use, Spot, RustFile]] = []
        self.named_uses: dict[tuple[Spot, str], list[Use]] = defaultdict(list)
        for file, _ in files:
            crate, front = self.spots[file.file]
            for module in file.modules:
                self.modules[crate, (*front, *module.path)] = module
        for file, _ in files:
            self._index(file)
        self.aliases = self._aliases()
        self.module_aliases: dict[Spot, list[tuple[Spot, str]]] = defaultdict(list)
        for (spot, name), alias in self.aliases.items():
            if alias.use.visibility == "pub" and self._module(alias) in self.modules:
                self.module_aliases[self._module(alias)].append((spot, name))

    def _spots(self, files: list[RustFile]) -> dict[str, Spot]:
        spots = {file.file: spot_of(file.file) for file in files}
        roots = {spot for name, spot in spots.items() if name.endswith("lib.rs")}
        for name, spot in spots.items():
            if posixpath.basename(name) == "main.rs" and spot in roots:
                spots[name] = (f"{spot[0]}/main".strip("/"), spot[1])
        for file in files:
            for module in file.modules:
                if module.file:
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(file.file), module.file))
                    crate, front = spots[file.file]
                    spots[target] = (crate, (*front, *module.path))
        return spots

    def _index(self, file: RustFile) -> None:
        crate, front = self.spots[file.file]
        if self._in_tests((crate, front)):
            return
        for raw in file.items:
            definition = _Definition(raw, (crate, (*front, *raw.modules)), file)
            if raw.of:
                self.members.append(definition)
            else:
                self.definitions[definition.spot, raw.name].append(definition)
                self.by_name[crate, raw.name].append(definition)
        for use in file.uses:
            spot = crate, (*front, *use.modules)
            self.uses.append((use, spot, file))
            self.named_uses[spot, use.name].append(use)

    def _chain(self, spot: Spot) -> list[RustModule]:
        crate, path = spot
        ends = range(1, len(path) + 1)
        return [self.modules[crate, path[:end]] for end in ends if (crate, path[:end]) in self.modules]

    def _in_tests(self, spot: Spot) -> bool:
        return any(module.test for module in self._chain(spot))

    def _open(self, spot: Spot) -> bool:
        """Whether every module on the way is public by its declaration."""
        return all(module.visibility == "pub" for module in self._chain(spot))

    def _fronts(self, spot: Spot, depth: int = 0) -> list[Spot]:
        """Every public way to a module: its own, and those that re-exports of a module on the way open."""
        crate, path = spot
        found = [spot] if self._open(spot) else []
        for end in range(1, len(path) + 1) if depth < _DEEPEST else ():
            inner = [self.modules.get((crate, path[:at])) for at in range(end + 1, len(path) + 1)]
            if all(module is None or module.visibility == "pub" for module in inner):
                for at, name in self.module_aliases[crate, path[:end]]:
                    fronts = self._fronts(at, depth + 1)
                    found += [(front[0], (*front[1], name, *path[end:])) for front in fronts]
        return list(dict.fromkeys(found))

    def _real(self, spot: Spot) -> Spot:
        """The module itself, where a path goes through a re-export of one of its parents."""
        for _ in range(_DEEPEST):
            crate, path = spot
            for end in range(len(path), 0, -1):
                alias = self.aliases.get(((crate, path[: end - 1]), path[end - 1]))
                if alias is not None:
                    base = self._module(alias)
                    spot = base[0], (*base[1], *path[end:])
                    break
            else:
                return spot
        return spot

    def _module(self, alias: _Alias) -> Spot:
        return alias.spot[0], (*alias.spot[1], alias.name)

    # -- re-exports --------------------------------------------------------------------------------------

    def _aliases(self) -> _Aliases:
        """Every re-exported name: the `use`, and where it points (a module and a name in it)."""
        found: _Aliases = {}
        globs: list[tuple[Use, Spot, RustFile, Spot]] = []
        for use, spot, file in self.uses:
            if use.visibility == "private":
                continue
            target = self._absolute(spot, use.path)
            if use.name == "*" and target is not None:
                globs.append((use, spot, file, (target[0], target[1])))
            elif target is not None and target[1]:
                found[spot, use.name] = _Alias(use, file, (target[0], target[1][:-1]), target[1][-1])
        for use, spot, file, module in globs * 2:  # twice, so that a glob of a glob arrives too
            names = [name for at, name in (*self.definitions, *found) if at == module]
            for name in names:
                open_here = self._visible(module, name, found)
                if open_here and (spot, name) not in self.definitions:
                    found.setdefault((spot, name), _Alias(use, file, module, name))
        return found

    def _visible(
        self,
        module: Spot,
        name: str,
        found: _Aliases,
    ) -> bool:
        alias = found.get((module, name))
        seen = [d.raw.visibility for d in self.definitions.get((module, name), ())]
        return alias is not None or any(v != "private" for v in seen)

    def _absolute(self, spot: Spot, path: tuple[str, ...]) -> Spot | None:
        """Where a `use` path leads inside the tree; None if it leaves what is being read."""
        crate, here = spot
        head, rest = path[0], path[1:]
        if head == "crate":
            return crate, rest
        if head in ("self", "super"):
            base = here
            while path and path[0] in ("self", "super"):
                base = base[:-1] if path[0] == "super" else base
                path = path[1:]
            return crate, (*base, *path)
        if (crate, (*here, head)) in self.modules or (spot, head) in self.definitions:
            return crate, (*here, *path)
        if head in self.crates:
            return self.crates[head], rest
        return None

    def _follow(self, spot: Spot, name: str) -> tuple[Spot, str] | None:
        """The definition behind a chain of re-exports."""
        for _ in range(_DEEPEST):
            if (spot, name) in self.definitions:
                return spot, name
            alias = self.aliases.get((spot, name))
            if alias is not None:
                spot, name = alias.spot, alias.name
            elif self._real(spot) != spot:
                spot = self._real(spot)
            else:
                return None
        return None

    # -- items -------------------------------------------------------------------------------------------

    def items(self) -> list[SourceItem]:
        also: dict[tuple[Spot, str], list[str]] = defaultdict(list)
        items: list[SourceItem] = []
        for (spot, name), alias in sorted(self.aliases.items(), key=lambda pair: show(pair[0][0], pair[0][1])):
            end = self._follow(alias.spot, alias.name)
            if end is not None and alias.use.visibility == "pub":
                also[end] += [show(front, name) for front in self._fronts(spot)]
            target = show(end[0], end[1]) if end else show(alias.spot, alias.name)
            items.append(self._reexport(alias.use, alias.file, spot, (name, target)))
        for use, spot, file in self.uses:
            leads = self._absolute(spot, use.path)
            empty = leads is not None and use.name == "*" and not self._holds(leads)
            if use.visibility != "private" and (leads is None or empty):
                shown = "::".join(use.path) + ("::*" if use.name == "*" else "")
                items.append(self._reexport(use, file, spot, (shown if use.name == "*" else use.name, shown)))
        owners: dict[tuple[Spot, str], SourceItem] = {}
        for key, definitions in self.definitions.items():
            for definition in definitions:
                fronts = [show(front, key[1]) for front in self._fronts(key[0]) if front != key[0]]
                item = self._top(definition, tuple(sorted({*also.get(key, ()), *fronts})))
                owners.setdefault(key, item)
                items.append(item)
                items += [self._member(child, item, definition) for child in definition.raw.children]
        items += [self._of(definition, owners) for definition in self.members]
        return items

    def _holds(self, module: Spot) -> bool:
        """Whether anything is known about a module: a glob of an enum's variants, say, shows nothing here."""
        return any(spot == module for spot, _ in (*self.definitions, *self.aliases))

    def _reexport(self, use: Use, file: RustFile, spot: Spot, about: tuple[str, str]) -> SourceItem:
        name, target = about
        reach = "public" if use.visibility == "pub" and self._fronts(spot) else "crate"
        facts = {"target": (target,), **({"condition": use.cfg} if use.cfg else {})}
        path = show(spot, name)
        place = SourceLine(file.file, use.line)
        return SourceItem(
            "rust",
            "re-export",
            path,
            name,
            "",
            use.visibility,
            reach,
            place,
            facts,
            scoped=self.scoped[file.file],
        )

    def _top(self, definition: _Definition, also: tuple[str, ...]) -> SourceItem:
        raw, spot = definition.raw, definition.spot
        reach = "private" if raw.visibility == "private" else "crate"
        if raw.kind == "macro":  # macro_export puts it at the crate's root, whatever its module
            reach = "public" if raw.visibility == "pub" else "crate"
        elif raw.visibility == "pub" and (self._open(spot) or also):
            reach = "public"
        return self._item(raw, definition, (show(spot, raw.name), ""), (raw.visibility, reach), also)

    def _member(self, raw: Raw, owner: SourceItem, definition: _Definition) -> SourceItem:
        seen = owner.visibility if raw.kind == "impl" else raw.visibility
        reach = owner.reach if seen == "pub" or seen == owner.visibility else "crate"
        reach = "private" if seen == "private" else reach
        return self._item(raw, definition, (f"{owner.path}::{raw.name}", owner.path), (seen, reach), ())

    def _of(self, definition: _Definition, owners: Mapping[tuple[Spot, str], SourceItem]) -> SourceItem:
        """A method or implementation, placed at the type it belongs to wherever the block stands."""
        raw = definition.raw
        owner = self._owner(definition, owners)
        if owner is not None:
            return self._member(raw, owner, definition)
        path = show(definition.spot, f"{raw.name} for {raw.of}" if raw.kind == "impl" else f"{raw.of}::{raw.name}")
        reach = "public" if raw.visibility == "pub" and self._open(definition.spot) else "crate"
        return self._item(raw, definition, (path, ""), (raw.visibility, reach), ())

    def _defined(self, fact: str) -> str:
        """A fact with every type of a neighbouring crate under the path of its definition."""
        if self.foreign is None or "::" not in fact or fact[0] == '"':
            return fact

        def one(match: re.Match[str]) -> str:
            head, *rest = match.group().split("::")
            end = self._follow((self.crates[head], tuple(rest[:-1])), rest[-1])
            return show(end[0], end[1]) if end else match.group()

        return self.foreign.sub(one, fact)

    def _owner(self, definition: _Definition, owners: Mapping[tuple[Spot, str], SourceItem]) -> SourceItem | None:
        spot, of = definition.spot, definition.raw.of
        here = owners.get((spot, of))
        if here is not None:
            return here
        for use in self.named_uses[spot, of]:
            target = self._absolute(spot, use.path)
            end = self._follow((target[0], target[1][:-1]), target[1][-1]) if target and target[1] else None
            if end is not None:
                return owners.get(end)
        named = {(d.spot, d.raw.name) for d in self.by_name.get((spot[0], of), ())}
        return owners.get(named.pop()) if len(named) == 1 else None

    def _item(
        self,
        raw: Raw,
        definition: _Definition,
        where: tuple[str, str],
        seen: tuple[str, str],
        also: tuple[str, ...],
    ) -> SourceItem:
        path, owner = where
        file = definition.file
        direct = raw.kind == "macro" or self._open(definition.spot)
        heads = {use.path[0] for use in file.uses if use.name in raw.uses}
        heads |= {word.removesuffix("::") for word in raw.uses if word.endswith("::")}
        return SourceItem(
            language="rust",
            kind=raw.kind,
            path=path,
            name=raw.name,
            owner=owner,
            visibility=seen[0],
            reach=seen[1],
            place=SourceLine(file.file, raw.line),
            facts={key: tuple(map(self._defined, value)) for key, value in raw.facts.items()},
            uses=raw.uses,
            externals=frozenset(heads & self.dependencies),
            also_at=also,
            direct=direct,
            end=raw.end,
            scoped=self.scoped[file.file],
        )
