"""Certificates that are trusted are read when they are first needed, and not whenever a client is made.

A client over HTTP makes a context of TLS, whatever it is used for, and reads some 150 certificates into it: that takes ten
times as long as a request and its answer. In a run a file that was read before, and is still the same, is put off until the
context meets a connection or is asked for what it trusts. One that cannot be read says so at once, as ever.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT = ("_wrap_bio", "_wrap_socket")
"""Methods of a context before which all has to be read that a server of a run may be certified by."""
TELL = ("cert_store_stats", "get_ca_certs")
"""Those before which all has to be read."""

Key = tuple[str, int, int]


class Certificates:
    """What is put off, by the context that will need it."""

    def __init__(self) -> None:
        self._read: set[Key] = set()
        """The files that were read, as they were then."""
        self._default: WeakKeyDictionary[SSLContext, Any] = WeakKeyDictionary()
        """Contexts that trust whom the machine does, as soon as that matters."""
        self._own: dict[str, None] = {}
        """Those of runs, in the order in which they were made."""
        self._trusts: WeakKeyDictionary[SSLContext, int] = WeakKeyDictionary()
        """How many of them each context trusts."""
        self._put_off: WeakKeyDictionary[SSLContext, list[tuple[Any, Any, Any]]] = WeakKeyDictionary()

    def load(self, real: Any, run: Surrounded, context: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """`load_verify_locations`"""
        key = _key(*args, **kwargs) if hasattr(context, "__weakref__") else None
        if key in self._read:
            self._put_off.setdefault(context, []).append((real, args, kwargs))
            return
        real(context, *args, **kwargs)
        if key is not None:
            self._read.add(key)

    def load_default(self, real: Any, run: Surrounded, context: Any) -> None:  # noqa: ARG002
        """`set_default_verify_paths`: those whom the machine trusts certify nobody in a run."""
        if hasattr(context, "__weakref__"):
            self._default[context] = real
        else:
            real(context)

    def told(self, real: Any) -> Any:
        def method(context: Any, *args: Any, **kwargs: Any) -> Any:
            self.settle(context)
            self.settle_default(context)
            return real(context, *args, **kwargs)

        return method

    def needed(self, real: Any) -> Any:
        def method(context: Any, *args: Any, **kwargs: Any) -> Any:
            self.settle(context)
            if self._own and hasattr(context, "__weakref__"):
                self.settle_trust(context)
            return real(context, *args, **kwargs)

        return method

    def trust(self, pem: str) -> None:
        """Clients of runs trust this certificate from now on."""
        self._own[pem] = None

    def settle_trust(self, context: Any) -> None:
        """Trust our own in this context of a client."""
        known = self._trusts.setdefault(context, 0)
        if len(self._own) > known:
            self._trusts[context] = len(self._own)
            for pem in list(self._own)[known:]:
                context.load_verify_locations(cadata=pem)

    def settle(self, context: Any) -> None:
        """Read what was put off for this context."""
        for real, args, kwargs in self._put_off.pop(context, ()):
            real(context, *args, **kwargs)

    def settle_default(self, context: Any) -> None:
        real = self._default.pop(context, None)
        if real is not None:
            real(context)

    def settle_all(self) -> None:
        """For whoever is still there: outside of runs nothing is put off."""
        for context in list(self._default):
            self.settle_default(context)
        for context in list(self._put_off):
            self.settle(context)


def _key(cafile: Any = None, capath: Any = None, cadata: Any = None) -> Key | None:
    """The file as it is, if it is one and nothing else is asked for."""
    if cafile is None or capath is not None or cadata is not None:
        return None
    try:
        path = os.fsdecode(cafile)
        is_now = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return path, is_now.st_mtime_ns, is_now.st_size


CERTIFICATES = Certificates()


def swap_certificates(swaps: Swaps, entering: Entering) -> None:
    if not find_spec("_ssl"):
        return
    context = import_module("_ssl")._SSLContext
    swaps.at_the_end(CERTIFICATES.settle_all)
    swaps.entry(context, "load_verify_locations", entering.chooses(CERTIFICATES.load))
    swaps.entry(context, "set_default_verify_paths", entering.chooses(CERTIFICATES.load_default))
    for name in CONNECT:
        swaps.entry(context, name, CERTIFICATES.needed)
    for name in TELL:
        swaps.entry(context, name, CERTIFICATES.told)
