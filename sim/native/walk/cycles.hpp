// Walks over a graph that was explored: `sim.checker.components`, step for step.
#pragma once

#include "../layout.hpp"

namespace roundsim::cycles {

// How many steps away each state is.
inline void depths(const Span<int32_t>& parent, const Span<int64_t>& depth, int64_t count) {
    for (int64_t number = 0; number < count; number++)
        depth[number] = parent[number] < 0 ? 0 : depth[parent[number]] + 1;
}

// Walks from every state in `begins` on, as long as it stays in `stays`, nearest first; how many states it met.
inline int64_t reach(const Reach& at) {
    int64_t met = 0, done = 0, asked = 0, level = 0;
    while (true) {
        for (; asked < at.begins.size && at.depth[asked] <= level; asked++) {
            if (at.begins[asked] && at.stays[asked] && at.via[asked] == UNMET) {
                at.via[asked] = SOURCE;
                at.order[met++] = asked;
            }
        }
        for (const int64_t end = met; done < end;) {
            const int64_t number = at.order[done++];
            for (int64_t e = at.edge_start[number]; e < at.edge_start[number + 1]; e++) {
                const int64_t after = at.edge_to[e];
                if (at.via[after] != UNMET || !at.stays[after]) continue;
                at.via[after] = e;
                at.origin[after] = number;
                at.order[met++] = after;
            }
        }
        if (done < met)
            level++;
        else if (asked == at.begins.size)
            return met;
        else
            level = at.depth[asked];
    }
}

// Whether every progress action enabled in all members of a component (a range of the stack) is taken inside.
inline bool is_fair(const Components& at, int64_t begin, int64_t end, int64_t label) {
    for (int64_t m = begin; m < end; m++) {
        const int64_t number = at.stack[m];
        for (int64_t e = at.edge_start[number]; e < at.edge_start[number + 1]; e++) {
            const int64_t action = at.edge_action[e], after = at.edge_to[e];
            if (!at.moves[action] || after == number) continue;
            const int64_t key = at.keys[action];
            if (at.counted_for[key] != label) {
                at.counted_for[key] = label;
                at.members[key] = 0;
                at.last_member[key] = -1;
            }
            if (at.last_member[key] != number) {
                at.last_member[key] = number;
                at.members[key]++;
            }
            if (at.numbering[after] == label) at.taken_in[key] = label;
        }
    }
    const int64_t number = at.stack[begin];
    for (int64_t e = at.edge_start[number]; e < at.edge_start[number + 1]; e++) {
        const int64_t action = at.edge_action[e];
        if (!at.moves[action] || at.edge_to[e] == number) continue;
        const int64_t key = at.keys[action];
        if (at.members[key] == end - begin && at.taken_in[key] != label) return false;
    }
    return true;
}

// Whether some member is to be touched.
inline bool touches(const Components& at, int64_t begin, int64_t end) {
    for (int64_t m = begin; m < end; m++)
        if (at.touch[at.stack[m]]) return true;
    return false;
}

// The strongly connected components under progress among the first `met` states of `order` (Tarjan, without recursion),
// and which of them are rounds. Whether it is done; else it pauses after so many steps.
inline bool components(const Components& at, int64_t met, int64_t steps) {
    const Span<int64_t>&registers = at.registers, &index = at.numbering, &low = at.low;
    int64_t spent = 0;
    while (registers[FRESH] >= 0 || registers[DEEP] >= 0 || registers[ROOT] < met) {
        if (registers[FRESH] < 0 && registers[DEEP] < 0) {
            const int64_t root = at.order[registers[ROOT]++];
            if (index[root] == -1) registers[FRESH] = root;
            continue;
        }
        if (spent > steps) return false;
        if (registers[FRESH] >= 0) {
            const int64_t fresh = registers[FRESH];
            at.work[++registers[DEEP]] = at.stack[registers[HEIGHT]++] = fresh;
            at.at[fresh] = at.edge_start[fresh];
            index[fresh] = low[fresh] = registers[MET]++;
            registers[FRESH] = -1;
        }
        const int64_t number = at.work[registers[DEEP]];
        while (registers[FRESH] < 0 && at.at[number] < at.edge_start[number + 1]) {
            const int64_t e = at.at[number]++, after = at.edge_to[e];
            spent++;
            if (!at.moves[at.edge_action[e]] || after == number || at.via[after] == UNMET) continue;
            if (index[after] == -1)
                registers[FRESH] = after;
            else if (index[after] >= 0 && index[after] < low[number])
                low[number] = index[after];
        }
        if (registers[FRESH] >= 0) continue;
        if (--registers[DEEP] >= 0) {
            const int64_t above = at.work[registers[DEEP]];
            if (low[number] < low[above]) low[above] = low[number];
        }
        if (low[number] != index[number]) continue;
        const int64_t label = --registers[LABEL], end = registers[HEIGHT];
        int64_t begin = end;
        do index[at.stack[--begin]] = label;
        while (at.stack[begin] != number);
        registers[HEIGHT] = begin;
        at.fair[-2 - label] = end - begin > 1 && touches(at, begin, end) && is_fair(at, begin, end, label);
    }
    return true;
}

}  // namespace roundsim::cycles
