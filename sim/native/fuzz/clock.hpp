// Virtual time: `sim.strategy.virtual_time` and `sim.strategy.timed`.
//
// What is due is known by its number, which is also the order of scheduling that ties break by.
#pragma once

#include "eager.hpp"
#include "strikes.hpp"

namespace roundsim::fuzz {

// Midnight: nothing is due.
inline void begin_clock(Fuzz& f) {
    for (int64_t subject = 0; subject < f.facts.own_from[f.facts.own_from.size - 1]; subject++)
        f.desk.first[subject] = NONE;
    for (int64_t process = 0; process < f.desk.waiting.size; process++) f.desk.waiting[process] = NONE;
    f.registers[EVENTS] = f.registers[HEAP] = f.registers[NOW] = f.registers[DRAWN] = f.registers[WAITING] = 0;
    f.registers[LAST] = NONE;
}

// --- the heap ------------------------------------------------------------------------------------------------

// Whether an event is due before another.
inline bool sooner(const Desk& desk, int64_t one, int64_t other) {
    return desk.when[one] < desk.when[other] || (desk.when[one] == desk.when[other] && one < other);
}

// Makes an event due.
inline void push(Fuzz& f, int64_t event) {
    const Desk& desk = f.desk;
    int64_t at = f.registers[HEAP];
    if (at == desk.heap.size) {
        f.registers[OVERFULL] = 1;
        return;
    }
    f.registers[HEAP]++;
    while (at > 0) {
        const int64_t above = (at - 1) >> 1;
        if (!sooner(desk, event, desk.heap[above])) break;
        desk.heap[at] = desk.heap[above];
        at = above;
    }
    desk.heap[at] = int32_t(event);
}

// The event that is due next, off the heap.
inline int64_t pop(Fuzz& f) {
    const Desk& desk = f.desk;
    const int64_t top = desk.heap[0], size = --f.registers[HEAP], event = desk.heap[size];
    int64_t at = 0;
    while (true) {
        int64_t below = 2 * at + 1;
        if (below >= size) break;
        if (below + 1 < size && sooner(desk, desk.heap[below + 1], desk.heap[below])) below++;
        if (!sooner(desk, desk.heap[below], event)) break;
        desk.heap[at] = desk.heap[below];
        at = below;
    }
    desk.heap[at] = int32_t(event);
    return top;
}

// A new event, due after a delay that is drawn; its number.
inline int64_t schedule(Fuzz& f, int64_t subject, int64_t low, int64_t high, bool may_be_struck) {
    if (high > low) low = between(stream(f.random[DRAWS], f.registers[DRAWN]++), low, high);
    const int64_t event = f.registers[EVENTS];
    if (event == f.desk.when.size) {
        f.registers[OVERFULL] = 1;
        return 0;
    }
    f.registers[EVENTS]++;
    f.desk.when[event] = f.registers[NOW] + low;
    f.desk.who[event] = int32_t(subject);
    f.desk.open[event] = may_be_struck;
    push(f, event);
    return event;
}

// The same, after the delay that is usual for its subject.
inline int64_t schedule(Fuzz& f, int64_t subject, bool may_be_struck) {
    return schedule(f, subject, f.facts.delays(subject, 0), f.facts.delays(subject, 1), may_be_struck);
}

// --- picking -------------------------------------------------------------------------------------------------

// Whether an envelope is in flight.
inline bool in_flight(const Fuzz& f, int64_t envelope) {
    const int64_t begin = f.known.offsets[f.state()] + walk::first_of(f.settings);
    for (int64_t i = begin; i < f.known.offsets[f.state() + 1]; i++)
        if (f.known.cells[i] == envelope) return true;
    return false;
}

// Whether a timer is armed, though what it would trigger may be deferred.
inline bool is_armed(const Fuzz& f, int64_t process, int64_t subject) {
    const int64_t local = f.known.cells[f.known.offsets[f.state()] + process];
    for (int64_t i = f.facts.armed_from[local]; i < f.facts.armed_from[local + 1]; i++)
        if (f.facts.armed[i] == subject) return true;
    return false;
}

// Whether any fault may still strike.
inline bool any_left(const Fuzz& f) {
    const int64_t begin = f.known.offsets[f.state()] + f.settings[LOCALS];
    for (int64_t i = begin; i < begin + f.settings[BUDGETS]; i++)
        if (f.known.cells[i] > 0) return true;
    return f.settings[ENDLESS] != 0;
}

// Whether a sort of subject is pending once: what is due of it counts only as it was scheduled last.
inline bool is_own(int64_t sort) { return sort == FIRE || sort == MOVE || sort == RESTART; }

// Puts an event aside until its process changes.
inline void wait(Fuzz& f, int64_t process, int64_t event) {
    f.desk.next[event] = f.desk.waiting[process];
    f.desk.waiting[process] = int32_t(event);
    f.registers[WAITING]++;
}

// The first edge of what is due, and where they end; the same where it is void, or waits.
inline int64_t look(Fuzz& f, int64_t event, int64_t& end) {
    const int64_t subject = f.desk.who[event], sort = f.facts.sort[subject];
    int64_t e = end = f.last();
    if (is_own(sort) && f.desk.first[subject] != event) return e;
    if (sort == DELIVER && !in_flight(f, subject - f.settings[ENVELOPES])) return e;
    for (e = f.first(); e < end && f.event(e) != subject;) e++;
    if (e < end) {
        end = group_end(f, e, end);
        return e;
    }
    const int64_t owner = f.facts.owner[subject];
    if (sort == DELIVER || (sort == FIRE && is_armed(f, owner, subject))) wait(f, owner, event);
    return e;
}

// A fault comes instead of what was due: whether that is still to come.
inline void struck(Fuzz& f, int64_t event, int64_t usual, int64_t fault) {
    if (f.facts.fact(fault, SURVIVES)) {
        schedule(f, f.settings[ENVELOPES] + f.facts.fact(fault, ENVELOPE), false);
        return;
    }
    const bool delivers = f.facts.sort[f.desk.who[event]] == DELIVER;
    const bool uses_up = f.facts.fact(fault, CONSUMES) || (f.facts.fact(fault, DELIVERED) && !delivers);
    if (f.facts.fact(fault, SUBJECT) == f.facts.fact(usual, SUBJECT) && uses_up) return;
    f.desk.open[event] = 0;
    push(f, event);
}

// The edge that is due next, or the fault that strikes instead; NONE.
inline int64_t pick_clock(Fuzz& f) {
    while (f.registers[HEAP] > 0) {
        const int64_t event = pop(f);
        int64_t end, e = look(f, event, end);
        if (e == end) continue;
        if (f.desk.when[event] > f.registers[NOW]) f.registers[NOW] = f.desk.when[event];
        if (end - e > 1) e = least(f, e, end, NOWHERE, stream(f.random[DRAWS], f.registers[PICK]));
        f.registers[PICK]++;
        if (!f.desk.open[event] || !any_left(f)) return e;
        const int64_t usual = f.known.edges(e, ACTION);
        int64_t fault = NONE;
        if (f.registers[MEMBER] == TIMED)
            fault = strike(f, f.registers[PICK] - 1, usual);
        else if (f.settings[EAGER])
            fault = strike_eagerly(f, usual);
        if (fault < 0) return e;
        struck(f, event, usual, f.known.edges(fault, ACTION));
        return fault;
    }
    return NONE;
}

// --- following -----------------------------------------------------------------------------------------------

// A timer is armed; the one that ran before is forgotten.
inline void arm(Fuzz& f, int64_t i) {
    const int64_t subject = f.facts.arms(i, 0);
    f.desk.first[subject] = int32_t(schedule(f, subject, f.facts.arms(i, 1), f.facts.arms(i, 2), true));
}

// Schedules the moves, or the restart, that have become enabled; a move that was enabled before keeps its due time, one
// that is not any more is forgotten.
inline void watch_moves(Fuzz& f, int64_t process) {
    const int64_t from = f.facts.own_from[process], to = f.facts.own_from[process + 1];
    const int64_t stamp = ++f.registers[STAMP];
    for (int64_t e = f.first(); e < f.last(); e++) {
        const int64_t subject = f.event(e);
        if (subject < from || subject >= to) continue;
        if (f.facts.sort[subject] == FIRE || f.desk.stamp[subject] == stamp) continue;
        f.desk.stamp[subject] = stamp;
        if (f.desk.first[subject] < 0 && f.facts.delays(subject, 0) >= 0)
            f.desk.first[subject] = int32_t(schedule(f, subject, true));
    }
    for (int64_t subject = from; subject < to; subject++)
        if (f.facts.sort[subject] != FIRE && f.desk.stamp[subject] != stamp) f.desk.first[subject] = NONE;
}

// What waited for the process that an action happened to may be enabled now; after a heal, or what happened to several,
// everything may.
inline void wake(Fuzz& f, int64_t action) {
    const int64_t sort = f.facts.fact(action, SORT);
    if (sort == CUT) return;
    int64_t target = f.rows.actions(action, PROCESS);
    const bool all = sort == HEAL || f.rows.actions(action, walk::OTHERS_FROM) < f.rows.actions(action, walk::OTHERS_TO);
    if (target < 0 && !all) target = f.rows.target[f.facts.fact(action, ENVELOPE)];
    for (int64_t process = 0; process < f.desk.waiting.size; process++) {
        if (!all && process != target) continue;
        int64_t event = f.desk.waiting[process];
        f.desk.waiting[process] = NONE;
        for (; event >= 0; event = f.desk.next[event]) {
            push(f, event);
            f.registers[WAITING]--;
        }
    }
}

// An action was taken (BEGUN: the schedule has begun): what it brought about is due some time.
inline void took_clock(Fuzz& f, int64_t action) {
    if (action == BEGUN) {
        const int64_t way = f.registers[START];
        for (int64_t i = f.facts.starts(way, 1); i < f.facts.starts(way, 2); i++)
            schedule(f, f.settings[ENVELOPES] + f.facts.begin[i], true);
        for (int64_t i = f.facts.starts(way, 3); i < f.facts.starts(way, 4); i++) arm(f, i);
        for (int64_t process = 0; process < f.desk.waiting.size; process++) watch_moves(f, process);
        return;
    }
    f.registers[LAST] = action;
    for (int64_t i = f.rows.actions(action, SENDS_FROM); i < f.rows.actions(action, SENDS_TO); i++)
        schedule(f, f.settings[ENVELOPES] + f.rows.pool[i], true);
    const int64_t sort = f.facts.fact(action, SORT), subject = f.facts.fact(action, SUBJECT);
    if (is_own(sort)) f.desk.first[subject] = NONE;
    for (int64_t mover = f.facts.fact(action, MOVERS_FROM); mover < f.facts.fact(action, MOVERS_TO); mover++) {
        for (int64_t i = f.facts.movers(mover, ARMS_FROM); i < f.facts.movers(mover, ARMS_TO); i++) arm(f, i);
        if (f.facts.movers(mover, ALTERS) || sort == MOVE || sort == RESTART) watch_moves(f, f.facts.movers(mover, MOVER));
    }
    if (sort == CUT && f.facts.delays(subject, 0) >= 0) schedule(f, subject, true);
    if (f.registers[WAITING] > 0) wake(f, action);
}

}  // namespace roundsim::fuzz
