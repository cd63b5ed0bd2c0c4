// The page as a whole: what is selected, searched, filtered; keys and buttons.

const by = (id) => document.getElementById(id);
const ALL_TABS = ["next", "step", "machines", "run", "graph"];
const IS_THERE = { next: Boolean(data.explore), graph: Boolean(data.check), machines: true };
const TABS = ALL_TABS.filter((name) => IS_THERE[name] ?? !data.check?.alone);
let tab = data.explore ? "" : data.check?.alone ? "graph" : TABS[0]; // what is opened by whoever draws it

/** Select a step; show it, if it is hidden, by taking the filter away. */
function select(number) {
  const wanted = Math.max(0, Math.min(length - 1, number));
  if (shown.place[wanted] === 0 || shown.rows[shown.place[wanted] - 1] !== wanted) clearFilter();
  shown.selected = wanted;
  remember();
  const top = (shown.place[wanted] - 1) * ROW, height = scroller.clientHeight;
  if (top < scroller.scrollTop + ROW) scroller.scrollTop = top - Math.min(height / 3, 6 * ROW);
  else if (top > scroller.scrollTop + height - 3 * ROW) scroller.scrollTop = top - height + Math.min(height / 3, 6 * ROW);
  refresh();
}

let remembering = 0;
/** The address leads to the step that is selected; written when it has been for a moment, as a browser allows no more. */
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    if (addressed() !== shown.selected) history.replaceState(null, "", `#step=${shown.selected}`);
  }, 200);
}

/** The step that the address names; -1: none. */
function addressed() {
  const found = /^#step=(\d{1,9})$/.exec(location.hash);
  return found ? Number(found[1]) : -1;
}

function refresh() {
  const step = steps[shown.selected];
  by("position").replaceChildren("step ", element("b", {}, step.number.toLocaleString("en")), ` of ${(length - 1).toLocaleString("en")}`,
    step.time === null ? "" : ` · ${timeText(step.time)}`);
  for (const id of ["first", "back"]) by(id).disabled = shown.selected === shown.rows[0];
  for (const id of ["forth", "last"]) by(id).disabled = shown.selected === shown.rows[shown.rows.length - 1];
  scroller.setAttribute("aria-activedescendant", `row-${shown.selected}`);
  if (tab === "step") drawStep();
  if (tab === "machines") drawMachines();
  if (tab === "graph") drawGraph();
  if (tab === "next") drawNext();
  draw();
}

/** So many rows on, among those that are shown. */
function move(rows) {
  const at = shown.place[shown.selected] - 1;
  const on = shown.rows[at] === shown.selected || rows > 0 ? at + rows : at + rows + 1; // if it is hidden, `at` is before it
  if (shown.rows.length) select(shown.rows[Math.max(0, Math.min(shown.rows.length - 1, on))]);
}

/** To the nearest step behind (or before) the selected one of which `holds` is true. */
function seek(holds, forward) {
  const end = forward ? length : -1, by = forward ? 1 : -1;
  for (let number = shown.selected + by; number !== end; number += by) {
    if (holds(steps[number])) return select(number);
  }
  return undefined;
}

function seekMatch(forward) {
  const { matches } = shown;
  if (!matches.length) return;
  const at = lastUpTo(matches, forward ? shown.selected : shown.selected - 1);
  select(matches[((forward ? at + 1 : at) + matches.length) % matches.length]);
}

/** Between where the step's message was sent and where it arrived. */
function otherEnd() {
  const step = steps[shown.selected];
  if (step.journey >= 0) return select(journeys[step.journey].sent);
  const way = step.sent.map((index) => journeys[index]).find((one) => one.ended >= 0);
  return way ? select(way.ended) : undefined;
}

function search() {
  const wanted = by("search").value.trim().toLowerCase();
  shown.matches = [];
  if (wanted) searchable().forEach((words, number) => { if (words.includes(wanted)) shown.matches.push(number); });
  shown.matched = new Set(shown.matches);
  by("matches").textContent = wanted ? `${shown.matches.length.toLocaleString("en")} found` : "";
  for (const id of ["earlier", "later"]) by(id).disabled = !shown.matches.length;
  filter();
}

function filter() {
  const what = by("what").value, who = by("who").value === "" ? -1 : Number(by("who").value);
  const holds = what === "match" ? (step) => shown.matched.has(step.number) : FILTERS[what];
  const rows = [];
  for (const step of steps) if (holds(step) && (who < 0 || concerns(step, who))) rows.push(step.number);
  show(rows);
  const at = Math.max(0, shown.place[shown.selected] - 1);
  scroller.scrollTop = Math.max(0, at * ROW - scroller.clientHeight / 3);
  refresh();
}

function clearFilter() {
  by("what").value = by("who").value = "";
  show(steps.map((step) => step.number));
}

function clearAll() {
  by("search").value = "";
  clearFilter();
  search();
}

