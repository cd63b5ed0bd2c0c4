"""Ordinary asyncio programs, run in a simulated operating system.

What belongs here: the simulated surroundings of a program (clock, dice, network, what is refused), its loop, and the world
that a run of it is. What does not: strategies, and whatever walks a world.
"""
