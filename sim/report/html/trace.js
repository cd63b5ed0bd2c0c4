// The run: the JSON of the page, and questions to it. The order of the numbers is that of data.py.

let data, length, parted, violation, roundFrom, machines, processes, steps, journeys, slow, down, found;
const text = (number) => data.texts[number];
const [DELIVERED, STRUCK, LOST, OPEN] = [0, 1, 2, 3]; // places in data.fates

/** Take this run for the one that is shown. */
function take(given) {
  data = given;
  if (data.log?.left.length) data.steps.push([null, -1, data.machines.findIndex(([name]) => name === data.log.left[0][2]), -1, -1, [], [], [], [], [], [], []]);
  length = data.steps.length; // the start, which is step 0, and the steps
  parted = data.log?.left.length ? length - 1 : -1; // the row of the line that no step explains
  violation = data.finding ? length - 1 : parted;
  roundFrom = data.round ? length - data.round : length; // the first step of what can be repeated forever
  found = null; // all that can be searched of each step, in lower case: made when it is first asked for

  machines = data.machines.map(([name, monitor, sketch, local], index) => ({
    index, name, sketch, monitor: monitor === 1, steps: [0], locals: [local],
  }));
  processes = machines.filter((machine) => !machine.monitor);
  steps = data.steps.map((
    [time, kind, process, says, journey, sent, faults, changed, notes, emitted, rejected, rows], number,
  ) => ({
    number, time, kind: number === parted ? "parting" : text(kind), process, says: number === parted ? data.log.words[0] : text(says), journey, sent, faults: faults.map(text), changed,
    notes, emitted, rejected, rows,
  }));
  journeys = data.journeys.map(([source, target, name, says, sent, ended, fate, copied], index) => ({
    index, source, target, name: text(name), says: text(says), sent, ended, fate, copied: copied === 1,
  }));
  slow = new Map();
  for (const [behind, says] of data.slow) slow.set(behind, [...(slow.get(behind) ?? []), says]);
  for (const step of steps) {
    for (let i = 0; i < step.changed.length; i += 2) {
      const machine = machines[step.changed[i]];
      machine.steps.push(step.number);
      machine.locals.push(step.changed[i + 1]);
    }
  }
  down = processes.map(downOf);
  takeLog();
}

/** From which step to which a process is down. */
function downOf(machine) {
  const spans = [];
  machine.locals.forEach((local, i) => {
    const until = i + 1 < machine.steps.length ? machine.steps[i + 1] : length;
    if (data.locals[local][2] === 0) spans.push([machine.steps[i], until]);
  });
  return spans;
}

/** The last place in a rising list that holds `wanted` or less. */
function lastUpTo(list, wanted) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The local value of a machine behind a step, spelt out. */
function localAt(machine, number) {
  const [state, hot, up, timers, fields] = data.locals[machine.locals[lastUpTo(machine.steps, number)]];
  const pairs = new Map();
  for (let i = 0; i < fields.length; i += 2) pairs.set(text(fields[i]), text(fields[i + 1]));
  return { state: text(state), hot: hot === 1, up: up === 1, timers: timers.map(text), fields: pairs };
}

/** The fields of a machine that have one value all through the run: its configuration, mostly. */
function stillFields(machine) {
  if (!machine.still) {
    const values = new Map(), moving = new Set();
    for (const local of new Set(machine.locals)) {
      const fields = data.locals[local][4];
      for (let i = 0; i < fields.length; i += 2) {
        if (values.has(fields[i]) && values.get(fields[i]) !== fields[i + 1]) moving.add(fields[i]);
        values.set(fields[i], fields[i + 1]);
      }
    }
    machine.still = new Set([...values.keys()].filter((name) => !moving.has(name)).map(text));
  }
  return machine.still;
}

/** The name of the state of a machine behind a step: quicker than all of it. */
function stateAt(machine, number) {
  return text(data.locals[machine.locals[lastUpTo(machine.steps, number)]][0]);
}

/** What is in flight behind a step. */
function inFlight(number) {
  return journeys.filter((way) =>
    way.sent <= number && (way.ended < 0 || way.ended > number) && way.fate !== STRUCK &&
    !(data.network === "set" && way.fate === DELIVERED));
}

/** Virtual time as the trace in text has it. */
function timeText(ms) {
  if (ms === null) return "";
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

function searchable() {
  found ??= steps.map((step) => [
    step.says, ...[...step.notes, ...step.emitted, ...step.rejected].map(text), ...step.faults,
    ...step.sent.map((sent) => journeys[sent].says),
    ...(log ? [step.number === parted ? log.left[0] : step.lines].flat().map((line) => `${line.place} ${line.says} ${line.more}`) : []),
  ].join("\n").toLowerCase());
  return found;
}

const isFault = (step) => step.faults.length > 0 || step.kind === "restart" || step.kind === "heal";
const FILTERS = {
  "": () => true,
  message: (step) => step.journey >= 0,
  own: (step) => step.kind === "fire" || step.kind === "move",
  fault: isFault,
  rejected: (step) => step.rejected.length > 0,
  emitted: (step) => step.emitted.length > 0,
  moved: (step) => {
    for (let i = 0; i < step.changed.length; i += 2) {
      const machine = machines[step.changed[i]];
      if (stateAt(machine, step.number) !== stateAt(machine, step.number - 1)) return true;
    }
    return false;
  },
};

/** Whether a step has to do with a machine: acts, is sent to, sends, or changes. */
function concerns(step, machine) {
  if (step.process === machine) return true;
  if (step.journey >= 0 && (journeys[step.journey].source === machine || journeys[step.journey].target === machine)) return true;
  for (let i = 0; i < step.changed.length; i += 2) if (step.changed[i] === machine) return true;
  return false;
}