function open(name) {
  tab = name;
  for (const one of TABS) {
    by(`tab-${one}`).setAttribute("aria-selected", one === name);
    by(`tab-${one}`).tabIndex = one === name ? 0 : -1;
    by(one).hidden = one !== name;
    if (one !== name) by(one).replaceChildren();
  }
  document.querySelector("main").classList.toggle("wide", name === "machines" || name === "graph");
  if (name === "run") drawRun();
  refresh();
}

function openIf(name) {
  if (TABS.includes(name)) open(name);
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  readColours();
  draw();
}

const page = () => Math.max(1, Math.floor(scroller.clientHeight / ROW) - 2);
const KEYS = {
  j: () => move(1), ArrowDown: () => move(1), ArrowRight: () => move(1),
  k: () => move(-1), ArrowUp: () => move(-1), ArrowLeft: () => move(-1),
  PageDown: () => move(page()), PageUp: () => move(-page()),
  Home: () => move(-length), End: () => move(length),
  v: () => { if (violation >= 0) select(violation); },
  r: () => seek(FILTERS.rejected, true), R: () => seek(FILTERS.rejected, false),
  f: () => seek(isFault, true), F: () => seek(isFault, false),
  m: otherEnd, n: () => seekMatch(true), N: () => seekMatch(false),
  "/": () => by("search").select(),
  1: () => openIf("step"), 2: () => openIf("machines"), 3: () => openIf("run"), 4: () => openIf("graph"), 5: () => openIf("next"),
  w: () => { if (tab === "machines") toggleWhole(); else if (tab === "graph" && graph) toggleGraph(); }, Escape: clearAll, t: toggleTheme, "?": () => by("help").showModal(),
};

/** Keys that an element takes for itself: typing into a field, choosing from a list, scrolling a panel. */
function isTaken(event) {
  const on = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || by("help").open) return true;
  if (on.type === "search") return event.key !== "Escape";
  if (on.tagName === "BUTTON" && event.key === "Enter") return true;
  if (on.tagName === "SELECT") return event.key !== "Escape";
  if (on.getAttribute("role") === "tab") return ["ArrowLeft", "ArrowRight"].includes(event.key);
  if (on.getAttribute("role") === "tabpanel") return ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(event.key);
  return false;
}

document.addEventListener("keydown", (event) => {
  if (isTaken(event) || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  if (event.key === "Escape") scroller.focus({ preventScroll: true });
  KEYS[event.key]();
});

/** What is said of the run as a whole. */
function head() {
  document.title = by("title").textContent = by("title").title = data.title;
  by("how").textContent = data.how;
  by("replay").textContent = by("replay").title = data.replay;
  const verdict = log ? log.verdict : data.verdict;
  const said = data.said ?? (log ? log.said : `${verdict}, ${data.expected ? "as expected" : "NOT as expected"}`);
  by("verdict").textContent = `${verdict === "ok" ? "✓" : verdict === "violated" ? "⚑" : "…"} ${said}`;
  by("verdict").className = `verdict ${verdict}`;
  by("finding").hidden = violation < 0;
  by("finding").replaceChildren(...(parted >= 0 ? [log.words[0]] : []),
    ...(data.finding ? [element("b", {}, data.finding[0]), `: ${data.finding[1]}`] : []));
  by("violation").disabled = violation < 0;
}

function fillWho() {
  by("who").append(element("option", { value: "" }, "of all machines"), ...machines.slice(0, ROOM.machines).map((one) => element("option", { value: one.index }, `of ${one.name}`)));
}

function begin() {
  head();
  count();
  fillWho();
  const pressed = {
    first: () => move(-length), last: () => move(length), back: () => move(-1), forth: () => move(1), violation: KEYS.v,
    earlier: KEYS.N, later: KEYS.n, theme: toggleTheme, keys: KEYS["?"],
    copy: () => navigator.clipboard?.writeText(data.replay).then(() => { by("copy").textContent = "copied"; }),
  };
  for (const [id, does] of Object.entries(pressed)) by(id).addEventListener("click", does);
  by("search").addEventListener("input", search);
  by("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") seekMatch(!event.shiftKey);
  });
  for (const id of ["what", "who"]) by(id).addEventListener("change", filter);
  TABS.forEach((name, i) => {
    by(`tab-${name}`).addEventListener("click", () => open(name));
    by(`tab-${name}`).addEventListener("keydown", (event) => {
      const turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!turn) return;
      const next = TABS[(i + turn + TABS.length) % TABS.length];
      open(next);
      by(`tab-${next}`).focus();
    });
  });
  scroller.addEventListener("scroll", soon, { passive: true });
  new ResizeObserver(fit).observe(scroller);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
  readColours();
  show(shown.rows);
  for (const id of ["earlier", "later"]) by(id).disabled = true;
  document.body.classList.toggle("alone", data.check?.alone === true);
  for (const name of ALL_TABS) {
    by(`tab-${name}`).hidden = !TABS.includes(name);
    by(name).hidden = true;
  }
  if (!data.explore) open(tab);
  fit();
  addEventListener("hashchange", () => { if (addressed() >= 0) select(addressed()); });
  select(addressed() >= 0 ? addressed() : Math.max(0, violation));
  scroller.focus({ preventScroll: true });
  performance.mark("drawn");
}

begin();
