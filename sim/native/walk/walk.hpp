// The exhaustive walk, level by level. It knows integers only; every miss goes back to Python.
//
// An expansion may be cut short anywhere (a row or verdict is unknown, an array is full) and is then begun again:
// successors that it had found already are met as known, in the same order.
#pragma once

#include "steps.hpp"

namespace roundsim::walk {

using Registers = Numbers<int64_t, REGISTERS>;

// States that are outlined before the first of them is completed.
constexpr int64_t AHEAD = 4;

// The successors of a state before they are looked up: `n` in `steps` and `sums` from place `begin` on, then the sum of the
// state itself. `hearing`: the action that monitors have no row for, or -1. A length of 0: outside of the bound.
struct Outline {
    int64_t length, begin, n, hearing;
};

// A walk under way.
struct Walk {
    const Rows& rows;
    const Store& store;
    const Settings settings;
    Registers registers;
    const Buffers& buffers;
    const int64_t first = first_of(settings);

    Walk(const Rows& rows_, const Store& store_, const Span<int64_t>& told, const Span<int64_t>& stand, const Buffers& small)
        : rows(rows_), store(store_), settings(told), registers(stand), buffers(small) {}

    bool exact() const { return settings[EXACT] != 0; }
    bool keeps_edges() const { return settings[KEEP_EDGES] != 0; }

    // What to do with a new state: -1 a verdict is missing, 0 it is violated, 1 it is fine.
    int64_t judge(const Span<int32_t>& cells, int64_t length) {
        if (is_failed(cells)) return 0;
        for (int64_t prop = 0; prop < settings[ALWAYS]; prop++) {
            const int64_t said = verdict(rows, settings, prop, cells, length);
            if (said <= 0) return said;
        }
        for (int64_t i = 0; i < settings[SOMETIMES]; i++) {
            if (!rows.unseen[i]) continue;
            const int64_t said = verdict(rows, settings, settings[ALWAYS] + i, cells, length);
            if (said < 0) return said;
            if (said) rows.unseen[i] = 0;
        }
        return 1;
    }

    // Whether a machine failed in this state.
    bool is_failed(const Span<int32_t>& cells) const {
        for (int64_t i = 0; i < settings[LOCALS]; i++)
            if (rows.flags[cells[i]] & FAILED) return true;
        return false;
    }

    // Judges a new state and keeps it; PAUSED if all is well, else why not (VIOLATED: it is kept).
    int64_t admit_new(const Span<int32_t>& cells, int64_t length, int64_t slot, uint64_t h, int64_t ordinal) {
        const int64_t number = registers[STATES], base = registers[BASE], used = registers[USED];
        if (settings[MAX_STATES] && number >= settings[MAX_STATES]) return ENOUGH;
        if (number + 2 > store.parent.size || number + 3 - base > store.offsets.size) return FULL;
        if (used + length > store.cells.size || 8 * (number + 1) > 5 * store.slots.size) return FULL;
        if (keeps_edges() && number + 2 > store.edge_start.size) return FULL;
        const int64_t fine = judge(cells, length);
        if (fine < 0) {
            registers[RAW] = length;
            return UNKNOWN_VERDICT;
        }
        store.slots[slot] = h;
        if (store.ids.size > 1) store.ids[slot] = int32_t(number);
        for (int64_t i = 0; i < length; i++) store.cells[used + i] = cells[i];
        store.offsets[number - base + 1] = used + length;
        store.parent[number] = int32_t(registers[CURSOR]);
        store.ordinal[number] = int32_t(ordinal);
        registers[USED] = used + length;
        registers[STATES] = number + 1;
        return fine ? PAUSED : VIOLATED;
    }

    // --- a state of the level --------------------------------------------------------------------------------

    // Copies a state to `before`; its length, or -1 where the buffers are too small.
    int64_t take(int64_t number) const {
        const int64_t at = number - registers[BASE], begin = store.offsets[at], length = store.offsets[at + 1] - begin;
        if (length + settings[MAX_SENDS] > buffers.after.size) return -1;
        if (rows_most(settings, length) > buffers.found.size) return -1;
        for (int64_t i = 0; i < length; i++) buffers.before[i] = store.cells[begin + i];
        return length;
    }

