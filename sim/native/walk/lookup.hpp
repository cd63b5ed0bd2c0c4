// Looking things up: keys, verdicts, the rows of a state. What is -1 was not asked yet.
#pragma once

#include "marks.hpp"

namespace roundsim::walk {

using Settings = Numbers<int64_t, SETTINGS>;

// Where what is in flight begins.
template <class S>
int64_t first_of(const S& settings) {
    return settings[LOCALS] + settings[BUDGETS] + settings[CUTS];
}

// A place for a key in a table of keys.
inline uint64_t scatter(uint64_t key) {
    const uint64_t h = key * EVEN;
    return h ^ h >> 32;
}

// The value of a key, or -1.
inline int64_t find(const Span<uint64_t>& keys, const Span<int32_t>& values, uint64_t key) {
    const uint64_t mask = uint64_t(keys.size - 1);
    uint64_t i = scatter(key) & mask;
    while (keys[i] != key) {
        if (!keys[i]) return -1;
        i = (i + 1) & mask;
    }
    return values[i];
}

// Adds all of `more_keys` but 0; they must be new, and there must be room.
inline void put_all(
    const Span<uint64_t>& keys, const Span<int32_t>& values, const Span<uint64_t>& more_keys,
    const Span<int32_t>& more_values
) {
    const uint64_t mask = uint64_t(keys.size - 1);
    for (int64_t n = 0; n < more_keys.size; n++) {
        if (!more_keys[n]) continue;
        uint64_t i = scatter(more_keys[n]) & mask;
        while (keys[i]) i = (i + 1) & mask;
        keys[i] = more_keys[n];
        values[i] = more_values[n];
    }
}

// Where a walk through a decision tree goes on from `node` with `cell`.
inline int64_t branch(const Rows& rows, int64_t node, int64_t cell) {
    return find(rows.pair_keys, rows.pair_values, uint64_t(node) << 32 | uint64_t(cell));
}

// What a predicate says of a state: 1, 0, or -1. Where it reads what is in flight, the walk goes on along the envelopes that it
// reads, in their order in the state, to 0, which is none.
template <class S>
int64_t verdict(const Rows& rows, const S& settings, int64_t prop, const Span<int32_t>& cells, int64_t length) {
    const int64_t begin = rows.prop_start[prop], watches = rows.watches[prop];
    int64_t node = rows.props[begin];
    for (int64_t i = begin + 1; i < rows.prop_start[prop + 1] && node >= 0; i++)
        node = branch(rows, node, cells[rows.props[i]]);
    if (!watches) return node;
    for (int64_t i = first_of(settings); i < length && node >= 0; i++)
        if (rows.watched[cells[i]] & watches) node = branch(rows, node, cells[i] + 1);
    return node < 0 ? node : branch(rows, node, 0);
}

// Whether a process is down, and no other before it on its machine: a machine counts as one.
inline bool is_first_low(const Rows& rows, const Span<int32_t>& cells, int64_t process) {
    const int64_t machine = rows.machine_of[process];
    if (!(rows.flags[cells[process]] & LOW)) return false;
    for (int64_t i = 0; i < process && machine >= 0; i++)
        if (rows.machine_of[i] == machine && rows.flags[cells[i]] & LOW) return false;
    return true;
}

// The number of the surroundings of a state, or -1.
template <class S>
int64_t surroundings(const Rows& rows, const S& settings, const Span<int32_t>& cells) {
    const int64_t first = settings[LOCALS], end = first_of(settings);
    const bool limited = settings[DOWN_MAX] >= 0;
    int64_t node = end > first || limited ? SURROUNDINGS_ROOT : 0;
    for (int64_t i = first; i < end && node >= 0; i++) node = branch(rows, node, cells[i] > 0);
    if (limited && node >= 0) {
        int64_t low = 0;
        for (int64_t i = 0; i < settings[PROCESSES]; i++) low += is_first_low(rows, cells, i);
        node = branch(rows, node, low >= settings[DOWN_MAX]);
    }
    return node;
}

// See `layout`; local value or envelope -1: none.
inline uint64_t row_key(int64_t local, int64_t envelope, int64_t around, int64_t what) {
    return uint64_t(local + 1) << 40 | uint64_t(envelope + 1) << 16 | uint64_t(around) << 2 | uint64_t(what);
}

// How many rows a state may have, and one more.
template <class S>
int64_t rows_most(const S& settings, int64_t length) {
    return 3 * length + 4 * settings[PROCESSES] + 4;
}

// The rows of a state as they are found, in the order of the plain engine.
template <class S>
struct Gathering {
    const Rows& rows;
    const S& settings;
    const Span<int32_t>& cells;
    const int64_t length, around;
    const Span<int32_t>& found;
    int64_t n = 0;

