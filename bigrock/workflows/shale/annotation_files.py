"""Labelled slices as pictures that painters open and save: indexed colours, a legend, and back to labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, PhaseError, SliceStackError

__all__ = [
    "IGNORE",
    "class_table",
    "colours_of",
    "digest_of",
    "legend_text",
    "pore_names",
    "pore_values",
    "read_labels",
    "write_labels",
]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

IGNORE = 255
"""The label of pixels that nobody annotated."""

SUFFIXES = (".tif", ".tiff", ".png")
_TABLES = {
    2: ("matrix", "pore"),
    3: ("matrix", "organic pore", "inorganic pore"),
    4: ("matrix", "organic matter", "organic pore", "inorganic pore"),
}
_COLOURS: dict[str, Colour] = {
    "matrix": (178, 178, 178),
    "organic matter": (110, 72, 32),
    "organic pore": (214, 39, 40),
    "inorganic pore": (31, 119, 180),
    "pore": (31, 119, 180),
}
_FURTHER: tuple[Colour, ...] = (
    (255, 187, 0),
    (44, 160, 44),
    (148, 103, 189),
    (23, 190, 207),
    (227, 119, 194),
)
_IGNORED: Colour = (0, 0, 0)
_NO_CLASS: Colour = (255, 0, 255)


def class_table(classes: int | Mapping[str, int]) -> dict[str, int]:
    """Return a class table: of 2, 3 or 4 classes as in the paper, or as given.

    Parameters
    ----------
    classes : int or mapping of str to int
        How many, or name → value, with the values 0, 1, 2…

    Raises
    ------
    PhaseError
        If there is no such table, values are not consecutive, or no class is a pore.

    Examples
    --------
    >>> class_table(3)
    {'matrix': 0, 'organic pore': 1, 'inorganic pore': 2}
    """
    if isinstance(classes, int):
        if classes not in _TABLES:
            raise PhaseError(
                f"classes={classes} has no class table. Use 2 (matrix, pore), 3 (matrix, organic and inorganic pore), "
                "4 (organic matter as well), or give a table of names and values."
            )
        return {name: value for value, name in enumerate(_TABLES[classes])}
    table = {str(name): int(value) for name, value in classes.items()}
    if sorted(table.values()) != list(range(len(table))) or not 2 <= len(table) < IGNORE:
        raise PhaseError(
            f"class table {table} does not have the values 0, 1, 2… once each, for two classes or more: a network has "
            "one output for each. Number the classes from 0 on."
        )
    if not pore_values(table):
        raise PhaseError(
            f"class table {table} names no pore class. Use names such as 'organic pore' or 'pore'."
        )
    return table


def pore_names(table: Mapping[str, int]) -> list[str]:
    """Return the classes that are pores: those whose name ends in the word pore or pores.

    Examples
    --------
    >>> pore_names({"matrix": 0, "Organic Pore": 1, "pore-filling cement": 2})
    ['Organic Pore']
    """
    return [name for name in table if name.lower().split()[-1:] in (["pore"], ["pores"])]


def pore_values(table: Mapping[str, int]) -> list[int]:
    """Return the values of the classes that are pores.

    Examples
    --------
    >>> pore_values({"matrix": 0, "organic pore": 1})
    [1]
    """
    return [table[name] for name in pore_names(table)]


def colours_of(table: Mapping[str, int]) -> dict[int, Colour]:
    """Return the colour, red, green and blue, of every value of a class table and of pixels not annotated.

    Examples
    --------
    >>> colours_of({"matrix": 0, "pore": 1})
    {0: (178, 178, 178), 1: (31, 119, 180), 255: (0, 0, 0)}
    """
    colours = {value: _COLOURS[name] for name, value in table.items() if name in _COLOURS}
    others = [value for value in table.values() if value not in colours]
    free = [colour for colour in (*_FURTHER, *_spread(len(others))) if colour not in colours.values()]
    colours |= dict(zip(others, free, strict=False))
    return {value: colours[value] for value in sorted(table.values())} | {IGNORE: _IGNORED}


def _spread(count: int) -> list[Colour]:
    return [(64 + k % 6 * 32, 250 - k // 36 % 6 * 20, 16 + k // 6 % 6 * 40) for k in range(count)]


def legend_text(table: Mapping[str, int]) -> str:
    """Return the legend for people: value, class, colour.

    Examples
    --------
    >>> print(legend_text({"matrix": 0, "pore": 1}).splitlines()[1])
        0  #b2b2b2  matrix
    """
    names = {value: name for name, value in table.items()} | {IGNORE: "not annotated: left out of training"}
    rows = [
        f"{value:>5}  #{r:02x}{g:02x}{b:02x}  {names[value]}"
        for value, (r, g, b) in colours_of(table).items()
    ]
    return "\n".join(["value  colour   class", *rows, ""])


def digest_of(array: Array) -> str:
    """Return the SHA-256 of pixels, their type and shape.

    Examples
    --------
    >>> digest_of(np.zeros((2, 2), np.uint8))[:8]
    'ef1c39a2'
    """
    text = f"{array.dtype.newbyteorder('=')} {array.shape} ".encode()
    return hashlib.sha256(text + np.ascontiguousarray(array).tobytes()).hexdigest()


def write_labels(path: Path, labels: Labels, table: Mapping[str, int]) -> None:
    """Write a slice of labels as a picture in indexed colours, TIFF or PNG by the suffix.

    Parameters
    ----------
    path : Path
        The new file.
    labels : ndarray of uint8, 2-D
        Values of the table, or 255.
    table : mapping of str to int
        Class table.
    """
    palette = np.full((256, 3), _NO_CLASS, np.uint8)
    for value, colour in colours_of(table).items():
        palette[value] = colour
    if path.suffix == ".png":
        from PIL import Image

        picture = Image.fromarray(labels)
        picture.putpalette(palette.ravel().tolist())
        picture.save(path)
        return
    import tifffile

    # 257 takes 255 to 65535, the white of a TIFF's colour map.
    colormap = palette.T.astype(np.uint16) * np.uint16(257)
    tifffile.imwrite(path, labels, photometric="palette", colormap=colormap, compression="zlib")


def read_labels(path: Path, table: Mapping[str, int], shape: tuple[int, int]) -> Labels:
    """Return the labels that a painter saved, whatever the type of its pixels.

    Numbers are values of the table; pictures in true colours are taken by the colours of the legend.

    Parameters
    ----------
    path : Path
        TIFF or PNG.
    table : mapping of str to int
        Class table.
    shape : tuple of int
        Rows and columns that the slice must have.

    Returns
    -------
    ndarray of uint8
        Values of the table, or 255.

    Raises
    ------
    SliceStackError
        If the file is no picture, or has another shape.
    PhaseError
        If it holds values or colours that are not in the table.
    ParameterError
        If nothing is annotated.
    """
    pixels = _pixels(path, table)
    if pixels.ndim == 3 and pixels.shape[-1] in (3, 4) and pixels.shape[:2] == shape:
        labels = _by_colour(pixels[..., :3], table, path)
    elif pixels.squeeze().shape == shape or pixels.shape == shape:
        labels = pixels.reshape(shape)
    else:
        raise SliceStackError(
            f"{path.name} has shape {pixels.shape} and its slice {shape}: the labels would lie on other pixels. "
            "Save the picture in its own size, without scaling, cropping or turning it."
        )
    values, counts = np.unique(labels, return_counts=True)
    allowed = {*table.values(), IGNORE}
    wrong = [(v.item(), int(n)) for v, n in zip(values, counts, strict=True) if v.item() not in allowed]
    if wrong:
        told = ", ".join(f"{value} ({count} pixels)" for value, count in wrong[:5])
        raise PhaseError(
            f"{path.name} holds values that are not in the class table {dict(table)}: {told}. Paint with the values of "
            f"legend.txt, or {IGNORE} for what is not annotated."
        )
    if values.tolist() == [IGNORE]:
        raise ParameterError(
            f"{path.name} holds nothing but {IGNORE}: no pixel is annotated, so nothing could be learned. "
            "Paint some of it, or export other slices."
        )
    return labels.astype(np.uint8)


def _pixels(path: Path, table: Mapping[str, int]) -> Array:
    """Return what is stored: numbers, or true colours."""
    try:
        if path.suffix != ".png":
            import tifffile

            return np.asarray(tifffile.imread(path))
        from PIL import Image

        with Image.open(path) as picture:
            if picture.mode == "P":
                return _of_palette(picture, table)
            return np.asarray(
                picture.convert({"1": "L", "LA": "RGB", "PA": "RGB"}.get(picture.mode, picture.mode))
            )
    except Exception as error:
        raise SliceStackError(
            f"{path.name} cannot be read as a picture ({error}). Save it again as TIFF or PNG."
        ) from error


def _of_palette(picture: Any, table: Mapping[str, int]) -> Array:
    """Return true colours where all are of the legend, for painters sort palettes anew; else the numbers."""
    colours = np.asarray(picture.convert("RGB"))
    known = {*colours_of(table).values()}
    found = {tuple(c) for c in np.unique(colours.reshape(-1, 3), axis=0).tolist()}
    return colours if found <= known else np.asarray(picture)


def _by_colour(pixels: Array, table: Mapping[str, int], path: Path) -> Labels:
    labels = np.zeros(pixels.shape[:2], np.uint8)
    known = np.zeros(pixels.shape[:2], bool)
    for value, colour in colours_of(table).items():
        here = (pixels == np.array(colour)).all(axis=-1)
        labels[here] = value
        known |= here
    if not known.all():
        r, g, b = pixels[~known][0].tolist()
        raise PhaseError(
            f"{path.name} holds {int((~known).sum())} pixels of colours that are not in the legend, such as "
            f"({r}, {g}, {b}): which class they are would be a guess. Paint without smooth edges, in the colours of "
            "legend.txt, or save the values."
        )
    return labels
