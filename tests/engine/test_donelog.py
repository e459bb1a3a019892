"""The log of finished blocks, which a resumed run begins with."""

from __future__ import annotations

import numpy as np
from zarr.storage import LocalStore

from bigrock.engine.donelog import DoneLog


def test_the_done_log_remembers_blocks_and_forgets_none(tmp_path):
    log = DoneLog(LocalStore(tmp_path))
    assert log.fingerprint() is None
    log.begin({"kernel": {"name": "x"}})
    log.add([3, 5])
    log.add([])
    log.add([9])
    again = DoneLog(LocalStore(tmp_path))
    assert again.fingerprint() == {"kernel": {"name": "x"}}
    assert np.flatnonzero(again.done(10)).tolist() == [3, 5, 9]
    again.add([0])
    assert np.flatnonzero(DoneLog(LocalStore(tmp_path)).done(10)).tolist() == [0, 3, 5, 9]
    again.finish()
    assert not DoneLog(LocalStore(tmp_path)).done(10).any()
