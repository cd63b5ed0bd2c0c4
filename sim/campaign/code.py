"""The code that a campaign runs: its digest, and the user's modules as texts, for workers elsewhere.

A worker gets the modules of the user's own as they were when the campaign began, and imports those: another
machine need not have them, and a file that is edited meanwhile mixes nothing. What is installed (roundsim,
its models, other packages) is not sent; a worker whose roundsim differs says so.
"""

from __future__ import annotations

import ast
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

import sim.base.errors
from sim.base.errors import ConfigError
from sim.scenario.models import OURS, is_bundled


class SentModule(NamedTuple):
    """A module of the user's, as text."""

    name: str
    file: str
    text: str
    is_package: bool

    @property
    def is_namespace(self) -> bool:
        """Whether it is a package without an `__init__`: then the file is a folder, perhaps one of several."""
        return not self.file.endswith(".py")


class Code(NamedTuple):
    """What a campaign runs."""

    digest: str
    """Of the modules, of the model if it is one of ours, and of roundsim."""
    engine: str
    """The digest of roundsim with its models alone."""
    modules: tuple[SentModule, ...]

    @property
    def short(self) -> str:
        return self.digest[:12]


def code_of(model: str) -> Code:
    """The code of an imported model."""
    engine = engine_digest()
    modules = () if is_bundled(model) else tuple(_closure(model))
    told = [f"{module.name}\0{module.text}" for module in modules]
    return Code(_digest([engine, *told]), engine, modules)


def engine_digest() -> str:
    """The digest of the sources of roundsim and of the models that come with it."""
    package = Path(sim.base.errors.__file__).parents[1]
    files = [(folder.name, path) for folder in (package, OURS) for path in sorted(folder.rglob("*.py"))]
    root = package.parent
    return _digest(f"{path.relative_to(root).as_posix()}\0{path.read_text('utf-8')}" for _, path in files)


def _digest(parts: Iterable[str]) -> str:
    found = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


# --- the user's modules -----------------------------------------------------------------------------


def _closure(model: str) -> Iterator[SentModule]:
    """The model and what it imports of the user's own, by the imports in the sources."""
    own = _Own(model)
    waiting, seen = [model], {model: None}
    while waiting:
        found = own.module(waiting.pop())
        if found is None:
            continue
        yield found
        for name in _imports(found):
            if name not in seen:
                seen[name] = None
                waiting.append(name)


class _Own:
    """Which modules are the user's own: those in the folder that the model was imported from; beside an
    installed model, only those of its package."""

    def __init__(self, model: str) -> None:
        parts = model.split(".")
        depth = 2 if parts[0] == "models" else 1  # `models` is ours, `models.mine` stands in the user's folder
        self.top = ".".join(parts[:depth])
        place = Path(next(iter(getattr(sys.modules[self.top], "__path__", ())), sys.modules[self.top].__file__ or ""))
        self.home = place.resolve().parents[depth - 1]
        self.is_installed = _is_installed(self.home)

    def module(self, name: str) -> SentModule | None:
        """A module of the user's own with its text; None for everything else."""
        if name.partition(".")[0] == "sim" or name == "models" or is_bundled(name):
            return None
        try:
            spec = importlib.util.find_spec(name)
        except (Exception, SystemExit):  # looking for it imports the package that it is in
            return None
        if spec is None:
            return None
        origin = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        if not origin or (spec.origin is not None and not origin.endswith(".py")):
            return None
        file = Path(origin).resolve()
        if self.is_installed and not f"{name}.".startswith(f"{self.top}."):
            return None
        if not file.is_relative_to(self.home) or (_is_installed(file) and not self.is_installed):
            return None
        try:
            text = "" if spec.origin is None else file.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(f"module {name} cannot be read: {error}; mend it") from None
        return SentModule(name, origin, text, spec.submodule_search_locations is not None)


_INSTALLED = tuple(
    Path(folder).resolve()
    for folder in (
        *(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
)


def _is_installed(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _INSTALLED)


def _imports(module: SentModule) -> Iterator[str]:
    """Every module that a source may import, and their packages; names that are no modules do no harm."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    yield from _packages(module.name)
    try:
        tree = ast.parse(module.text)
    except (SyntaxError, ValueError):  # one that is imported never, or only where that is caught
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (*_packages(alias.name), alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            if name:
                yield from (*_packages(name), name, *(f"{name}.{alias.name}" for alias in node.names))


def _packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


# --- in a worker ------------------------------------------------------------------------------------


def install(code: Code) -> None:
    """Have the modules of `code` imported from their texts from now on, and those of any earlier code from
    nowhere. Raises `ConfigError` if roundsim is another one here."""
    if engine_digest() != code.engine:
        raise ConfigError(
            "the roundsim of this worker is not the one that the campaign runs on; install the same version for both"
        )
    for old in [finder for finder in sys.meta_path if isinstance(finder, _Texts)]:
        sys.meta_path.remove(old)
        for name in old.modules:
            sys.modules.pop(name, None)
    for module in code.modules:
        sys.modules.pop(module.name, None)
    sys.meta_path.insert(0, _Texts(code.modules))


class _Texts(MetaPathFinder, ExecutionLoader):
    """Finds and loads modules whose texts it holds."""

    def __init__(self, modules: Iterable[SentModule]) -> None:
        self.modules = {module.name: module for module in modules}

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        if name not in self.modules:
            return None
        there = PathFinder.find_spec(name, path) if self.modules[name].is_namespace else None
        return there or importlib.util.spec_from_loader(name, self)

    def get_filename(self, name: str) -> str:
        return self.modules[name].file

    def get_source(self, name: str) -> str:
        return self.modules[name].text

    def is_package(self, name: str) -> bool:
        return self.modules[name].is_package
