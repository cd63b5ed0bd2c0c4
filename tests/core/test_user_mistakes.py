"""What somebody who writes a first model does wrong, beyond the table of a class (`test_table`): each is
one line that says what would be right."""

from __future__ import annotations

import datetime
import getpass
import importlib
import linecache
import locale
import os
import os.path as paths
import platform
import random
import re
import secrets
import socket
import sys
import sysconfig
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from os.path import exists
from pathlib import Path
from platform import node
from queue import Queue
from threading import Lock as a_lock
from typing import Any

import pytest

from sim import (
    AgentTimeout,
    Emission,
    InputLedger,
    Message,
    ModelError,
    Monitor,
    Process,
    Replay,
    SimError,
    System,
    TableError,
    Timing,
    Uniform,
    always,
    check,
    simulate,
)


class Ping(Message):
    n: int


class Keyed(Message):
    key: int


class Did(Emission):
    n: int


class Player(Process):
    """What `do` does is what its first input makes it do."""

    states = ("up", "over")
    must = ("go",)
    timers = ("wait",)
    durable = ("kept",)
    transitions = (
        {"trigger": "go", "source": "up", "dest": "over", "after": "do"},
        {"trigger": "wait", "source": "over", "dest": None},
        {"trigger": Ping, "source": "*", "dest": None},
        {"trigger": Keyed, "source": "*", "dest": None},
    )

    count: int = 0
    kept: int = 0

    def do(self) -> None:
        """Nothing: the tests put something here."""


class Listener(Monitor):
    states = ("listening",)
    transitions = ({"trigger": Did, "source": "listening", "dest": None},)


def system(**parts: Any) -> System:
    return System({"p": Player(), "q": Player()}, **parts)


def doing(do: Callable[[Any], object]) -> Callable[[], object]:
    def attempt() -> object:
        class Doer(Player):
            def do(self) -> None:
                do(self)

        return check(System({"p": Doer()}))  # reading the code follows the closure

    return attempt


def ledger(**values: Any) -> Callable[[], object]:
    return lambda: system(monitors={"inputs": InputLedger(**values)})


def now() -> int:
    return int(time.time())


STARTED = time.monotonic
DICE = random.Random(3)


def row(**changes: Any) -> Callable[[], object]:
    """A class whose only row has these changes."""

    def attempt() -> object:
        spec = {"trigger": Ping, "source": "up", "dest": "over", "after": "note", **changes}
        body = {"states": ("up", "over"), "transitions": (spec,), "note": lambda self: None, "timers": ()}
        return type("Sole", (Process,), body)()

    return attempt


HERE = Path(__file__).parent
LOCK = threading.Lock()


class Locked(Player):
    LOCK = threading.Lock()

    def do(self) -> None:
        with self.LOCK:
            self.count += 1


class Timed(Player):
    @property
    def now(self) -> int:
        return int(time.time())

    def do(self) -> None:
        self.count = self.now


def a_lock_as_default() -> None:
    class Held(Player):
        lock: Any = threading.Lock()


def imports_platform_inside(_: Any) -> None:
    import platform as machine

    machine.node()


def imports_inside(_: Any) -> None:
    import random as chance

    chance.random()


def list_as_default() -> None:
    class Bag(Message):
        items: list[int] = []


def a_field_without_annotation() -> None:
    class Asked(Message):
        attempt = 0


def one_row_without_a_comma() -> None:
    class Lonely(Process):
        states = ("up",)
        transitions = {"trigger": Ping, "source": "up", "dest": None}


def a_function_as_callback() -> None:
    class Direct(Process):
        states = ("up",)
        transitions = ({"trigger": Ping, "source": "up", "dest": None, "after": print},)


def an_init_of_ones_own() -> None:
    class Built(Process):
        states = ("up",)
        transitions = ()

        def __init__(self) -> None:
            self.number = 3


COUNT = 0


def counts(_: Any) -> None:
    global COUNT
    COUNT += 1


async def waits(_: Any) -> None:
    """Nothing, later."""


def yields(_: Any) -> Any:
    yield


class Numbered(Process):
    states = ("up",)
    number: int