    // Whether a state is inside the bound of the check: 1, 0, or -1 where this was not asked yet.
    int64_t inside(const Span<int32_t>& cells, int64_t length) const {
        return settings[WITHIN] ? verdict(rows, settings, settings[ALWAYS] + settings[SOMETIMES], cells, length) : 1;
    }

    // The rows of the state in `before` into `found`, -1 after the last; PAUSED, or why not. `room`: for its actions.
    int64_t survey(int64_t length, int64_t room) const {
        const int64_t around = surroundings(rows, settings, buffers.before);
        if (around < 0) return UNKNOWN_ROW;
        const int64_t n = gather(rows, settings, buffers.before, length, around, buffers.found);
        if (n < 0) return UNKNOWN_ROW;
        buffers.found[n] = -1;
        int64_t actions = 1;
        for (int64_t r = 0; r < n; r++)
            actions += rows.row_start[buffers.found[r] + 1] - rows.row_start[buffers.found[r]];
        return actions <= room ? PAUSED : SMALL_BUFFERS;
    }

    // A state into `before`, and its rows into `found`; or why that is impossible. A length of 0: it is outside of the
    // bound and has no successors.
    int64_t look_at(int64_t number, int64_t room, int64_t& length) const {
        length = take(number);
        if (length < 0) return SMALL_BUFFERS;
        const int64_t expanded = inside(buffers.before, length);
        if (expanded < 0) return UNKNOWN_ROW;
        if (expanded) return survey(length, room);
        length = 0;
        return PAUSED;
    }

    // The state at the cursor is outside of the bound.
    int64_t pass_over() {
        const int64_t number = registers[CURSOR]++;
        registers[OUTSIDE]++;
        if (keeps_edges()) store.edge_start[number] = store.edge_start[number + 1] = registers[EDGES];
        return PAUSED;
    }

    // The state at the cursor, in `before`, had `n` successors, which are kept; AT_REST if something is owed in it.
    int64_t done(int64_t n) {
        const int64_t number = registers[CURSOR]++;
        registers[GENERATED] += n;
        if (keeps_edges()) {
            store.edge_start[number] = registers[EDGES];
            registers[EDGES] += n;
            store.edge_start[number + 1] = registers[EDGES];
        }
        if (!registers[QUIET]) return PAUSED;
        registers[RESTS]++;
        if (keeps_edges()) store.resting[number] = 1;
        for (int64_t i = 0; i < settings[LOCALS]; i++)
            if (rows.flags[buffers.before[i]] & HOT) return AT_REST;
        return PAUSED;
    }

    // --- its successors --------------------------------------------------------------------------------------

    // Finds the actions of a state and the sums of its successors, from place `begin` on in `steps` and `sums`. Stops before
    // an action whose monitors have an unknown row. Each slot is asked for already here: so the misses of the processor's
    // cache overlap.
    int64_t outline(int64_t number, int64_t begin, Outline& found) {
        found = {0, begin, 0, -1};
        const int64_t ended = look_at(number, buffers.steps.size - begin, found.length);
        if (ended != PAUSED || !found.length) return ended;
        const int64_t network = settings[NETWORK], length = found.length;
        const bool whole = exact() || (network != ANY && network != SET) || settings[LASTING] != 0;
        const uint64_t here = total(buffers.before, first, length, rows.order);
        const uint64_t mask = uint64_t(store.slots.size - 1);
        const Span<int32_t>&before = buffers.before, &after = buffers.after;
        int64_t at = begin;
        for (int64_t r = 0; buffers.found[r] >= 0; r++) {
            const int64_t row = buffers.found[r], end = rows.row_start[row + 1];
            for (int64_t a = rows.row_start[row]; a < end; a++) {
                const int32_t action = rows.row_actions[a];
                uint64_t h = here;
                if (rows.actions(action, ONLY_LOCAL) && !whole) {
                    const int64_t process = rows.actions(action, PROCESS);
                    h += mark(process, rows.actions(action, LOCAL)) - mark(process, before[process]);
                } else {
                    change(rows, settings, action, before, after, h);
                    if (!hear(rows, action, after, h)) {
                        found.hearing = action;
                        buffers.sums[at] = here;
                        return PAUSED;
                    }
                }
                if (whole || rows.actions(action, FELLS) >= 0)
                    h = total(after, first, send(rows, settings, action, before, length, after), rows.order);
                else
                    h = exchange_sum(network == SET, rows, action, before, first, length, h);
                prefetch(store.slots.data + (fingerprint(h) & mask));
                buffers.steps[at] = action;
                buffers.sums[at++] = h;
                found.n++;
            }
        }
        buffers.sums[at] = here;
        return PAUSED;
    }

