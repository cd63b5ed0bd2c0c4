"""Functions that do something else while they are swapped, in place: whoever holds one has the swapped one, whether it was
bound at import, is the default of an argument, an attribute of a class or a value in a table.

A built-in function of CPython is an object that says which C function is called with which first argument. A swapped one is
given the three fields of another built-in function, whose C function is `PyObject_Vectorcall` and whose first argument is our
Python function: it is called with exactly the arguments of the caller, raises as any other, and costs what a call of a Python
function costs. A bound method is given another function, a Python function other code, and a class method of a type written
in C another entry in the dictionary of its type; the class itself stays, so `isinstance` and pickles are not concerned.

Before anything is written the fields are held against what Python says of the object; where they differ (another interpreter
than CPython, one of tomorrow) nothing is swapped and an error says so.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from _thread import LockType
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from sim.base.errors import ConfigError

Instead = Callable[[Any], Any]
"""Told the real function, gives the Python function that is called instead."""

_FASTCALL_WITH_KEYWORDS = 0x0080 | 0x0002
_HEAD = ("head", ctypes.c_byte * object.__basicsize__)


class _Definition(ctypes.Structure):
    """PyMethodDef"""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _BuiltIn(ctypes.Structure):
    """PyCFunctionObject"""

    _fields_ = [
        _HEAD,
        ("definition", ctypes.POINTER(_Definition)),
        ("first", ctypes.c_void_p),
        ("module", ctypes.c_void_p),
        ("weak", ctypes.c_void_p),
        ("call", ctypes.c_void_p),
    ]


class _Bound(ctypes.Structure):
    """PyMethodObject"""

    _fields_ = [_HEAD, ("function", ctypes.c_void_p), ("first", ctypes.c_void_p)]


def _fits(held: bool, thing: object) -> None:
    if not held:
        raise ConfigError(
            f"{thing!r} is not laid out as in the CPython that is known here; run live programs with CPython"
        )


def _built_in(function: Any) -> _BuiltIn:
    """The fields of a built-in function."""
    _fits(isinstance(function, BuiltinFunctionType), function)
    fields = _BuiltIn.from_address(id(function))
    _fits(fields.first == id(function.__self__), function)
    _fits(fields.definition.contents.name == function.__name__.encode(), function)
    return fields


def _make(definition: Any, first: object) -> Any:
    """A built-in function of this definition."""
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.POINTER(_Definition), ctypes.py_object, ctypes.py_object]
    return make(definition, first, None)


@cache
def _calling(name: bytes, doc: bytes | None) -> _Definition:
    """What defines a built-in function of this name that calls its first argument. It stays until Python ends, since a function
    asks its definition whenever garbage is collected, and one that was swapped twice is the real one of whoever kept it."""
    call = ctypes.cast(ctypes.pythonapi.PyObject_Vectorcall, ctypes.c_void_p).value
    return _Definition(name, call, _FASTCALL_WITH_KEYWORDS, doc)


def _write(fields: _BuiltIn, like: _BuiltIn) -> None:
    """All fields after the head at once: another thread may call the function before and after, and not in between."""
    like.weak = fields.weak
    start = _BuiltIn.definition.offset
    memoryview(fields).cast("B")[start:] = memoryview(like).cast("B")[start:]


def _hold(thing: object) -> int:
    """The address of a thing that a field will hold."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    return id(thing)


def _let_go(thing: object) -> None:
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))


