"""The walks as machine code: compiled when the package is built, from the C++ beside this file.

What belongs here: loops over integers, and nothing else. What does not: any rule of what is enabled or what an action does.
The extension `_walks` works on arrays that Python makes and lets grow (`sim.checker.compiled`, `sim.fuzzer.compiled`), and
comes back whenever it meets something unknown. What the numbers in them mean is said once, in the two modules `layout`;
`layout.hpp` is generated from them. Where it could not be built, `missing` says so and the plain engine does it all.
"""

from __future__ import annotations

import importlib
import importlib.util
from hashlib import blake2b
from pathlib import Path
from typing import Any

walks: Any = None
"""The extension, or None."""
_why = "was not built when roundsim was installed (install a C++ compiler, then roundsim again)"

if importlib.util.find_spec("sim.native._walks") is not None:
    try:
        walks = importlib.import_module("sim.native._walks")
    except ImportError as error:  # built for another machine
        _why = f"cannot be loaded ({' '.join(str(error).split())})"


def _sources() -> int:
    """64 bits of the sources beside this file, as `hatch_build` makes them; 0 where there are none, as in a wheel."""
    sources = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".cpp", ".hpp"))
    digest = blake2b(b"".join(path.read_bytes() for path in sources), digest_size=8)
    return int.from_bytes(digest.digest(), "big") if sources else 0


if walks is not None and _sources() not in (
    0,
    getattr(walks, "_sources", None),
):  # numbers may mean something else by now
    walks, _why = None, "was built from other sources than are here (make, or install roundsim again)"


def missing() -> str:
    """What is missing for compiled walks, in one line; empty if nothing is."""
    return "" if walks is not None else f"the native extension {_why}"
