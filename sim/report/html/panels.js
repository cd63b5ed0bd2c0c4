// The panels beside the diagram: the step that is selected, and the run. Everything that comes from a run gets
// onto the screen as text.

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
  return [element("h3", {}, "What happens"), element("ul", { class: "notes mono" }, ...items)];
}

function cards(step) {
  return element("div", { class: "cards" }, ...machines.map((machine) => card(machine, step)));
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
  const moving = element("dl", { class: "fields" }), still = element("dl", { class: "fields" });
  for (const [name, value] of after.fields) {
    const old = before.fields.get(name), same = old === value;
    const shownValue = element("dd", same ? {} : { class: "new" });
    if (!same && old !== undefined) shownValue.append(element("s", {}, old), " ");
    shownValue.append(value);
    (stillFields(machine).has(name) ? still : moving).append(element("dt", {}, name), shownValue);
  }
  if (after.timers.length) moving.append(element("dt", {}, "timers"), element("dd", {}, after.timers.join(", ")));
  if (moving.childElementCount) box.append(moving);
  if (still.childElementCount) box.append(folded(machine.name, still));
  return box;
}

const unfolded = new Set(); // the machines whose unchanging fields are shown
function folded(name, list) {
  const box = element("details", { class: "still" }, element("summary", {}, `${list.childElementCount / 2} that never change`), list);
  box.open = unfolded.has(name);
  box.addEventListener("toggle", () => (box.open ? unfolded.add(name) : unfolded.delete(name)));
  return box;
}

function flight(flying) {
  if (!flying.length) return element("p", { class: "none" }, "nothing");
  const most = 200; // a list that nobody reads to its end is cut
  const body = flying.slice(0, most).map((way) => element("tr", {},
    element("td", {}, `${machines[way.source].name} → ${machines[way.target].name}`),
    element("td", { class: "mono" }, way.says), element("td", { class: "number" }, stepLink(way.sent, way.sent ? `since ${way.sent}` : "since the start"))));
  if (flying.length > most) body.push(element("tr", {}, element("td", { colspan: 3 }, `and ${flying.length - most} more`)));
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
  const list = rejections.slice(0, 500).map((step) => element("tr", {},
    element("td", {}, stepLink(step.number)), element("td", { class: "mono" }, step.rejected.map(text).join("; ")), element("td", { class: "mono" }, step.says)));
  document.getElementById("run").replaceChildren(
    element("h2", {}, "What came of the run"), facts,
    element("h3", {}, `Rejections (${rejections.length})`),
    rejections.length ? element("table", {}, element("tbody", {}, ...list)) : element("p", { class: "none" }, "none"),
    element("h3", {}, "Metrics"),
    data.metrics.length ? element("pre", {}, data.metrics.join("\n")) : element("p", { class: "none" }, "the run was not measured: sim run --metrics does it"),
  );
}
