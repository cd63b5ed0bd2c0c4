"""Models that ship with roundsim; they use only the public names of `sim`.

What belongs here: processes, monitors and systems. What does not: anything an engine needs.

This is the package `roundsim.models`, and its modules import each other relatively. In a checkout, where it is on
the path as `models` too, that name gives the same modules (`sim/beside/roundsim/models.py`).
"""

if __name__ == "models":
    import importlib
    import pkgutil
    import sys
    from pathlib import Path

    __path__ = pkgutil.extend_path(__path__, __name__)  # whatever a folder `models` of the user's has besides
    sys.path.append(str(Path(__file__).resolve().parents[1] / "sim/beside"))  # of a checkout that is not installed
    importlib.import_module("roundsim.models")
