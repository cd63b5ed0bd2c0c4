// The walk over states that stand for others. The usual one (`walk.hpp`) knows nothing about this and is not slowed
// down by it.
#pragma once

#include "turning.hpp"
#include "walk.hpp"

namespace roundsim::walk {

struct Reduced : Walk {
    const Turns& turns;
    const Spare& spare;

    Reduced(
        const Rows& rows_, const Turns& turns_, const Store& store_, const Span<int64_t>& told,
        const Span<int64_t>& stand, const Buffers& small, const Spare& spare_
    )
        : Walk(rows_, store_, told, stand, small), turns(turns_), spare(spare_) {}

    // What is known of the delivery of an envelope: -1 nothing, NOTHING, DEAD, or TAKEN + the action that takes it.
    int64_t settled(const Span<int32_t>& cells, int64_t envelope, int64_t around) const {
        const uint64_t key = row_key(cells[rows.target[envelope]], envelope, around, 0);
        return find(turns.settle_keys, turns.settle_values, key);
    }

    // The first delivery that settles in a state: its action, -1 if there is none, -2 if one is not known.
    int64_t settling(const Span<int32_t>& cells, int64_t length, int64_t around) const {
        int64_t last = -1;
        for (int64_t i = first; i < length; i++) {
            const int64_t e = cells[i];
            if (rows.order[e] == last) continue;
            last = rows.order[e];
            const int64_t known = settled(cells, e, around);
            if (known < 0) return -2;
            if (known >= TAKEN) return known - TAKEN;
        }
        return -1;
    }

    // Takes what settles, and forgets what is dead; the new length, -1 where something is unknown (`spare.cells` has then
    // the length of what was come to), -2 where the buffers are too small.
    int64_t settle(const Span<int32_t>& cells, int64_t length) {
        const Span<int32_t>& other = spare.cells;
        const int64_t around = surroundings(rows, settings, cells);
        if (around < 0) return unknown(length);
        for (int64_t i = 0; i < turns.steps_max[0]; i++) {
            const int64_t action = settling(cells, length, around);
            if (action == -2) return unknown(length);
            if (action == -1) break;
            if (length + settings[MAX_SENDS] > cells.size) return -2;
            const int64_t k = build(rows, settings, cells, length, action, other);
            if (k < 0) return unknown(length);
            for (int64_t j = 0; j < k; j++) cells[j] = other[j];
            length = k;
        }
        if (settings[NETWORK] != ANY) return length;
        int64_t k = first;
        for (int64_t i = first; i < length; i++) {
            const int64_t known = settled(cells, cells[i], around);
            if (known < 0) return unknown(length);
            if (known != DEAD) other[k++] = cells[i];
        }
        for (int64_t i = first; i < k; i++) cells[i] = other[i];
        return k;
    }

    int64_t unknown(int64_t length) {
        spare.cells[0] = int32_t(length);
        return -1;
    }

    // Takes one action; keeps the state that stands for where it leads, if it is new. PAUSED, or why not.
    int64_t follow_one(int64_t length, int64_t action, int64_t ordinal) {
        const Span<int32_t>& after = buffers.after;
        int64_t k = build(rows, settings, buffers.before, length, action, after);
        if (k < 0) {
            registers[HEARING] = action;
            return UNKNOWN_HEARING;
        }
        if (same_cells(buffers.before, 0, length, after, k)) return PAUSED;
        if (rows.actions(action, PROGRESS)) registers[QUIET] = 0;
        if (!is_failed(after)) {
            if (turns.settle_keys.size) {
                const int64_t length_settled = settle(after, k);
                if (length_settled == -2) return SMALL_BUFFERS;
                if (length_settled < 0) {
                    registers[RAW] = spare.cells[0];
                    return UNKNOWN_IMAGE;
                }
                k = length_settled;
            }
            if (!make_canonical(rows, turns, settings, after, k, spare)) {
                registers[RAW] = k;
                return UNKNOWN_IMAGE;
            }
        }
        const uint64_t h = fingerprint(total(after, first, k, rows.order));
        const int64_t slot =
            locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact(), after, k, h);
        if (store.slots[slot]) return PAUSED;
        const int64_t ended = admit_new(after, k, slot, h, ordinal);
        if (ended == VIOLATED || ended == ENOUGH) registers[GENERATED] += ordinal + 1;
        return ended;
    }

    // Expands the state at the cursor; PAUSED, or why not.
    int64_t step() {
        if (registers[CURSOR] == registers[LEVEL_END]) return LEVEL_DONE;
        int64_t length, n = 0, ended = look_at(registers[CURSOR], buffers.steps.size, length);
        if (ended != PAUSED) return ended;
        if (!length) return pass_over();
        registers[QUIET] = 1;
        for (int64_t r = 0; buffers.found[r] >= 0; r++) {
            const int64_t row = buffers.found[r];
            for (int64_t a = rows.row_start[row]; a < rows.row_start[row + 1]; a++) {
                ended = follow_one(length, rows.row_actions[a], n++);
                if (ended != PAUSED) return ended;
            }
        }
        return done(n);
    }
};

// `expand`, but that what is kept is what stands for a state.
inline int64_t expand_reduced(
    const Rows& rows, const Turns& turns, const Store& store, const Span<int64_t>& settings,
    const Span<int64_t>& registers, const Buffers& buffers, const Spare& spare, int64_t batch
) {
    Reduced walk(rows, turns, store, settings, registers, buffers, spare);
    int64_t ended = PAUSED;
    for (int64_t i = 0; i < batch && ended == PAUSED; i++) ended = walk.step();
    walk.registers.put_back(registers);
    return ended;
}

}  // namespace roundsim::walk
