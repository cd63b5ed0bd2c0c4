// Schedules one after the other, each a walk along the edges of the states that are known.
#pragma once

#include "clock.hpp"
#include "known.hpp"
#include "pctcp.hpp"
#include "pos.hpp"
#include "rounds.hpp"

namespace roundsim::fuzz {

constexpr int64_t MEMBERS = 5;  // of a portfolio

// Begins the schedule of the number that is on.
inline void begin(Fuzz& f) {
    const uint64_t seed = stream(derive(f.random[MASTER], f.facts.purposes[FOR_SCHEDULES]), f.registers[NUMBER]);
    const int64_t told = f.settings[STRATEGY], member = told == PORTFOLIO ? f.registers[NUMBER] % MEMBERS : told;
    const int64_t ways = f.settings[WAYS];
    const int64_t way = ways > 1 ? share(derive(seed, f.facts.purposes[FOR_START]), ways) : 0;
    f.random[SEED] = seed;
    f.random[DRAWS] = derive(seed, f.facts.purposes[member]);
    f.registers[MEMBER] = member;
    f.registers[START] = way;
    f.registers[STATE] = f.facts.starts(way, 0);
    f.registers[STEPS] = f.registers[PICK] = f.registers[OVERFULL] = 0;
    f.registers[LOOK] = LOOK_EVERY;
    f.registers[TOOK] = BEGUN;
    f.registers[PHASE] = STAND;
    if (member == PCTCP || member == POS || member == TIMED) begin_strikes(f);
    if (member == SWARM) {
        f.random[ALLOWED] = 0;
        for (int64_t kind = 0; kind < f.settings[KINDS_KNOWN]; kind++)
            f.random[ALLOWED] |= (derive(f.random[DRAWS], f.facts.kinds(kind, 1)) & 1) << kind;
    } else if (member == PCTCP) {
        begin_pctcp(f);
    } else if (member == POS) {
        for (int64_t process = 0; process < f.desk.moved.size; process++) f.desk.moved[process] = 0;
    } else if (member == TIMED || member == VIRTUAL_TIME) {
        begin_clock(f);
    }
    f.random[OPEN] = uint64_t(f.settings[EVENTUALS]);
    visit(f, f.state());
    keep(f, f.state(), 1);
}

// Tells the strategy of the action that was taken.
inline void tell(Fuzz& f) {
    const int64_t action = f.registers[TOOK], member = f.registers[MEMBER];
    f.registers[TOOK] = NONE;
    if (member == PCTCP)
        took_pctcp(f, action);
    else if (member == POS)
        took_pos(f, action);
    else if (member == TIMED || member == VIRTUAL_TIME)
        took_clock(f, action);
}

// The edge that the strategy of this schedule takes, or NONE.
inline int64_t pick(Fuzz& f) {
    const int64_t member = f.registers[MEMBER];
    if (member == PCTCP) return pick_pctcp(f);
    if (member == POS) return pick_pos(f);
    if (member != UNIFORM && member != SWARM) return pick_clock(f);
    const uint64_t base = stream(f.random[DRAWS], f.registers[PICK]++);
    if (member == UNIFORM) return least(f, f.first(), f.last(), f.state(), base);
    return least_allowed(f, f.first(), f.last(), f.state(), base, f.random[ALLOWED]);
}

// Asks for what is known of the states that the next edge may lead to: while the strategy thinks they are on their way from
// memory, which takes longer than a step.
inline void call_ahead(const Fuzz& f) {
    for (int64_t e = f.first(); e < f.last(); e++) {
        const int64_t to = f.known.edges(e, LEADS_TO);
        if (to >= 0) prefetch(&f.known.head(to, 0));
    }
}

// Picks the next edge: ONWARD if there is one, else how the schedule ended or why it pauses.
inline int64_t stand(Fuzz& f) {
    const int64_t state = f.state();
    if (f.known.head(state, STATUS) & BROKEN) return FOUND;
    if (!(f.known.head(state, STATUS) & EXPANDED)) {
        const int64_t ended = expand(f);
        if (ended != PAUSED) return ended;
    }
    call_ahead(f);
    if (f.registers[TOOK] != NONE) tell(f);
    if (f.registers[OVERFULL]) return SMALL_DESK;
    if (f.registers[STEPS] == f.registers[MAX_STEPS]) {
        f.registers[CUT_SHORT]++;
        return DONE;
    }
    const int64_t edge = pick(f);
    if (f.registers[OVERFULL]) return SMALL_DESK;
    const int64_t status = f.known.head(state, STATUS);
    const bool at_rest = (status & QUIET) != 0, wrong = at_rest && ((status & OWED) || f.random[OPEN]);
    if (edge < 0) {
        if (wrong) return FOUND;
        if (!at_rest && (f.random[OPEN] || f.settings[STRICT] || is_hot(f, state))) return SUSPECT;
        if (f.registers[MEMBER] == PCTCP && f.settings[SIZED] && at_rest) note_size(f);
        return DONE;
    }
    if (wrong && !moves(f, edge, state)) return FOUND;
    f.registers[EDGE] = edge;
    return ONWARD;
}

// Counts the schedule that has ended.
inline void finish(Fuzz& f) {
    f.registers[SPENT] += f.registers[STEPS] + 1;
    f.registers[TOTAL_STEPS] += f.registers[STEPS];
    f.registers[SCHEDULES]++;
    f.registers[NUMBER]++;
    f.registers[COUNT]++;
    f.registers[PHASE] = BEGIN;
}

// The schedule is back where it was: if it could go on like this forever and nothing is owed, it ends. Whether the plain
// engine has to judge it.
inline bool came_round(Fuzz& f) {
    const int64_t length = f.registers[LENGTH_SINCE];
    if (!is_round(f)) {
        f.registers[LOOK_AT] = 2 * length;
        move_on(f, f.state());
        return false;
    }
    if (f.settings[STRICT] || f.random[OPEN] || owes_all_along(f)) return true;
    if (!f.registers[ROUND] || length < f.registers[ROUND]) f.registers[ROUND] = length;
    finish(f);
    return false;
}

// Goes along the edge that was picked; PAUSED, or why not.
inline int64_t go_on(Fuzz& f) {
    const int64_t edge = f.registers[EDGE];
    if (f.known.edges(edge, LEADS_TO) < 0) {
        const int64_t ended = go(f);
        if (ended != PAUSED) return ended;
    }
    const int64_t action = f.known.edges(edge, ACTION), state = f.known.edges(edge, LEADS_TO);
    prefetch(f.known.edges.data + f.known.head(state, FROM) * EDGE_WIDTH);
    const int64_t step = f.registers[STEPS]++;
    f.path(step, 0) = int32_t(action);
    f.path(step, 1) = int32_t(f.registers[STATE]);
    f.known.taken[action] = 1;
    if (f.registers[MEMBER] == PCTCP && f.facts.fact(action, CHOOSES)) f.registers[CHOSE] = 1;
    f.registers[TOOK] = action;
    f.registers[STATE] = state;
    f.registers[PHASE] = STAND;
    visit(f, state);
    const bool is_back = came_back(f, action, state) && !(f.known.head(state, STATUS) & BROKEN);
    return is_back && came_round(f) ? CAME_ROUND : PAUSED;
}

// Runs schedules, some BATCH steps of them; says why it paused. FOUND and SUSPECT: the schedule of this number is in
// `path`, as actions, and not counted yet.
inline int64_t go_through(Fuzz& f) {
    while (true) {
        if (f.registers[PHASE] == BEGIN) {
            if (f.registers[NUMBER] == f.registers[END]) return DONE;
            if (f.registers[SPENT] >= f.registers[BATCH]) {
                f.registers[SPENT] = 0;
                return PAUSED;
            }
            begin(f);
        }
        if (f.registers[PHASE] == STAND) {
            if (f.registers[STEPS] >= f.registers[LOOK]) {
                f.registers[LOOK] += LOOK_EVERY;
                return PAUSED;
            }
            const int64_t ended = stand(f);
            if (ended == DONE) {
                finish(f);
                continue;
            }
            if (ended != ONWARD) return ended;
            f.registers[PHASE] = GO;
        }
        const int64_t ended = go_on(f);
        if (ended != PAUSED) return ended;
    }
}

inline int64_t run(
    const walk::Rows& rows, const Facts& facts, const Known& known, const Span<int64_t>& settings,
    const Span<int64_t>& registers, const Span<uint64_t>& random, const Desk& desk, const Buffers& buffers,
    const Table<int32_t, 2>& path
) {
    Fuzz f{
        rows, facts, known, Numbers<int64_t, FUZZ_SETTINGS>(settings), Numbers<int64_t, REGISTERS>(registers),
        Numbers<uint64_t, RANDOM>(random), desk, buffers, path,
    };
    const int64_t ended = go_through(f);
    f.registers.put_back(registers);
    f.random.put_back(random);
    return ended;
}

}  // namespace roundsim::fuzz
