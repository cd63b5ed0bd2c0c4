"""Races that were reported in public, in the libraries as they were released: `make test-public-races`.

What belongs here: one module for each race, an ordinary program that uses a library, written with the public names of
`sim` alone; it knows neither where the race is nor what must happen to meet it. `table` says in which version the race
is, and in which it is mended; `places` installs each version in a folder of its own, `measure` runs a program there.
What does not: races of our own writing (`bench/races/`); nothing here is a dependency of anything.
"""
