// A fuzz under way: what it reads, and where it stands.
#pragma once

#include "../walk/steps.hpp"

namespace roundsim::fuzz {

using walk::BUDGETS;
using walk::CUTS;
using walk::FULL;
using walk::HOT;
using walk::LOCALS;
using walk::PAUSED;
using walk::PROCESS;
using walk::PROCESSES;
using walk::PROGRESS;
using walk::SENDS_FROM;
using walk::SENDS_TO;

struct Fuzz {
    const walk::Rows& rows;
    const Facts& facts;
    const Known& known;
    const Numbers<int64_t, FUZZ_SETTINGS> settings;
    Numbers<int64_t, REGISTERS> registers;
    Numbers<uint64_t, RANDOM> random;
    const Desk& desk;
    const Buffers& buffers;
    const Table<int32_t, 2>& path;

    int64_t state() const { return registers[STATE]; }
    int64_t first() const { return known.head(state(), FROM); }  // of the edges of the state
    int64_t last() const { return known.head(state(), TO); }

    int64_t event(int64_t edge) const { return facts.event[known.edges(edge, ACTION)]; }
    bool progresses(int64_t edge) const { return rows.actions(known.edges(edge, ACTION), PROGRESS) != 0; }
};

}  // namespace roundsim::fuzz
