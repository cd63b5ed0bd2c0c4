"""What the numbers in the arrays of the compiled fuzz mean.

A state that was met has a number, and is expanded once: its enabled actions are a run of edges, each with the number
of the state it leads to, or -1 as long as nobody went there. A schedule is a walk along these edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.checker.compiled.layout import SETTINGS

# Registers: where a batch of schedules stands.
NUMBER, END, PHASE, STATE, EDGE, TOOK, START, STEPS, MAX_STEPS, BATCH, MEMBER, COUNT = range(12)
"""NUMBER: of the current schedule; END: after the last. TOOK: the action that the strategy has not been told
of yet (BEGUN: how the schedule began). COUNT: schedules since the states were last forgotten, from 1. SIZES: how
many different sizes schedules had, 2 for more than one. SPENT: steps since the last pause, and what else took time.
OPEN_SET: the set of chains that has free places, FREE: how many. LOOK: the step at which a schedule pauses."""
SCHEDULES, TOTAL_STEPS, CUT_SHORT, STATES, CELLS, EDGES, HEARING = range(12, 19)
PICK, STRUCK, DUE, TAKEN_EVENTS, EVENTS, CHAINS, CHAIN_ROWS, TOUCHED, STAMP = range(19, 28)
NOW, DRAWN, HEAP, WAITING, LAST, OVERFLOW = range(28, 34)
SIZES, SIZE_EVENTS, SIZE_WIDTH, CHOSE, SPENT = range(34, 39)
KEPT, LENGTH_SINCE, UNTIL, LOOK_AT, ROUND = range(39, 44)
OPEN_SET, FREE, LOOK = range(44, 47)
REGISTERS = 47
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

# Columns of an edge, one more than there are: so none lies across two lines of the processor's cache.
ACTION, LEADS_TO, EVENT = range(3)
EDGE_WIDTH = 4
"""EVENT: the subject of an action without any fault; NONE for a fault."""

# Columns of what is known of a state.
FROM, TO, STATUS, SEEN, SCHEDULES_BY = range(5)
HEAD = 8
"""SEEN: the COUNT of the last schedule that came by; SCHEDULES_BY: how many came by. Eight columns are half a
line of the processor's cache."""
EXPANDED, QUIET, OWED, BROKEN = 1, 2, 4, 8

# Columns of a fact: what strategies know of an action beside its effect.
(
    SUBJECT, SORT, FAULTY, STRIKE, KINDS, WINDOW_OF, WINDOW, SURVIVES, CONSUMES, DELIVERED, ARMS_FROM, ARMS_TO, SURE,
    ENTRIES, CHOOSES, ENVELOPE, ALTERS,
) = range(17)  # fmt: skip
FACTS = 17
"""STRIKE: the kind of fault it is, KINDS: all of them, as bits. WINDOW_OF: the handler without any other fault that it
is a crash of. SURE: it changes every state. ALTERS: the local value of its process."""

# What an action, and what a subject is.
DELIVER, FIRE, MOVE, RESTART, HEAL, CUT, OTHER = range(7)

# What an entry of an eager plan is.
ENTRY_CRASH, ENTRY_CUT, ENTRY_REORDER, ENTRY_OTHER = range(4)

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

    keys: Any
    """64 bits of each action's encoding."""
    leads: Any
    """The least key among the ways that its event can go."""
    fact: Any
    arms: Any
    """Timers armed: subject, least and longest milliseconds."""
    delays: Any
    """Of each subject: least and longest milliseconds, or -1 for never."""
    owner: Any
    """Of each subject: the process it happens to, or the cut."""
    sort: Any
    own_from: Any
    """The subjects of process i that are not envelopes: own_from[i] .. own_from[i + 1]."""
    armed_from: Any
    armed: Any
    """The timers armed in each local value, as subjects."""
    purposes: Any
    kinds: Any
    """For each kind of fault in the budget: the key of its name, and of its place in a swarm."""
    crash_window: Any
    """For each action and entry of the plan: the window in which an eager crash strikes, or -1."""
    named: Any
    """For each action and entry: whether it puts out what the entry waits for."""
    entries: Any
    """For each entry: what it is, and whether it waits for an output."""
    starts: Any
    """For each way to begin: its state, its sends and its arms in the pool of beginnings."""
    begin: Any


class Known(NamedTuple):
    """The states met and their edges; written by the walk."""

    slots: Any
    ids: Any
    cells: Any
    offsets: Any
    head: Any
    held: Any
    """The properties that hold in each state, as bits; and those that are unmet from there on, until they hold."""
    edges: Any
    taken: Any
    """For each action whether some schedule took it."""


class Desk(NamedTuple):
    """What a strategy has in front of it during one schedule."""

    due: Any
    """The steps at which faults are due, ascending."""
    moved: Any
    """How often each process has moved."""
    points: Any
    lowered: Any
    """The level of each chain whose priority was lowered, or -1."""
    standing: Any
    """For each row of chains the set that stands there."""
    row: Any
    """For each set of chains the row where it stands."""
    set: Any
    """For each chain the set that it is in."""
    last: Any
    """The last event of each chain."""
    rank: Any
    """The priority of each chain that was not lowered."""
    parent: Any
    """The event that brought an event about, or -1."""
    chain: Any
    leaf: Any
    """Whether nothing follows from an event."""
    up: Any
    """For the last event of a chain itself; for others one that it follows from, with no last event between, or -1."""
    next: Any
    first: Any
    """The first pending event of each subject, or -1; for a clock, the event that a timer or move stands for."""
    final: Any
    touched: Any
    stamp: Any
    when: Any
    """When an event is due, in milliseconds."""
    who: Any
    """The subject of an event."""
    open: Any
    """Whether the plan may still strike it."""
    heap: Any
    waiting: Any
    """For each process the first of the events that wait for it to change, or -1."""
