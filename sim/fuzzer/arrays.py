"""numpy, where it fits into the memory; raises `MemoryError` otherwise. To be imported where it is used."""

from sim.base.interrupted import interrupt_afterwards
from sim.checker.memory import lacks_room

if lacks_room("numpy"):
    raise MemoryError

with interrupt_afterwards():
    import numpy as np

__all__ = ["np"]
