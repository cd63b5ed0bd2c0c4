// What an action does: to the cells of a state and to their sum.
#pragma once

#include "lookup.hpp"

namespace roundsim::walk {

// Lets monitors hear what an action emits; whether all their rows are known.
inline bool hear(const Rows& rows, int64_t action, const Span<int32_t>& after, uint64_t& h) {
    for (int64_t i = rows.actions(action, HEARD_FROM); i < rows.actions(action, HEARD_TO); i++) {
        const int64_t emission = rows.pool[i], node = rows.hear_node[emission];
        for (int64_t j = rows.hear_start[emission]; j < rows.hear_start[emission + 1]; j++) {
            const int64_t monitor = rows.hear_by[j], next = branch(rows, node, after[monitor]);
            if (next < 0) return false;
            h += mark(monitor, next) - mark(monitor, after[monitor]);
            after[monitor] = int32_t(next);
        }
    }
    return true;
}

// Writes the fixed cells after an action to `after`, all but what monitors hear.
template <class S>
void change(
    const Rows& rows, const S& settings, int64_t action, const Span<int32_t>& before, const Span<int32_t>& after,
    uint64_t& h
) {
    const int64_t budgets = settings[LOCALS], cuts = budgets + settings[BUDGETS], first = cuts + settings[CUTS];
    for (int64_t i = 0; i < first; i++) after[i] = before[i];
    if (rows.actions(action, LOCAL) >= 0) {
        const int64_t at = rows.actions(action, PROCESS);
        after[at] = rows.actions(action, LOCAL);
        h += mark(at, after[at]) - mark(at, before[at]);
    }
    for (int64_t i = rows.actions(action, OTHERS_FROM); i < rows.actions(action, OTHERS_TO); i += 2) {
        const int64_t at = rows.pool[i];
        after[at] = rows.pool[i + 1];
        h += mark(at, after[at]) - mark(at, before[at]);
    }
    for (int64_t i = rows.actions(action, SPENDS_FROM); i < rows.actions(action, SPENDS_TO); i++) {
        const int64_t at = budgets + rows.pool[i];
        h -= mark(at, after[at]);
        after[at]--;
        h += mark(at, after[at]);
    }
    if (rows.actions(action, CUT) >= 0) {
        const int64_t at = cuts + rows.actions(action, CUT);
        after[at] ^= 1;
        h += mark(at, after[at]) - mark(at, before[at]);
    }
}

// How often an envelope is in flight.
inline int64_t count(const Span<int32_t>& cells, int64_t first, int64_t length, int64_t envelope) {
    int64_t n = 0;
    for (int64_t i = first; i < length; i++) n += cells[i] == envelope;
    return n;
}

// The sum after an action changed what is in flight, in a network without queues.
inline uint64_t exchange_sum(
    bool is_set, const Rows& rows, int64_t action, const Span<int32_t>& cells, int64_t first, int64_t length, uint64_t h
) {
    const int64_t gone = rows.actions(action, CONSUMED), begin = rows.actions(action, SENDS_FROM);
    if (gone >= 0) h -= mark(FLYING + count(cells, first, length, gone) - 1, gone);
    for (int64_t i = begin; i < rows.actions(action, SENDS_TO); i++) {
        const int64_t sent = rows.pool[i];
        int64_t n = count(cells, first, length, sent) - (sent == gone);
        for (int64_t j = begin; j < i; j++) n += rows.pool[j] == sent;
        if (!(is_set && n)) h += mark(FLYING + n, sent);
    }
    return h;
}

// What is in flight after an action; the new length.
inline int64_t exchange(
    const Rows& rows, int64_t network, int64_t action, const Span<int32_t>& cells, int64_t first, int64_t length,
    const Span<int32_t>& after
) {
    int64_t gone = rows.actions(action, CONSUMED), k = first;
    for (int64_t i = first; i < length; i++) {
        if (cells[i] == gone)
            gone = -1;
        else
            after[k++] = cells[i];
    }
    for (int64_t i = rows.actions(action, SENDS_FROM); i < rows.actions(action, SENDS_TO); i++) {
        const int32_t sent = rows.pool[i];
        const int64_t kind = network == BY_LINK ? rows.order[sent] & KIND_MASK : network;
        int64_t place = k;
        while (place > first && rows.order[after[place - 1]] > rows.order[sent]) place--;
        if (kind == SET && place > first && after[place - 1] == sent) continue;
        if (kind == LATEST && place > first && rows.order[after[place - 1]] == rows.order[sent]) {
            after[place - 1] = sent;
            continue;
        }
        for (int64_t j = k; j > place; j--) after[j] = after[j - 1];
        after[place] = sent;
        k++;
    }
    return k;
}

// Takes away what is in flight inside of a machine, which crashed. The new length.
inline int64_t outside(const Rows& rows, int64_t machine, int64_t first, int64_t length, const Span<int32_t>& after) {
    int64_t k = first;
    for (int64_t i = first; i < length; i++) {
        const int32_t e = after[i];
        if (rows.inside[e] != machine) after[k++] = e;
    }
    return k;
}

// Takes away what can never arrive: its target is gone, or a cut for good holds it. The new length.
template <class S>
int64_t arriving(const Rows& rows, const S& settings, int64_t first, int64_t length, const Span<int32_t>& after) {
    const int64_t begin = settings[LOCALS] + settings[BUDGETS];
    int64_t lasting = 0;
    for (int64_t c = settings[LASTING] - 1; c < settings[CUTS]; c++)
        if (after[begin + c] > 0) lasting |= int64_t(1) << c;
    int64_t k = first;
    for (int64_t i = first; i < length; i++) {
        const int32_t e = after[i];
        if (!(rows.flags[after[rows.target[e]]] & GONE) && !(rows.crossed[e] & lasting)) after[k++] = e;
    }
    return k;
}

// What is in flight after an action whose fixed cells are in `after`; the new length.
template <class S>
int64_t send(
    const Rows& rows, const S& settings, int64_t action, const Span<int32_t>& before, int64_t length,
    const Span<int32_t>& after
) {
    const int64_t first = first_of(settings);
    length = exchange(rows, settings[NETWORK], action, before, first, length, after);
    const int64_t felled = rows.actions(action, FELLS);
    if (felled >= 0) length = outside(rows, felled, first, length, after);
    return settings[LASTING] ? arriving(rows, settings, first, length, after) : length;
}

// Writes the state after an action to `after`; its length, or -1 where the row of a monitor is not known.
template <class S>
int64_t build(
    const Rows& rows, const S& settings, const Span<int32_t>& before, int64_t length, int64_t action,
    const Span<int32_t>& after
) {
    uint64_t unused = 0;
    change(rows, settings, action, before, after, unused);
    return hear(rows, action, after, unused) ? send(rows, settings, action, before, length, after) : -1;
}

}  // namespace roundsim::walk
