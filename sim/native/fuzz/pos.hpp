// Partial order sampling: `sim.strategy.pos`.
#pragma once

#include "strikes.hpp"

namespace roundsim::fuzz {

// The edge that comes next, or NONE.
inline int64_t pick_pos(Fuzz& f) {
    f.registers[PICK]++;
    const int64_t fault = strike(f, f.registers[PICK] - 1, NONE), here = f.state();
    if (fault >= 0) return fault;
    const uint64_t base = stream(f.random[DRAWS], f.registers[PICK]);
    int64_t best = NONE;
    uint64_t best_rank = 0, best_draw = 0;
    for (int64_t e = f.first(); e < f.last(); e++) {
        if (f.event(e) < 0 || f.known.edges(e, LEADS_TO) == here) continue;
        const int64_t action = f.known.edges(e, ACTION), process = f.rows.actions(action, PROCESS);
        const int64_t moved = process >= 0 ? f.desk.moved[process] : 0;
        const uint64_t rank = mix(stream(f.random[DRAWS], moved) ^ f.facts.leads[action]);
        const uint64_t draw = mix(base ^ f.facts.keys[action]);
        if (best >= 0 && (rank < best_rank || (rank == best_rank && draw >= best_draw))) continue;
        best = e;
        best_rank = rank;
        best_draw = draw;
    }
    return best;
}

inline void took_pos(const Fuzz& f, int64_t action) {
    if (action >= 0 && f.rows.actions(action, PROCESS) >= 0) f.desk.moved[f.rows.actions(action, PROCESS)]++;
}

}  // namespace roundsim::fuzz
