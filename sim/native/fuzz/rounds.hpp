// Whether a schedule goes round: `sim.run.lasso`, step for step.
#pragma once

#include "fuzz.hpp"

namespace roundsim::fuzz {

// Begins to wait for a schedule to come back to this state.
inline void keep(Fuzz& f, int64_t state, int64_t until) {
    f.registers[KEPT] = state;
    f.registers[LENGTH_SINCE] = 0;
    f.registers[UNTIL] = until;
    f.registers[LOOK_AT] = 1;
}

// Waits at a later state, if it has waited long enough.
inline void move_on(Fuzz& f, int64_t state) {
    const int64_t until = f.registers[UNTIL];
    if (f.registers[LENGTH_SINCE] >= until) keep(f, state, 2 * until < ROUND_MAX ? 2 * until : ROUND_MAX);
}

// Whether the last LENGTH_SINCE steps may be a round, after this one.
inline bool came_back(Fuzz& f, int64_t action, int64_t state) {
    if (!f.rows.actions(action, PROGRESS)) {
        keep(f, state, 1);
        return false;
    }
    f.registers[LENGTH_SINCE]++;
    if (state == f.registers[KEPT] && f.registers[LENGTH_SINCE] >= f.registers[LOOK_AT]) return true;
    move_on(f, state);
    return false;
}

// Whether an edge progresses from this state to another.
inline bool moves(const Fuzz& f, int64_t edge, int64_t state) {
    return f.progresses(edge) && f.known.edges(edge, LEADS_TO) != state;
}

// Whether this can progress in a state, and lead elsewhere.
inline bool may_move(const Fuzz& f, int64_t state, int64_t subject) {
    for (int64_t edge = f.known.head(state, FROM); edge < f.known.head(state, TO); edge++)
        if (f.event(edge) == subject && moves(f, edge, state)) return true;
    return false;
}

// Whether this is enabled all along a round, and never taken.
inline bool waits(const Fuzz& f, int64_t begin, int64_t end, int64_t subject) {
    for (int64_t step = begin; step < end; step++) {
        if (f.facts.fact(f.path(step, 0), SUBJECT) == subject) return false;
        if (!may_move(f, f.path(step, 1), subject)) return false;
    }
    return true;
}

// Whether the last steps lead somewhere and are weakly fair.
inline bool is_round(const Fuzz& f) {
    const int64_t end = f.registers[STEPS], begin = end - f.registers[LENGTH_SINCE], first = f.path(begin, 1);
    bool moved = false;
    for (int64_t step = begin; step < end; step++) moved = moved || f.path(step, 1) != first;
    if (!moved) return false;
    for (int64_t edge = f.known.head(first, FROM); edge < f.known.head(first, TO); edge++)
        if (moves(f, edge, first) && waits(f, begin, end, f.event(edge))) return false;
    return true;
}

// Whether a machine owes something in a state.
inline bool owes(const Fuzz& f, int64_t machine, int64_t state) {
    return (f.rows.flags[f.known.cells[f.known.offsets[state] + machine]] & HOT) != 0;
}

// Whether anything is owed in a state.
inline bool is_hot(const Fuzz& f, int64_t state) {
    for (int64_t machine = 0; machine < f.settings[LOCALS]; machine++)
        if (owes(f, machine, state)) return true;
    return false;
}

// Whether somebody owes something at every step of the round; of what is owed by key it may be one after the other.
inline bool owes_all_along(const Fuzz& f) {
    const int64_t end = f.registers[STEPS];
    for (int64_t machine = 0; machine < f.settings[LOCALS]; machine++) {
        bool always = true;
        for (int64_t step = end - f.registers[LENGTH_SINCE]; step < end && always; step++)
            always = owes(f, machine, f.path(step, 1));
        if (always) return true;
    }
    return false;
}

}  // namespace roundsim::fuzz
