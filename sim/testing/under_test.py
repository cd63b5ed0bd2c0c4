"""What a test names as its system, and where what is found in it is kept: for every fixture of the pytest plugin."""

from __future__ import annotations

import glob
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sim.base.errors import ConfigError, ModelError, unknown
from sim.base.values import describe
from sim.minimiser.counterexample_file import file_name
from sim.scenario import Target
from sim.scenario.models import called, import_model
from sim.scenario.parsed import Opened

Model = str | Opened | Callable[..., Opened]


def target_of(model: Model, config: Mapping[str, Any], changes: Mapping[str, Any], fixture: str) -> Target:
    """`model` is a model's function `system`, the dotted name of its module, or a `System`; `config` its arguments.
    `changes` replaces parts of the system, where they are not None. `fixture` is who asks, for what is wrong."""
    __tracebackhide__ = True
    if isinstance(model, str):
        model = import_model(model, {model}).system
    name = _module_of(model)
    system = model if isinstance(model, Opened) else _called(model, config, fixture)
    if isinstance(model, Opened) and config:
        raise ConfigError(f"a System is complete: {', '.join(config)} would have no effect; leave it out")
    system = system.with_(**{key: value for key, value in changes.items() if value is not None})
    return Target(name or "a system", name, config, system)


def kept_at(folder: Path, test: str, what: str) -> str:
    """The file for what this test found, seen from the working directory if it is in there."""
    return _seen_from_here(folder / file_name(_as_name(test), what))


def kept_of(folder: Path, test: str) -> list[str]:
    """The files of what this test has found before; tests of the like name may have put some beside them."""
    return [_seen_from_here(path) for path in sorted(folder.glob(glob.escape(_as_name(test)).lower() + "-*.yaml"))]


def _as_name(test: str) -> str:
    return re.sub(r"[^\w.]+", "-", test).strip("-")


def _seen_from_here(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _called(model: Any, config: Mapping[str, Any], fixture: str) -> Opened:
    __tracebackhide__ = True
    if not callable(model):
        raise ConfigError(f"{fixture}() got {describe(model)}; pass a model's function `system`, or its name")
    name = getattr(model, "__name__", "the model")
    known = inspect.signature(model).parameters
    mistakes = [
        f"{name}(): {unknown('parameter', key, known)}"
        for key in config
        if key not in known and not any(p.kind is p.VAR_KEYWORD for p in known.values())
    ]
    if mistakes:
        raise ConfigError(*mistakes)
    system = model(**config)
    if not isinstance(system, Opened):
        raise ModelError(f"{name}() returned {describe(system)}; it must return a System, or a Program")
    return system


def _module_of(model: Model) -> str:
    """What files call the module whose `system` this is, if it can be imported again; else an empty text."""
    name = getattr(model, "__module__", "")
    module = sys.modules.get(name)
    is_its = module is not None and getattr(module, "system", None) is model and name != "__main__"
    return called(name) if is_its else ""
