// Generated from the modules `layout` by `python -m tests.generated`; a test holds it to them.
#pragma once

#include "views.hpp"

namespace roundsim::cycles {

constexpr int64_t SOURCE = -2;
constexpr int64_t UNMET = -1;
constexpr int64_t ROOT = 0;
constexpr int64_t DEEP = 1;
constexpr int64_t FRESH = 2;
constexpr int64_t MET = 3;
constexpr int64_t HEIGHT = 4;
constexpr int64_t LABEL = 5;
constexpr int64_t SPENT = 6;
constexpr int64_t REGISTERS = 7;

struct Reach {
    static constexpr const char* name = "Reach";
    Span<uint8_t> begins;
    Span<uint8_t> stays;
    Span<int64_t> depth;
    Span<int64_t> edge_start;
    Span<int32_t> edge_to;
    Span<int64_t> order;
    Span<int64_t> via;
    Span<int64_t> origin;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("begins", begins) &&
            visit("stays", stays) &&
            visit("depth", depth) &&
            visit("edge_start", edge_start) &&
            visit("edge_to", edge_to) &&
            visit("order", order) &&
            visit("via", via) &&
            visit("origin", origin);
    }
};

struct Components {
    static constexpr const char* name = "Components";
    Span<int64_t> order;
    Span<int64_t> via;
    Span<uint8_t> touch;
    Span<int64_t> edge_start;
    Span<int32_t> edge_to;
    Span<int32_t> edge_action;
    Span<uint8_t> moves;
    Span<int64_t> keys;
    Span<int64_t> counted_for;
    Span<int64_t> members;
    Span<int64_t> last_member;
    Span<int64_t> taken_in;
    Span<int64_t> low;
    Span<int64_t> numbering;
    Span<int64_t> stack;
    Span<int64_t> work;
    Span<int64_t> at;
    Span<int64_t> fair;
    Span<int64_t> registers;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("order", order) &&
            visit("via", via) &&
            visit("touch", touch) &&
            visit("edge_start", edge_start) &&
            visit("edge_to", edge_to) &&
            visit("edge_action", edge_action) &&
            visit("moves", moves) &&
            visit("keys", keys) &&
            visit("counted_for", counted_for) &&
            visit("members", members) &&
            visit("last_member", last_member) &&
            visit("taken_in", taken_in) &&
            visit("low", low) &&
            visit("numbering", numbering) &&
            visit("stack", stack) &&
            visit("work", work) &&
            visit("at", at) &&
            visit("fair", fair) &&
            visit("registers", registers);
    }
};

}  // namespace roundsim::cycles

