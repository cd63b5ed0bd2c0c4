// From state to state: expanding a state once, and going along an edge for the first time.
#pragma once

#include "fuzz.hpp"

namespace roundsim::fuzz {

// Copies a state; its length.
inline int64_t take(const Fuzz& f, int64_t state, const Span<int32_t>& cells) {
    const int64_t begin = f.known.offsets[state], length = f.known.offsets[state + 1] - begin;
    for (int64_t i = 0; i < length; i++) cells[i] = f.known.cells[begin + i];
    return length;
}

// Finds the edges of the state under way; PAUSED, or why not (it is then begun again).
inline int64_t expand(Fuzz& f) {
    const Span<int32_t>&before = f.buffers.before, &after = f.buffers.after, &found = f.buffers.found;
    const int64_t state = f.state();
    int64_t length = f.known.offsets[state + 1] - f.known.offsets[state];
    if (length + f.settings[walk::MAX_SENDS] > after.size) return walk::SMALL_BUFFERS;
    if (walk::rows_most(f.settings, length) > found.size) return walk::SMALL_BUFFERS;
    take(f, state, before);
    const int64_t around = walk::surroundings(f.rows, f.settings, before);
    if (around < 0) return walk::UNKNOWN_ROW;
    const int64_t n = walk::gather(f.rows, f.settings, before, length, around, found);
    if (n < 0) return walk::UNKNOWN_ROW;
    int64_t edge = f.registers[EDGES];
    bool quiet = true;
    for (int64_t r = 0; r < n; r++) {
        for (int64_t a = f.rows.row_start[found[r]]; a < f.rows.row_start[found[r] + 1]; a++) {
            if (edge == f.known.edges.size) return FULL;
            const int32_t action = f.rows.row_actions[a];
            int64_t to = -1;
            if (!f.facts.fact(action, SURE)) {
                const int64_t k = walk::build(f.rows, f.settings, before, length, action, after);
                if (k < 0) {
                    f.registers[HEARING] = action;
                    return walk::UNKNOWN_HEARING;
                }
                if (walk::same_cells(before, 0, length, after, k)) to = state;
            }
            f.known.edges(edge, ACTION) = action;
            f.known.edges(edge, LEADS_TO) = int32_t(to);
            if (to < 0 && f.rows.actions(action, PROGRESS)) quiet = false;
            edge++;
        }
    }
    f.known.head(state, FROM) = f.registers[EDGES];
    f.known.head(state, TO) = edge;
    f.registers[EDGES] = edge;
    f.known.head(state, STATUS) |= EXPANDED;
    if (!quiet) return PAUSED;
    f.known.head(state, STATUS) |= QUIET;
    for (int64_t i = 0; i < f.settings[LOCALS]; i++)
        if (f.rows.flags[before[i]] & HOT) f.known.head(state, STATUS) |= OWED;
    return PAUSED;
}

// What is right and wrong in a new state: 1 if it is fine, 0 if a property is violated, -1 where a verdict is missing; the
// properties that hold, and those that are unmet from here on, as bits.
inline int64_t assess(const Fuzz& f, const Span<int32_t>& cells, int64_t length, uint64_t& holds, uint64_t& opens) {
    holds = opens = 0;
    for (int64_t i = 0; i < f.settings[LOCALS]; i++)
        if (f.rows.flags[cells[i]] & walk::FAILED) return 0;
    const int64_t always = f.settings[walk::ALWAYS], openable = f.settings[OPENABLE], premises = f.settings[PREMISES];
    for (int64_t prop = 0; prop < always; prop++) {
        const int64_t said = walk::verdict(f.rows, f.settings, prop, cells, length);
        if (said <= 0) return said;
    }
    for (int64_t i = 0; i < openable; i++) {
        const int64_t said = walk::verdict(f.rows, f.settings, always + i, cells, length);
        if (said < 0) return said;
        if (said) holds |= uint64_t(1) << i;
    }
    opens = uint64_t(f.settings[CURRENT]) & ~holds;
    for (int64_t i = 0; i < premises; i++) {
        const int64_t said = walk::verdict(f.rows, f.settings, always + openable + i, cells, length);
        if (said < 0) return said;
        if (said) opens |= uint64_t(1) << (openable - premises + i);
    }
    opens &= ~holds;
    return 1;
}

// Keeps a new state; PAUSED, or why not.
inline int64_t admit(Fuzz& f, const Span<int32_t>& cells, int64_t length, int64_t slot, uint64_t h) {
    const Known& known = f.known;
    const int64_t number = f.registers[STATES], used = f.registers[CELLS];
    if (2 * (number + 1) > known.slots.size || number + 2 > known.offsets.size || used + length > known.cells.size)
        return FULL;
    uint64_t holds, opens;
    const int64_t fine = assess(f, cells, length, holds, opens);
    if (fine < 0) {
        f.registers[RAW] = length;
        return walk::UNKNOWN_VERDICT;
    }
    known.slots[slot] = h;
    known.ids[slot] = int32_t(number);
    for (int64_t i = 0; i < length; i++) known.cells[used + i] = cells[i];
    known.offsets[number + 1] = used + length;
    known.head(number, STATUS) = fine ? 0 : BROKEN;
    known.head(number, SEEN) = known.head(number, SCHEDULES_BY) = 0;
    known.head(number, HOLDS) = int64_t(holds);
    known.head(number, UNMET) = int64_t(opens);
    f.registers[CELLS] = used + length;
    f.registers[STATES] = number + 1;
    return PAUSED;
}

// Finds the state that the edge under way leads to; PAUSED, or why not (it is then begun again).
inline int64_t go(Fuzz& f) {
    const Span<int32_t>&before = f.buffers.before, &after = f.buffers.after;
    const Known& known = f.known;
    const int64_t edge = f.registers[EDGE], length = take(f, f.state(), before), first = walk::first_of(f.settings);
    const int32_t action = known.edges(edge, ACTION);
    const int64_t k = walk::build(f.rows, f.settings, before, length, action, after);
    if (k < 0) {
        f.registers[HEARING] = action;
        return walk::UNKNOWN_HEARING;
    }
    const uint64_t h = walk::fingerprint(walk::total(after, first, k, f.rows.order));
    const int64_t slot = walk::locate(known.slots, known.ids, known.cells, known.offsets, 0, true, after, k, h);
    if (!known.slots[slot]) {
        const int64_t ended = admit(f, after, k, slot, h);
        if (ended != PAUSED) return ended;
    }
    known.edges(edge, LEADS_TO) = known.ids[slot];
    return PAUSED;
}

// Notes that the schedule under way comes to a state.
inline void visit(Fuzz& f, int64_t state) {
    if (f.known.head(state, SEEN) != f.registers[COUNT]) {
        f.known.head(state, SEEN) = f.registers[COUNT];
        if (!f.known.head(state, SCHEDULES_BY)++) f.known.visited[f.registers[VISITED]++] = int32_t(state);
    }
    const uint64_t holds = uint64_t(f.known.head(state, HOLDS));
    f.random[HELD] |= holds;
    f.random[OPEN] = (f.random[OPEN] | uint64_t(f.known.head(state, UNMET))) & ~holds;
}

}  // namespace roundsim::fuzz
