// Telling states apart: sums, fingerprints, the table of those that are known.
#pragma once

#include "../layout.hpp"

namespace roundsim::walk {

constexpr uint64_t EVEN = 0x9E3779B97F4A7C15, MIX_A = 0xBF58476D1CE4E5B9, MIX_B = 0x94D049BB133111EB;

// 64 bits for a value at a place (the finaliser of splitmix64, see `sim.base.mixer`).
inline uint64_t mark(int64_t place, int64_t value) {
    uint64_t z = (uint64_t(place) << 32 | uint64_t(value)) + EVEN;
    z = (z ^ z >> 30) * MIX_A;
    z = (z ^ z >> 27) * MIX_B;
    return z ^ z >> 31;
}

// The sum of the marks of a state: of its fixed cells, and of each envelope at its place among the equal ones (or in its
// queue). A step changes few terms, so that the sum of a successor need not read it all.
inline uint64_t total(const Span<int32_t>& cells, int64_t first, int64_t length, const Span<int32_t>& order) {
    uint64_t h = 0;
    for (int64_t i = 0; i < first; i++) h += mark(i, cells[i]);
    int64_t nth = FLYING;
    for (int64_t i = first; i < length; i++) {
        nth = i > first && order[cells[i]] == order[cells[i - 1]] ? nth + 1 : FLYING;
        h += mark(nth, cells[i]);
    }
    return h;
}

// The fingerprint of a state with this sum; never 0.
inline uint64_t fingerprint(uint64_t h) {
    h = (h ^ h >> 32) * MIX_A;
    h ^= h >> 29;
#ifdef ROUNDSIM_WEAK  // for a test: most states are confused
    h &= 7;
#endif
    return h ? h : 1;
}

// Fills a larger table of fingerprints; equal ones (of an exact walk) stay apart.
inline void widen(
    const Span<uint64_t>& slots, const Span<int32_t>& ids, const Span<uint64_t>& more, const Span<int32_t>& more_ids
) {
    const uint64_t mask = uint64_t(more.size - 1);
    const bool numbered = ids.size > 1;
    for (int64_t i = 0; i < slots.size; i++) {
        if (!slots[i]) continue;
        uint64_t j = slots[i] & mask;
        while (more[j]) j = (j + 1) & mask;
        more[j] = slots[i];
        if (numbered) more_ids[j] = ids[i];
    }
}

// Adds a state that is known to be new; there must be room.
inline void admit(
    const Span<uint64_t>& slots, const Span<int32_t>& ids, int64_t number, const Span<int32_t>& cells, int64_t first,
    int64_t length, const Span<int32_t>& order
) {
    const uint64_t mask = uint64_t(slots.size - 1), h = fingerprint(total(cells, first, length, order));
    uint64_t i = h & mask;
    while (slots[i]) i = (i + 1) & mask;
    slots[i] = h;
    if (ids.size > 1) ids[i] = int32_t(number);
}

// Whether the cells begin..end of one state are the first `length` of another.
inline bool same_cells(
    const Span<int32_t>& cells, int64_t begin, int64_t end, const Span<int32_t>& other, int64_t length
) {
    if (end - begin != length) return false;
    for (int64_t i = 0; i < length; i++)
        if (cells[begin + i] != other[i]) return false;
    return true;
}

// The slot of a state: its own, or a free one.
inline int64_t locate(
    const Span<uint64_t>& slots, const Span<int32_t>& ids, const Span<int32_t>& kept, const Span<int64_t>& offsets,
    int64_t base, bool exact, const Span<int32_t>& cells, int64_t length, uint64_t h
) {
    const uint64_t mask = uint64_t(slots.size - 1);
    uint64_t i = h & mask;
    while (slots[i]) {
        if (slots[i] == h) {
            if (!exact) break;
            const int64_t known = ids[i] - base;
            if (same_cells(kept, offsets[known], offsets[known + 1], cells, length)) break;
        }
        i = (i + 1) & mask;
    }
    return int64_t(i);
}

}  // namespace roundsim::walk
