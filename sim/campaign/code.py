"""The code that a campaign runs: its digest, and the user's modules as texts, for workers elsewhere.

A worker gets the user's own modules as they were when the campaign began, and imports those: another machine need not
have them, and editing a file meanwhile mixes no versions. What is installed (roundsim, its models, other packages) is
not sent; a worker with a different roundsim says so.
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
from sim.base.errors import ConfigError, failure
from sim.scenario.models import OURS, is_bundled


class SentModule(NamedTuple):
    """A user's module, as text."""

    name: str
    file: str
    text: str
    is_package: bool

    @property
    def is_namespace(self) -> bool:
        """Whether it is a package without an `__init__`: then the file is a folder, possibly one of several."""
        return not self.file.endswith(".py")


class Code(NamedTuple):
    """The code that a campaign runs."""

    digest: str
    """The digest of the modules, of the model if it is one of ours, and of roundsim."""
    engine: str
    """The digest of roundsim and its models only."""
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
    files = [
        (f"{name}/{path.relative_to(folder).as_posix()}", path)
        for name, folder in (("sim", package), ("models", OURS))
        for path in sorted(folder.rglob("*.py"))
        if not path.is_relative_to(package / "beside")  # where it stands in a checkout and nowhere else
    ]
    return _digest(f"{name}\0{path.read_text('utf-8')}" for name, path in files)


def _digest(parts: Iterable[str]) -> str:
    found = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


# --- the user's modules -----------------------------------------------------------------------------


def _closure(model: str) -> Iterator[SentModule]:
    """The model and the user's own modules that it imports, by the imports in the sources."""
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
    """Which modules are the user's own: those in the folder that the model was imported from; for an installed model,
    only those of its package."""

    def __init__(self, model: str) -> None:
        module = sys.modules[model]
        place = Path(next(iter(getattr(module, "__path__", ())), module.__file__ or ""))
        self.top = model.partition(".")[0]
        self.home = place.resolve().parents[model.count(".")]
        self.is_installed = _is_installed(self.home)

    def module(self, name: str) -> SentModule | None:
        """One of the user's own modules with its text; None for everything else."""
        if name.partition(".")[0] in ("sim", "roundsim"):
            return None
        try:
            spec = importlib.util.find_spec(name)
        except BaseException as error:  # the lookup imports its parent package
            failure(error)
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
            raise ConfigError(f"module {name} cannot be read: {error}; fix it") from None
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
    """Every module that a source may import, and their packages; names that are not modules do no harm."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    yield from _packages(module.name)
    try:
        tree = ast.parse(module.text)
    except (SyntaxError, ValueError):  # it is never imported, or only where that is caught
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
    """From now on import the modules of `code` from their texts, and none of any earlier code. Raises `ConfigError` if
    this worker has a different roundsim."""
    if engine_digest() != code.engine:
        raise ConfigError("this worker has a different roundsim than the campaign; install the same version for both")
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
