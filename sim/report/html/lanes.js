// The space-time diagram: a row for each step that is shown, a lane for each process. Only what can be seen
// is drawn, however long the run is.

const timed = steps.some((step) => step.time !== null);
const ROW = 26, GUTTER = timed ? 154 : 62, TIP = 7;
const scroller = document.getElementById("scroller");
const canvas = document.getElementById("canvas");
const rowsBox = document.getElementById("rows");
const lanesBox = document.getElementById("lanes");
const pen = canvas.getContext("2d");

const shown = {
  selected: 0,
  rows: steps.map((step) => step.number), // the steps that are shown, in order
  place: null, // step -> how many rows are shown up to it
  matches: [], // steps that the search matches
  matched: new Set(),
};

let laneGap = 120, lanesWidth = 0, logWidth = 0, saysLeft = 0, colours = {}, waiting = false;

const laneX = (process) => GUTTER + (process + 0.5) * laneGap;

/** The row of a step, or of the last one before it that is shown, as a fraction behind that one. */
function rowOf(number) {
  const place = shown.place[number];
  return shown.rows[place - 1] === number ? place - 1 : place - 0.5;
}

function show(rows) {
  shown.rows = rows;
  shown.place = new Int32Array(length);
  let at = 0;
  for (let number = 0; number < length; number++) {
    if (rows[at] === number) at++;
    shown.place[number] = at;
  }
}

/** The colours of the style, as the canvas can take them. */
function readColours() {
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of ["bg", "line", "text", "muted", "accent", "bad", "warn", "lane", "arrow"]) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

const LANE_MIN = 56, LANE_MAX = 150, CHAR = 7.25, LABEL_MIN = 30, LABEL_MAX = 90, LOOKED_AT = 2000; // the width of a character in pixels; characters; steps

/** How many characters most of the words beside the lanes have: nine of ten of the first steps are not cut there. */
function labelLength() {
  const lengths = steps.slice(0, LOOKED_AT).map((step) => shortly(step).length + moveWords(step).length).sort((a, b) => a - b);
  return Math.max(LABEL_MIN, Math.min(LABEL_MAX, lengths[Math.floor((lengths.length - 1) * 0.9)] + 4));
}

/** Fits everything to the size of the window: the lanes have what the words leave them, but never so little that their
 * names are cut while there is room. */
function fit() {
  const width = scroller.clientWidth, height = scroller.clientHeight;
  const room = width - GUTTER - 22, lanes = Math.max(1, processes.length);
  const named = Math.min(110, 12 + CHAR * processes.reduce((most, one) => Math.max(most, one.name.length), 0), (room - CHAR * LABEL_MIN) / lanes);
  const wanted = (log ? width * 0.42 - GUTTER : room - CHAR * labelLength()) / lanes;
  laneGap = Math.max(LANE_MIN, Math.min(LANE_MAX, Math.max(named, wanted)));
  lanesWidth = GUTTER + processes.length * laneGap;
  logWidth = log ? Math.max(200, Math.min(420, (width - lanesWidth) / 2)) : 0;
  saysLeft = lanesWidth + logWidth + 10;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw();
}

function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function draw() {
  const width = Math.max(scroller.clientWidth, saysLeft + 260);
  document.getElementById("spacer").style.height = `${shown.rows.length * ROW + 12}px`;
  document.getElementById("spacer").style.width = `${width}px`;
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW));
  const last = Math.min(shown.rows.length - 1, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW));
  drawRows(first, last, width);
  drawLanes();
  pen.clearRect(0, 0, scroller.clientWidth, scroller.clientHeight);
  pen.save();
  pen.translate(-scroller.scrollLeft, -scroller.scrollTop);
  drawLines(first, last);
  drawJourneys(first, last);
  for (let row = first; row <= last; row++) drawSign(steps[shown.rows[row]], row);
  pen.restore();
}

// --- rows -----------------------------------------------------------------------------------------

