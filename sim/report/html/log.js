// The log that a run explains: the lines beside its steps, and the first line that no step explains, which is a row of
// its own at the end.

let log;

function logLine([place, number, process, says, more]) {
  return { place, number, process, says, more };
}

function takeLog() {
  log = data.log;
  if (!log) return;
  steps.forEach((step) => { step.lines = (log.lane[step.number] ?? []).map(logLine); });
  log.left = log.left.map(logLine);
}

take(JSON.parse(document.getElementById("data").textContent));

/** A step's lines in one: what there is room for beside it. */
function lineWords(step) {
  if (!log) return [];
  if (step.number === parted) return log.left.map((line) => `${line.number}  ${line.process}: ${line.says}`).slice(0, 1);
  if (!step.lines.length) return [element("i", {}, step.number ? "not in the log" : "")];
  const first = step.lines[0], more = step.lines.length - 1;
  return [`${first.number}  ${first.process}: ${first.says}`, more ? ` and ${more} more` : ""];
}

/** What the panel says of the log at a step. */
function logNotes(step) {
  if (!log) return [];
  const lines = step.number === parted ? log.left.slice(0, 1) : step.lines;
  const title = element("h3", {}, step.number === parted ? "In the log, and not in the model" : "In the log");
  if (!lines.length) return [title, element("p", { class: "none" }, "nothing: nobody who is observed took this step")];
  const box = element("div", { class: "log" });
  const most = ROOM.log / 4;
  if (lines.length > most) title.append(` (${lines.length}, the first ${most})`);
  for (const line of lines.slice(0, most)) {
    box.append(element("p", { class: "sentence mono" }, element("b", {}, line.place), ` ${line.process}: ${line.says}`));
    for (const lines of data.payloads?.[line.number] ?? []) box.append(element("pre", { class: "payload" }, lines.join("\n")));
    if (line.more.length) box.append(element("ul", { class: "notes mono" }, ...someOf(line.more, (one) => element("li", { "data-sign": "·" }, one), 20)));
  }
  return step.number === parted ? [...partingNotes(), title, box] : [title, box];
}

/** What the model has where the log has the line that no step explains, in one line. */
function partingWords() {
  const others = log.differs.some(([what]) => ["input", "message", "crash"].includes(what));
  if (log.differs.length && !others) return `otherwise: ${log.differs.map(([what, , model]) => `${what} ${model}`).join(", ")}`;
  return log.possible.length ? `could only: ${log.possible.join(" | ")}` : "could do nothing at all";
}

function partingNotes() {
  const parts = [];
  if (log.differs.length) {
    const head = ["what", "log", "model", "the same until", "the model's since"];
    const rows = log.differs.map(([what, said, model, agreed, since]) =>
      element("tr", {}, ...[what, said, model, agreed ?? "", since ?? ""].map((cell) => element("td", { class: "mono" }, cell))));
    parts.push(element("h3", {}, "What differs"), element("table", {},
      element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", {}, cell)))), element("tbody", {}, ...rows)));
  }
  const possible = someOf(log.possible, (one) => element("li", { "data-sign": "⟶" }, one), ROOM.notes);
  parts.push(element("h3", {}, "What the model could do there"),
    possible.length ? element("ul", { class: "notes mono" }, ...possible) : element("p", { class: "none" }, "nothing at all"));
  const others = someOf(log.left.slice(1), (line) => element("li", { "data-sign": "·" }, `${line.place} ${line.process}: ${line.says}`), ROOM.notes);
  if (others.length) parts.push(element("h3", {}, "Not explained either"), element("ul", { class: "notes mono" }, ...others));
  parts.push(element("h3", {}, "In words"), element("pre", {}, log.words.join("\n")));
  return parts;
}