    bool add(int64_t local, int64_t envelope, int64_t what) {
        const int64_t row = find(rows.row_keys, rows.row_values, row_key(local, envelope, around, what));
        if (row < 0) return false;
        found[n++] = int32_t(row);
        return true;
    }

    // The same for a machine; `mine` stands for the local values of the processes on it.
    bool add_together(int64_t mine, int64_t envelope, int64_t what) {
        const int64_t node = branch(rows, mine, around << 2 | what), row = node < 0 ? node : branch(rows, node, envelope + 1);
        if (row < 0) return false;
        found[n++] = int32_t(row);
        return true;
    }

    // Whether `add_row` knows a row for each of the envelopes that may be delivered.
    template <class Add>
    bool heads(Add&& add_row) {
        int64_t last = -1;
        for (int64_t i = first_of(settings); i < length; i++) {
            const int64_t e = cells[i], group = rows.order[e];
            if (group == last) continue;
            last = group;
            if (!add_row(e)) return false;
        }
        return true;
    }

    bool heads(int64_t what) {
        return heads([&](int64_t e) { return add(cells[rows.target[e]], e, what); });
    }

    // The same for the distinct envelopes that are queued after another one.
    template <class Add>
    bool behind(Add&& add_row) {
        int64_t head = first_of(settings);
        for (int64_t i = head; i < length; i++) {
            const int64_t e = cells[i];
            if (rows.order[e] != rows.order[cells[head]]) head = i;
            bool again = i == head;
            for (int64_t j = head; j < i; j++) again = again || cells[j] == e;
            if (!again && !add_row(e)) return false;
        }
        return true;
    }

    bool queues() const { return settings[NETWORK] != ANY && settings[NETWORK] != SET; }

    // What stands for the local values of the processes on a machine, or -1.
    int64_t mine(int64_t machine) const {
        const int64_t begin = rows.machine_start[machine];
        int64_t node = rows.machines[begin];
        for (int64_t i = begin + 1; i < rows.machine_start[machine + 1] && node >= 0; i++)
            node = branch(rows, node, cells[rows.machines[i]]);
        return node;
    }

    // Of the crashes of a machine.
    bool felled(int64_t machine, int64_t strikes) {
        const int64_t here = mine(machine);
        const auto add_row = [&](int64_t e, int64_t what) {
            return rows.machine_of[rows.target[e]] != machine || add_together(here, e, what);
        };
        if (!add_together(here, -1, STRUCK)) return false;
        if (strikes & TOGETHER_HEADS && !heads([&](int64_t e) { return add_row(e, STRUCK); })) return false;
        if (!(strikes & TOGETHER_BEHIND) || !queues()) return true;
        return behind([&](int64_t e) { return add_row(e, STRUCK_BEHIND); });
    }

    // Of the machines: who comes back, then crashes.
    bool machines(int64_t strikes) {
        for (int64_t machine = 0; machine < settings[MACHINES]; machine++) {
            const int64_t here = mine(machine);
            if (here < 0 || !add_together(here, -1, USUAL)) return false;
        }
        for (int64_t machine = 0; machine < settings[MACHINES] && strikes & TOGETHER; machine++)
            if (!felled(machine, strikes)) return false;
        return true;
    }

    // Of the processes themselves.
    bool own(int64_t what) {
        for (int64_t i = 0; i < settings[PROCESSES]; i++)
            if (!add(cells[i], -1, what)) return false;
        return true;
    }

    // All of them; whether they are known.
    bool all() {
        const int64_t strikes = rows.strikes[around];
        if (!heads(USUAL) || !own(USUAL)) return false;
        found[n++] = rows.healing[around];
        if (strikes & HEADS && !heads(STRUCK)) return false;
        const auto late = [&](int64_t e) { return add(cells[rows.target[e]], e, STRUCK_BEHIND); };
        if (strikes & BEHIND && queues() && !behind(late)) return false;
        if (strikes & OWN && !own(STRUCK)) return false;
        found[n++] = rows.cutting[around];
        return machines(strikes);
    }
};

// The rows of a state into `found`; how many, or -1 where one is not known.
template <class S>
int64_t gather(
    const Rows& rows, const S& settings, const Span<int32_t>& cells, int64_t length, int64_t around,
    const Span<int32_t>& found
) {
    Gathering<S> gathering{rows, settings, cells, length, around, found};
    return gathering.all() ? gathering.n : -1;
}

}  // namespace roundsim::walk