namespace roundsim::walk {

constexpr int64_t KIND_BITS = 2;
constexpr int64_t CURSOR = 0;
constexpr int64_t LEVEL_END = 1;
constexpr int64_t STATES = 2;
constexpr int64_t GENERATED = 3;
constexpr int64_t OUTSIDE = 4;
constexpr int64_t EDGES = 5;
constexpr int64_t BASE = 6;
constexpr int64_t USED = 7;
constexpr int64_t HEARING = 8;
constexpr int64_t QUIET = 9;
constexpr int64_t RAW = 10;
constexpr int64_t RESTS = 11;
constexpr int64_t REGISTERS = 12;
constexpr int64_t NETWORK = 0;
constexpr int64_t PROCESSES = 1;
constexpr int64_t LOCALS = 2;
constexpr int64_t BUDGETS = 3;
constexpr int64_t CUTS = 4;
constexpr int64_t ALWAYS = 5;
constexpr int64_t SOMETIMES = 6;
constexpr int64_t WITHIN = 7;
constexpr int64_t EXACT = 8;
constexpr int64_t KEEP_EDGES = 9;
constexpr int64_t MAX_STATES = 10;
constexpr int64_t MAX_SENDS = 11;
constexpr int64_t LASTING = 12;
constexpr int64_t DOWN_MAX = 13;
constexpr int64_t MACHINES = 14;
constexpr int64_t SETTINGS = 15;
constexpr int64_t ANY = 0;
constexpr int64_t FIFO = 1;
constexpr int64_t SET = 2;
constexpr int64_t LATEST = 3;
constexpr int64_t BY_LINK = 4;
constexpr int64_t KIND_MASK = 3;
constexpr int64_t PROCESS = 0;
constexpr int64_t LOCAL = 1;
constexpr int64_t CONSUMED = 2;
constexpr int64_t CUT = 3;
constexpr int64_t PROGRESS = 4;
constexpr int64_t HEARD_FROM = 5;
constexpr int64_t HEARD_TO = 6;
constexpr int64_t SENDS_FROM = 7;
constexpr int64_t SENDS_TO = 8;
constexpr int64_t SPENDS_FROM = 9;
constexpr int64_t SPENDS_TO = 10;
constexpr int64_t ONLY_LOCAL = 11;
constexpr int64_t OTHERS_FROM = 12;
constexpr int64_t OTHERS_TO = 13;
constexpr int64_t FELLS = 14;
constexpr int64_t COLUMNS = 15;
constexpr int64_t FAILED = 1;
constexpr int64_t HOT = 2;
constexpr int64_t GONE = 4;
constexpr int64_t LOW = 8;
constexpr int64_t FLYING = 16777216;
constexpr int64_t PAUSED = 0;
constexpr int64_t LEVEL_DONE = 1;
constexpr int64_t UNKNOWN_ROW = 2;
constexpr int64_t UNKNOWN_HEARING = 3;
constexpr int64_t UNKNOWN_VERDICT = 4;
constexpr int64_t FULL = 5;
constexpr int64_t SMALL_BUFFERS = 6;
constexpr int64_t VIOLATED = 7;
constexpr int64_t AT_REST = 8;
constexpr int64_t ENOUGH = 9;
constexpr int64_t UNKNOWN_IMAGE = 10;
constexpr int64_t LOCALS_MAX = 16777214;
constexpr int64_t ENVELOPES_MAX = 16777214;
constexpr int64_t SURROUNDINGS_MAX = 16384;
constexpr int64_t USUAL = 0;
constexpr int64_t STRUCK = 1;
constexpr int64_t STRUCK_BEHIND = 2;
constexpr int64_t HEADS = 1;
constexpr int64_t BEHIND = 2;
constexpr int64_t OWN = 4;
constexpr int64_t TOGETHER = 8;
constexpr int64_t TOGETHER_HEADS = 16;
constexpr int64_t TOGETHER_BEHIND = 32;
constexpr int64_t SURROUNDINGS_ROOT = 1;
constexpr int64_t STATES_MAX = 2147483646;
constexpr int64_t UNSEEN = 0;
constexpr int64_t SAME = 1;
constexpr int64_t DIFFERENT = 2;
constexpr int64_t NOTHING = 0;
constexpr int64_t DEAD = 1;
constexpr int64_t TAKEN = 2;

struct Rows {
    static constexpr const char* name = "Rows";
    Span<uint64_t> row_keys;
    Span<int32_t> row_values;
    Span<int32_t> row_start;
    Span<int32_t> row_actions;
    Table<int32_t, 15> actions;
    Span<int32_t> pool;
    Span<uint64_t> pair_keys;
    Span<int32_t> pair_values;
    Span<int32_t> order;
    Span<int32_t> target;
    Span<int32_t> flags;
    Span<int64_t> crossed;
    Span<int32_t> healing;
    Span<int32_t> cutting;
    Span<int32_t> strikes;
    Span<int32_t> hear_node;
    Span<int32_t> hear_start;
    Span<int32_t> hear_by;
    Span<int32_t> prop_start;
    Span<int32_t> props;
    Span<int64_t> watches;
    Span<int64_t> watched;
    Span<int32_t> unseen;
    Span<int32_t> machine_start;
    Span<int32_t> machines;
    Span<int32_t> machine_of;
    Span<int32_t> inside;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("row_keys", row_keys) &&
            visit("row_values", row_values) &&
            visit("row_start", row_start) &&
            visit("row_actions", row_actions) &&
            visit("actions", actions) &&
            visit("pool", pool) &&
            visit("pair_keys", pair_keys) &&
            visit("pair_values", pair_values) &&
            visit("order", order) &&
            visit("target", target) &&
            visit("flags", flags) &&
            visit("crossed", crossed) &&
            visit("healing", healing) &&
            visit("cutting", cutting) &&
            visit("strikes", strikes) &&
            visit("hear_node", hear_node) &&
            visit("hear_start", hear_start) &&
            visit("hear_by", hear_by) &&
            visit("prop_start", prop_start) &&
            visit("props", props) &&
            visit("watches", watches) &&
            visit("watched", watched) &&
            visit("unseen", unseen) &&
            visit("machine_start", machine_start) &&
            visit("machines", machines) &&
            visit("machine_of", machine_of) &&
            visit("inside", inside);
    }
};

