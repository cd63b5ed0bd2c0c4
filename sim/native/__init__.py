"""The walks as machine code: compiled when the package is built, from the C++ beside this file.

The extension `_walks` works on arrays that Python makes and lets grow (`sim.checker.compiled`, `sim.fuzzer.compiled`), and
comes back whenever it meets something unknown. What the numbers in them mean is said once, in the two modules `layout`;
`layout.hpp` is generated from them. Where it could not be built, `missing` says so and the plain engine does it all.
"""

from __future__ import annotations

from typing import Any

try:
    from sim.native import _walks

    walks: Any = _walks
except ImportError as error:
    walks, _why = None, " ".join(str(error).split())


def missing() -> str:
    """What is missing for compiled walks, in one line; empty if nothing is."""
    if walks is not None:
        return ""
    if "_walks" in _why and "cannot import name" in _why:
        why = "the native extension was not built when roundsim was installed"
        return f"{why}, so the plain engine does it all, slower: install a C++ compiler, then roundsim again"
    return f"the native extension cannot be loaded ({_why}), so the plain engine does it all, slower"
