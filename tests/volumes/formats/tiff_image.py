"""An image that tests write as TIFF files."""

from __future__ import annotations

import numpy as np

from bigrock.geometry import Region

SHAPE = (5, 70, 50)
GREY = np.random.default_rng(5).integers(0, 4000, SHAPE).astype("u2")
BOX = Region((1, 13, 7), (4, 66, 41))
PLAIN = {"photometric": "minisblack"}
