// What the run covered of each machine: its diagram with what was visited and what never, and its rows counted.

let counts, tabled; // row + source state -> how often, and the step of the first time; machines that have a table to be drawn

function count() {
  counts = machines.map(() => new Map());
  tabled = machines.filter((machine) => machine.sketch >= 0);
  if (data.check) return countCheck();
  for (const step of steps) {
    for (let i = 0; i < step.rows.length; i += 2) {
      const machine = machines[step.rows[i]], key = `${step.rows[i + 1]} ${stateAt(machine, step.number - 1)}`;
      const known = counts[machine.index].get(key);
      if (known) known.times++;
      else counts[machine.index].set(key, { times: 1, first: step.number });
    }
  }
  return undefined;
}

/** A check counts by how many different steps a row was taken; it does not follow the rows of monitors. */
function countCheck() {
  const known = new Map(data.check.covered.map(([name, states, rows]) => [name, { states: new Set(states.map(text)), rows }]));
  tabled = tabled.filter((machine) => known.has(machine.name));
  for (const machine of tabled) {
    const { states, rows } = known.get(machine.name);
    machine.met = states;
    for (const [row, state, times] of rows) counts[machine.index].set(`${row} ${text(state)}`, { times, first: -1 });
  }
}

const visits = (machine, row, state) => counts[machine.index].get(`${row} ${state}`) ?? { times: 0, first: -1 };
let covered = 0; // the one of them whose diagram is shown
let whole = false; // whether all of it is to be seen, however small

function drawMachines() {
  if (!tabled.length) {
    document.getElementById("machines").replaceChildren(element("p", { class: "none" }, "Nothing in this run has a table that could be drawn."));
    return;
  }
  const machine = tabled[covered], sketch = data.sketches[machine.sketch];
  const choice = element("select", { "aria-label": "Machine" });
  choice.append(...tabled.slice(0, ROOM.machines).map((one, i) => element("option", { value: i }, `${one.name}${one.monitor ? " (monitor)" : ""}: ${share(one)}`)));
  choice.value = String(covered);
  choice.addEventListener("change", () => {
    covered = Number(choice.value);
    drawMachines();
    document.querySelector("#machines select").focus();
  });
  const all = element("button", { type: "button", "aria-pressed": whole, title: "The whole diagram, however small (w)" }, "whole");
  all.addEventListener("click", () => {
    toggleWhole();
    document.querySelector("#machines button").focus();
  });
  document.getElementById("machines").replaceChildren(
    element("p", { class: "group" }, choice, all),
    element("p", { class: "none" }, data.check
      ? "Solid: met in this check. Dashed, “never”: not once. × counts by how many different steps."
      : "Solid: visited in this run. Dashed, “never”: not once. × counts. The thick blue box is where it is behind the selected step."),
    element("div", { class: "svg" }, diagram(machine, sketch)), rowTable(machine, sketch));
  fitDiagram(sketch);
}

function toggleWhole() {
  whole = !whole;
  drawMachines();
}

/** As wide as the panel, but never so small that it cannot be read, unless all of it is wanted; then it scrolls to
 * where the machine is. */
function fitDiagram(sketch) {
  const frame = document.querySelector("#machines .svg"), picture = frame.firstChild;
  const across = (frame.clientWidth - 26) / (sketch.width + 4), down = (0.62 * window.innerHeight - 26) / (sketch.height + 4);
  const scale = whole ? Math.min(1, across, down) : Math.max(0.9, Math.min(1, across));
  picture.setAttribute("width", (sketch.width + 4) * scale);
  picture.setAttribute("height", (sketch.height + 4) * scale);
  const here = picture.querySelector(".here");
  if (!here) return;
  const middle = (from, size) => (Number(here.getAttribute(from)) + Number(here.getAttribute(size)) / 2) * scale;
  frame.scrollLeft = middle("x", "width") - frame.clientWidth / 2;
  frame.scrollTop = middle("y", "height") - frame.clientHeight / 2;
}

/** Rows taken of all rows, and states visited of all states. */
function share(machine) {
  const sketch = data.sketches[machine.sketch];
  const taken = sketch.rows.filter(([row, , sources]) => sources.some((state) => visits(machine, row, state).times)).length;
  return `${taken} of ${sketch.rows.length} rows taken`;
}

