"""What the numbers in the arrays mean: registers, settings, columns of an action, ways to stop.

A state is a run of int32 cells: the local value of each process and monitor, the budget slots, one cell
for each cut (1: in force), then the envelopes in flight, sorted as `Tabulation.order` says, and those that are equal
there in their order of sending.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from sim.native.dtypes import I32, I64, U8, U64
from sim.system.network import KIND_BITS

# Registers: what a batch of the walk reads and leaves behind.
CURSOR, LEVEL_END, STATES, GENERATED, OUTSIDE, EDGES, BASE, USED, HEARING, QUIET, RAW, RESTS = range(12)
REGISTERS = 12
"""HEARING: the action that an unknown row of a monitor belongs to. QUIET: whether the state is
quiescent. RAW: the length of a state that is still to be reduced or judged. RESTS: states at rest."""

# Settings: fixed for a walk, except MAX_SENDS, which grows with the rows.
NETWORK, PROCESSES, LOCALS, BUDGETS, CUTS, ALWAYS, SOMETIMES, WITHIN, EXACT, KEEP_EDGES, MAX_STATES = range(11)
MAX_SENDS, LASTING, DOWN_MAX, MACHINES = 11, 12, 13, 14
SETTINGS = 15
"""LASTING: where something may be struck for good, so that what can never arrive vanishes: 1 + the first cut for good.
DOWN_MAX: how many may be down at once, or -1. MACHINES: how many there are."""

ANY, FIFO, SET, LATEST, BY_LINK = range(5)
KIND_MASK = (1 << KIND_BITS) - 1
"""BY_LINK: what an envelope is sorted by says in these bits which of the others its link is."""

# Columns of an action. The *_FROM and *_TO columns are a range in the pool.
PROCESS, LOCAL, CONSUMED, CUT, PROGRESS, HEARD_FROM, HEARD_TO, SENDS_FROM, SENDS_TO, SPENDS_FROM, SPENDS_TO = range(11)
ONLY_LOCAL, OTHERS_FROM, OTHERS_TO, FELLS = 11, 12, 13, 14
COLUMNS = 15
"""ONLY_LOCAL: beside the network, the action changes the local value of its process and nothing else. OTHERS: processes on its
machine, each followed by the local value that it gets. FELLS: the machine that crashes, or -1."""

# Flags of a local value.
FAILED, HOT, GONE, LOW = 1, 2, 4, 8
"""LOW: down or gone."""

FLYING = 1 << 24
"""The place of the first of equal envelopes (or of a queue); cells before have their own number."""

# Why a batch ended.
PAUSED, LEVEL_DONE, UNKNOWN_ROW, UNKNOWN_HEARING, UNKNOWN_VERDICT, FULL, SMALL_BUFFERS, VIOLATED, AT_REST, ENOUGH = (
    range(10)
)
UNKNOWN_IMAGE = 10

# A row's key: 24 bits of local value + 1, 24 of envelope + 1 (0: none), 14 of surroundings, 2 of what it is.
LOCALS_MAX = ENVELOPES_MAX = (1 << 24) - 2
SURROUNDINGS_MAX = 1 << 14
USUAL, STRUCK, STRUCK_BEHIND = range(3)

# What faults may strike in some surroundings.
HEADS, BEHIND, OWN, TOGETHER, TOGETHER_HEADS, TOGETHER_BEHIND = 1, 2, 4, 8, 16, 32
"""TOGETHER: a machine may crash, also inside of the deliveries of HEADS, or of what is BEHIND."""
SURROUNDINGS_ROOT = 1
STATES_MAX = (1 << 31) - 2

# Of a thing in a reduction: its views were not asked yet, are the same from all of a class, or not; of an envelope.
UNSEEN, SAME, DIFFERENT = range(3)
NOTHING, DEAD, TAKEN = range(3)


class Rows(NamedTuple):
    """What a step looks up; written by Python between batches, read by the walk."""

    row_keys: U64
    row_values: I32
    row_start: I32
    row_actions: I32
    actions: Annotated[I32, COLUMNS]
    pool: I32
    pair_keys: U64
    """(node, cell) -> node or answer: decision trees of surroundings, monitors and predicates."""
    pair_values: I32
    order: I32
    """What envelopes are sorted by."""
    target: I32
    flags: I32
    crossed: I64
    """For each envelope: the cuts that hold it, as bits."""
    healing: I32
    """For each surroundings: the row of heals."""
    cutting: I32
    strikes: I32
    """For each surroundings: what faults may strike."""
    hear_node: I32
    hear_start: I32
    hear_by: I32
    prop_start: I32
    props: I32
    """For each predicate: the root of its tree, then the cells it reads."""
    watches: I64
    """For each predicate: the classes of messages that it reads in flight, as bits."""
    watched: I64
    """For each envelope: the bit of its class, if some predicate reads it."""
    unseen: I32
    machine_start: I32
    machines: I32
    """For each machine: the root of its tree, then the processes on it. The tree leads from their local values, the surroundings
    with what it is (as in a row's key), and the envelope + 1 to a row."""
    machine_of: I32
    """For each process: the machine it is on, or -1."""
    inside: I32
    """For each envelope: the machine that both its ends are on, or -1."""


class Store(NamedTuple):
    """The states met, and what is kept about them; written by the walk."""

    slots: U64
    """Open addressing: fingerprints, 0 is free."""
    ids: I32
    """The number of the state in each slot, where numbers are needed (else one cell)."""
    cells: I32
    offsets: I64
    """State n has the cells offsets[n - BASE] .. offsets[n - BASE + 1]."""
    parent: I32
    ordinal: I32
    """Which of the parent's actions, in their order, led here."""
    edge_start: I64
    edge_to: I32
    edge_action: I32
    resting: U8
    """For each state whether it is at rest, where that is needed (else one cell)."""


class Buffers(NamedTuple):
    """Where a step is worked out. `steps` and `sums` are for a walk, which sees all successors of a state at once."""

    before: I32
    after: I32
    found: I32
    steps: I32
    sums: U64


class Turns(NamedTuple):
    """What a reduction knows: images and views, read by the walk; -1 is an image that was not asked yet."""

    members: I32
    """The processes of all classes, class by class."""
    starts: I32
    """Where each class begins in `members`, and where the last ends."""
    pairs: Annotated[I32, 2]
    """Swap -> the two processes."""
    number: Annotated[I32, ...]
    """(process, process) -> swap."""
    locals: Annotated[I32, ...]
    """(local value, swap) -> local value."""
    envelopes: Annotated[I32, ...]
    local_views: Annotated[U64, ...]
    """(local value, place in `members`) -> 64 bits."""
    local_seen: U8
    envelope_views: Annotated[U64, ...]
    envelope_seen: U8
    settle_keys: U64
    """As of a row; no keys at all where nothing settles."""
    settle_values: I32
    """NOTHING, DEAD, or TAKEN + the number of the action that takes the envelope."""
    steps_max: I64
    """One number: how many deliveries may be taken at once."""


class Spare(NamedTuple):
    """Room to turn states in: areas as wide as a state, the colours of members, the choices of an arrangement (see
    `turning.hpp`), and one state more."""

    areas: I32
    colours: U64
    levels: Annotated[I64, 3]
    cells: I32


class Reach(NamedTuple):
    """The arguments of `sim.checker.components.reach`."""

    begins: U8
    stays: U8
    depth: I64
    edge_start: I64
    edge_to: I32
    order: I64
    via: I64
    origin: I64


class Components(NamedTuple):
    """The arrays among the arguments of `sim.checker.components.components`, with the four of `tally`."""

    order: I64
    via: I64
    touch: U8
    edge_start: I64
    edge_to: I32
    edge_action: I32
    moves: U8
    keys: I64
    counted_for: I64
    members: I64
    last_member: I64
    taken_in: I64
    low: I64
    numbering: I64
    stack: I64
    work: I64
    at: I64
    fair: I64
    registers: I64
