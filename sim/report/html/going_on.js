// A session that goes on while its page is open: the page asks for what is new and takes it over. The reader stays at the
// step, the tab and the place where they are; who looks at the last step goes on with the session.

const LOOK_MS = 1000, PATIENCE_MS = 30000;

async function ask(what) {
  const answer = await fetch(what, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

/** How long, in the largest unit that says something. */
function ageText(ms) {
  const s = Math.floor(ms / 1000);
  return s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`;
}

function badge(kind, words) {
  by("live").className = `live ${kind}`;
  if (by("live").textContent !== words) by("live").textContent = words;
}

function takeOver(given) {
  const followed = shown.selected === shown.rows[shown.rows.length - 1];
  const top = scroller.scrollTop, left = scroller.scrollLeft;
  take(given);
  head();
  count();
  shown.selected = Math.min(shown.selected, length - 1);
  search(); // which filters again, too
  if (followed && shown.rows.length) select(shown.rows[shown.rows.length - 1]);
  else scroller.scrollTo(left, top);
  if (tab === "run") drawRun();
}

async function look() {
  try {
    const now = await ask("version");
    const selects = !getSelection().isCollapsed; // what is being copied stays where it is
    if (now.version !== data.goingOn.version && !selects) takeOver(await ask("data"));
    const behind = now.lines - data.goingOn.lines;
    if (now.trouble) badge("bad", `cannot be read: ${now.trouble}`);
    else if (behind) badge("warn", `${behind.toLocaleString("en")} lines behind${selects ? ", as text is selected" : ""}`);
    else if (now.state === "open") badge("good", `live, last input ${ageText(now.idle_ms)} ago`);
    else badge(now.state === "failed" ? "bad" : "", now.why ? `${now.state}: ${now.why}` : now.state);
  } catch {
    badge("bad", "cannot be reached: this is what was known before");
  }
  setTimeout(look, LOOK_MS);
}

by("replay").previousElementSibling.textContent = "open again";
by("live").hidden = false;
select(addressed() >= 0 ? addressed() : length - 1);
look();
