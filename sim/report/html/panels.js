// The panels beside the diagram: the step that is selected, and the run. Everything that comes from a run gets
// onto the screen as text.

// However large a run is, a browser is given few elements to lay out: what is beyond is counted. Nobody reads so long a list
// to its end; searching and filtering lead there.
const ROOM = { notes: 120, cards: 330, flight: 150, rejections: 420, rows: 640, labels: 260, log: 120, machines: 150, ways: 160, node: 90 };
const CARDS_MAX = 24, FIELDS_MAX = 60;

/** An element with attributes and children; a child that is no element becomes text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** As many of these as fit into so many elements of the page; of the others it is said how many there are. */
function someOf(list, make, room, more = (count) => element("li", { class: "none" }, `and ${count.toLocaleString("en")} more`)) {
  const made = [];
  let used = 0;
  for (const one of list) {
    const part = make(one);
    used += 1 + part.querySelectorAll("*").length;
    if (used > room && made.length) return [...made, more(list.length - made.length)];
    made.push(part);
  }
  return made;
}

const moreRows = (columns) => (count) => element("tr", {}, element("td", { class: "none", colspan: columns }, `and ${count.toLocaleString("en")} more`));

function stepLink(number, words) {
  const link = element("button", { class: "link", type: "button" }, words ?? `step ${number}`);
  link.addEventListener("click", () => select(number));
  return link;
}

function drawStep() {
  const step = steps[shown.selected];
  const parts = [element("h2", {}, step.number ? `${step.number === parted ? "Parting" : `Step ${step.number}`}${step.time === null ? "" : `, at ${timeText(step.time)}`}` : "Start")];
  if (step.number) parts.push(element("p", { class: "sentence mono" }, step.says));
  if (step.number === violation && data.finding) {
    parts.push(element("p", { class: "finding" }, element("b", {}, `⚑ ${data.finding[0]}`), `: ${data.finding[1]}`));
  }
  if (step.faults.length) parts.push(element("p", {}, ...step.faults.map((kind) => element("span", { class: "tag" }, `fault: ${kind}`))));
  parts.push(...logNotes(step), ...notes(step), element("h3", {}, "State of every machine"), cards(step));
  const flying = inFlight(step.number);
  parts.push(element("h3", {}, `In flight (${flying.length})`), flight(flying));
  document.getElementById("step").replaceChildren(...parts);
}

function notes(step) {
  const items = [];
  const note = (sign, words, kind = "") => items.push(element("li", { "data-sign": sign, class: kind }, words));
  if (step.journey >= 0) {
    const way = journeys[step.journey];
    const item = element("li", { "data-sign": "⟵" }, `${way.name} was sent in `, stepLink(way.sent, way.sent ? `step ${way.sent}` : "the start"));
    items.push(item);
  }
  for (const why of step.rejected) note("⊘", `rejected, ${text(why)}`, "rejected");
  for (const one of step.notes) note("△", text(one));
  for (const one of step.emitted) note("✳", `emits ${text(one)}`);
  for (const index of step.sent) {
    const way = journeys[index];
    const item = element("li", { "data-sign": "⟶" }, `${way.copied ? "doubles" : "sends"} ${way.says} to ${machines[way.target].name}: `);
    item.append(...(way.ended < 0 ? [data.fates[way.fate]] : [`${data.fates[way.fate]} in `, stepLink(way.ended)]));
    items.push(item);
  }
  for (const one of slow.get(step.number) ?? []) note("◷", one);
  if (!items.length) return [];
  return [element("h3", {}, "What happens"), element("ul", { class: "notes mono" }, ...someOf(items, (item) => item, ROOM.notes))];
}

function cards(step) {
  const touched = new Set(step.changed.filter((_, i) => i % 2 === 0));
  const order = [...machines.filter((one) => touched.has(one.index)), ...machines.filter((one) => !touched.has(one.index))];
  const all = machines.length > CARDS_MAX ? order : machines; // where some are left out it is not those that changed
  return element("div", { class: "cards" }, ...someOf(all, (machine) => card(machine, step), ROOM.cards,
    (count) => element("p", { class: "none" }, `and ${count} more machines`)));
}

