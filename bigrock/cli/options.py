"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bigrock.errors import ParameterError

__all__ = [
    "Axes",
    "Backend",
    "Block",
    "Channel",
    "Convert",
    "Crop",
    "Dataset",
    "Dtype",
    "ExecutorText",
    "Json",
    "KernelText",
    "NoResume",
    "Offset",
    "Order",
    "Overwrite",
    "Quiet",
    "Ram",
    "Scale",
    "ShapeText",
    "VolumePath",
    "VoxelSize",
    "axes_of",
    "numbers",
    "progress_of",
    "threshold_of",
    "whole_numbers",
]

_PASS = "How it runs"
_SCAN = "The scan"

VolumePath = Annotated[str, typer.Argument(metavar="VOLUME", help="A volume: a .zarr folder or URL.")]
KernelText = Annotated[
    str | None,
    typer.Option(
        "--kernel",
        "-k",
        metavar="TEXT",
        help="Such as 'standardize | local-otsu radius=31 min_contrast=0.3'.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]

Block = Annotated[
    str | None,
    typer.Option(
        metavar="Z,Y,X", rich_help_panel=_PASS, help="Core of a block in voxels (default: by memory)."
    ),
]
ExecutorText = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="WHERE",
        rich_help_panel=_PASS,
        help="serial, threads, a number of threads, or tcp://scheduler:8786 (default: threads).",
    ),
]
Ram = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", rich_help_panel=_PASS, help="Memory of a worker, such as '4 GiB' (default: 80 %)."
    ),
]
Backend = Annotated[
    str, typer.Option(metavar="NAME", rich_help_panel=_PASS, help="What computes: cpu, gpu, or auto.")
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", rich_help_panel=_PASS, help="Replace what is stored at the destination."),
]
NoResume = Annotated[
    bool,
    typer.Option("--no-resume", rich_help_panel=_PASS, help="Refuse to continue an interrupted run."),
]

VoxelSize = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        rich_help_panel=_SCAN,
        help="'2.25 um', or '10, 5, 5 nm' for z, y, x (default: what the file states).",
    ),
]
Crop = Annotated[
    str | None,
    typer.Option(
        metavar="RANGES", rich_help_panel=_SCAN, help="Part of the scan: '0:100, 50:250, :' (z, y, x)."
    ),
]
Convert = Annotated[
    str | None, typer.Option(metavar="DTYPE", rich_help_panel=_SCAN, help="Data type of the volume.")
]
Scale = Annotated[
    str | None,
    typer.Option(
        metavar="LOW,HIGH",
        rich_help_panel=_SCAN,
        help="Grey levels that become the ends of the range of --convert.",
    ),
]
ShapeText = Annotated[
    str | None, typer.Option("--shape", metavar="Z,Y,X", rich_help_panel=_SCAN, help="Of a raw file.")
]
Dtype = Annotated[
    str | None,
    typer.Option(metavar="DTYPE", rich_help_panel=_SCAN, help="Of a raw file, with byte order: '>u2'."),
]
Offset = Annotated[int, typer.Option(metavar="BYTES", rich_help_panel=_SCAN, help="Header of a raw file.")]
Order = Annotated[
    str,
    typer.Option(metavar="C|F", rich_help_panel=_SCAN, help="Whether x (C) or z (F) varies fastest in it."),
]
Dataset = Annotated[
    str | None,
    typer.Option(metavar="NAME", rich_help_panel=_SCAN, help="Which array of a file that holds several."),
]
Channel = Annotated[
    int | None, typer.Option(metavar="N", rich_help_panel=_SCAN, help="Which channel of a colour image.")
]
Axes = Annotated[
    str | None,
    typer.Option(
        metavar="ORDER", rich_help_panel=_SCAN, help="Stored axes of an HDF5 or MATLAB array: 'zyx'."
    ),
]


def axes_of(text: str) -> str:
    """Return the axes of ``--axes``, which may be separated by commas; the library checks them.

    Examples
    --------
    >>> axes_of("z,y,x"), axes_of("zy")
    ('zyx', 'zy')
    """
    return text.replace(",", "").replace(" ", "")


def whole_numbers(option: str, text: str | None) -> Any:
    """Return three whole numbers z, y, x of an option, or None where it is not given.

    Parameters
    ----------
    option : str
        Its name, for the error.
    text : str or None
        Such as ``"128,128,128"``; one number stands for all three.

    Raises
    ------
    ParameterError
        If it is neither one nor three positive whole numbers.

    Examples
    --------
    >>> whole_numbers("--block", "128")
    (128, 128, 128)
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (1, 3) or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ParameterError(
            f"{option} {text!r} is not three positive whole numbers z,y,x. Write it like {option} 128,128,128."
        )
    z, y, x = map(int, parts if len(parts) == 3 else parts * 3)
    return z, y, x


def numbers(option: str, text: str | None) -> Any:
    """Return the two numbers of an option, or None where it is not given.

    Parameters
    ----------
    option : str
        Its name, for the error.
    text : str or None
        Such as ``"0,4095"``.

    Raises
    ------
    ParameterError
        If it is not two numbers.

    Examples
    --------
    >>> numbers("--scale", "0,4095")
    (0.0, 4095.0)
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ParameterError(
            f"{option} {text!r} is not two numbers. Write it like {option} 0,4095."
        ) from error
    return low, high


def progress_of(quiet: bool) -> bool | None:
    """Return what the library takes: no bar, or a bar where there is a terminal.

    Examples
    --------
    >>> progress_of(True)
    False
    """
    return False if quiet else None


def threshold_of(text: str) -> float | str:
    """Return ``--threshold``: a number, or a word, which the library checks.

    Examples
    --------
    >>> threshold_of("0.4"), threshold_of("fraction")
    (0.4, 'fraction')
    """
    try:
        return float(text)
    except ValueError:
        return text
