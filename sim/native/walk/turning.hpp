// The canonical form of a state: `sim.checker.reduction.representative`, with the same swaps in the same order, so that
// the plain engine, asked for one state, finds all images that are needed here.
//
// States are worked on in areas of one buffer, each `width` cells long.
#pragma once

#include "lookup.hpp"

namespace roundsim::walk {

// Areas 0 and 1 hold the state by turns; SPARE a swapped one, then the least; the others one arrangement each.
constexpr int64_t SPARE = 2, FIRST_LEVEL = 3;

struct Canonical {
    const Rows& rows;
    const Turns& turns;
    const Settings& settings;
    const Spare& spare;
    const int64_t width, length;
    const int64_t first = first_of(settings);

    int32_t& work(int64_t at) const { return spare.areas[at]; }

    int64_t swap_of(int64_t one, int64_t other) const { return turns.number(turns.members[one], turns.members[other]); }

    // Writes what a swap makes of the state at `source` to `sink`; whether all images are known.
    bool turn(int64_t swap, int64_t source, int64_t sink) const {
        for (int64_t i = 0; i < settings[LOCALS]; i++) {
            const int32_t image = turns.locals(work(source + i), swap);
            if (image < 0) return false;
            work(sink + i) = image;
        }
        const int64_t a = sink + turns.pairs(swap, 0), b = sink + turns.pairs(swap, 1);
        const int32_t kept = work(a);
        work(a) = work(b);
        work(b) = kept;
        for (int64_t i = settings[LOCALS]; i < first; i++) work(sink + i) = work(source + i);
        for (int64_t i = first; i < length; i++) {
            const int32_t image = turns.envelopes(work(source + i), swap);
            if (image < 0) return false;
            int64_t place = i;
            for (; place > first && rows.order[work(sink + place - 1)] > rows.order[image]; place--)
                work(sink + place) = work(sink + place - 1);
            work(sink + place) = image;
        }
        return true;
    }

    // Less than 0, 0 or more, as the state at `one` is less than, equal to or greater than that at `other`.
    int64_t compare(int64_t one, int64_t other) const {
        for (int64_t i = 0; i < length; i++)
            if (work(one + i) != work(other + i)) return int64_t(work(one + i)) - int64_t(work(other + i));
        return 0;
    }

    void copy(int64_t source, int64_t sink) const {
        for (int64_t i = 0; i < length; i++) work(sink + i) = work(source + i);
    }

    // The colour of each member; whether all views are known.
    bool colour() const {
        const Span<uint64_t>& colours = spare.colours;
        for (int64_t m = 0; m < turns.members.size; m++) colours[m] = 0;
        for (int64_t i = 0; i < settings[LOCALS]; i++) {
            const int64_t seen = turns.local_seen[work(i)];
            if (seen == UNSEEN) return false;
            if (seen == DIFFERENT)
                for (int64_t m = 0; m < turns.members.size; m++) colours[m] += turns.local_views(work(i), m);
        }
        uint64_t weight = 1;
        for (int64_t i = first; i < length; i++) {
            const bool queued = settings[NETWORK] == FIFO && i > first;
            weight = queued && rows.order[work(i)] == rows.order[work(i - 1)] ? weight + 2 : 1;
            const int64_t seen = turns.envelope_seen[work(i)];
            if (seen == UNSEEN) return false;
            if (seen == DIFFERENT)
                for (int64_t m = 0; m < turns.members.size; m++)
                    colours[m] += turns.envelope_views(work(i), m) * weight;
        }
        return true;
    }

    // Brings the members of each class into the order of their colours; the area of the state, or -1.
    int64_t sort() const {
        const Span<uint64_t>& colours = spare.colours;
        int64_t at = 0;
        for (int64_t c = 0; c + 1 < turns.starts.size; c++) {
            for (int64_t i = turns.starts[c]; i + 1 < turns.starts[c + 1]; i++) {
                int64_t least = i;
                for (int64_t j = i + 1; j < turns.starts[c + 1]; j++)
                    if (colours[j] < colours[least]) least = j;
                if (colours[least] == colours[i]) continue;
                const uint64_t kept = colours[i];
                colours[i] = colours[least];
                colours[least] = kept;
                if (!turn(swap_of(i, least), at, width - at)) return -1;
                at = width - at;
            }
        }
        return at;
    }

    // Runs of one colour in which swapping neighbours changes the state, into `levels`: a member and the end of its run
    // for each choice to make. How many, or -1.
    int64_t find_loose(int64_t at) const {
        const Span<uint64_t>& colours = spare.colours;
        int64_t n = 0;
        for (int64_t c = 0; c + 1 < turns.starts.size; c++) {
            int64_t end;
            for (int64_t begin = turns.starts[c]; begin < turns.starts[c + 1]; begin = end) {
                end = begin + 1;
                while (end < turns.starts[c + 1] && colours[end] == colours[begin]) end++;
                bool differ = false;
                for (int64_t i = begin; i + 1 < end && !differ; i++) {
                    if (!turn(swap_of(i, i + 1), at, SPARE * width)) return -1;
                    differ = compare(at, SPARE * width) != 0;
                }
                for (int64_t i = begin; differ && i + 1 < end; i++, n++) {
                    spare.levels(n, 0) = i;
                    spare.levels(n, 1) = end;
                }
            }
        }
        return n;
    }

    // The least state over all arrangements of the loose runs, to SPARE; whether all images are known.
    bool arrange(int64_t at, int64_t n) const {
        const Table<int64_t, 3>& levels = spare.levels;
        copy(at, FIRST_LEVEL * width);
        const int64_t least = SPARE * width;
        bool any_yet = false;
        int64_t depth = 0;
        levels(0, 2) = levels(0, 0) - 1;
        while (depth >= 0) {
            const int64_t here = (FIRST_LEVEL + depth) * width;
            if (depth == n) {
                if (!any_yet || compare(here, least) < 0) copy(here, least);
                any_yet = true;
                depth--;
                continue;
            }
            const int64_t other = ++levels(depth, 2);
            if (other == levels(depth, 1)) {
                depth--;
                continue;
            }
            if (other == levels(depth, 0))
                copy(here, here + width);
            else if (!turn(swap_of(levels(depth, 0), other), here, here + width))
                return false;
            depth++;
            if (depth < n) levels(depth, 2) = levels(depth, 0) - 1;
        }
        return true;
    }
};

// Makes the state in `cells` canonical; false, with the cells as they were, where an image is not known.
inline bool make_canonical(
    const Rows& rows, const Turns& turns, const Settings& settings, const Span<int32_t>& cells, int64_t length,
    const Spare& spare
) {
    const Canonical canonical{rows, turns, settings, spare, cells.size, length};
    for (int64_t i = 0; i < length; i++) spare.areas[i] = cells[i];
    if (!canonical.colour()) return false;
    int64_t at = canonical.sort();
    if (at < 0) return false;
    const int64_t n = canonical.find_loose(at);
    if (n < 0) return false;
    if (n) {
        if (!canonical.arrange(at, n)) return false;
        at = SPARE * cells.size;
    }
    for (int64_t i = 0; i < length; i++) cells[i] = spare.areas[at + i];
    return true;
}

}  // namespace roundsim::walk