MISTAKES: dict[str, Callable[[], object]] = {
    # the parts of a system
    "processes is [1] (list); expected a mapping, such as processes={...}": lambda: System([1]),  # type: ignore[arg-type]
    "monitors is a Listener; expected a mapping": lambda: system(monitors=Listener()),
    "process 'p' is the class Player; expected an instance of a Process": lambda: System({"p": Player}),  # type: ignore[dict-item]
    "process 'm' is a Listener; expected an instance of a Process; monitors go into `monitors`": lambda: System(
        {"m": Listener()}
    ),  # type: ignore[dict-item]
    "properties is a Property; expected a tuple (a single item needs a comma after it)": lambda: system(
        properties=always("x", lambda p: True)
    ),
    "a function is not a property; use always, sometimes, eventually or within": lambda: system(within=lambda p: True),
    "carriers: 'agent_timeout' is not a domain fault: make it a subclass of Fault": lambda: system(
        carriers={"agent_timeout": (Ping,)}
    ),
    "carriers of AgentTimeout: Ping is not a collection of message types; write (Ping,)": lambda: system(
        carriers={AgentTimeout: Ping}
    ),
    "interchangeable: unknown process 'r'": lambda: system(interchangeable=(("p", "r"),)),
    "interchangeable holds 'p'; expected groups of names, such as (('p', ...),)": lambda: system(
        interchangeable=("p",)
    ),
    "interchangeable names 'q' twice; a process belongs to one group, once": lambda: system(
        interchangeable=(("p", "q"), ("q",))
    ),
    "interchangeable holds 5 (int); expected groups of names, such as (('p', 'q'),)": lambda: system(
        interchangeable=(5,)
    ),
    "interchangeable: a is a Player, b a Other; they must be of one class": lambda: System(
        {"a": Player(), "b": type("Other", (Player,), {})()}, interchangeable=(("a", "b"),)
    ),
    "interchangeable: a and b start with number=1 and 2; they may differ only in their names": lambda: System(
        {"a": Numbered(number=1), "b": Numbered(number=2)}, interchangeable=(("a", "b"),)
    ),
    "timing is (5, 50) (tuple); expected a Timing": lambda: system(timing=(5, 50)),
    "timing: latency_ms is 5; expected whole milliseconds (low, high)": lambda: Timing(latency_ms=5),  # type: ignore[arg-type]
    "timing: may_ms is (50, 5); expected": lambda: Timing(may_ms=(50, 5)),
    "timing: links['p->q'] is (1.0, 2); expected": lambda: Timing(links={"p->q": (1.0, 2)}),  # type: ignore[dict-item]
    "timing: 'p>q' is not a link; write source->target": lambda: system(timing=Timing(links={"p>q": (1, 2)})),
    "timing: link 'p->qq': unknown process 'qq' (did": lambda: system(timing=Timing(links={"p->qq": (1, 2)})),
    "timing: unknown spontaneous move 'p.goo' (did you mean 'p.go'?)": lambda: system(
        timing=Timing(moves={"p.goo": None})
    ),
    "System: unknown part 'fault' (did you mean 'faults'?)": lambda: system().with_(fault="drop:1"),
    "System: unknown part 'monitor' (did you mean 'monitors'?): use processes": lambda: system(monitor={}),
    "Timing: unknown part 'latency' (did you mean 'latency_ms'?): use": lambda: Timing(latency=(5, 50)),  # type: ignore[call-arg]
    "faults is {'drop': 1} (dict); expected the text of a plan, such as 'drop:1'": lambda: system(faults={"drop": 1}),
    "unknown network 'tcp': use any, fifo, set or latest": lambda: system(network="tcp"),
    "fault 'crash:1@r': unknown process 'r': use p or q": lambda: system(faults="crash:1@r"),
    "always x: unknown process or monitor 'r'": lambda: system(properties=(always("x", lambda r: True),)),
    "always 'x': 'p' (str) is not a predicate; pass a function of what it reads, such as": lambda: always("x", "p"),  # type: ignore[arg-type]
    "always x cannot be evaluated: AttributeError: unknown field 'cuont' (did you mean 'count'?)": lambda: check(
        system(properties=(always("x", lambda p: p.cuont == 0),))
    ),
    "always x returns a function, which always holds; call it with ()": lambda: check(
        system(properties=(always("x", lambda p: p.fields),))
    ),
    # monitors that would watch nothing
    "monitor 'inputs': unknown process 'pp' (did you mean 'p'?)": ledger(process="pp", types=("Keyed",)),
    "monitor 'inputs': p: unknown message type 'Keyd' (did you mean 'Keyed'?)": ledger(process="p", types=("Keyd",)),
    "monitor 'inputs': types is Keyed; expected a tuple of names of message types": ledger(process="p", types="Keyed"),
    "monitor 'inputs': Ping has no key: add a field or a property `key`": ledger(process="p", types=("Ping",)),
    # engines
    "the class Player is not a System": lambda: check(Player),  # type: ignore[arg-type]
    "the strategy is the class Uniform: pass an instance, Uniform(...)": lambda: simulate(system(), Uniform),  # type: ignore[arg-type]
    "the strategy is 'uniform' (str): pass an instance, Uniform(...)": lambda: simulate(system(), "uniform"),  # type: ignore[arg-type]
    "'delver q->p Ping': unknown action 'delver' (did you mean 'deliver'?)": lambda: Replay(["delver q->p Ping"]),
    # making processes and records
    "Player takes its fields by name: write Player(count=...)": lambda: Player(1),
    "Player: unknown field 'cuont' (did you mean 'count'?)": lambda: Player(cuont=1),
    "Numbered: field 'number' has no default: pass number=...": lambda: Numbered(),
    "Built: __init__ cannot be replaced: annotate fields in the class body, and pass them": an_init_of_ones_own,
    "Asked: attempt is not annotated, so it is not a field: write `attempt: int = ...`": a_field_without_annotation,
    "Bag: field items: [] (list) is not a value: use a tuple": list_as_default,
    "Lonely: transitions is not a tuple of rows; a single row needs a comma after it": one_row_without_a_comma,
    "Direct: row 1 (trigger: Ping, source: 'up', dest: None): after a ": a_function_as_callback,
    # the table of a class: more of these are in test_table
    "Sole: row 1 (trigger: Ping, source: 'up', dest: 'ovr'): dest: unknown state 'ovr' (did you mean 'over'?)": row(
        dest="ovr"
    ),
    "Sole: row 1 (trigger: Ping, source: 'ovr', dest: 'over'): source: unknown state 'ovr' (did you mean 'over'?)": row(
        source="ovr"
    ),
    "after: unknown method 'nte' (did you mean 'note'?)": row(after="nte"),
    "nothing can send trigger 'wait': a string is a timer or a spontaneous move, declared in": row(trigger="wait"),
    "unknown key 'condition' (did you mean 'conditions'?)": row(condition="note"),
    "prepare would run even if the row is refused; use a condition, or before": row(prepare="note"),
    # what a handler must not read
    "Doer: <lambda> reads time.time (test_user_mistakes.py:": doing(lambda p: setattr(p, "count", int(time.time()))),
    "reads time.monotonic (test_user_mistakes.py:": doing(lambda p: setattr(p, "count", int(STARTED()))),
    "Doer: now reads time.time (test_user_mistakes.py:": doing(lambda p: setattr(p, "count", now())),
    "reads datetime.datetime.now (": doing(lambda p: setattr(p, "count", datetime.datetime.now().second)),
    "reads datetime.date.today (": doing(lambda p: setattr(p, "count", datetime.date.today().day)),
    "a handler has no clock; arm a timer, or let a message bring the time": doing(lambda p: time.sleep(1)),
    "reads random.randrange (": doing(lambda p: setattr(p, "count", random.randrange(6))),
    "reads random.Random (": doing(lambda p: setattr(p, "count", DICE.randrange(6))),
    "Doer: imports_inside reads random (": doing(imports_inside),
    "reads uuid.uuid4 (": doing(lambda p: setattr(p, "count", uuid.uuid4().int)),
    "a handler has no random numbers; let self.choose(...) take one of the outcomes": doing(
        lambda p: secrets.token_hex()
    ),
    "reads os.environ (": doing(lambda p: setattr(p, "count", len(os.environ))),
    "reads builtins.open (": doing(lambda p: open("x")),  # noqa: SIM115
    "reads builtins.id (": doing(lambda p: setattr(p, "count", id(p))),
    "reads builtins.hash (": doing(lambda p: setattr(p, "count", hash("a"))),
    "reads sys.exit (": doing(lambda p: sys.exit()),
    "reads pathlib.Path (": doing(lambda p: setattr(p, "count", len(Path("x").read_text()))),
    "reads urllib.request.urlopen (": doing(lambda p: urllib.request.urlopen("http://localhost")),
    "reads __file__ (test_user_mistakes.py:": doing(lambda p: setattr(p, "count", len(__file__))),
    "<lambda> reads __file__ (": doing(lambda p: setattr(p, "count", len(os.__file__))),
    "reads platform.system (": doing(lambda p: setattr(p, "count", len(platform.system()))),
    "reads platform.node (": doing(lambda p: setattr(p, "count", len(node()))),
    "Doer: imports_platform_inside reads platform (": doing(imports_platform_inside),
    "reads getpass.getuser (": doing(lambda p: setattr(p, "count", len(getpass.getuser()))),
    "reads locale.getlocale (": doing(lambda p: setattr(p, "count", len(locale.getlocale()))),
    "reads socket.gethostname (": doing(lambda p: setattr(p, "count", len(socket.gethostname()))),
    "reads os.getcwd (": doing(lambda p: setattr(p, "count", len(os.getcwd()))),
    "reads os.path.abspath (": doing(lambda p: setattr(p, "count", len(os.path.abspath("x")))),
    "reads os.path.exists (": doing(lambda p: setattr(p, "count", int(exists("x")))),
    "reads os.path.expanduser (": doing(lambda p: setattr(p, "count", len(paths.expanduser("~")))),
    "reads tempfile.gettempdir (": doing(lambda p: setattr(p, "count", len(tempfile.gettempdir()))),
    "reads pathlib.": doing(lambda p: setattr(p, "count", len(HERE.name))),
    "reads uuid.getnode (": doing(lambda p: setattr(p, "count", uuid.getnode())),
    "reads linecache.getline (": doing(lambda p: linecache.getline("/etc/hostname", 1)),
    "reads importlib.": doing(lambda p: importlib.import_module("os")),
    "reads sysconfig.get_path (": doing(lambda p: sysconfig.get_path("stdlib")),
    "reads threading.Lock (": doing(lambda p: threading.Lock()),
    "a handler is one step, which nothing interrupts; processes share nothing but messages": doing(lambda p: a_lock()),
    "reads threading.lock (": doing(lambda p: LOCK.acquire()),
    "reads threading.RLock (": doing(lambda p: threading.RLock()),
    "reads threading.Event (": doing(lambda p: threading.Event().set()),
    "reads queue.Queue (": doing(lambda p: Queue().put(1)),
    "Locked: do reads threading.lock as LOCK (test_user_mistakes.py:": lambda: System({"p": Locked()}),
    "Timed: now reads time.time (test_user_mistakes.py:": lambda: System({"p": Timed()}),
    "Held: field lock: a lock is not a value: use None, bool, int": a_lock_as_default,
    "Player: field count: a lock is not a value: use None, bool, int": lambda: Player(count=threading.Lock()),  # type: ignore[arg-type]
    "Doer: counts changes the global COUNT (test_user_mistakes.py:": doing(lambda p: counts(p)),
    "Waiting: waits awaits or yields (test_user_mistakes.py:": lambda: check(
        System({"p": type("Waiting", (Player,), {"do": waits})()})
    ),
    "it is one step; write a plain def without them": lambda: check(
        System({"p": type("Yielding", (Player,), {"do": yields})()})
    ),
    "always slow: <lambda> reads time.time (": lambda: system(properties=(always("slow", lambda p: time.time() > 1),)),
    # values
    "Doer 'p' in state 'over' sets count: 0.5 (float) is not a value: ": doing(lambda p: setattr(p, "count", 0.5)),
    "Doer 'p' in state 'over' sets count: [1] (list) is not a value: use a tuple": doing(
        lambda p: setattr(p, "count", [1])
    ),
    "Doer 'p' in state 'over' sets count: {} (dict) is not a value: ": doing(lambda p: setattr(p, "count", {})),
    "Doer 'p' in state 'over', Ping: [1] (list) is not a value: use a tuple": doing(lambda p: p.send("p", Ping([1]))),  # type: ignore[arg-type]
    "p sends Ping: unknown process 'nobody': use p": doing(lambda p: p.send("nobody", Ping(1))),
    "only rows of the table change the state": doing(lambda p: setattr(p, "state", "up")),
    "chooses from nothing: pass at least one outcome": doing(lambda p: p.choose()),
    # in a handler
    "Doer 'p' in state 'over' sends the class Ping: pass an instance, Ping(...)": doing(lambda p: p.send("p", Ping)),
    "Doer 'p' in state 'over' sends 'q' (str): pass an instance": doing(lambda p: p.send(Ping(1), "q")),
    "Doer 'p' in state 'over' sends to the class Player: pass the name": doing(lambda p: p.send(Player, Ping(1))),
    "Doer 'p' in state 'over' sends to '': only the handler of a": doing(lambda p: p.send(p.sender, Ping(1))),
    "Doer 'p' in state 'over' emits Ping: make it a subclass of Emission": doing(lambda p: p.emit(Ping(1))),
    "Doer 'p' in state 'over' emits: unknown durable field 'count'": doing(lambda p: p.emit(Did(1), count=2)),
    "Doer 'p' in state 'over' arms 'wait' for 0.5: expected whole milliseconds": doing(lambda p: p.arm("wait", 0.5)),
    "Doer 'p' in state 'over': unknown timer 'waite' (did you mean 'wait'?)": doing(lambda p: p.cancel("waite")),
    "Doer 'p' in state 'over': unknown field 'kount' (did you mean 'count'?)": doing(lambda p: setattr(p, "kount", 1)),
}