function statesSeen(machine) {
  if (machine.met) return machine.met;
  return new Set(machine.locals.map((local) => text(data.locals[local][0])));
}

function diagram(machine, sketch) {
  const seen = statesSeen(machine), here = data.check?.alone ? "" : stateAt(machine, shown.selected);
  const picture = drawn("svg", { width: sketch.width + 4, height: sketch.height + 4, viewBox: `-2 -2 ${sketch.width + 4} ${sketch.height + 4}`, role: "img" });
  picture.append(drawn("title", {}, `The states of ${machine.name}, visited and not`));
  const arrowTip = drawn("marker", { id: "tip", markerWidth: 9, markerHeight: 8, refX: 8, refY: 4, orient: "auto", markerUnits: "userSpaceOnUse" },
    drawn("path", { d: "M0,0 L9,4 L0,8 z", fill: "context-stroke" }));
  picture.append(drawn("defs", {}, arrowTip));
  let room = ROOM.labels; // a table of thousands of rows is no picture
  for (const [source, , way, , , , , lines] of sketch.arrows.slice(0, ROOM.labels / 4)) {
    const times = total(machine, lines, source);
    picture.append(drawn("path", { class: `arrow${times ? " seen" : ""}`, d: way, "marker-end": "url(#tip)" }));
  }
  for (const [source, , , x, y, width, height, lines] of sketch.arrows) {
    if ((room -= 1 + lines.length / 2) < 0) break;
    picture.append(drawn("rect", { class: "back", x: x - width / 2, y: y - height / 2, width, height }));
    picture.append(...labels(machine, source, lines, x, y - height / 2 + 2, "middle"));
  }
  room += ROOM.labels;
  for (const [state, x, y, width, height, initial, hot, lines] of sketch.boxes) {
    if ((room -= 2 + lines.length / 2) < 0) break;
    const kind = `box${seen.has(state) ? " seen" : ""}${hot ? " hot" : ""}${state === here ? " here" : ""}`;
    picture.append(drawn("rect", { class: kind, x, y, width, height, rx: 6 }));
    const name = `${initial ? "● " : ""}${state}${hot ? " (hot)" : ""}${seen.has(state) ? "" : "  never"}`;
    picture.append(drawn("text", { class: `name${seen.has(state) ? "" : " never"}`, x: x + 10, y: y + 18 }, name));
    picture.append(...labels(machine, state, lines, x + 10, y + 27, "start"));
  }
  return picture;
}

/** How often these rows were taken from this state. */
const timesOf = (machine, rows, state) => rows.reduce((sum, row) => sum + visits(machine, row, state).times, 0);

function total(machine, lines, state) {
  let times = 0;
  for (let i = 0; i < lines.length; i += 2) times += timesOf(machine, lines[i], state);
  return times;
}

function labels(machine, state, lines, x, top, anchor) {
  const made = [];
  for (let i = 0; i < lines.length; i += 2) {
    const times = timesOf(machine, lines[i], state);
    const kind = times ? "seen-text" : "never";
    made.push(drawn("text", { class: kind, x, y: top + (i / 2) * 17 + 12, "text-anchor": anchor }, times ? `${lines[i + 1]} ×${times}` : lines[i + 1]));
  }
  return made;
}

function rowTable(machine, sketch) {
  const body = someOf(sketch.rows, ([row, trigger, sources, dest]) => {
    const found = sources.map((state) => visits(machine, row, state)).filter(({ times }) => times);
    const times = found.reduce((sum, one) => sum + one.times, 0);
    const first = found.length ? Math.min(...found.map((one) => one.first)) : -1;
    const cells = [trigger, sources.join(", "), dest].map((cell) => element("td", { class: "mono" }, cell));
    return element("tr", times ? {} : { class: "never" }, ...cells, element("td", { class: "number" }, times ? `${times}×` : "never"),
      ...(first < 0 ? [] : [element("td", { class: "number" }, stepLink(first))]));
  }, ROOM.rows, moreRows(5));
  const head = ["trigger [guards]", "from", "to"].map((name) => element("th", {}, name));
  head.push(...(data.check ? ["taken"] : ["taken", "first"]).map((name) => element("th", { class: "number" }, name)));
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}
