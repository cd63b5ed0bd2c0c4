"""The kinds of array that Python and the extension share; the fields of a layout are annotated with them.

`Annotated[I32, 4]` has rows of four, `Annotated[I32, ...]` rows of a width that Python chooses.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
