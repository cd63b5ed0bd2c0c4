"""What the numbers in the arrays mean: registers, settings, columns of an action, ways to stop.

A state is a run of int32 cells: the local value of each process and monitor, the budget slots, one cell
for each cut (1: in force), then the envelopes in flight, sorted as `Tabulation.order` says, and those that are equal
there in their order of sending.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.system.network import KIND_BITS

# Registers: what a batch of the walk reads and leaves behind.
CURSOR, LEVEL_END, STATES, GENERATED, OUTSIDE, EDGES, BASE, USED, HEARING, QUIET, RAW, RESTS = range(12)
REGISTERS = 12
"""HEARING: the action that an unknown row of a monitor belongs to. QUIET: whether the state is
quiescent. RAW: the length of a state that is still to be reduced. RESTS: states at rest."""

# Settings: fixed for a walk, except MAX_SENDS, which grows with the rows.
NETWORK, PROCESSES, LOCALS, BUDGETS, CUTS, ALWAYS, SOMETIMES, WITHIN, EXACT, KEEP_EDGES, MAX_STATES = range(11)
MAX_SENDS, LASTING, DOWN_MAX = 11, 12, 13
SETTINGS = 14
"""LASTING: where something may be struck for good, so that what can never arrive vanishes: 1 + the first cut for good.
DOWN_MAX: how many may be down at once, or -1."""

ANY, FIFO, SET, LATEST, BY_LINK = range(5)
KIND_MASK = (1 << KIND_BITS) - 1
"""BY_LINK: what an envelope is sorted by says in these bits which of the others its link is."""

# Columns of an action. The *_FROM and *_TO columns are a range in the pool.
PROCESS, LOCAL, CONSUMED, CUT, PROGRESS, HEARD_FROM, HEARD_TO, SENDS_FROM, SENDS_TO, SPENDS_FROM, SPENDS_TO = range(11)
ONLY_LOCAL = 11
COLUMNS = 12
"""ONLY_LOCAL: beside the network, the action changes the local value of its process and nothing else."""

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
HEADS, BEHIND, OWN = 1, 2, 4
SURROUNDINGS_ROOT = 1
STATES_MAX = (1 << 31) - 2


class Rows(NamedTuple):
    """What a step looks up; written by Python between batches, read by the walk."""

    row_keys: Any
    row_values: Any
    row_start: Any
    row_actions: Any
    actions: Any
    pool: Any
    pair_keys: Any
    """(node, cell) -> node or answer: decision trees of surroundings, monitors and predicates."""
    pair_values: Any
    order: Any
    """What envelopes are sorted by."""
    target: Any
    flags: Any
    crossed: Any
    """For each envelope: the cuts that hold it, as bits."""
    healing: Any
    """For each surroundings: the row of heals."""
    cutting: Any
    strikes: Any
    """For each surroundings: what faults may strike."""
    hear_node: Any
    hear_start: Any
    hear_by: Any
    prop_start: Any
    props: Any
    """For each predicate: the root of its tree, then the cells it reads."""
    unseen: Any


class Store(NamedTuple):
    """The states met, and what is kept about them; written by the walk."""

    slots: Any
    """Open addressing: fingerprints, 0 is free."""
    ids: Any
    """The number of the state in each slot, where numbers are needed (else one cell)."""
    cells: Any
    offsets: Any
    """State n has the cells offsets[n - BASE] .. offsets[n - BASE + 1]."""
    parent: Any
    ordinal: Any
    """Which of the parent's actions, in their order, led here."""
    edge_start: Any
    edge_to: Any
    edge_action: Any
    resting: Any
    """For each state whether it is at rest, where that is needed (else one cell)."""
