// The draws of `sim.base.mixer` and the picks of `sim.strategy.base`: the same numbers.
#pragma once

#include "fuzz.hpp"

namespace roundsim::fuzz {

constexpr uint64_t GAMMA = 0x9E3779B97F4A7C15;

// The finaliser of splitmix64.
inline uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

// The `index`-th number of the stream of `seed`.
inline uint64_t stream(uint64_t seed, int64_t index) { return mix(seed + (uint64_t(index) + 1) * GAMMA); }

// A seed for the purpose with this key.
inline uint64_t derive(uint64_t seed, uint64_t purpose) { return mix(seed ^ purpose); }

// Maps 64 random bits to 0 .. width - 1: the upper half of the product.
inline int64_t share(uint64_t draw, int64_t width) {
    const uint64_t low = 0xFFFFFFFF, a = draw >> 32, b = draw & low, c = uint64_t(width) >> 32, d = uint64_t(width) & low;
    const uint64_t middle = (b * d >> 32) + (a * d & low) + (b * c & low);
    return int64_t(a * c + (a * d >> 32) + (b * c >> 32) + (middle >> 32));
}

// Maps 64 random bits to low..high.
inline int64_t between(uint64_t draw, int64_t low, int64_t high) { return low + share(draw, high - low + 1); }

// The edge with the least draw so far.
struct Least {
    int64_t edge = NONE;
    uint64_t draw = 0;

    void offer(int64_t other, uint64_t other_draw) {
        if (edge >= 0 && other_draw >= draw) return;
        edge = other;
        draw = other_draw;
    }
};

// The edge among begin..end, those that lead back `here` left aside, whose action has the least draw; or NONE. (Give
// NOWHERE for `here` to leave none aside.)
constexpr int64_t NOWHERE = -2;

inline int64_t least(const Fuzz& f, int64_t begin, int64_t end, int64_t here, uint64_t base) {
    Least best;
    for (int64_t e = begin; e < end; e++)
        if (f.known.edges(e, LEADS_TO) != here) best.offer(e, mix(base ^ f.facts.keys[f.known.edges(e, ACTION)]));
    return best.edge;
}

// As `least`, among the actions all of whose faults are of the kinds allowed.
inline int64_t least_allowed(const Fuzz& f, int64_t begin, int64_t end, int64_t here, uint64_t base, uint64_t allowed) {
    Least best;
    for (int64_t e = begin; e < end; e++) {
        const int64_t action = f.known.edges(e, ACTION);
        const bool fits = f.event(e) >= 0 || !(uint64_t(f.facts.fact(action, KINDS)) & ~allowed);
        if (fits && f.known.edges(e, LEADS_TO) != here) best.offer(e, mix(base ^ f.facts.keys[action]));
    }
    return best.edge;
}

// Where the ways of the event that begins at this edge end; the ways of an event are neighbours.
inline int64_t group_end(const Fuzz& f, int64_t begin, int64_t end) {
    int64_t e = begin + 1;
    while (e < end && f.event(e) == f.event(begin)) e++;
    return e;
}

}  // namespace roundsim::fuzz
