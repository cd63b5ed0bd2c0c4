// Faults at random moments: `sim.strategy.strikes`.
#pragma once

#include "draws.hpp"

namespace roundsim::fuzz {

// Draws how many faults strike, and at which steps.
inline void begin_strikes(Fuzz& f) {
    f.random[STRIKES] = derive(f.random[SEED], f.facts.purposes[FOR_STRIKES]);
    const int64_t number = between(stream(f.random[STRIKES], 0), 0, f.settings[MOST]);
    for (int64_t i = 0; i < number; i++) {
        const int64_t step = between(stream(f.random[STRIKES], i + 1), 0, f.settings[LENGTH] - 1);
        int64_t at = i;
        for (; at > 0 && f.desk.due[at - 1] > step; at--) f.desk.due[at] = f.desk.due[at - 1];
        f.desk.due[at] = step;
    }
    f.registers[DUE] = number;
    f.registers[STRUCK] = 0;
}

// Whether this is a fault; with a `usual` action (else NONE) no crash of another handler.
inline bool may_strike(const Fuzz& f, int64_t action, int64_t usual) {
    if (!f.facts.fact(action, FAULTY)) return false;
    const int64_t window_of = f.facts.fact(action, WINDOW_OF);
    return usual == NONE || window_of == NONE || window_of == f.facts.fact(usual, CODE);
}

// The edge of the state whose fault strikes at this step, or NONE.
inline int64_t strike(Fuzz& f, int64_t step, int64_t usual) {
    const int64_t struck = f.registers[STRUCK];
    if (struck == f.registers[DUE] || f.desk.due[struck] > step) return NONE;
    const int64_t begin = f.first(), end = f.last();
    uint64_t kinds = 0;
    for (int64_t e = begin; e < end; e++) {
        const int64_t action = f.known.edges(e, ACTION);
        if (may_strike(f, action, usual)) kinds |= uint64_t(1) << f.facts.fact(action, STRIKE);
    }
    const uint64_t base = stream(f.random[STRIKES], step);
    Least chosen, best;
    for (int64_t kind = 0; kind < f.facts.kinds.size; kind++)
        if (kinds >> kind & 1) chosen.offer(kind, mix(base ^ f.facts.kinds(kind, 0)));
    if (chosen.edge < 0) return NONE;
    f.registers[STRUCK]++;
    for (int64_t e = begin; e < end; e++) {
        const int64_t action = f.known.edges(e, ACTION);
        if (f.facts.fact(action, STRIKE) == chosen.edge && may_strike(f, action, usual))
            best.offer(e, mix(base ^ f.facts.keys[action]));
    }
    return best.edge;
}

}  // namespace roundsim::fuzz
