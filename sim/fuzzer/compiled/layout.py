"""What the numbers in the arrays of the compiled fuzz mean.

A state that was met has a number, and is expanded once: its enabled actions are a run of edges, each with the number
of the state it leads to, or -1 as long as nobody went there. A schedule is a walk along these edges.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from sim.checker.compiled.layout import SETTINGS
from sim.native.dtypes import I32, I64, U8, U64
from sim.run.lasso import ROUND_MAX as ROUND_MAX

# Registers: where a batch of schedules stands.
NUMBER, END, PHASE, STATE, EDGE, TOOK, START, STEPS, MAX_STEPS, BATCH, MEMBER, COUNT = range(12)
"""NUMBER: of the current schedule; END: after the last. TOOK: the action that the strategy has not been told
of yet (BEGUN: how the schedule began). COUNT: schedules since the states were last forgotten, from 1. SIZES: how
many different sizes schedules had, 2 for more than one. SPENT: steps since the last pause, and what else took time.
OPEN_SET: the set of chains that has free places, FREE: how many. LOOK: the step at which a schedule pauses.
RAW: the length of a state that is still to be judged."""
SCHEDULES, TOTAL_STEPS, CUT_SHORT, STATES, CELLS, EDGES, HEARING = range(12, 19)
PICK, STRUCK, DUE, TAKEN_EVENTS, EVENTS, CHAINS, CHAIN_ROWS, TOUCHED, STAMP = range(19, 28)
NOW, DRAWN, HEAP, WAITING, LAST, OVERFULL = range(28, 34)
SIZES, SIZE_EVENTS, SIZE_BREADTH, CHOSE, SPENT = range(34, 39)
KEPT, LENGTH_SINCE, UNTIL, LOOK_AT, ROUND = range(39, 44)
OPEN_SET, FREE, LOOK, RAW, VISITED = range(44, 49)
REGISTERS = 49
"""KEPT: the state that a schedule may come back to, LENGTH_SINCE: the steps since, UNTIL and LOOK_AT: see
`sim.run.lasso.Rounds`. ROUND: the shortest round so far, or 0."""

NONE, BEGUN = -1, -2

# Phases of a step.
BEGIN, STAND, GO = range(3)

# Random registers (64 bits).
MASTER, SEED, DRAWS, STRIKES, PRIORITIES, ALLOWED, OPEN, HELD = range(8)
RANDOM = 8

# Strategies, and the purposes that seeds are derived for.
UNIFORM, PCTCP, POS, SWARM, TIMED, VIRTUAL_TIME, PORTFOLIO = range(7)
FOR_SCHEDULES, FOR_START, FOR_STRIKES, FOR_CHAINS = range(7, 11)
PURPOSES = (
    "uniform",
    "pctcp",
    "pos",
    "swarm",
    "timed",
    "virtual_time",
    "portfolio",
    "schedules",
    "start",
    "strikes",
    "chains",
)

# Settings of a fuzz, beside those of a walk.
STRATEGY, DEPTH, LENGTH, MOST, ENDLESS, ENVELOPES, OPENABLE, EVENTUALS, WAYS, KINDS_KNOWN, EAGER, SIZED = range(
    SETTINGS, SETTINGS + 12
)
CURRENT, PREMISES, STRICT = range(SETTINGS + 12, SETTINGS + 15)
FUZZ_SETTINGS = SETTINGS + 15
"""LENGTH: of the canonical schedule. MOST: faults that a schedule may have. ENVELOPES: the subject of the first of
them. OPENABLE: how many properties have to hold some time or may; EVENTUALS: those that have to hold once, as bits,
CURRENT: those that are unmet wherever they do not hold. PREMISES: how many, the last ones, are unmet from where their
premise holds. STRICT: whether the plain engine has to judge every round. WAYS: to begin. EAGER: entries of the plan.
SIZED: whether the sizes of schedules tell something."""

# Columns of an edge.
ACTION, LEADS_TO = range(2)
EDGE_WIDTH = 2

# Columns of what is known of a state.
FROM, TO, STATUS, SEEN, SCHEDULES_BY, HOLDS, UNMET = range(7)
HEAD = 8
"""SEEN: the COUNT of the last schedule that came by; SCHEDULES_BY: how many came by. HOLDS: the properties that hold there, as
bits; UNMET: those that are unmet from there on, until they hold. Eight columns are one line of the processor's cache, which a
step waits for; so edges are short, too."""
EXPANDED, QUIET, OWED, BROKEN = 1, 2, 4, 8

# Columns of a fact: what strategies know of an action beside its effect.
(
    SUBJECT, SORT, FAULTY, STRIKE, KINDS, WINDOW_OF, WINDOW, SURVIVES, CONSUMES, DELIVERED, MOVERS_FROM, MOVERS_TO, SURE,
    ENTRIES, CHOOSES, ENVELOPE, CODE,
) = range(17)  # fmt: skip
FACTS = 17
"""STRIKE: the kind of fault it is, KINDS: all of them, as bits. CODE: the number of its encoding. WINDOW_OF: that of the handler
without any other fault that it is a crash of. SURE: it changes every state."""

# Columns of a mover: a process to which an action happens.
MOVER, ARMS_FROM, ARMS_TO, ALTERS = range(4)
MOVERS = 4
"""ALTERS: whether it gets another local value."""

# What an action, and what a subject is.
DELIVER, FIRE, MOVE, RESTART, HEAL, CUT, OTHER = range(7)

# What an entry of an eager plan is.
ENTRY_CRASH, ENTRY_CUT, ENTRY_REORDER, ENTRY_UPDATE, ENTRY_OTHER = range(5)

# Why a batch ended, beside the reasons of `sim.checker.compiled.layout`.
DONE, FOUND, SUSPECT, SMALL_DESK, ONWARD, CAME_ROUND = range(20, 26)
"""FOUND: a property is violated. SUSPECT: the plain engine has to say how the schedule ended. ONWARD: it goes on.
CAME_ROUND: the plain engine has to say whether it ends with the round that it went."""

KINDS_MAX = PROPERTIES_MAX = ENTRIES_MAX = 62
LOOK_EVERY = 100_000
"""Steps of one schedule after which it pauses, to look whether its time is over."""
COUNT_MAX = 1 << 30
"""Schedules that one column can count, with room for those of a batch."""
STEPS_MAX = (1 << 31) - 1
TIME_MAX = 1 << 62
"""Milliseconds, at the end of a schedule."""


class Facts(NamedTuple):
    """What strategies know; written by Python between batches."""

    keys: U64
    """64 bits of each action's encoding."""
    leads: U64
    """The least key among the ways that its event can go."""
    event: I32
    """The subject of each action without any fault; NONE for a fault."""
    fact: Annotated[I64, FACTS]
    movers: Annotated[I64, MOVERS]
    """Of each action, as they are declared on a machine: who moves."""
    arms: Annotated[I64, 3]
    """Timers armed: subject, least and longest milliseconds."""
    delays: Annotated[I64, 2]
    """Of each subject: least and longest milliseconds, or -1 for never."""
    owner: I32
    """Of each subject: the process it happens to, or the cut."""
    sort: I32
    own_from: I32
    """The subjects of process i that are not envelopes: own_from[i] .. own_from[i + 1]."""
    armed_from: I32
    armed: I32
    """The timers armed in each local value, as subjects."""
    purposes: U64
    kinds: Annotated[U64, 2]
    """For each kind of fault in the budget: the key of its name, and of its place in a swarm."""
    crash_window: Annotated[I32, ...]
    """For each action and entry of the plan: the window in which an eager crash strikes, or -1."""
    named: Annotated[I32, ...]
    """For each action and entry: whether it puts out what the entry waits for."""
    entries: Annotated[I32, 2]
    """For each entry: what it is, and whether it waits for an output."""
    starts: Annotated[I64, 5]
    """For each way to begin: its state, its sends and its arms in the pool of beginnings."""
    begin: I32


