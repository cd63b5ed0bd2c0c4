"""Which models may be imported, and from where.

A file that is merely opened runs no code but ours. A model is imported only

- from the package `models` that ships with roundsim,
- if it is named on the command line (as the target, or with `--model`),
- or if it is listed under `[tool.roundsim] models` in the nearest `pyproject.toml` upward from the
  working directory.

`models` is always ours, also where the working directory has a `models/` of its own and comes first on
the path; a module in that folder can still be named, as `models.mine`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import sim.base.errors
from sim.base.errors import ConfigError, SimError, listing, nearest
from sim.scenario.mistakes import brief

OURS = Path(sim.base.errors.__file__).resolve().parents[2] / "models"
"""The folder of the models that ship with roundsim."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def bundled() -> tuple[str, ...]:
    """Dotted names of the models that ship with roundsim."""
    return tuple(f"models.{found.name}" for found in pkgutil.iter_modules([str(OURS)]))


def is_bundled(name: str) -> bool:
    """Whether `name` is one of our models, or a module inside one."""
    return any(name == ours or name.startswith(f"{ours}.") for ours in bundled())


def listed_models() -> tuple[tuple[str, ...], Path | None]:
    """The models listed in the nearest pyproject.toml, and its folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _listed_in(file), folder
    return (), None


def _listed_in(file: Path) -> tuple[str, ...]:
    try:
        data: Any = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}; mend it, or name the model with --model") from None
    for key in ("tool", "roundsim", "models"):
        data = data.get(key) if isinstance(data, dict) else None
    if data is None:
        return ()
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ConfigError(f'{file}: [tool.roundsim] models is no list of names; write models = ["mypkg.mymodel"]')
    return tuple(data)


def import_model(name: str, allow: Collection[str] = ()) -> ModuleType:
    """The module of a model, if it may be imported; `allow` are the names on the command line.

    Raises `ConfigError` that says why not and what to do, or what is wrong with the module.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{brief(name)} is no dotted name of a model{nearest(name, bundled())}; write models.NAME")
    if is_bundled(name):
        _hold_ours()
    else:
        _reach(name, allow)
    module = _import(name)
    if not callable(getattr(module, "system", None)):
        raise ConfigError(
            f"{name} has no function `system`, so it is no model; define `def system(...) -> System` in it"
            + (f", or name one of {listing(bundled())}" if name == "models" else "")
        )
    return module


def _reach(name: str, allow: Collection[str]) -> None:
    """Make a model of the user's importable, or refuse it."""
    folder: Path | None = None
    if name in allow:
        folder = Path.cwd()
    else:
        names, project = listed_models()
        folder = project if name in names else None
    if folder is None:
        raise ConfigError(
            f"{name!r} is none of the models that come with roundsim{nearest(name, bundled())}: "
            f"{listing(bundled(), 'and')}; a file alone imports no other: if it is yours, name it on the command line with --model {name}, or list it in "
            f'pyproject.toml under [tool.roundsim]: models = ["{name}"]'
        )
    if name.split(".")[0] == "models":
        paths, own = _hold_ours().__path__, folder / "models"
    else:
        paths, own = sys.path, folder
    if str(own) not in paths:
        paths.append(str(own))  # at the end: nothing that was found before is found elsewhere now


def _hold_ours() -> ModuleType:
    """Our package `models`, imported from its own folder whatever comes first on the path."""
    held = sys.modules.get("models")
    if held is not None:
        if OURS in {Path(entry).resolve() for entry in getattr(held, "__path__", ())}:
            return held
        raise ConfigError(
            f"a package `models` that is not roundsim's is imported already (from {_home(held)}); rename it, or "
            "start roundsim in a process of its own"
        )
    spec = importlib.util.spec_from_file_location(
        "models", OURS / "__init__.py", submodule_search_locations=[str(OURS)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["models"] = package
    spec.loader.exec_module(package)
    return package


def _home(module: ModuleType) -> str:
    return str(next(iter(getattr(module, "__path__", ())), getattr(module, "__file__", "somewhere")))


def _import(name: str) -> ModuleType:
    """Import a module; whatever it raises becomes one line for each mistake."""
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except SimError as error:
        raise ConfigError(*(f"model {name} cannot be imported: {mistake}" for mistake in error.mistakes)) from None
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(
                f"there is no model {name!r}: no module {error.name!r} is found{nearest(name, _known())}; run in the "
                f"folder that holds it, or name one of {listing(bundled())}"
            ) from None
        raise ConfigError(_import_failure(name, error)) from None
    except (Exception, SystemExit) as error:  # whatever a user's module does when it is imported
        raise ConfigError(_import_failure(name, error)) from None


def _known() -> list[str]:
    """What a name may have been meant to be: a model of ours, or a module in this folder."""
    return [*bundled(), *sorted(path.stem for path in Path.cwd().glob("*.py"))]


def _import_failure(name: str, error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"model {name} cannot be imported: {type(error).__name__}: {text}{culprit(error)}; mend the module"


def culprit(error: BaseException) -> str:
    """` (m.py:3)`: where a user's code raised `error`; empty if it cannot be told."""
    if isinstance(error, SyntaxError):
        return f" ({Path(error.filename or '').name}:{error.lineno})"
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "importlib" not in file and Path(file).parent != Path(__file__).parent:
            place = f" ({Path(file).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def settings_of(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The whole configuration of an imported model: its defaults, with what `config` says instead."""
    parameters = inspect.signature(sys.modules[name].system).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {**defaults, **config}
