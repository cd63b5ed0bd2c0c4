"""The races in one table: in which version each is, and in which it is mended."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PLAIN = "typing_extensions==4.16.0"
ANYIO = ("idna==3.10", "sniffio==1.3.1", PLAIN)
AIOHTTP = (
    "aiohappyeyeballs==2.6.1",
    "aiosignal==1.4.0",
    "attrs==25.3.0",
    "frozenlist==1.7.0",
    "idna==3.10",
    "multidict==6.6.3",
    "propcache==0.3.2",
    "yarl==1.20.1",
    PLAIN,
)
HTTPCORE = ("anyio==4.10.0", "certifi==2025.8.3", "h11==0.16.0", *ANYIO)


@dataclass(frozen=True)
class PublicRace:
    """A race that was reported in public.

    - `module`: the program, in this package
    - `library`, `version`: where the race is
    - `mended`: the version without it; empty where there is none yet
    - `needs`: what else has to be installed
    - `props`: the properties that a fuzz may say are violated: what is seen of it
    - `seen`: where it was reported
    - `finds`: within how many schedules a fuzz finds it
    """

    module: str
    library: str
    version: str
    mended: str
    needs: tuple[str, ...]
    props: tuple[str, ...]
    seen: str
    finds: int = 200

    @property
    def target(self) -> str:
        """What to name on the command line."""
        return f"bench.public_races.{self.module}"

    @property
    def what(self) -> str:
        """What goes wrong, in a sentence: the docstring of the program. Its library need not be there."""
        source = Path(__file__).with_name(f"{self.module}.py").read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").replace("\n", " ")

    def pins(self, version: str) -> tuple[str, ...]:
        """What is installed for a version of the library."""
        return (f"{self.library}=={version}", *self.needs)


REDIS = ("async-timeout==4.0.3",)
RACES = (
    PublicRace("redis_reply", "redis", "4.5.1", "4.5.5", REDIS, ("own_answer",), "issues 2579 and 2624"),
    PublicRace("redis_pipeline", "redis", "4.5.4", "4.5.5", REDIS, ("exception", "main", "own_answer"), "issue 2665"),
    PublicRace("anyio_stream", "anyio", "4.3.0", "4.4.0", ANYIO, ("no item is lost",), "issue 728"),
    PublicRace("anyio_semaphore", "anyio", "3.3.4", "3.5.0", ANYIO, ("deadlock",), "issues 387 and 398"),
    PublicRace("anyio_lock", "anyio", "3.4.0", "3.5.0", ANYIO, ("deadlock",), "issue 398"),
    PublicRace("anyio_limiter", "anyio", "4.9.0", "4.10.0", ANYIO, ("deadlock",), "issue 947"),
    PublicRace("anyio_tokens", "anyio", "4.13.0", "4.14.2", ANYIO, ("no token is granted twice",), "issue 1170"),
    PublicRace(
        "anyio_stream_cancelled",
        "anyio",
        "4.16.0",
        "",
        ANYIO,
        ("no item is lost",),
        "issue 146, closed; issue 536 has the cause",
    ),
    PublicRace("httpcore_slot", "httpcore", "1.0.9", "", HTTPCORE, ("deadlock",), "issue 1093"),
    PublicRace("aiohttp_connector", "aiohttp", "3.14.5", "", AIOHTTP, ("deadlock",), "issue 9670, closed with 3.10.11"),
)
