"""numpy, where it fits into the memory; raises `MemoryError` otherwise. To be imported where it is used."""

from sim.checker.memory import lacks_room

if lacks_room("numpy"):
    raise MemoryError

import numpy as np

__all__ = ["np"]
