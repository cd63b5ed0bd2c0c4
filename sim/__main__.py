"""`python -m sim` is the console script."""

from sim.cli import main

main()
