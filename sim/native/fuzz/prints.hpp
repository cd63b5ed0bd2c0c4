// Fingerprints that are the same in every process, for states known by the numbers of one.
#pragma once

#include "draws.hpp"

namespace roundsim::fuzz {

// As `sim.base.mixer.mark`.
inline uint64_t mark(int64_t place, uint64_t key) { return mix(key + (uint64_t(place) + 1) * GAMMA); }

// Those of `sim.graph.definition.Definition.fingerprint` for as many states as there is room in `prints`. A state has
// `width` local values; its envelopes begin at cell `first`. `locals` and `envelopes` are the keys of the things.
inline void fingerprints(
    const Span<uint64_t>& locals, const Span<uint64_t>& envelopes, const Span<int32_t>& order,
    const Span<int32_t>& cells, const Span<int64_t>& offsets, int64_t width, int64_t first, const Span<uint64_t>& prints
) {
    for (int64_t n = 0; n < prints.size; n++) {
        const int64_t begin = offsets[n], end = offsets[n + 1];
        uint64_t total = 0;
        for (int64_t i = 0; i < width; i++) total += mark(i, locals[cells[begin + i]]);
        for (int64_t i = width; i < first; i++) total += mark(i, uint64_t(cells[begin + i]));
        int64_t place = walk::FLYING;
        for (int64_t i = begin + first; i < end; i++) {
            const bool again = i > begin + first && order[cells[i]] == order[cells[i - 1]];
            place = again ? place + 1 : walk::FLYING;
            total += mark(place, envelopes[cells[i]]);
        }
        prints[n] = mix(total);
    }
}

}  // namespace roundsim::fuzz
