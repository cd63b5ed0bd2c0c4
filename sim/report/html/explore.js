// A walk that is taken step by step: at the step that is selected the page asks what may happen next, and takes what is chosen.
// Going back is selecting an earlier step; what came after it is replaced as soon as something else is chosen there.

const nextWays = new Map(); // a path, as text -> what may happen at its end
const ORDER = ["usual", "by itself", "by the environment", "fault"];
const ABOUT = { usual: "usual: first in, first out", "by itself": "by itself", "by the environment": "may be done by the environment", fault: "faults" };
const FILTER_FROM = 12;
let sought = ""; // what the list of what may happen is filtered by
let requests = Promise.resolve(), saved = null;
let trouble = ["", ""]; // the path at which something was wrong, as text, and what

/** The path up to a row; of a program a step may be several rows, and all of it was done after each of them. */
const pathTo = (row) => data.explore.path.slice(0, data.explore.taken[row] + 1);
const here = () => pathTo(shown.selected).join(" ");
const known = (path) => nextWays.get(path.join(" "));

async function post(what, content) {
  const answer = await fetch(what, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
    cache: "no-store", credentials: "omit",
  });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

/** Ask when what was asked before is answered; `wish` says what, as things stand then, or nothing. What is wrong is shown in
 * the panel. */
function request(what, wish, then) {
  requests = requests.then(async () => {
    const content = wish();
    if (!content) return;
    try {
      const answer = await post(what, content);
      trouble = [here(), answer.trouble ?? ""];
      if (!answer.trouble) then(answer);
    } catch {
      trouble = [here(), "cannot be reached: sim explore has ended"];
    }
    drawNext();
  });
}

function arrive(given) {
  take(given);
  count();
  head();
  by("who").replaceChildren();
  fillWho();
  saved = null;
  nextWays.set(given.explore.path.join(" "), given.explore);
  shown.selected = 0;
  clearAll();
  fit();
  select(length - 1);
}

/** Go on from the step that is selected, if there is anything to go on with. */
function goOn(wish) {
  request("walk", () => (known(pathTo(shown.selected))?.rests ? null : { path: pathTo(shown.selected), wish }), arrive);
}

function takeWay(number) {
  const path = [...pathTo(shown.selected), number];
  request("walk", () => ({ path }), arrive);
}

function takeUsual() {
  request("walk", () => {
    const path = pathTo(shown.selected), usual = known(path)?.next.findIndex(([, sort]) => sort === "usual") ?? -1;
    return usual < 0 ? null : { path: [...path, usual] };
  }, arrive);
}

function save() {
  request("save", () => ({ path: pathTo(shown.selected) }), (answer) => { saved = answer; });
}

/** Ask what may happen at the end of this path, if it is still the one that is shown. */
function askWays(path) {
  const key = path.join(" ");
  request("ways", () => (key === here() && !nextWays.has(key) ? { path } : null), (answer) => nextWays.set(key, answer));
}

function drawNext() {
  if (tab !== "next") return;
  const path = pathTo(shown.selected), found = known(path);
  const panel = by("next"), wrong = trouble[0] === here() ? trouble[1] : "";
  if (!found) {
    panel.replaceChildren(wrong ? element("p", { class: "finding" }, wrong) : element("p", { class: "none" }, "…"));
    if (!wrong) askWays(path);
    return;
  }
  const taken = data.explore.path[path.length];
  const parts = [element("h2", {}, shown.selected ? `After step ${shown.selected}` : "At the start")];
  if (wrong) parts.push(element("p", { class: "finding" }, wrong));
  if (shown.selected === violation && data.finding) {
    parts.push(element("p", { class: "finding" }, element("b", {}, `⚑ ${data.finding[0]}`), `: ${data.finding[1]}`));
  }
  if (found.rests) parts.push(element("p", { class: "none" }, "Nothing more happens by itself."));
  if (found.wrong) parts.push(element("p", { class: "finding" }, `⚑ if it rests here: ${found.wrong}`));
  parts.push(element("p", { class: "group" },
    button("◀ back", "One step back (k)", () => move(-1), shown.selected === 0),
    button("▶ to the next choice", "What is usual, and on while there is nothing to choose (c)", () => goOn("choice"), found.rests || !found.next.length),
    button("▶| to the end", "What is usual, until nothing more happens (e)", () => goOn("end"), found.rests || !found.next.length),
    button("save as scenario", "The walk up to here (s)", save, false)));
  if (saved) parts.push(element("p", { class: "saved" }, "saved as ", element("code", {}, saved.saved), ", replay it with ", element("code", {}, saved.replay)));
  if (shown.selected === 0 && data.explore.starts > 1) parts.push(...beginnings());
  if (found.next.length > FILTER_FROM) parts.push(filterOfWays(found.next, taken));
  if (!found.next.length) parts.push(element("p", { class: "none" }, shown.selected === violation ? "Nothing is done after a violation: go back." : "Nothing may happen here."));
  panel.replaceChildren(...parts, element("div", { id: "ways" }, ...listOfWays(found.next, taken)));
}

function filterOfWays(ways, taken) {
  const find = element("input", { type: "search", placeholder: "Filter what may happen", "aria-label": "Filter what may happen", autocomplete: "off", spellcheck: "false" });
  find.value = sought;
  find.addEventListener("input", () => {
    sought = find.value;
    by("ways").replaceChildren(...listOfWays(ways, taken));
  });
  return element("p", { class: "group" }, find);
}

/** What may happen, by what it is; each can be taken. */
function listOfWays(ways, taken) {
  const words = ways.length > FILTER_FROM ? sought.trim().toLowerCase() : "";
  const numbered = ways.map((way, number) => [...way, number]).filter(([says]) => says.toLowerCase().includes(words));
  return ORDER.flatMap((sort) => {
    const these = numbered.filter(([, one]) => one === sort);
    if (!these.length) return [];
    return [element("h3", {}, `${ABOUT[sort]} (${these.length})`), element("div", { class: "ways" }, ...someOf(these, ([says, , number]) => {
      const made = button(says, "", () => takeWay(number), false);
      if (number === taken) made.append(element("small", {}, "taken"));
      return made;
    }, ROOM.ways, (count) => element("p", { class: "none" }, `and ${count.toLocaleString("en")} more: filter to see them`)))];
  });
}

function button(words, title, does, off) {
  const made = element("button", { type: "button", ...(title ? { title } : {}) }, words);
  made.disabled = off;
  made.addEventListener("click", does);
  return made;
}

function beginnings() {
  const choice = element("select", { "aria-label": "How it begins" });
  for (let i = 0; i < Math.min(data.explore.starts, ROOM.machines); i++) choice.append(element("option", { value: i }, `begin in way ${i + 1} of ${data.explore.starts}`));
  choice.value = String(data.explore.path[0]);
  choice.addEventListener("change", () => {
    const path = [Number(choice.value)];
    request("walk", () => ({ path }), arrive);
  });
  return [element("p", { class: "group" }, choice)];
}

Object.assign(KEYS, {
  c: () => goOn("choice"), e: () => goOn("end"), s: save, b: () => move(-1),
  Enter: takeUsual,
});
by("replay").previousElementSibling.textContent = "open again";
nextWays.set(data.explore.path.join(" "), data.explore);
open("next");
select(addressed() >= 0 ? addressed() : length - 1);
