"""What runs on a simulated kernel runs turn for turn, handle for handle, as over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.net.programs import PROGRAMS
from tests.live.net.two_loops import first_difference, really, simulated


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_turn_is_the_one_of_a_real_loop(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    assert first_difference(really(program, tmp_path), simulated(program, tmp_path)) == ""
