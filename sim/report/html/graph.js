// The graph of a check: every state as a node, further down the more steps it takes to get there, and what is to be known of
// the one that is chosen. Where a run is shown beside it, its states are those of the path, and the two go together.

const NODE = 10;
const graph = data.check?.graph ?? null;
const onPath = new Map((graph?.path ?? []).map((node, step) => [node, step]));
let chosen = graph?.path.length ? graph.path[graph.path.length - 1] : 0, wholeGraph = true;
let followed = -1; // the step that was gone along with last
let dimmed = new Set(); // the nodes that the filter leaves out
const wanted = { words: "", kind: "" };
const GRAPH_FILTERS = {
  "": () => true,
  rests: ([, , , rests]) => rests === 1,
  wrong: ([, , , , wrong]) => wrong >= 0,
  path: (_, node) => onPath.has(node),
};

/** All that can be searched of a state, in lower case. */
function nodeWords([, , , rests, wrong, looks, flying], node) {
  const states = looks.map((look, i) => `${data.machines[i][0]}: ${lookWords(look)}`);
  return [`state ${node}`, rests ? "at rest" : "", wrong >= 0 ? text(wrong) : "", ...states, ...flying.map(text)].join("\n").toLowerCase();
}

function lookWords(look) {
  const [state, , , timers, fields] = data.locals[look], words = [text(state)];
  for (let i = 0; i < fields.length; i += 2) words.push(`${text(fields[i])}=${text(fields[i + 1])}`);
  if (timers.length) words.push(`timers ${timers.map(text).join(", ")}`);
  return words.join(", ");
}

function filterGraph() {
  dimmed = new Set();
  graph.nodes.forEach((node, i) => {
    if (!GRAPH_FILTERS[wanted.kind](node, i) || !nodeWords(node, i).includes(wanted.words)) dimmed.add(i);
  });
}

/** Take a node for the one that is shown; on the path the step that leads there is selected with it. */
function choose(node) {
  chosen = node;
  if (onPath.has(node) && !data.check.alone && shown.selected !== onPath.get(node)) select(onPath.get(node));
  else drawGraph();
}

function drawGraph() {
  const panel = by("graph");
  if (!graph) {
    panel.replaceChildren(element("p", { class: "none" },
      `The check met ${data.check.states.toLocaleString("en")} states; a graph of more than ${data.check.most} is not drawn. What it covered of each machine is under “Machines”.`), checkWords());
    return;
  }
  if (!data.check.alone && shown.selected !== followed) {
    followed = shown.selected;
    chosen = graph.path[followed] ?? chosen;
  }
  if (!by("picture")) makeGraph(panel);
  paintGraph();
  by("node").replaceChildren(...nodeParts(chosen));
}

const checkWords = () => element("pre", {}, data.check.words.join("\n"));

function makeGraph(panel) {
  const find = element("input", { type: "search", placeholder: "Filter states", "aria-label": "Filter states", autocomplete: "off", spellcheck: "false" });
  find.value = wanted.words;
  find.addEventListener("input", () => { wanted.words = find.value.trim().toLowerCase(); filterGraph(); paintGraph(); });
  const kind = element("select", { "aria-label": "Show states that" }, element("option", { value: "" }, "all states"),
    element("option", { value: "rests" }, "at rest"), element("option", { value: "wrong" }, "where something is wrong"), ...(onPath.size ? [element("option", { value: "path" }, "of the run shown")] : []));
  kind.value = wanted.kind;
  kind.addEventListener("change", () => { wanted.kind = kind.value; filterGraph(); paintGraph(); });
  const all = element("button", { type: "button", "aria-pressed": wholeGraph, title: "The whole graph, however small (w)" }, "whole");
  all.addEventListener("click", toggleGraph);
  panel.replaceChildren(
    element("p", { class: "group" }, find, kind, all, element("output", { id: "left" })),
    element("p", { class: "none" }, `Further down: more steps from the start. ◎ at rest, red: something is wrong${onPath.size > 1 ? ", thick: the run shown" : ""}. A dashed line leads up or across.`),
    element("div", { class: "beside" }, element("div", { class: "svg", id: "picture" }), element("div", { id: "node" })), element("h3", {}, "What the check says"), checkWords());
}

function toggleGraph() {
  wholeGraph = !wholeGraph;
  by("graph").querySelector("button").setAttribute("aria-pressed", wholeGraph);
  paintGraph();
}

const straight = (a, b) => `M${a[0]},${a[1]}L${b[0]},${b[1]}`;

/** A line from one node to another: straight down, or bent beside what is between them. */
function lineBetween(a, b) {
  if (b[2] > a[2]) return straight(a, b);
  const bend = 26 + Math.abs(b[1] - a[1]) * 0.25, x = Math.max(a[0], b[0]) + bend;
  return `M${a[0]},${a[1]}Q${x},${(a[1] + b[1]) / 2} ${b[0]},${b[1]}`;
}

