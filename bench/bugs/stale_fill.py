"""Stale fill: an answer for the cache is overtaken by the invalidation of what it carries."""

from __future__ import annotations

from sim import Message, Process, System, always, sometimes


class Ask(Message):
    pass


class Load(Message):
    pass


class Loaded(Message):
    version: int


class Update(Message):
    pass


class Invalidate(Message):
    version: int


class Database(Process):
    """Holds version 1 of a value until it is updated."""

    states = ("open",)
    transitions = (
        {"trigger": Load, "source": "open", "dest": None, "after": "answer"},
        {"trigger": Update, "source": "open", "dest": None, "after": "update"},
    )

    version: int = 1

    def answer(self) -> None:
        self.send("cache", Loaded(self.version))

    def update(self) -> None:
        self.version += 1
        self.send("cache", Invalidate(self.version))


class Cache(Process):
    """Fills itself when it is asked; remembers what was invalidated."""

    states = ("open",)
    transitions = (
        {"trigger": Ask, "source": "open", "dest": None, "after": "load"},
        {"trigger": Loaded, "source": "open", "dest": None, "conditions": "is_fresh", "after": "fill"},
        {"trigger": Loaded, "source": "open", "dest": None, "after": "load"},
        {"trigger": Invalidate, "source": "open", "dest": None, "after": "empty"},
    )

    held: int = 0
    invalid_below: int = 0

    def is_fresh(self, loaded: Loaded) -> bool:
        return loaded.version >= self.invalid_below

    def load(self) -> None:
        self.send("database", Load())

    def fill(self, loaded: Loaded) -> None:
        self.held = loaded.version

    def empty(self, message: Invalidate) -> None:
        self.held = 0
        self.invalid_below = message.version


class TrustingCache(Cache):
    """Takes every answer for fresh."""

    def is_fresh(self, loaded: Loaded) -> bool:
        return True


class User(Process):
    """Asks, and updates meanwhile."""

    states = ("content",)

    def on_start(self) -> None:
        self.send("cache", Ask())
        self.send("database", Update())


def system(planted: bool = True) -> System:
    return System(
        {"database": Database(), "cache": TrustingCache() if planted else Cache(), "user": User()},
        properties=(
            always("what is invalid is not held", lambda cache: not 0 < cache.held < cache.invalid_below),
            sometimes("the new value is held", lambda cache: cache.held == 2),
        ),
    )