struct Store {
    static constexpr const char* name = "Store";
    Span<uint64_t> slots;
    Span<int32_t> ids;
    Span<int32_t> cells;
    Span<int64_t> offsets;
    Span<int32_t> parent;
    Span<int32_t> ordinal;
    Span<int64_t> edge_start;
    Span<int32_t> edge_to;
    Span<int32_t> edge_action;
    Span<uint8_t> resting;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("slots", slots) &&
            visit("ids", ids) &&
            visit("cells", cells) &&
            visit("offsets", offsets) &&
            visit("parent", parent) &&
            visit("ordinal", ordinal) &&
            visit("edge_start", edge_start) &&
            visit("edge_to", edge_to) &&
            visit("edge_action", edge_action) &&
            visit("resting", resting);
    }
};

struct Buffers {
    static constexpr const char* name = "Buffers";
    Span<int32_t> before;
    Span<int32_t> after;
    Span<int32_t> found;
    Span<int32_t> steps;
    Span<uint64_t> sums;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("before", before) &&
            visit("after", after) &&
            visit("found", found) &&
            visit("steps", steps) &&
            visit("sums", sums);
    }
};

struct Turns {
    static constexpr const char* name = "Turns";
    Span<int32_t> members;
    Span<int32_t> starts;
    Table<int32_t, 2> pairs;
    Grid<int32_t> number;
    Grid<int32_t> locals;
    Grid<int32_t> envelopes;
    Grid<uint64_t> local_views;
    Span<uint8_t> local_seen;
    Grid<uint64_t> envelope_views;
    Span<uint8_t> envelope_seen;
    Span<uint64_t> settle_keys;
    Span<int32_t> settle_values;
    Span<int64_t> steps_max;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("members", members) &&
            visit("starts", starts) &&
            visit("pairs", pairs) &&
            visit("number", number) &&
            visit("locals", locals) &&
            visit("envelopes", envelopes) &&
            visit("local_views", local_views) &&
            visit("local_seen", local_seen) &&
            visit("envelope_views", envelope_views) &&
            visit("envelope_seen", envelope_seen) &&
            visit("settle_keys", settle_keys) &&
            visit("settle_values", settle_values) &&
            visit("steps_max", steps_max);
    }
};

struct Spare {
    static constexpr const char* name = "Spare";
    Span<int32_t> areas;
    Span<uint64_t> colours;
    Table<int64_t, 3> levels;
    Span<int32_t> cells;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("areas", areas) &&
            visit("colours", colours) &&
            visit("levels", levels) &&
            visit("cells", cells);
    }
};

}  // namespace roundsim::walk

