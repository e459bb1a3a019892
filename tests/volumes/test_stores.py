"""Places: folders, URLs and stores; which of them other processes can see; the codec pipeline."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import zarr
from zarr.storage import LocalStore, MemoryStore, WrapperStore

from bigrock.errors import MissingDependencyError, ParameterError
from bigrock.volumes.stores import codec_pipeline, is_in_memory, is_local, location, open_store


def test_every_way_to_write_a_folder_means_the_same_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    place = str(tmp_path / "core.zarr")
    ways = [place, Path(place), "core.zarr", f"file://{place}", "~/core.zarr", f"{place}/"]
    assert {location(way) for way in ways} == {place}
    assert is_local(place)


def test_urls_stay_urls():
    assert location("s3://bucket/core.zarr/") == "s3://bucket/core.zarr"
    assert not is_local(location("memory://core.zarr"))


def test_a_store_is_taken_as_it_is(tmp_path):
    store = LocalStore(tmp_path)
    assert open_store(store) is store


def test_opening_a_store_makes_nothing(tmp_path):
    open_store(tmp_path / "core.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_scheme_that_needs_a_package_names_what_to_install():
    with pytest.raises(MissingDependencyError, match=r"pip install 'bigrock\[cloud\]'"):
        open_store("dropbox://core.zarr")


def test_a_scheme_that_nobody_knows_is_refused():
    with pytest.raises(ParameterError, match=r"teleport://core.zarr cannot be opened"):
        open_store("teleport://core.zarr")


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (lambda folder: MemoryStore(), True),
        (lambda folder: open_store("memory://x"), True),
        (lambda folder: WrapperStore(MemoryStore()), True),
        (lambda folder: LocalStore(folder), False),
        (lambda folder: WrapperStore(LocalStore(folder)), False),
    ],
)
def test_stores_that_other_processes_cannot_see_are_known(store, expected, tmp_path):
    assert is_in_memory(store(tmp_path)) is expected


def test_the_codec_pipeline_is_put_back_however_threads_interleave(tmp_path):
    before = zarr.config.get("codec_pipeline.path"), zarr.config.get("threading.max_workers", None)
    barrier = threading.Barrier(4)

    def work(store):
        barrier.wait()
        for _ in range(200):
            with codec_pipeline(store, writing=True):
                own = "Zarrs" in zarr.config.get("codec_pipeline.path")
                assert own is isinstance(store, LocalStore)

    stores = [LocalStore(tmp_path), MemoryStore()] * 2
    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (zarr.config.get("codec_pipeline.path"), zarr.config.get("threading.max_workers", None)) == before
