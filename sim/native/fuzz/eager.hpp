// A plan that strikes at its first opportunities: `sim.strategy.eager`.
#pragma once

#include "fuzz.hpp"

namespace roundsim::fuzz {

// Whether a fault is the one that an entry means at this opportunity.
inline bool fits(const Fuzz& f, int64_t fault, int64_t entry, int64_t usual) {
    const int64_t what = f.facts.entries(entry, 0), last = f.registers[LAST], window = f.facts.fact(fault, WINDOW);
    if (what == ENTRY_CRASH)
        return f.facts.fact(fault, WINDOW_OF) == f.facts.fact(usual, CODE) && window == f.facts.crash_window(usual, entry);
    if (what == ENTRY_CUT) {
        if (f.facts.fact(fault, SORT) != CUT) return false;
        return !f.facts.entries(entry, 1) || (last >= 0 && f.facts.named(last, entry));
    }
    if (what == ENTRY_UPDATE) return window < 0;
    if (window >= 0 || f.facts.fact(usual, SORT) != DELIVER) return false;
    const int64_t struck = f.facts.fact(fault, ENVELOPE), envelope = f.facts.fact(usual, ENVELOPE);
    return what == ENTRY_REORDER ? f.rows.order[struck] == f.rows.order[envelope] : struck == envelope;
}

// The edge of the first fault of the plan that may strike instead of the usual action, or NONE.
inline int64_t strike_eagerly(const Fuzz& f, int64_t usual) {
    int64_t best = NONE;
    for (int64_t entry = 0; entry < f.settings[EAGER] && best < 0; entry++) {
        for (int64_t e = f.first(); e < f.last(); e++) {
            const int64_t fault = f.known.edges(e, ACTION);
            if (!(f.facts.fact(fault, ENTRIES) >> entry & 1) || !fits(f, fault, entry, usual)) continue;
            if (best < 0 || f.facts.keys[fault] < f.facts.keys[f.known.edges(best, ACTION)]) best = e;
        }
    }
    return best;
}

}  // namespace roundsim::fuzz