namespace roundsim::fuzz {

constexpr int64_t SETTINGS = 15;
constexpr int64_t ROUND_MAX = 1024;
constexpr int64_t NUMBER = 0;
constexpr int64_t END = 1;
constexpr int64_t PHASE = 2;
constexpr int64_t STATE = 3;
constexpr int64_t EDGE = 4;
constexpr int64_t TOOK = 5;
constexpr int64_t START = 6;
constexpr int64_t STEPS = 7;
constexpr int64_t MAX_STEPS = 8;
constexpr int64_t BATCH = 9;
constexpr int64_t MEMBER = 10;
constexpr int64_t COUNT = 11;
constexpr int64_t SCHEDULES = 12;
constexpr int64_t TOTAL_STEPS = 13;
constexpr int64_t CUT_SHORT = 14;
constexpr int64_t STATES = 15;
constexpr int64_t CELLS = 16;
constexpr int64_t EDGES = 17;
constexpr int64_t HEARING = 18;
constexpr int64_t PICK = 19;
constexpr int64_t STRUCK = 20;
constexpr int64_t DUE = 21;
constexpr int64_t TAKEN_EVENTS = 22;
constexpr int64_t EVENTS = 23;
constexpr int64_t CHAINS = 24;
constexpr int64_t CHAIN_ROWS = 25;
constexpr int64_t TOUCHED = 26;
constexpr int64_t STAMP = 27;
constexpr int64_t NOW = 28;
constexpr int64_t DRAWN = 29;
constexpr int64_t HEAP = 30;
constexpr int64_t WAITING = 31;
constexpr int64_t LAST = 32;
constexpr int64_t OVERFULL = 33;
constexpr int64_t SIZES = 34;
constexpr int64_t SIZE_EVENTS = 35;
constexpr int64_t SIZE_BREADTH = 36;
constexpr int64_t CHOSE = 37;
constexpr int64_t SPENT = 38;
constexpr int64_t KEPT = 39;
constexpr int64_t LENGTH_SINCE = 40;
constexpr int64_t UNTIL = 41;
constexpr int64_t LOOK_AT = 42;
constexpr int64_t ROUND = 43;
constexpr int64_t OPEN_SET = 44;
constexpr int64_t FREE = 45;
constexpr int64_t LOOK = 46;
constexpr int64_t RAW = 47;
constexpr int64_t VISITED = 48;
constexpr int64_t REGISTERS = 49;
constexpr int64_t NONE = -1;
constexpr int64_t BEGUN = -2;
constexpr int64_t BEGIN = 0;
constexpr int64_t STAND = 1;
constexpr int64_t GO = 2;
constexpr int64_t MASTER = 0;
constexpr int64_t SEED = 1;
constexpr int64_t DRAWS = 2;
constexpr int64_t STRIKES = 3;
constexpr int64_t PRIORITIES = 4;
constexpr int64_t ALLOWED = 5;
constexpr int64_t OPEN = 6;
constexpr int64_t HELD = 7;
constexpr int64_t RANDOM = 8;
constexpr int64_t UNIFORM = 0;
constexpr int64_t PCTCP = 1;
constexpr int64_t POS = 2;
constexpr int64_t SWARM = 3;
constexpr int64_t TIMED = 4;
constexpr int64_t VIRTUAL_TIME = 5;
constexpr int64_t PORTFOLIO = 6;
constexpr int64_t FOR_SCHEDULES = 7;
constexpr int64_t FOR_START = 8;
constexpr int64_t FOR_STRIKES = 9;
constexpr int64_t FOR_CHAINS = 10;
constexpr int64_t STRATEGY = 15;
constexpr int64_t DEPTH = 16;
constexpr int64_t LENGTH = 17;
constexpr int64_t MOST = 18;
constexpr int64_t ENDLESS = 19;
constexpr int64_t ENVELOPES = 20;
constexpr int64_t OPENABLE = 21;
constexpr int64_t EVENTUALS = 22;
constexpr int64_t WAYS = 23;
constexpr int64_t KINDS_KNOWN = 24;
constexpr int64_t EAGER = 25;
constexpr int64_t SIZED = 26;
constexpr int64_t CURRENT = 27;
constexpr int64_t PREMISES = 28;
constexpr int64_t STRICT = 29;
constexpr int64_t FUZZ_SETTINGS = 30;
constexpr int64_t ACTION = 0;
constexpr int64_t LEADS_TO = 1;
constexpr int64_t EDGE_WIDTH = 2;
constexpr int64_t FROM = 0;
constexpr int64_t TO = 1;
constexpr int64_t STATUS = 2;
constexpr int64_t SEEN = 3;
constexpr int64_t SCHEDULES_BY = 4;
constexpr int64_t HOLDS = 5;
constexpr int64_t UNMET = 6;
constexpr int64_t HEAD = 8;
constexpr int64_t EXPANDED = 1;
constexpr int64_t QUIET = 2;
constexpr int64_t OWED = 4;
constexpr int64_t BROKEN = 8;
constexpr int64_t SUBJECT = 0;
constexpr int64_t SORT = 1;
constexpr int64_t FAULTY = 2;
constexpr int64_t STRIKE = 3;
constexpr int64_t KINDS = 4;
constexpr int64_t WINDOW_OF = 5;
constexpr int64_t WINDOW = 6;
constexpr int64_t SURVIVES = 7;
constexpr int64_t CONSUMES = 8;
constexpr int64_t DELIVERED = 9;
constexpr int64_t MOVERS_FROM = 10;
constexpr int64_t MOVERS_TO = 11;
constexpr int64_t SURE = 12;
constexpr int64_t ENTRIES = 13;
constexpr int64_t CHOOSES = 14;
constexpr int64_t ENVELOPE = 15;
constexpr int64_t CODE = 16;
constexpr int64_t FACTS = 17;
constexpr int64_t MOVER = 0;
constexpr int64_t ARMS_FROM = 1;
constexpr int64_t ARMS_TO = 2;
constexpr int64_t ALTERS = 3;
constexpr int64_t MOVERS = 4;
constexpr int64_t DELIVER = 0;
constexpr int64_t FIRE = 1;
constexpr int64_t MOVE = 2;
constexpr int64_t RESTART = 3;
constexpr int64_t HEAL = 4;
constexpr int64_t CUT = 5;
constexpr int64_t OTHER = 6;
constexpr int64_t ENTRY_CRASH = 0;
constexpr int64_t ENTRY_CUT = 1;
constexpr int64_t ENTRY_REORDER = 2;
constexpr int64_t ENTRY_UPDATE = 3;
constexpr int64_t ENTRY_OTHER = 4;
constexpr int64_t DONE = 20;
constexpr int64_t FOUND = 21;
constexpr int64_t SUSPECT = 22;
constexpr int64_t SMALL_DESK = 23;
constexpr int64_t ONWARD = 24;
constexpr int64_t CAME_ROUND = 25;
constexpr int64_t KINDS_MAX = 62;
constexpr int64_t PROPERTIES_MAX = 62;
constexpr int64_t ENTRIES_MAX = 62;
constexpr int64_t LOOK_EVERY = 100000;
constexpr int64_t COUNT_MAX = 1073741824;
constexpr int64_t STEPS_MAX = 2147483647;
constexpr int64_t TIME_MAX = 4611686018427387904;

struct Facts {
    static constexpr const char* name = "Facts";
    Span<uint64_t> keys;
    Span<uint64_t> leads;
    Span<int32_t> event;
    Table<int64_t, 17> fact;
    Table<int64_t, 4> movers;
    Table<int64_t, 3> arms;
    Table<int64_t, 2> delays;
    Span<int32_t> owner;
    Span<int32_t> sort;
    Span<int32_t> own_from;
    Span<int32_t> armed_from;
    Span<int32_t> armed;
    Span<uint64_t> purposes;
    Table<uint64_t, 2> kinds;
    Grid<int32_t> crash_window;
    Grid<int32_t> named;
    Table<int32_t, 2> entries;
    Table<int64_t, 5> starts;
    Span<int32_t> begin;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("keys", keys) &&
            visit("leads", leads) &&
            visit("event", event) &&
            visit("fact", fact) &&
            visit("movers", movers) &&
            visit("arms", arms) &&
            visit("delays", delays) &&
            visit("owner", owner) &&
            visit("sort", sort) &&
            visit("own_from", own_from) &&
            visit("armed_from", armed_from) &&
            visit("armed", armed) &&
            visit("purposes", purposes) &&
            visit("kinds", kinds) &&
            visit("crash_window", crash_window) &&
            visit("named", named) &&
            visit("entries", entries) &&
            visit("starts", starts) &&
            visit("begin", begin);
    }
};