class Swaps:
    """What is swapped, until `undo`."""

    def __init__(self) -> None:
        self._undo: list[tuple[Callable[[], None], object]] = []

    def undo(self) -> None:
        """Everything as it was, in the opposite order. It may be called again."""
        while self._undo:
            back, _kept = self._undo.pop()
            back()

    def at_the_end(self, call: Callable[[], None]) -> None:
        """What is called when all that is swapped after it is as it was."""
        self._undo.append((call, None))

    def built_in(self, function: Any, instead: Instead) -> None:
        """A built-in function, such as `time.time`."""
        fields = _built_in(function)
        was = _BuiltIn.from_buffer_copy(fields)
        real = _make(fields.definition, function.__self__)
        to = instead(real)
        known = fields.definition.contents
        pattern = _make(ctypes.pointer(_calling(known.name, known.doc)), to)
        other = _BuiltIn.from_buffer_copy(_BuiltIn.from_address(id(pattern)))
        other.first, other.module = _hold(to), was.module

        def back() -> None:
            _write(fields, was)
            _let_go(to)

        _write(fields, other)
        self._undo.append((back, (function, real, pattern)))  # the fields point into them

    def method(self, method: MethodType, instead: Instead) -> None:
        """A method that is bound to its object, such as `random.choice`; without the object it is called instead."""
        fields = _Bound.from_address(id(method))
        was = method.__func__
        _fits(fields.function == id(was) and fields.first == id(method.__self__), method)
        to = instead(MethodType(was, method.__self__))

        def function(_object: object, *args: Any, **kwargs: Any) -> Any:
            return to(*args, **kwargs)

        def back() -> None:
            fields.function = id(was)
            _let_go(function)

        fields.function = _hold(function)
        self._undo.append((back, method))

    def code(self, function: FunctionType, instead: Instead) -> None:
        """A function written in Python, such as `uuid.uuid1`."""
        was = (function.__code__, function.__defaults__, function.__kwdefaults__)
        real = FunctionType(was[0], function.__globals__, function.__name__, was[1], function.__closure__)
        real.__kwdefaults__ = was[2]

        def back() -> None:
            function.__defaults__ = was[1]  # a call by another thread finds them with its code
            function.__code__ = was[0]
            function.__kwdefaults__ = was[2]

        function.__kwdefaults__ = {"_instead": instead(real)}
        function.__code__ = _elsewhere.__code__
        function.__defaults__ = None
        self._undo.append((back, function))

    def named(self, module: Any, name: str, instead: Instead) -> None:
        """A function of a module: in place where it is built in, and else by its name."""
        function = getattr(module, name)
        if isinstance(function, BuiltinFunctionType):
            self.built_in(function, instead)
        else:
            self.attribute(module, name, instead)

    def attribute(self, owner: Any, name: str, instead: Instead) -> None:
        """An attribute that is looked up whenever it is called, such as a method of a class."""
        was = getattr(owner, name)
        setattr(owner, name, instead(was))
        self._undo.append((lambda: setattr(owner, name, was), owner))

    def class_method(self, owner: type, name: str, instead: Instead) -> None:
        """A class method of a type written in C, such as `datetime.now`; the class is its first argument. Those that were
        bound to their class before, as in `default_factory=datetime.now`, are found among what the collector knows."""
        was = vars(owner)[name]
        known = _built_in(getattr(owner, name)).definition.contents.function

        for bound in BOUND_BEFORE.called(name):
            if isinstance(bound.__self__, type) and _built_in(bound).definition.contents.function == known:
                self.built_in(bound, _of(bound.__self__, instead))

        def real(kind: type, *args: Any, **kwargs: Any) -> Any:
            return was.__get__(None, kind)(*args, **kwargs)

        self._entry(owner, name, classmethod(instead(real)))

    def entry(self, owner: type, name: str, instead: Instead) -> None:
        """A method of a type written in C, for all its objects."""
        self._entry(owner, name, instead(vars(owner)[name]))

    def entry_also_bound(self, owner: type, name: str, instead: Instead) -> None:
        """The same, and for those that were bound to their objects before, as a condition binds `acquire` of its lock."""
        self.entry(owner, name, instead)
        for bound in BOUND_BEFORE.called(name):
            if type(bound.__self__) is owner:
                self.built_in(bound, _of(bound.__self__, instead))

    def _entry(self, owner: type, name: str, to: object) -> None:
        was = vars(owner)[name]
        entries = gc.get_referents(vars(owner))[0]
        _fits(type(entries) is dict and entries.get(name) is was, owner)

        def put(entry: object) -> None:
            entries[name] = entry
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))

        put(to)
        self._undo.append((lambda: put(was), owner))


_OWNERS = (type, LockType, type(threading.RLock()), SimpleQueue)
"""Whose methods are asked for."""


class BoundBefore:
    """The methods that are bound to a class, lock or queue somewhere. All that the collector knows is looked through once, and
    again where a module has been imported since then: with many objects it takes long, and little else binds one."""

    def __init__(self) -> None:
        self._modules = 0
        self._found: list[Any] = []

    def called(self, name: str) -> list[Any]:
        """Those of this name."""
        if self._modules != len(sys.modules):
            self._found = [
                one for one in _collectable() if type(one) is BuiltinFunctionType and isinstance(one.__self__, _OWNERS)
            ]
            self._modules = len(sys.modules)
        return [one for one in self._found if one.__name__ == name]

    def forget(self) -> None:
        """Look again."""
        self._modules = 0


BOUND_BEFORE = BoundBefore()


def _collectable() -> list[Any]:
    """All that the collector of garbage knows, also what was frozen, which stays so."""
    frozen = gc.get_freeze_count() > 0
    if frozen:
        gc.unfreeze()
    found = gc.get_objects()
    if frozen:
        gc.freeze()
    return found


def _elsewhere(*args: Any, _instead: Any, **kwargs: Any) -> Any:
    return _instead(*args, **kwargs)


def _of(first: object, instead: Instead) -> Instead:
    """For a method that is bound: what it is bound to first, as where it is not."""

    def bound(real: Any) -> Any:
        to = instead(lambda _first, *args, **kwargs: real(*args, **kwargs))
        return lambda *args, **kwargs: to(first, *args, **kwargs)

    return bound
