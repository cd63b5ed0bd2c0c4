// PCT for messages: `sim.strategy.pctcp`, with its events and chains.
//
// Every event is brought about by one other at most, so what an event follows from is a line of ancestors.
#pragma once

#include "strikes.hpp"

namespace roundsim::fuzz {

// Draws the points of change, and forgets the events of the last schedule.
inline void begin_pctcp(Fuzz& f) {
    const Desk& desk = f.desk;
    for (int64_t i = 0; i + 1 < f.settings[DEPTH]; i++)
        desk.points[i] = between(stream(f.random[DRAWS], i), 1, f.settings[LENGTH]);
    f.random[PRIORITIES] = derive(f.random[DRAWS], f.facts.purposes[FOR_CHAINS]);
    for (int64_t i = 0; i < f.registers[CHAINS]; i++) desk.lowered[i] = NONE;
    for (int64_t i = 0; i < f.registers[TOUCHED]; i++) desk.first[desk.touched[i]] = NONE;
    for (int64_t subject = 0; subject < f.settings[ENVELOPES]; subject++) desk.first[subject] = NONE;
    f.registers[EVENTS] = f.registers[TAKEN_EVENTS] = f.registers[TOUCHED] = 0;
    f.registers[CHAINS] = f.registers[CHAIN_ROWS] = f.registers[FREE] = 0;
}

// The first event from this one on, along what it follows from, that is the last of its chain, or NONE. What lies between
// is passed over for good.
inline int64_t nearest(const Desk& desk, int64_t event) {
    int64_t top = event;
    while (top >= 0 && desk.up[top] != top) top = desk.up[top];
    while (event != top) {
        const int64_t above = desk.up[event];
        desk.up[event] = int32_t(top);
        event = above;
    }
    return top;
}

// Gives an event its chain: `sim.strategy.chains`.
inline void join_chain(Fuzz& f, int64_t event) {
    const Desk& desk = f.desk;
    int64_t chain = NONE, row = 0;
    for (int64_t other = nearest(desk, desk.parent[event]); other >= 0; other = nearest(desk, desk.parent[other])) {
        const int64_t at = desk.row[desk.set[desk.chain[other]]];
        if (chain >= 0 && at >= row) continue;
        chain = desk.chain[other];
        row = at;
    }
    if (chain < 0 || (f.registers[FREE] > 0 && desk.row[f.registers[OPEN_SET]] < row)) {
        if (!f.registers[FREE]) {
            const int64_t rows = f.registers[CHAIN_ROWS];
            if (rows == desk.row.size) {
                f.registers[OVERFULL] = 1;
                return;
            }
            desk.row[rows] = desk.standing[rows] = int32_t(rows);
            f.registers[CHAIN_ROWS] = f.registers[FREE] = rows + 1;
            f.registers[OPEN_SET] = rows;
        }
        f.registers[FREE]--;
        chain = f.registers[CHAINS]++;
        desk.set[chain] = int32_t(f.registers[OPEN_SET]);
        desk.rank[chain] = stream(f.random[PRIORITIES], chain);
    } else {
        const int64_t before = desk.last[chain];
        desk.up[before] = desk.parent[before];
    }
    desk.last[chain] = desk.up[event] = int32_t(event);
    desk.chain[event] = int32_t(chain);
    const int32_t rest = desk.set[chain];
    const int64_t its_row = desk.row[rest];
    if (its_row == 0) return;
    const int32_t small = desk.standing[its_row - 1];  // what is left of the row and the row before change places
    desk.standing[its_row - 1] = rest;
    desk.standing[its_row] = small;
    desk.row[rest] = int32_t(its_row - 1);
    desk.row[small] = int32_t(its_row);
    desk.set[chain] = small;
}

// A new event, pending after those of the same subject.
inline void make_event(Fuzz& f, int64_t subject, int64_t parent) {
    const Desk& desk = f.desk;
    const int64_t event = f.registers[EVENTS];
    if (event == desk.parent.size) {
        f.registers[OVERFULL] = 1;
        return;
    }
    f.registers[EVENTS]++;
    desk.parent[event] = int32_t(parent);
    desk.next[event] = NONE;
    desk.leaf[event] = 1;
    if (parent >= 0) desk.leaf[parent] = 0;
    if (desk.first[subject] >= 0) {
        desk.next[desk.final[subject]] = int32_t(event);
    } else {
        if (f.registers[TOUCHED] == desk.touched.size) {
            f.registers[OVERFULL] = 1;
            return;
        }
        desk.touched[f.registers[TOUCHED]++] = int32_t(subject);
        desk.first[subject] = int32_t(event);
    }
    desk.final[subject] = int32_t(event);
    join_chain(f, event);
}

// What a process can do by itself now: new events for what is new, or armed anew.
inline void make_own(Fuzz& f, int64_t process, int64_t parent, int64_t armed, int64_t armed_end) {
    const Desk& desk = f.desk;
    const int64_t begin = f.first(), end = f.last();
    const int64_t from = f.facts.own_from[process], to = f.facts.own_from[process + 1];
    const int64_t stamp = ++f.registers[STAMP];
    for (int64_t e = begin; e < end; e++) {
        const int64_t subject = f.event(e);
        if (subject >= from && subject < to) desk.stamp[subject] = stamp;
    }
    for (int64_t subject = from; subject < to; subject++)
        if (desk.stamp[subject] != stamp) desk.first[subject] = NONE;
    for (int64_t e = begin; e < end; e++) {
        const int64_t subject = f.event(e);
        if (subject < from || subject >= to || desk.stamp[subject] != stamp) continue;
        desk.stamp[subject] = 0;  // each once
        bool anew = desk.first[subject] < 0;
        for (int64_t i = armed; i < armed_end; i++) anew = anew || f.facts.arms(i, 0) == subject;
        if (!anew) continue;
        desk.first[subject] = NONE;
        make_event(f, subject, parent);
    }
}

// Of the movers of an action, the one of the next process after this one, or NONE.
inline int64_t next_mover(const Fuzz& f, int64_t action, int64_t after) {
    int64_t best = NONE;
    for (int64_t i = f.facts.fact(action, MOVERS_FROM); i < f.facts.fact(action, MOVERS_TO); i++) {
        const int64_t process = f.facts.movers(i, MOVER);
        if (process > after && (best < 0 || process < f.facts.movers(best, MOVER))) best = i;
    }
    return best;
}

// An action was taken (BEGUN: the schedule has begun): its event is over, what it brought about is new.
inline void took_pctcp(Fuzz& f, int64_t action) {
    const Desk& desk = f.desk;
    if (action == BEGUN) {
        const int64_t way = f.registers[START];
        for (int64_t i = f.facts.starts(way, 1); i < f.facts.starts(way, 2); i++)
            make_event(f, f.settings[ENVELOPES] + f.facts.begin[i], NONE);
        for (int64_t process = 0; process + 1 < f.facts.own_from.size; process++) make_own(f, process, NONE, 0, 0);
        return;
    }
    int64_t over = NONE;
    const int64_t subject = f.facts.fact(action, SUBJECT), event = desk.first[subject];
    if (event >= 0 && (f.facts.fact(action, CONSUMES) || f.facts.fact(action, ENVELOPE) < 0)) {
        desk.first[subject] = desk.next[event];
        over = event;
    }
    for (int64_t i = f.rows.actions(action, SENDS_FROM); i < f.rows.actions(action, SENDS_TO); i++)
        make_event(f, f.settings[ENVELOPES] + f.rows.pool[i], over);
    for (int64_t mover = next_mover(f, action, NONE); mover >= 0; mover = next_mover(f, action, f.facts.movers(mover, MOVER)))
        make_own(f, f.facts.movers(mover, MOVER), over, f.facts.movers(mover, ARMS_FROM), f.facts.movers(mover, ARMS_TO));
    if (f.facts.fact(action, SORT) == CUT && f.facts.delays(subject, 0) >= 0) make_event(f, subject, over);
}

// Events for what is enabled though no event is pending (a message that stays in flight forever), in the order of their
// keys.
inline void make_missing(Fuzz& f) {
    const int64_t here = f.state();
    while (true) {
        int64_t missing = NONE;
        for (int64_t e = f.first(); e < f.last(); e++) {
            const int64_t subject = f.event(e);
            if (subject < 0 || f.known.edges(e, LEADS_TO) == here || f.desk.first[subject] >= 0) continue;
            const auto lead = [&f](int64_t edge) { return f.facts.leads[f.known.edges(edge, ACTION)]; };
            if (missing < 0 || lead(e) < lead(missing)) missing = e;
        }
        if (missing < 0 || f.registers[OVERFULL]) return;
        make_event(f, f.event(missing), NONE);
    }
}

constexpr int64_t MISSING = -2;

// The edge of an event whose chain has the highest priority, or NONE; MISSING where something is enabled of which no event
// is pending. Chains that were lowered come last, by their level; the others in a random order.
inline int64_t highest(const Fuzz& f) {
    const int64_t here = f.state();
    int64_t best = NONE, best_level = 0;
    uint64_t best_draw = 0;
    for (int64_t e = f.first(); e < f.last(); e++) {
        const int64_t subject = f.event(e);
        if (subject < 0 || f.known.edges(e, LEADS_TO) == here) continue;
        const int64_t event = f.desk.first[subject];
        if (event < 0) return MISSING;
        const int64_t chain = f.desk.chain[event], lowered = f.desk.lowered[chain];
        const int64_t level = lowered < 0 ? int64_t(1) << 40 : lowered;
        const uint64_t draw = lowered < 0 ? f.desk.rank[chain] : 0;
        if (best >= 0 && (level < best_level || (level == best_level && draw <= best_draw))) continue;
        best = e;
        best_level = level;
        best_draw = draw;
    }
    return best;
}

// The edge that comes next, or NONE.
inline int64_t pick_pctcp(Fuzz& f) {
    f.registers[PICK]++;
    const int64_t fault = strike(f, f.registers[PICK] - 1, NONE);
    if (fault >= 0) return fault;
    int64_t best = highest(f);
    if (best == MISSING) {
        make_missing(f);
        if (f.registers[OVERFULL]) return NONE;
        best = highest(f);
    }
    if (best < 0) return best;
    f.registers[TAKEN_EVENTS]++;
    for (int64_t i = 0; i + 1 < f.settings[DEPTH]; i++) {
        if (f.desk.points[i] != f.registers[TAKEN_EVENTS]) continue;
        const int64_t chain = f.desk.chain[f.desk.first[f.event(best)]];
        f.desk.lowered[chain] = int32_t(f.settings[DEPTH] - 1 - i);
        best = highest(f);
    }
    const uint64_t base = stream(f.random[DRAWS], f.registers[PICK]);
    return least(f, best, group_end(f, best, f.last()), f.state(), base);
}

// A schedule came to rest: how many events it had, and how many of them none of which follows from another.
inline void note_size(Fuzz& f) {
    const int64_t events = f.registers[EVENTS];
    int64_t width = 0;
    for (int64_t event = 0; event < events; event++) width += f.desk.leaf[event];
    if (!f.registers[SIZES]) {
        f.registers[SIZES] = 1;
        f.registers[SIZE_EVENTS] = events;
        f.registers[SIZE_BREADTH] = width;
    } else if (f.registers[SIZE_EVENTS] != events || f.registers[SIZE_BREADTH] != width) {
        f.registers[SIZES] = 2;
    }
}

}  // namespace roundsim::fuzz
