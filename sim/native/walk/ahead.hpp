// Looks ahead for states that were not judged yet: their predicates are asked together, and not in one call each.
#pragma once

#include "walk.hpp"

namespace roundsim::walk {

// A look at the next states of the level. It keeps nothing, so the walk goes on where it stands. It ends where the walk would
// end, or would ask for anything but a verdict: so nothing is asked that the plain walk would not ask.
struct Ahead : Walk {
    using Walk::Walk;

    // What was found: for each state its length, then its cells.
    const Span<int32_t>* found = nullptr;
    // What predicates are asked there, as hashes in a table; the rest of it is 0.
    const Span<uint64_t>* asked = nullptr;
    int64_t used = 0, questions = 0;

    // Whether a predicate is not asked yet about what it reads in a state.
    bool is_new(int64_t prop, const Span<int32_t>& cells, int64_t length) {
        uint64_t h = scatter(uint64_t(prop) + 1);
        for (int64_t i = rows.prop_start[prop] + 1; i < rows.prop_start[prop + 1]; i++)
            h = scatter(h ^ uint64_t(cells[rows.props[i]]));
        for (int64_t i = first; i < length && rows.watches[prop]; i++)
            if (rows.watched[cells[i]] & rows.watches[prop]) h = scatter(h ^ uint64_t(cells[i] + 1));
        h += !h;
        const uint64_t mask = uint64_t(asked->size - 1);
        uint64_t place = h & mask;
        for (; (*asked)[place]; place = (place + 1) & mask)
            if ((*asked)[place] == h) return false;
        (*asked)[place] = h;
        questions++;
        return true;
    }

    // Looks at a new state; false where the look ends.
    bool look(const Span<int32_t>& cells, int64_t length) {
        if (is_failed(cells)) return false;
        bool unjudged = false;
        for (int64_t prop = 0; prop < settings[ALWAYS] + settings[SOMETIMES]; prop++) {
            if (prop >= settings[ALWAYS] && !rows.unseen[prop - settings[ALWAYS]]) continue;
            unjudged |= verdict(rows, settings, prop, cells, length) < 0 && is_new(prop, cells, length);
        }
        if (!unjudged) return true;
        (*found)[used++] = int32_t(length);
        for (int64_t i = 0; i < length; i++) (*found)[used++] = cells[i];
        return true;
    }

    // Whether there is room for another state and for all questions about it.
    bool has_room() const {
        const int64_t most = questions + settings[ALWAYS] + settings[SOMETIMES];
        return used + 1 + buffers.after.size <= found->size && 2 * most <= asked->size;
    }

    // Looks at the new successors of a state; false where the look ends.
    bool pass(int64_t number) {
        Outline outlined;
        if (outline(number, 0, outlined) != PAUSED) return false;
        if (!outlined.length) return true;
        const Span<int32_t>&before = buffers.before, &after = buffers.after;
        const uint64_t here = buffers.sums[outlined.n];
        bool is_quiet = true;
        for (int64_t ordinal = 0; ordinal < outlined.n; ordinal++) {
            const int32_t action = buffers.steps[ordinal];
            const uint64_t sum = buffers.sums[ordinal];
            int64_t k = exact() ? build(rows, settings, before, outlined.length, action, after) : 0;
            if (sum == here && (!exact() || same_cells(before, 0, outlined.length, after, k))) continue;
            if (rows.actions(action, PROGRESS)) is_quiet = false;
            const uint64_t h = fingerprint(sum);
            const int64_t slot =
                locate(store.slots, store.ids, store.cells, store.offsets, registers[BASE], exact(), after, k, h);
            if (store.slots[slot]) continue;
            if (!exact()) k = build(rows, settings, before, outlined.length, action, after);
            if (!has_room() || !look(after, k)) return false;
        }
        if (outlined.hearing >= 0) return false;
        for (int64_t i = 0; i < settings[LOCALS] && is_quiet; i++)
            if (rows.flags[before[i]] & HOT) return false;
        return true;
    }
};

// Puts the states of the next `most` whose verdicts are not known into `found`, in the order in which the walk would judge them;
// how many of its cells are used. `asked`: a table of zeros.
inline int64_t ahead(
    const Rows& rows, const Store& store, const Span<int64_t>& settings, const Span<int64_t>& registers,
    const Buffers& buffers, const Span<int32_t>& found, const Span<uint64_t>& asked, int64_t most
) {
    Ahead look(rows, store, settings, registers, buffers);
    look.found = &found;
    look.asked = &asked;
    const int64_t left = look.registers[LEVEL_END] - look.registers[CURSOR], first = look.registers[CURSOR];
    for (int64_t i = 0; i < most && i < left; i++)
        if (!look.pass(first + i)) break;
    return look.used;
}

}  // namespace roundsim::walk
