"""What is wrong with a library as it is pinned: of its program, what is found in it. The reasons are in docs/live_libraries.md."""

KNOWN: dict[str, str] = {}
"""Program -> how the words begin of what every fuzz and check of it finds."""
