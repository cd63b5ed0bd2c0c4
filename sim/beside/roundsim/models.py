"""`roundsim.models` in a checkout: the folder `models/` at the top. The wheel has that folder here, and not this file.

There is one module of each model, `roundsim.models.paxos`, in a checkout as in an installation. Scenario files and
command lines say `models.paxos` and are looked up there, so that a `models/` of the user's own is in nobody's way.
In a checkout the folder is on the path as `models` too, and `import models.paxos` gives the very same module: else
there would be two classes of each name, and no message of one would be known to the other.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import sim

_FOLDER = Path(sim.__file__).resolve().parents[1] / "models"
__path__ = [str(_FOLDER)]


class _SameModule(MetaPathFinder, Loader):
    """Finds `models.paxos` as `roundsim.models.paxos`, where `models` is ours; what else is in it, nowhere."""

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        folders = getattr(sys.modules.get("models"), "__path__", ())
        if not name.startswith("models.") or _FOLDER not in [Path(folder).resolve() for folder in folders]:
            return None
        return importlib.util.find_spec(f"roundsim.{name}") and importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(f"roundsim.{module.__name__}")


sys.meta_path.insert(0, _SameModule())