function paintGraph() {
  const frame = by("picture"), { nodes, edges } = graph;
  const steps = new Set(graph.path.slice(1).map((node, i) => `${graph.path[i]} ${node}`));
  const lines = { down: [], back: [], run: [], chosen: [] };
  const way = new Set(wayTo(chosen).map(([from, to]) => `${from} ${to}`));
  for (const [from, to] of edges) {
    const hidden = dimmed.has(from) || dimmed.has(to), between = lineBetween(nodes[from], nodes[to]);
    if (steps.has(`${from} ${to}`)) lines.run.push(between);
    if (from === chosen || to === chosen || way.has(`${from} ${to}`)) lines.chosen.push(between);
    else if (!hidden) (nodes[to][2] > nodes[from][2] ? lines.down : lines.back).push(between);
  }
  const width = graph.width + 60, height = graph.height + 8;
  const scale = wholeGraph ? Math.min(1, (frame.clientWidth - 26) / width, (0.58 * window.innerHeight) / height) : 1;
  const picture = drawn("svg", { width: width * scale, height: height * scale, viewBox: `-4 -4 ${width} ${height}`, role: "img" });
  picture.append(drawn("title", {}, `${nodes.length} states and ${edges.length} steps between them`));
  for (const [kind, all] of Object.entries(lines)) picture.append(drawn("path", { class: `edge ${kind}`, d: all.join("") }));
  nodes.forEach(([x, y, , rests, wrong], i) => {
    const dim = dimmed.has(i) ? " dimmed" : "", kind = `state${rests ? " rests" : ""}${wrong >= 0 ? " wrong" : ""}${onPath.has(i) ? " run" : ""}${i === chosen ? " chosen" : ""}${dim}`;
    const mark = drawn("circle", { class: kind, "data-node": i, cx: x, cy: y, r: NODE });
    mark.addEventListener("click", () => choose(i));
    picture.append(mark, drawn("text", { class: `number${dim}`, x, y: y + 3.5 }, String(i)));
  });
  frame.replaceChildren(picture);
  by("left").textContent = dimmed.size ? `${nodes.length - dimmed.size} of ${nodes.length} states` : `${nodes.length} states, ${edges.length} steps`;
  if (!wholeGraph) frame.scrollTo(nodes[chosen][0] - frame.clientWidth / 2, nodes[chosen][1] - frame.clientHeight / 2);
}

function nodeLink(node, words) {
  const link = element("button", { class: "link", type: "button" }, words);
  link.addEventListener("click", () => choose(node));
  return link;
}

/** The edges of a shortest way from the start to a node. */
function wayTo(node) {
  const way = [];
  for (let at = node; graph.nodes[at][2] > 0; [at] = way[0]) {
    way.unshift(graph.edges.find(([from, to]) => to === at && graph.nodes[from][2] === graph.nodes[at][2] - 1));
  }
  return way;
}

/** What is to be known of a node. */
function nodeParts(node) {
  const [, , depth, rests, wrong, looks, flying] = graph.nodes[node];
  const there = graph.edges.filter(([, to]) => to === node), on = graph.edges.filter(([from]) => from === node);
  const way = (other) => ([from, to, says]) => element("tr", {}, element("td", { class: "mono" }, text(says)), element("td", { class: "number" }, nodeLink(other === 0 ? from : to, `state ${other === 0 ? from : to}`)));
  const table = (rows, other) => rows.length
    ? element("table", {}, element("tbody", {}, ...someOf(rows, way(other), ROOM.node, moreRows(2)))) : element("p", { class: "none" }, "nothing");
  const machines = looks.map((look, i) => [data.machines[i][0], lookWords(look)]);
  return [
    element("h2", {}, `State ${node}, ${depth === 0 ? "at the start" : `${depth} ${depth === 1 ? "step" : "steps"} from the start`}${rests ? ", at rest" : ""}`),
    ...(wrong >= 0 ? [element("p", { class: "finding" }, `⚑ ${text(wrong)}`)] : []),
    ...(depth ? [element("h3", {}, "A shortest way here"), element("ol", { class: "way mono" }, ...someOf(wayTo(node), ([from, , says]) => element("li", {}, `${text(says)} `, nodeLink(from, `from ${from}`)), ROOM.node))] : []),
    element("h3", {}, `From here (${on.length})`), table(on, 1),
    element("h3", {}, "Machines"), element("table", {}, element("tbody", {}, ...someOf(machines, ([name, words]) => element("tr", {}, element("td", {}, name), element("td", { class: "mono" }, words)), ROOM.node, moreRows(2)))),
    element("h3", {}, `In flight (${flying.length})`), flying.length ? element("ul", { class: "notes mono" }, ...someOf(flying, (one) => element("li", { "data-sign": "⟶" }, text(one)), ROOM.node)) : element("p", { class: "none" }, "nothing"),
    element("h3", {}, `To here (${there.length})`), table(there, 0),
  ];
}