const pool = [];

function drawRows(first, last, width) {
  rowsBox.style.transform = `translate(${-scroller.scrollLeft}px, ${-scroller.scrollTop}px)`;
  while (pool.length < last - first + 1) pool.push(makeRow());
  pool.forEach((row, i) => {
    const at = first + i;
    row.box.hidden = at > last;
    if (at > last) return;
    const step = steps[shown.rows[at]];
    row.box.style.top = `${at * ROW}px`;
    row.box.style.width = `${width}px`;
    row.box.dataset.step = step.number;
    row.box.id = `row-${step.number}`;
    row.box.className = "row" + (step.number === shown.selected ? " selected" : "") +
      (shown.matched.has(step.number) ? " match" : "") + (step.number === violation ? " violated" : "") +
      (step.number >= roundFrom ? " round" : "");
    row.box.setAttribute("aria-selected", step.number === shown.selected);
    row.box.setAttribute("aria-posinset", at + 1);
    row.box.setAttribute("aria-setsize", shown.rows.length);
    row.number.textContent = step.number === 0 ? "" : step.number;
    row.time.textContent = timeText(step.time);
    row.says.style.left = `${saysLeft}px`;
    row.says.replaceChildren(...rowWords(step, (scroller.clientWidth - saysLeft - 12) / CHAR));
    row.log.style.left = `${lanesWidth + 10}px`;
    row.log.style.width = `${logWidth - 16}px`;
    row.log.hidden = !log;
    row.log.replaceChildren(...lineWords(step));
  });
}

function makeRow() {
  const box = element("div", { role: "option" });
  box.style.setProperty("--gutter", `${GUTTER - 8}px`);
  const number = element("span"), time = element("span"), says = element("span", { class: "says" });
  const log = element("span", { class: "log" });
  box.append(element("span", { class: "at" }, number, time), log, says);
  box.addEventListener("click", () => select(Number(box.dataset.step)));
  rowsBox.append(box);
  return { box, number, time, says, log };
}

function rowWords(step, room) {
  if (step.number === parted) return ["⚑ ", partingWords()];
  const moves = moveWords(step), whole = 4 + step.says.length + moves.length + step.rejected.reduce((sum, one) => sum + 4 + text(one).length, 0);
  const says = whole <= room ? step.says : shortly(step);
  const words = [step.number === violation ? "⚑ " : "", step.number === roundFrom ? "↻ " : "", says];
  if (step.rejected.length) words.push(element("em", {}, `  ⊘ ${step.rejected.map(text).join("; ")}`));
  if (moves) words.push(element("i", {}, moves));
  return words;
}

/** Which machines go to another state. */
function moveWords(step) {
  const moves = [];
  for (let i = 0; i < step.changed.length; i += 2) {
    const machine = machines[step.changed[i]];
    const [before, after] = [stateAt(machine, step.number - 1), stateAt(machine, step.number)];
    if (before !== after && !machine.monitor) moves.push(`${machine.index === step.process ? "" : `${machine.name}: `}${before} → ${after}`);
  }
  return moves.length ? `   ${moves.join(", ")}` : "";
}

/** A step without the fields of its message, which are in the panel. */
function shortly(step) {
  if (step.journey < 0) return step.says;
  const way = journeys[step.journey];
  return step.says.replace(way.says, () => way.name);
}

function drawLanes() {
  const columns = log ? [["log", lanesWidth + 10], ["model", saysLeft]] : [];
  const first = Math.max(0, Math.floor((scroller.scrollLeft - GUTTER) / laneGap));
  const seen = processes.slice(first, first + Math.ceil(scroller.clientWidth / laneGap) + 1);
  if (lanesBox.childElementCount !== seen.length + columns.length) {
    const titles = columns.map(([title]) => element("div", { class: "column" }, element("b", {}, title)));
    lanesBox.replaceChildren(...seen.map(() => element("div", {}, element("b"), element("span"))), ...titles);
  }
  columns.forEach(([, left], i) => { lanesBox.children[seen.length + i].style.left = `${left - scroller.scrollLeft}px`; });
  seen.forEach((machine, at) => {
    const i = first + at, box = lanesBox.children[at], state = stateAt(machine, shown.selected);
    box.style.left = `${laneX(i) - scroller.scrollLeft}px`;
    box.style.width = `${laneGap - 6}px`;
    box.className = state.startsWith("(") ? "down" : "";
    box.firstChild.textContent = box.title = machine.name;
    box.lastChild.textContent = state;
  });
}