    // Looks up the successors that `outline` found of the state at the cursor, and keeps the new ones; PAUSED, or why not.
    int64_t follow(const Outline& outline) {
        const int64_t edge = registers[EDGES], length = take(registers[CURSOR]), n = outline.n;
        const uint64_t here = buffers.sums[outline.begin + n];
        const Span<int32_t>&before = buffers.before, &after = buffers.after;
        registers[QUIET] = 1;
        for (int64_t ordinal = 0; ordinal < n; ordinal++) {
            const int32_t action = buffers.steps[outline.begin + ordinal];
            const uint64_t sum = buffers.sums[outline.begin + ordinal];
            int64_t k = exact() ? build(rows, settings, before, length, action, after) : 0;
            int32_t reached = int32_t(registers[CURSOR]);
            if (sum != here || (exact() && !same_cells(before, 0, length, after, k))) {
                if (rows.actions(action, PROGRESS)) registers[QUIET] = 0;
                const uint64_t h = fingerprint(sum);
                const int64_t slot =
                    locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact(), after, k, h);
                if (!store.slots[slot]) {
                    if (!exact()) k = build(rows, settings, before, length, action, after);
                    const int64_t ended = admit_new(after, k, slot, h, ordinal);
                    if (ended == VIOLATED || ended == ENOUGH) registers[GENERATED] += ordinal + 1;
                    if (ended != PAUSED) return ended;
                }
                if (keeps_edges()) reached = store.ids[slot];
            }
            if (keeps_edges()) {
                if (edge + ordinal + 1 > store.edge_to.size) return FULL;
                store.edge_to[edge + ordinal] = reached;
                store.edge_action[edge + ordinal] = action;
            }
        }
        return PAUSED;
    }

    // Expands the state at the cursor, which was outlined; PAUSED, or why not.
    int64_t complete(const Outline& outline) {
        if (!outline.length) return pass_over();
        const int64_t ended = follow(outline);
        if (ended != PAUSED) return ended;
        registers[HEARING] = outline.hearing;
        return outline.hearing >= 0 ? UNKNOWN_HEARING : done(outline.n);
    }

    // Expands up to `most` states, at most AHEAD; PAUSED, or why it ended. All are outlined before any is completed: what the
    // last ones are asked for is on its way from memory meanwhile.
    int64_t step(int64_t most) {
        Outline outlines[AHEAD];
        int64_t count = 0, room = 0, ended = PAUSED;
        const int64_t left = registers[LEVEL_END] - registers[CURSOR];
        if (!left) return LEVEL_DONE;
        while (count < most && count < left && ended == PAUSED) {
            ended = outline(registers[CURSOR] + count, room, outlines[count]);
            if (ended != PAUSED) break;
            room += outlines[count].n + 1;
            if (outlines[count++].hearing >= 0) break;
        }
        if (!count) return ended;
        for (int64_t i = 0; i < count; i++) {
            ended = complete(outlines[i]);
            if (ended != PAUSED) return ended;
        }
        return PAUSED;
    }
};

// Expands up to `batch` states of the level; says why it ended. What is cut short is begun again.
inline int64_t expand(
    const Rows& rows, const Store& store, const Span<int64_t>& settings, const Span<int64_t>& registers,
    const Buffers& buffers, int64_t batch
) {
    Walk walk(rows, store, settings, registers, buffers);
    const int64_t end = walk.registers[CURSOR] + batch;
    int64_t ended = PAUSED;
    // What is cut short is begun again: after a question it pays to go step by step, as there may be more of them.
    for (int64_t most = 1; walk.registers[CURSOR] < end && ended == PAUSED; most = AHEAD) ended = walk.step(most);
    walk.registers.put_back(registers);
    return ended;
}

}  // namespace roundsim::walk
