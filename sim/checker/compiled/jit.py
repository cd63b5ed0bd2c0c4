"""Where compiled code comes from and where it is kept.

It is kept in the first folder that can be written: one that the user told numba, beside the source, the
user's cache, one of ours for temporary files. Without any it is made anew in each process. The folder is
named after the sources: numba itself looks at one file only, and would run old code with new numbers.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_SOURCES = (_HERE, _HERE.parents[1] / "fuzzer" / "compiled")
"""Where functions are compiled."""


def missing() -> str:
    """What is missing for compiled walks, in one line; empty if nothing is."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed, so the plain engine does it all, slower: pip install 'roundsim[fast]'"
    return ""


@contextmanager
def interrupt_afterwards() -> Iterator[None]:
    """Keeps an interrupt until the end of the block. One that strikes while code is made or loaded comes up in
    a callback of the compiler, where Python can only drop it."""
    struck: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, lambda number, _: struck.append(number))
    except ValueError:  # only the main thread may, and only there an interrupt comes up
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if struck:
            raise KeyboardInterrupt


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, made at its first call and kept between runs. It may make no array."""
    return _compiled(function, {})


def inlined(function: Callable[..., Any]) -> Any:
    """The same, put into each of its callers: an array is seven arguments, so that a call is dear. Python does not
    call it: a wrapper for that would double the time that making it takes."""
    return _compiled(function, {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    import numba

    # Without `_nrt` nothing is counted: else the references to arrays take two thirds of a walk's time.
    options |= {"error_model": "numpy", "boundscheck": False, "_nrt": False}
    config: Any = numba.config
    told = config.CACHE_DIR
    folder = _folder(told)
    if folder is None:
        return numba.njit(**options)(function)
    config.CACHE_DIR = folder
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        config.CACHE_DIR = told


def prefetching() -> Any:
    """A function of an array of one dimension and an index, for compiled code: asks for that item to be brought to
    the processor's cache, and does not wait for it as a read would. Where nothing is compiled it does nothing."""
    import numba

    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return lambda *_: None
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba.core import types
    from numba.extending import intrinsic

    read, kept, data = (ir.Constant(ir.IntType(32), number) for number in (0, 3, 1))

    def prefetch(_: Any, array: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            items = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            place = builder.bitcast(builder.gep(items, [arguments[1]]), ir.IntType(8).as_pointer())
            shape = ir.FunctionType(ir.VoidType(), [place.type, *[ir.IntType(32)] * 3])
            call = builder.module.declare_intrinsic("llvm.prefetch", [place.type], shape)
            builder.call(call, [place, read, kept, data])
            return context.get_dummy_value()

        return types.void(array, index), code

    return intrinsic(prefetch)


def is_made(function: str) -> bool:
    """Whether the code of a function (`module.name`) was made by an earlier run and kept."""
    import numba

    config: Any = numba.config
    folder = _folder(config.CACHE_DIR)
    return folder is not None and any(Path(folder).rglob(f"{function}-*.nbi"))


@cache
def _folder(told: str) -> str | None:
    """Where compiled code of these very sources is kept; None if nothing can be written."""
    digest = blake2b(digest_size=8)
    for folder in _SOURCES:
        for source in sorted(folder.rglob("*.py")):
            digest.update(source.read_bytes())
    for parent in _candidates(told):
        kept = parent / f"compiled-{digest.hexdigest()}"
        try:
            kept.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(kept, os.W_OK):
            return str(kept)
    return None


def _candidates(told: str) -> Iterator[Path]:
    if told:
        yield Path(told)
    yield _HERE / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield Path.home() / ".cache" / "roundsim"
    temporary = _own_temporary()
    if temporary is not None:
        yield temporary


def _own_temporary() -> Path | None:
    """A folder that only this user can write: what is in it will be run."""
    if not hasattr(os, "getuid"):
        return None
    folder = Path(tempfile.gettempdir()) / f"roundsim-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077 else None