// --- lines ----------------------------------------------------------------------------------------

const rowY = (row) => row * ROW + ROW / 2;

function line(points, colour, width, dashes = []) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
  pen.setLineDash([]);
}

function drawLines(first, last) {
  const top = first * ROW - ROW, bottom = Math.min((last + 2) * ROW, shown.rows.length * ROW);
  processes.forEach((machine, i) => {
    const x = laneX(i);
    let from = top;
    for (const [begin, end] of down[i]) {
      const a = rowY(rowOf(begin)), b = end < length ? rowY(rowOf(end)) : bottom;
      if (b < from || a > bottom) continue;
      line([[x, from], [x, Math.max(from, a)]], colours.lane, 1.5);
      line([[x, Math.max(from, a)], [x, Math.min(b, bottom)]], colours.bad, 2, [2, 5]);
      from = Math.min(b, bottom);
    }
    line([[x, from], [x, bottom]], colours.lane, 1.5);
  });
}

function drawJourneys(first, last) {
  const selected = steps[shown.selected];
  const low = shown.rows[Math.max(0, first - 1)], high = shown.rows[Math.min(shown.rows.length - 1, last + 1)];
  const bright = [];
  for (const way of journeys) {
    const until = way.ended < 0 ? way.sent + 1 : way.ended;
    if (way.sent > high || until < low) continue;
    if (way.index === selected.journey || way.sent === shown.selected) bright.push(way);
    else drawJourney(way, colours.arrow, 1.2);
  }
  for (const way of bright) {
    drawJourney(way, colours.accent, 2.4);
    label(way);
  }
}

function ends(way) {
  const a = [laneX(way.source), rowY(rowOf(way.sent))];
  if (way.copied) a[0] = (laneX(way.source) + laneX(way.target)) / 2;
  if (way.ended < 0) return [a, [a[0] + (laneX(way.target) - a[0]) * 0.4, a[1] + ROW * 0.8]];
  const b = [laneX(way.target), rowY(rowOf(way.ended))];
  if (way.fate === LOST) b[0] = (laneX(way.source) + laneX(way.target)) / 2;
  return [a, b];
}

function drawJourney(way, colour, width) {
  const [a, b] = ends(way);
  const dashes = way.fate === STRUCK || way.fate === OPEN ? [5, 4] : [];
  if (way.source === way.target) return drawToItself(a, b, colour, width, dashes);
  line([a, b], colour, width, dashes);
  if (way.fate === OPEN) return circle(b, 3, colour);
  if (way.fate === LOST) return cross(b, 5, colours.bad, 2.4);
  tip(a, b, colour);
}

function drawToItself(a, b, colour, width, dashes) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.beginPath();
  pen.moveTo(...a);
  const reach = Math.min(34, laneGap * 0.35);
  pen.bezierCurveTo(a[0] + reach, a[1] + 4, b[0] + reach, b[1] - 4, b[0] + 6, b[1]);
  pen.stroke();
  pen.setLineDash([]);
  if (dashes.length) circle([b[0] + 6, b[1]], 3, colour);
  else tip([b[0] + reach, b[1]], b, colour);
}

function tip([ax, ay], [bx, by], colour) {
  const angle = Math.atan2(by - ay, bx - ax), x = bx - Math.cos(angle) * 6, y = by - Math.sin(angle) * 6;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x, y);
  for (const turn of [2.65, -2.65]) pen.lineTo(x + Math.cos(angle + turn) * TIP * 1.4, y + Math.sin(angle + turn) * TIP * 1.4);
  pen.fill();
}

