"""aiosqlite: agents write and read over one connection, whose thread works for all of them."""

from __future__ import annotations

from typing import Any

import aiosqlite

from sim import Program
from tests.libraries.coordinator import coordinate, program


async def ask(database: aiosqlite.Connection, question: int) -> int:
    await database.execute("INSERT INTO squares VALUES (?, ?)", (question, question**2))
    await database.commit()
    async with database.execute("SELECT square FROM squares WHERE number = ?", (question,)) as found:
        row = await found.fetchone()
    assert row is not None
    return int(row[0])


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        async with aiosqlite.connect(":memory:") as database:
            await database.execute("CREATE TABLE squares (number INTEGER PRIMARY KEY, square INTEGER)")
            await coordinate(world, lambda question: ask(database, question), planted=planted)

    return program(main)
