"""`make demo`: a council of three agents decides three rounds for real, is killed in the middle, and goes on.

The agents are stand-ins on the loopback that answer late, refuse and break off, as real ones do; everything else is what you
would use: the command line, a journal, a store of artifacts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.stand_ins import Agents

CONFIG = """\
session: release-plan
set: {{agents: 3, rounds: 3, retries: 3, answers: [ok, conflict, invalid]}}
adapters:
{agents}
  store: {{kind: folder, path: artifacts}}
carries: {{Store: Response}}
log: council.jsonl
"""
AGENT = """\
  {name}:
    kind: chat
    url: {url}/{name}/v1/chat/completions
    model: gpt-4o-mini
    prompt: [{{role: user, content: "Round {{round}}: may the release go out?"}}]
    parse: {{ok: says OK, conflict: says NO}}
    timeout: 5s
"""
NAMES = ("gemini", "claude", "gpt_pro")


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="roundsim-demo-"))
    environment = {**os.environ, "SIM_HOME": str(folder / "sessions")}

    def sim(*words: str) -> list[str]:
        return [sys.executable, "-m", "sim", *words]

    def say(*words: str) -> None:
        print(f"\n$ {' '.join(words)}", flush=True)

    with Agents(plan=("ok", "ok", "slow", "429", "500", "empty", "drop"), seed=7, late_s=0.5) as agents:
        given = "".join(AGENT.format(name=name, url=agents.url) for name in NAMES)
        (folder / "council.yaml").write_text(CONFIG.format(agents=given.rstrip("\n")))
        command = ("host", "models.consensus", "--config", "council.yaml", "--journal", "council.db", "--follow")
        say("sim", *command)
        host = subprocess.Popen(sim(*command), cwd=folder, env=environment)
        _wait_for_the_middle(folder / "council.jsonl", host)
        host.send_signal(signal.SIGKILL)
        host.wait()
        print(f"\nkilled with SIGKILL after {_lines(folder / 'council.jsonl')} inputs", flush=True)
        for words in (("resume", "1", "--follow"), ("sessions", "--all"), ("status", "1")):
            say("sim", *words)
            status = subprocess.run(sim(*words), cwd=folder, env=environment, check=False).returncode
            if status:
                return status
    struck = subprocess.run(
        sim("resume", "1", "--json"), cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    faults = json.loads(struck.stdout)["faults"]
    words = ("conform", "council.jsonl", "--model", "models.consensus", "--faults", faults, "--html")
    say("sim", *words)
    status = subprocess.run(sim(*words), cwd=folder, env=environment, check=False).returncode
    print(
        f"\nartifacts: {folder / 'artifacts'}\npage:      {next((folder / 'counterexamples').glob('*.html'), '')}",
        flush=True,
    )
    return status


def _lines(log: Path) -> int:
    return log.read_text().count("\n") - 1 if log.exists() else 0


def _wait_for_the_middle(log: Path, host: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while host.poll() is None and time.monotonic() < end and _lines(log) < 18:
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
