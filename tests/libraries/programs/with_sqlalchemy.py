"""SQLAlchemy's asyncio over aiosqlite: each agent has a session, and writes to a file in the folder of the run."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sim import Program
from tests.libraries.coordinator import coordinate, program


class Base(DeclarativeBase):
    pass


class Square(Base):
    __tablename__ = "squares"
    number: Mapped[int] = mapped_column(primary_key=True)
    square: Mapped[int]


async def ask(sessions: async_sessionmaker[AsyncSession], question: int) -> int | None:
    try:
        async with sessions() as session:
            async with session.begin():
                session.add(Square(number=question, square=question**2))
            found = await session.get_one(Square, question)
            return found.square
    except OperationalError:  # another has the database for too long
        return None


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{world.folder}/squares.db")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine)
        await coordinate(world, lambda question: ask(sessions, question), planted=planted)
        await engine.dispose()

    return program(main)
