"""The generator of every pick: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
generators", OOPSLA 2014), written out so that plain Python and compiled code draw the same numbers.

`random` and numpy's generators promise no stable stream across versions; a seed kept in a file must
mean the same schedule next year.
"""

from __future__ import annotations

from hashlib import blake2b

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z: int) -> int:
    """The finaliser of splitmix64: 64 bits in, 64 well-mixed bits out."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(seed: int, index: int) -> int:
    """The `index`-th number of the stream of `seed`: depends on nothing else."""
    return mix((seed + (index + 1) * GAMMA) & MASK)


def derive(seed: int, purpose: str) -> int:
    """A seed for one purpose, so that draws for different purposes are unrelated."""
    return mix((seed & MASK) ^ key64(purpose.encode()))


def key64(encoding: bytes) -> int:
    """64 bits of a canonical encoding, the same in every process."""
    return int.from_bytes(blake2b(encoding, digest_size=8).digest(), "big")


def mark(place: int, key: int) -> int:
    """64 bits for a thing of this key at a place; the sum of the marks of its parts identifies a state."""
    return mix((key + (place + 1) * GAMMA) & MASK)


def between(draw: int, low: int, high: int) -> int:
    """Maps 64 random bits to low..high, both included, by multiply and shift (no float, no modulo bias
    beyond 2**-64 times the width)."""
    return low + ((draw * (high - low + 1)) >> 64)
