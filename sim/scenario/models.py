"""Which models may be imported, and from where.

Opening a file runs only our own code. A model is imported only

- from the package `roundsim.models` that ships with roundsim: files and command lines call it `models`,
- if it is named on the command line (as the target, or with `--model`),
- or if it is listed under `[tool.roundsim] models` in the nearest `pyproject.toml` upward from the
  working directory.

`models.consensus` and its like are always ours, also where the working directory has a `models/` of its own with
such a module in it: what a file says must not depend on where it is run. Any other module in that folder is the
user's, as `models.mine`. Python itself knows ours as `roundsim.models.consensus` only, so both are loaded side by side.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import shlex
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import sim.base.errors
from sim.base.errors import ConfigError, SimError, brief, failure, listing, nearest, unknown
from sim.base.files import read_toml
from sim.base.overdue import WATCH

_ROOT = Path(sim.base.errors.__file__).resolve().parents[2]
_IS_CHECKOUT = (_ROOT / "sim/beside").is_dir()
_HOME = _ROOT / ("sim/beside/roundsim" if _IS_CHECKOUT else "roundsim")
OURS = _ROOT / ("models" if _IS_CHECKOUT else "roundsim/models")
"""The folder of the models that ship with roundsim."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
OF_TESTS = "::"
"""What is in the name of a test, as pytest calls it."""


def bundled() -> tuple[str, ...]:
    """Dotted names of the models that ship with roundsim."""
    return tuple(f"models.{found.name}" for found in pkgutil.iter_modules([str(OURS)]))


def is_bundled(name: str) -> bool:
    """Whether `name` is one of our models, or a module inside one."""
    return any(name == ours or name.startswith(f"{ours}.") for ours in bundled())


def called(module: str) -> str:
    """What files and command lines call a model, given its module."""
    return module.removeprefix("roundsim.")


def _module_name(name: str) -> str:
    """The name of a model's module, by what files and command lines call it."""
    return f"roundsim.{name}" if is_bundled(name) else name


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
        data: Any = read_toml(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}; fix it, or name the model with --model") from None
    for key in ("tool", "roundsim", "models"):
        data = data.get(key) if isinstance(data, dict) else None
    if data is None:
        return ()
    data = [data] if isinstance(data, str) else data
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise ConfigError(f'{file}: [tool.roundsim] models is not a list of names; write models = ["mypkg.mymodel"]')
    return tuple(data)


def import_model(name: str, allow: Collection[str] = ()) -> ModuleType:
    """The module of a model, if it may be imported; `allow` are the names on the command line.

    Raises `ConfigError` that says why not and what to do, or what is wrong with the module.
    """
    if OF_TESTS in name:
        raise ConfigError(f"{name} is a test, which runs by itself what was kept of it; use pytest {shlex.quote(name)}")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{brief(name)} is not the dotted name of a model{nearest(name, bundled())}; write models.NAME"
        )
    if name.startswith("roundsim.") and is_bundled(called(name)):
        raise ConfigError(f"{name} is called {called(name)} in scenario files and on the command line; write that")
    _hold_roundsim()
    if not is_bundled(name):
        _reach(name, allow)
    module = _import(name)
    if not callable(getattr(module, "system", None)):
        raise ConfigError(
            f"{name} has no function `system`, so it is not a model; define `def system(...) -> System` in it"
            + (f", or use {listing(bundled())}" if name == "models" else "")
        )
    return module


def class_of(name: str) -> Any:
    """The class `module:Class` of a module that is listed in the nearest pyproject.toml. Raises `ConfigError`."""
    module, _, kind = name.partition(":")
    _reach(module, ())
    found = getattr(_import(module), kind, None)
    if not isinstance(found, type):
        raise ConfigError(f"{module} has no class {kind}; write module:Class")
    return found


def _reach(name: str, allow: Collection[str]) -> None:
    """Make the user's model importable, or refuse it."""
    folder: Path | None = None
    if name in allow:
        folder = Path.cwd()
    else:
        names, project = listed_models()
        folder = project if name in names else None
    if folder is None:
        raise ConfigError(
            f"{unknown('model', name, bundled())}; if it is your own, allow it with --model {name}, or list it in "
            f'pyproject.toml under [tool.roundsim]: models = ["{name}"]'
        )
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # at the end, so that it shadows nothing


def _hold_roundsim() -> None:
    """Have our package `roundsim` imported, from its own folder whatever comes first on the path."""
    if "roundsim" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "roundsim", _HOME / "__init__.py", submodule_search_locations=[str(_HOME)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["roundsim"] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


def _import(name: str) -> ModuleType:
    """Import a module; whatever it raises is reported, one line for each mistake."""
    importlib.invalidate_caches()
    try:
        with WATCH.during(f"the import of {name}"):
            return importlib.import_module(_module_name(name))
    except SimError as error:
        raise ConfigError(*(f"model {name} cannot be imported: {mistake}" for mistake in error.mistakes)) from None
    except ModuleNotFoundError as error:
        if error.name is not None and f"{_module_name(name)}.".startswith(f"{error.name}."):
            raise ConfigError(
                f"unknown model {name!r}{nearest(name, _known())}: no module {called(error.name)!r} is found; run in the "
                f"folder that contains it, or use {listing(bundled())}"
            ) from None
        raise ConfigError(_import_failure(name, error)) from None
    except BaseException as error:  # whatever a user's module does when it is imported
        raise ConfigError(_import_failure(name, error)) from None


def _known() -> list[str]:
    """The names that a misspelt one may stand for: our models, and the modules in this folder."""
    return [*bundled(), *sorted(path.stem for path in Path.cwd().glob("*.py"))]


def _import_failure(name: str, error: BaseException) -> str:
    text = f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else failure(error)
    return f"model {name} cannot be imported: {text}{culprit(error)}; fix the module"


def culprit(error: BaseException) -> str:
    """` (m.py:3)`: where the user's code raised `error`; empty if unknown."""
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
    """The whole configuration of an imported model: its defaults, overridden by `config`."""
    parameters = inspect.signature(sys.modules[_module_name(name)].system).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {**defaults, **config}
