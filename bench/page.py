"""How long the page of a run of 50,000 steps takes: `python -m bench.page`.

To write it, and, in a headless Chromium: from the beginning of its loading until it is drawn, and what a key takes
until it is drawn again. In milliseconds, the fastest of several.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.long import system
from sim import VirtualTime, simulate
from sim.report.html import page
from sim.report.outcome import compare
from sim.scenario import parse_scenario
from tests.browser import browser

STEPS = 50_000
LOADS = 5
KEYS = {"one step": "j", "to the end": "End", "to the beginning": "Home", "the machines": "2"}

_PRESS = """
const [key, rounds] = arguments, taken = [];
for (let i = 0; i < rounds; i++) {
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  document.body.getBoundingClientRect();
  taken.push(performance.now() - began);
}
return Math.min(...taken);
"""


def main() -> None:
    scenario = parse_scenario("model: bench.long\n", "long.yaml", allow=("bench.long",))
    run = simulate(system(), VirtualTime(seed=3), max_steps=STEPS)
    started = time.perf_counter()
    text = page(compare(scenario, run, "sim run long.yaml"))
    print(f"{STEPS:,} steps, {len(text) / 1e6:.1f} MB")
    print(f"{'writing it':<18} {(time.perf_counter() - started) * 1000:8.0f} ms")
    with tempfile.TemporaryDirectory() as folder, browser() as shown:
        path = Path(folder) / "page.html"
        path.write_text(text, "utf-8")
        shown.size(1500, 950)
        times = []
        for _ in range(LOADS):
            shown.open(path)
            times.append(shown.js("return performance.getEntriesByName('drawn')[0].startTime"))
        print(f"{'until it is drawn':<18} {min(times):8.0f} ms")
        for what, key in KEYS.items():
            print(f"{what:<18} {shown.js(_PRESS, key, 20):8.1f} ms")


if __name__ == "__main__":
    main()
