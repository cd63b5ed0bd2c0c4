"""A plugin for pytest: all walks by an extension that looks at every index and shift, and at memory; see `make sanitize`."""

from __future__ import annotations

from tests.native import variants

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DROUNDSIM_CHECKED")
variants.take(variants.builder().compile_into(variants.ROOT / ".sanitize", *SANITIZED))