function card(machine, step) {
  const after = localAt(machine, step.number);
  const touched = step.changed.some((index, i) => i % 2 === 0 && index === machine.index);
  const before = touched ? localAt(machine, step.number - 1) : after;
  const kind = after.state === "(failed)" ? " failed" : "";
  const about = machine.monitor ? "monitor" : after.hot ? "hot: owes work" : after.up ? "" : "is down";
  const state = element("div", { class: "state mono" });
  if (before.state !== after.state) state.append(element("s", {}, before.state), " → ", element("b", {}, after.state));
  else state.append(after.state);
  const box = element("div", { class: `card${touched ? " changed" : ""}${kind}`, "data-machine": machine.name },
    element("h4", {}, machine.name, element("small", {}, touched ? `${about ? `${about}; ` : ""}changed` : about)), state);
  const moving = element("dl", { class: "fields" }), still = [];
  for (const [name, value] of after.fields) {
    const old = before.fields.get(name), same = old === value;
    if (stillFields(machine).has(name)) { still.push([name, value]); continue; }
    if (moving.childElementCount >= FIELDS_MAX && same) continue;
    const shownValue = element("dd", same ? {} : { class: "new" });
    if (!same && old !== undefined) shownValue.append(element("s", {}, old), " ");
    shownValue.append(value);
    moving.append(element("dt", {}, name), shownValue);
  }
  const left = after.fields.size - still.length - moving.childElementCount / 2;
  if (left) moving.append(element("dt", {}, `and ${left} more`), element("dd"));
  if (after.timers.length) moving.append(element("dt", {}, "timers"), element("dd", {}, after.timers.join(", ")));
  if (moving.childElementCount) box.append(moving);
  if (still.length) box.append(folded(machine.name, still));
  return box;
}

const unfolded = new Set(); // the machines whose unchanging fields are shown
function folded(name, pairs) {
  const box = element("details", { class: "still" }, element("summary", {}, `${pairs.length} that never change`));
  const fill = () => { // only when it is looked at: most never are
    if (box.childElementCount > 1) return;
    const list = pairs.slice(0, FIELDS_MAX / 2).flatMap(([key, value]) => [element("dt", {}, key), element("dd", {}, value)]);
    if (pairs.length > FIELDS_MAX / 2) list.push(element("dt", {}, `and ${pairs.length - FIELDS_MAX / 2} more`), element("dd"));
    box.append(element("dl", { class: "fields" }, ...list));
  };
  box.open = unfolded.has(name);
  if (box.open) fill();
  box.addEventListener("toggle", () => {
    if (box.open) fill();
    if (box.open) unfolded.add(name);
    else unfolded.delete(name);
  });
  return box;
}

function flight(flying) {
  if (!flying.length) return element("p", { class: "none" }, "nothing");
  const body = someOf(flying, (way) => element("tr", {},
    element("td", {}, `${machines[way.source].name} → ${machines[way.target].name}`),
    element("td", { class: "mono" }, way.says), element("td", { class: "number" }, stepLink(way.sent, way.sent ? `since ${way.sent}` : "since the start"))), ROOM.flight, moreRows(3));
  return element("table", {}, element("tbody", {}, ...body));
}

function drawRun() {
  const facts = element("dl", { class: "facts" });
  for (const [name, value] of data.facts) {
    const loud = name && name === name.toUpperCase();
    facts.append(element("dt", loud ? { class: "loud" } : {}, name), element("dd", loud ? { class: "loud mono" } : { class: "mono" }, value));
  }
  if (log) facts.prepend(element("dt", {}, "log"), element("dd", { class: "mono" }, log.headline));
  const rejections = steps.filter((step) => step.rejected.length);
  const list = someOf(rejections, (step) => element("tr", {},
    element("td", {}, stepLink(step.number)), element("td", { class: "mono" }, step.rejected.map(text).join("; ")), element("td", { class: "mono" }, step.says)), ROOM.rejections, moreRows(3));
  document.getElementById("run").replaceChildren(
    element("h2", {}, "What came of the run"), facts,
    element("h3", {}, `Rejections (${rejections.length})`),
    rejections.length ? element("table", {}, element("tbody", {}, ...list)) : element("p", { class: "none" }, "none"),
    element("h3", {}, "Metrics"),
    data.metrics.length ? element("pre", {}, data.metrics.join("\n")) : element("p", { class: "none" }, "the run was not measured: sim run --metrics does it"),
  );
}