function label(way) {
  const [a, b] = ends(way);
  const top = scroller.scrollTop + 14, bottom = scroller.scrollTop + scroller.clientHeight - 14;
  const y = Math.max(top, Math.min(bottom, (a[1] + b[1]) / 2)), share = b[1] === a[1] ? 0.5 : (y - a[1]) / (b[1] - a[1]);
  const x = way.source === way.target ? a[0] + 40 : a[0] + (b[0] - a[0]) * Math.max(0, Math.min(1, share));
  pen.font = "600 11px ui-monospace, Menlo, Consolas, monospace";
  const width = pen.measureText(way.name).width + 8;
  pen.fillStyle = colours.bg;
  pen.globalAlpha = 0.9;
  pen.fillRect(x - width / 2, y - 8, width, 16);
  pen.globalAlpha = 1;
  pen.fillStyle = colours.accent;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(way.name, x, y);
}

// --- signs ----------------------------------------------------------------------------------------

function circle([x, y], radius, colour, filled = false) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = filled ? colour : colours.bg;
  pen.fill();
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.stroke();
}

function cross([x, y], size, colour, width) {
  line([[x - size, y - size], [x + size, y + size]], colour, width);
  line([[x + size, y - size], [x - size, y + size]], colour, width);
}

function polygon(x, y, corners, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  corners.forEach(([dx, dy], i) => (i ? pen.lineTo(x + dx, y + dy) : pen.moveTo(x + dx, y + dy)));
  pen.closePath();
  pen.fill();
}

const SQUARE = [[-5, -5], [5, -5], [5, 5], [-5, 5]], DIAMOND = [[0, -7], [7, 0], [0, 7], [-7, 0]];
const TRIANGLE = [[0, -7], [7, 6], [-7, 6]];

function drawSign(step, row) {
  const y = rowY(row), colour = step.number === shown.selected ? colours.accent : colours.text;
  if (step.kind === "cut" || step.kind === "heal") {
    return line([[GUTTER, y], [lanesWidth, y]], step.kind === "cut" ? colours.bad : colours.muted, 2, [3, 5]);
  }
  if (step.kind === "start") return processes.forEach((_, i) => polygon(laneX(i), y, SQUARE, colours.lane));
  if (step.kind === "duplicate") {
    const way = journeys[step.sent[0]], x = way ? (laneX(way.source) + laneX(way.target)) / 2 : GUTTER;
    circle([x - 3, y - 2], 4, colours.warn);
    return circle([x + 3, y + 2], 4, colours.warn);
  }
  if (step.process < 0) return undefined; // a loss is drawn at the end of its arrow
  const x = laneX(step.process);
  if (step.kind === "parting") cross([x, y], 6, colours.bad, 2.4);
  else if (step.kind === "fire") polygon(x, y, DIAMOND, colour);
  else if (step.kind === "move" || step.kind === "call") polygon(x, y, SQUARE, colour);
  else if (step.kind === "resume") circle([x, y], 4, colour, true);
  else if (step.kind === "cancel" || step.kind === "stop") cross([x, y], 6, colours.bad, 2.4);
  else if (step.kind === "restart") circle([x, y], 6, colour);
  else if (step.kind === "deliver" && step.faults.some((kind) => kind !== "crash" && kind !== "reorder")) polygon(x, y, TRIANGLE, colours.warn);
  else if (step.kind === "deliver") circle([x, y], 4, colour, true);
  if (step.faults.includes("crash")) cross([x, y], 7, colours.bad, 3);
  if (step.rejected.length) {
    circle([x + 12, y], 5, colours.warn);
    line([[x + 9, y + 3], [x + 15, y - 3]], colours.warn, 1.6);
  }
  return undefined;
}
