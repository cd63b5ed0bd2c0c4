// What the engine of VS Code's YAML extension says of scenario files: node check.mjs ENGINE PYTHON, in the project's folder.
// ENGINE is a folder with yaml-language-server in its node_modules. `make test-editors` does it all.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [engine, python] = process.argv.slice(2).map((path) => resolve(path));
const rpc = createRequire(join(engine, "node_modules", "x"))("vscode-jsonrpc/node");
const SCHEMA = resolve("docs/scenario.schema.json");

// The schema and its catalogue, published on the loopback.
const published = createServer((request, response) => {
  const schema = readFileSync(SCHEMA, "utf-8");
  response.setHeader("content-type", "application/json");
  response.end(request.url === "/catalog.json" ? catalogue : schema);
});
await new Promise((done) => published.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${published.address().port}`;
const catalogue = spawnSync(python, ["-m", "sim.scenario", `${address}/scenario.schema.json`], { encoding: "utf-8" }).stdout;

// The engine, as an editor talks to it.
const server = spawn(join(engine, "node_modules/.bin/yaml-language-server"), ["--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const editor = rpc.createMessageConnection(server.stdout, server.stdin);
const yaml = { validate: true, schemaStore: { enable: true, url: `${address}/catalog.json` }, schemas: { "docs/scenario.schema.json": ["**/settings/*.yaml"] } };
editor.onRequest("workspace/configuration", ({ items }) => items.map(({ section }) => (section === "yaml" ? yaml : {})));
editor.onRequest(() => null);
const waiting = new Map();
editor.onNotification("textDocument/publishDiagnostics", ({ uri, diagnostics }) => waiting.get(uri)?.(diagnostics));
editor.listen();
const workspace = { configuration: true, didChangeConfiguration: { dynamicRegistration: true } };
await editor.sendRequest("initialize", { processId: process.pid, rootUri: pathToFileURL(process.cwd()).href, capabilities: { workspace } });
await editor.sendNotification("initialized", {});
await editor.sendNotification("workspace/didChangeConfiguration", { settings: { yaml } });
await new Promise((done) => setTimeout(done, 1500)); // it says nowhere when it has read the catalogue

async function mistakes(file) {
  const uri = pathToFileURL(resolve(file)).href;
  const told = new Promise((done) => waiting.set(uri, done));
  const text = readFileSync(file, "utf-8");
  await editor.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
  return (await told).map(({ range, message }) => `${range.start.line + 1}: ${message.split("\n")[0]}`).sort();
}

let failed = 0;
function expect(what, told, wanted) {
  const right = JSON.stringify(told) === JSON.stringify(wanted);
  failed += !right;
  if (!right) console.log(`${what}:\n  expected ${JSON.stringify(wanted)}\n  got      ${JSON.stringify(told)}`);
}

const bundled = readdirSync("scenarios", { recursive: true }).filter((name) => name.endsWith(".yaml"));
for (const name of bundled) expect(name, await mistakes(join("scenarios", name)), []);

// A file with a mistake in each part must be told off, whichever way its schema is found.
const bad = ["model: m", "sede: 3", "network: fifoo", "schedule: [{repeat: 0, do: [move a.b]}, {repeat: n in 1..3, dooo: []}, 3]"];
const wanted = [
  '4: Incorrect type. Expected "string | repeat".',
  '4: Missing property "do".',
  "4: Property dooo is not allowed.",
  "4: Value is below the minimum of 1.",
  '3: Value is not accepted. Valid values: "any", "fifo", "set", "latest".',
  "2: Property sede is not allowed.",
];
const folder = mkdtempSync(join(tmpdir(), "editors-"));
for (const inside of ["scenarios", "settings"]) mkdirSync(join(folder, inside));
const ways = {
  "scenarios/of_the_catalogue.yaml": ["", wanted],
  "settings/of_a_workspace.yaml": ["", wanted],
  "with_a_modeline.yaml": [`# yaml-language-server: $schema=${SCHEMA}`, wanted],
  "with_the_key.yaml": [`$schema: ${SCHEMA}`, wanted],
  "of_nothing.yaml": ["", []],
};
for (const [name, [first, lines]] of Object.entries(ways)) {
  writeFileSync(join(folder, name), [first || "# none", ...bad].join("\n"));
  expect(name, await mistakes(join(folder, name)), lines.map((line) => line.replace(/^\d+/, (n) => `${+n + 1}`)).sort());
}
rmSync(folder, { recursive: true });
console.log(`${bundled.length} bundled scenarios and ${Object.keys(ways).length} others, ${failed} not as expected`);
process.exit(failed ? 1 : 0);