@pytest.mark.parametrize(("line", "attempt"), MISTAKES.items(), ids=list(MISTAKES))
def test_a_mistake_is_one_line_that_says_what_would_be_right(line: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(SimError) as caught:
        attempt()
    (mistake,) = caught.value.mistakes
    assert line in mistake
    assert "\n" not in mistake
    assert " at 0x" not in mistake


def test_paths_as_texts_and_constants_of_a_class_are_no_mistakes() -> None:
    class Doer(Player):
        LIMIT = 3
        WORDS = ("a", "b")

        @property
        def most(self) -> int:
            return self.LIMIT

        def do(self) -> None:
            self.count = len(os.path.join("a", paths.basename("b/c"))) + self.most + len(self.WORDS)

    assert check(System({"p": Doer()})).verdict == "ok"


def test_an_exception_of_a_handler_is_a_finding_that_says_where_and_what_was_meant() -> None:
    class Doer(Player):
        def do(self) -> None:
            self.send("p", Ping(self.cuont))  # type: ignore[attr-defined]

    finding = check(System({"p": Doer()})).finding
    assert finding is not None
    assert finding.property == "exception"
    said = r"p in state up: AttributeError: .* has no attribute 'cuont' \(did you mean 'count'\?\) \(test_user_mistakes.py:\d+, in do\)"
    assert re.fullmatch(said, finding.message)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        System({"p": Player()}, network="fif", timing=Timing(links={"x->y": (1, 2)}), interchangeable=(("z",),))
    assert len(caught.value.mistakes) == 4


class Innocent(Player):
    """Names that only look like what is banned."""

    time: int = 0
    random: str = ""

    def do(self) -> None:
        self.time = len(os.path.join("a", "b")) + datetime.timedelta(seconds=2).seconds
        self.random = str(self.choose("heads", "tails"))

    def explain(self) -> str:
        """No callback leads here: a person at a prompt may know what time it is."""
        return f"{self.time} at {time.time()}"


def test_what_only_looks_like_a_clock_is_not_refused() -> None:
    assert check(System({"p": Innocent()})).verdict == "ok"


def test_a_module_of_ones_own_may_be_called_as_one_that_is_banned() -> None:
    asked = type("Asked", (Message,), {"__module__": "requests"})

    def do(self: Any) -> None:
        self.send("p", asked())

    rows = (*Player.transitions, {"trigger": asked, "source": "*", "dest": None})
    theirs = type("Doer", (Player,), {"do": do, "transitions": rows})
    with pytest.raises(ModelError, match=r"reads requests\.Asked"):
        System({"p": theirs()})
    ours = type("Doer", (Player,), {"do": do, "transitions": rows, "__module__": "requests"})
    assert check(System({"p": ours()})).verdict == "ok"


def test_what_is_right_is_not_refused() -> None:
    sane = system(
        monitors={"inputs": InputLedger(process="p", types=("Keyed",))},
        timing=Timing(links={"*->q": (1, 2), "p->*": (0, 0)}, moves={"p.go": None}),
        interchangeable=[["p", "q"]],
        carriers={AgentTimeout: [Ping]},
    )
    assert sane.with_(faults="drop:1").budget
    assert issubclass(TableError, SimError)
