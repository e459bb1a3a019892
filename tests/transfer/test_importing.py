"""Import: a pass like any other, so it crops, converts, streams, resumes and reaches every store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import bigrock
from bigrock.engine import run
from bigrock.errors import (
    ParameterError,
    ResumeError,
    TruncatedFileError,
    UnitError,
    UnsupportedFormatError,
    VolumeExistsError,
)
from bigrock.geometry import Region
from bigrock.transfer import import_volume
from bigrock.transfer.importing import parse_crop
from bigrock.volumes import ArraySource, open_volume

SHAPE = (40, 50, 60)
VOXELS = np.random.default_rng(2).integers(0, 4, SHAPE).astype(np.uint8)
PASSES = Path(__file__).parent.parent / "engine" / "passes.py"


@pytest.fixture
def raw(tmp_path):
    VOXELS.tofile(tmp_path / "scan.raw")
    return {"source": tmp_path / "scan.raw", "shape": SHAPE, "dtype": "uint8"}


def test_a_raw_file_becomes_a_volume_with_units_pyramid_and_history(raw, tmp_path):
    volume = import_volume(**raw, dest=tmp_path / "v.zarr", voxel_size="2.25 um")
    np.testing.assert_array_equal(volume[:], VOXELS)
    assert (volume.voxel_size, volume.kind, volume.complete) == ((2.25e-6,) * 3, "grey", True)
    [step] = volume.history
    assert (step["step"], step["source"], step["bigrock"]) == (
        "import",
        str(raw["source"]),
        bigrock.__version__,
    )
    assert step["stated_voxel_size"] is None


def test_an_array_in_memory_becomes_a_volume():
    image = np.random.default_rng(0).random((4, 5, 6)) < 0.5
    found = import_volume(image, "memory://array.zarr", voxel_size="2 um", progress=False)
    assert (found.kind, found.voxel_size) == ("mask", (2e-6, 2e-6, 2e-6))
    np.testing.assert_array_equal(found[:], image)


@pytest.mark.parametrize("block", [None, (16, 16, 16), (25, 50, 30)], ids=str)
@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_the_voxels_do_not_depend_on_blocks_and_executor(raw, tmp_path, block, executor):
    volume = import_volume(**raw, dest=tmp_path / "v.zarr", block=block, executor=executor)
    np.testing.assert_array_equal(volume[:], VOXELS)


def test_the_value_of_the_pore_makes_a_label_volume_or_with_bool_a_mask(raw, tmp_path):
    labels = import_volume(**raw, dest=tmp_path / "labels.zarr", pore=0, classes={"quartz": 2})
    assert (labels.kind, labels.classes) == ("labels", {"pore": 0, "quartz": 2})
    mask = import_volume(**raw, dest=tmp_path / "mask.zarr", pore=0, convert="bool")
    assert (mask.kind, mask.dtype, mask.classes) == ("mask", bool, {})
    np.testing.assert_array_equal(mask[:], VOXELS == 0)
    named = import_volume(
        **raw, dest=tmp_path / "named.zarr", pore="void", classes={"void": 3}, convert="bool"
    )
    np.testing.assert_array_equal(named[:], VOXELS == 3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"pore": "void"}, "is not in the class table"),
        ({"pore": 1, "classes": {"pore": 0}}, "contradicts the class table"),
        ({"convert": "bool"}, "needs the value of the pore class"),
        ({"scale": (0, 3)}, "needs a data type to scale to"),
        ({"crop": "0:10, 0:10"}, "Give three"),
        ({"crop": "0:10:2, :, :"}, "is not three ranges"),
        ({"crop": "50:60, :, :"}, "is empty"),
    ],
)
def test_what_contradicts_itself_is_refused_and_nothing_is_made(raw, tmp_path, options, match):
    with pytest.raises(ParameterError, match=match):
        import_volume(**raw, dest=tmp_path / "v.zarr", **options)
    assert not (tmp_path / "v.zarr").exists()


@pytest.mark.parametrize(
    "crop", ["3:20, :, 10:", (slice(3, 20), slice(None), slice(10, None)), Region((3, 0, 10), (20, 50, 60))]
)
def test_crops_are_ranges_in_the_order_z_y_x(raw, tmp_path, crop):
    volume = import_volume(**raw, dest=tmp_path / "v.zarr", crop=crop)
    np.testing.assert_array_equal(volume[:], VOXELS[3:20, :, 10:])


def test_crops_end_where_the_scan_ends():
    assert parse_crop("5:, :, 0:999", (10, 20, 30)) == Region((5, 0, 0), (10, 20, 30))
    assert parse_crop(Region((5, 0, 0), (99, 99, 99)), (10, 20, 30)) == Region((5, 0, 0), (10, 20, 30))


def test_scaling_is_stated_and_stored(raw, tmp_path):
    volume = import_volume(**raw, dest=tmp_path / "v.zarr", convert="uint16", scale=(0, 3))
    np.testing.assert_array_equal(volume[:], VOXELS.astype(np.uint16) * 21845)
    assert volume.dtype == np.uint16


def test_files_that_cannot_be_read_leave_nothing_behind(raw, tmp_path):
    (tmp_path / "short.raw").write_bytes(VOXELS.tobytes()[:-1])
    (tmp_path / "scan.xyz").write_text("x")
    for source, error in (("short.raw", TruncatedFileError), ("scan.xyz", UnsupportedFormatError)):
        options = {"shape": SHAPE, "dtype": "uint8"} if source.endswith("raw") else {}
        with pytest.raises(error):
            import_volume(tmp_path / source, tmp_path / "v.zarr", **options)
    with pytest.raises(UnitError):
        import_volume(**raw, dest=tmp_path / "v.zarr", voxel_size=2.25)
    assert not (tmp_path / "v.zarr").exists()


def test_the_scan_is_never_overwritten(raw, tmp_path):
    with pytest.raises(ParameterError, match="would replace its own input"):
        import_volume(**raw, dest=tmp_path, overwrite=True)
    assert raw["source"].read_bytes() == VOXELS.tobytes()


def test_an_import_with_other_settings_or_another_file_is_refused_with_the_field(raw, tmp_path):
    import_volume(**raw, dest=tmp_path / "v.zarr")
    import_volume(**raw, dest=tmp_path / "v.zarr")
    with pytest.raises(VolumeExistsError, match="voxel_size: None then"):
        import_volume(**raw, dest=tmp_path / "v.zarr", voxel_size="1 um")
    (VOXELS + 1).tofile(raw["source"])
    with pytest.raises(VolumeExistsError, match=r"input\.\w+"):
        import_volume(**raw, dest=tmp_path / "v.zarr")


def test_an_import_that_is_killed_goes_on_and_reads_no_finished_block_again(tmp_path):
    np.save(tmp_path / "scan.npy", VOXELS)
    log, dest = tmp_path / "log", tmp_path / "v.zarr"
    options = {"source": str(tmp_path / "scan.npy"), "dest": str(dest), "log": str(log)}
    process = subprocess.Popen(
        [sys.executable, str(PASSES), "slow_import", json.dumps(options | {"seconds": 0.03})]
    )
    done = dest / "bigrock-run" / "done"
    while len(list(done.glob("*[0-9]"))) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {int(i) for entry in done.glob("*[0-9]") for i in np.frombuffer(entry.read_bytes(), "<u8")}
    log.unlink()
    from passes import slow_import

    slow_import(**options, seconds=0.0)
    again = log.read_text().split()
    assert len(again) == len(set(again)) == 3 * 4 * 4 - len(finished)
    volume = open_volume(dest)
    np.testing.assert_array_equal(volume[:], VOXELS)
    with pytest.raises((ResumeError, VolumeExistsError), match=r"crop|input|shape"):
        import_volume(tmp_path / "scan.npy", dest, crop="0:20, :, :")


class Double(bigrock.Kernel):
    def __call__(self, array, block):
        return array[block.trim] * 2


def main_job(place):
    """Import, run and open at a place, which may be a URL."""
    scan = import_volume(ArraySource(VOXELS, (1e-6,) * 3), f"{place}/scan.zarr", block=(32,) * 3)
    run(Double(), scan, f"{place}/out.zarr", block=(16,) * 3, shard=(16,) * 3)
    out = open_volume(f"{place}/out.zarr")
    np.testing.assert_array_equal(out[:], VOXELS * 2)
    assert out.voxel_size == (1e-6,) * 3
    with pytest.raises(VolumeExistsError):
        run(Double(), out, f"{place}/scan.zarr")
    again = run(Double(), scan, f"{place}/out.zarr", overwrite=True)
    np.testing.assert_array_equal(again[:], VOXELS * 2)


def test_the_main_job_runs_in_memory():
    main_job("memory://importing")


def test_the_main_job_runs_on_an_object_store(monkeypatch):
    pytest.importorskip("obstore")
    boto3 = pytest.importorskip("boto3")
    server_of = pytest.importorskip("moto.server").ThreadedMotoServer
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        settings = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=settings["AWS_ENDPOINT_URL"])
        client.create_bucket(Bucket="scans")
        main_job("s3://scans/site")
        assert client.list_objects_v2(Bucket="scans")["KeyCount"] > 10
        client.close()
    finally:
        server.stop()


def test_a_real_scan_is_imported(shared_data, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    scan = shared_data / "qim3d_cement_128" / "cement_128x128x128.tif"
    volume = import_volume(scan, tmp_path / "cement.zarr")
    np.testing.assert_array_equal(volume[:], tifffile.imread(scan))