class Known(NamedTuple):
    """The states met and their edges; written by the walk."""

    slots: U64
    ids: I32
    cells: I32
    offsets: I64
    head: Annotated[I64, HEAD]
    edges: Annotated[I32, EDGE_WIDTH]
    visited: I32
    """The states that schedules came by since the last time, VISITED of them, in the order of their first visit."""
    taken: U8
    """For each action whether some schedule took it."""


class Desk(NamedTuple):
    """What a strategy has in front of it during one schedule."""

    due: I64
    """The steps at which faults are due, ascending."""
    moved: I32
    """How often each process has moved."""
    points: I64
    lowered: I32
    """The level of each chain whose priority was lowered, or -1."""
    standing: I32
    """For each row of chains the set that stands there."""
    row: I32
    """For each set of chains the row where it stands."""
    set: I32
    """For each chain the set that it is in."""
    last: I32
    """The last event of each chain."""
    rank: U64
    """The priority of each chain that was not lowered."""
    parent: I32
    """The event that brought an event about, or -1."""
    chain: I32
    leaf: I32
    """Whether nothing follows from an event."""
    up: I32
    """For the last event of a chain itself; for others one that it follows from, with no last event between, or -1."""
    next: I32
    first: I32
    """The first pending event of each subject, or -1; for a clock, the event that a timer or move stands for."""
    final: I32
    touched: I32
    stamp: I64
    when: I64
    """When an event is due, in milliseconds."""
    who: I32
    """The subject of an event."""
    open: I32
    """Whether the plan may still strike it."""
    heap: I32
    waiting: I32
    """For each process the first of the events that wait for it to change, or -1."""


class Buffers(NamedTuple):
    """Where a step is worked out."""

    before: I32
    after: I32
    found: I32