struct Known {
    static constexpr const char* name = "Known";
    Span<uint64_t> slots;
    Span<int32_t> ids;
    Span<int32_t> cells;
    Span<int64_t> offsets;
    Table<int64_t, 8> head;
    Table<int32_t, 2> edges;
    Span<int32_t> visited;
    Span<uint8_t> taken;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("slots", slots) &&
            visit("ids", ids) &&
            visit("cells", cells) &&
            visit("offsets", offsets) &&
            visit("head", head) &&
            visit("edges", edges) &&
            visit("visited", visited) &&
            visit("taken", taken);
    }
};

struct Desk {
    static constexpr const char* name = "Desk";
    Span<int64_t> due;
    Span<int32_t> moved;
    Span<int64_t> points;
    Span<int32_t> lowered;
    Span<int32_t> standing;
    Span<int32_t> row;
    Span<int32_t> set;
    Span<int32_t> last;
    Span<uint64_t> rank;
    Span<int32_t> parent;
    Span<int32_t> chain;
    Span<int32_t> leaf;
    Span<int32_t> up;
    Span<int32_t> next;
    Span<int32_t> first;
    Span<int32_t> final;
    Span<int32_t> touched;
    Span<int64_t> stamp;
    Span<int64_t> when;
    Span<int32_t> who;
    Span<int32_t> open;
    Span<int32_t> heap;
    Span<int32_t> waiting;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("due", due) &&
            visit("moved", moved) &&
            visit("points", points) &&
            visit("lowered", lowered) &&
            visit("standing", standing) &&
            visit("row", row) &&
            visit("set", set) &&
            visit("last", last) &&
            visit("rank", rank) &&
            visit("parent", parent) &&
            visit("chain", chain) &&
            visit("leaf", leaf) &&
            visit("up", up) &&
            visit("next", next) &&
            visit("first", first) &&
            visit("final", final) &&
            visit("touched", touched) &&
            visit("stamp", stamp) &&
            visit("when", when) &&
            visit("who", who) &&
            visit("open", open) &&
            visit("heap", heap) &&
            visit("waiting", waiting);
    }
};

struct Buffers {
    static constexpr const char* name = "Buffers";
    Span<int32_t> before;
    Span<int32_t> after;
    Span<int32_t> found;

    template <class Visitor>
    bool each(Visitor&& visit) {
        return visit("before", before) &&
            visit("after", after) &&
            visit("found", found);
    }
};

}  // namespace roundsim::fuzz
