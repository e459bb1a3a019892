"""What surrounds a sample when fluid flows through it: the boundary conditions, and what percolates.

They change the permeability of a sample by more than most numerical methods do, so each is stated here.

- **sealed**: the sides along the flow are no-slip walls, as of a core in its sleeve; a layer of fluid one
  voxel thick lies before the inlet and one behind the outlet, and their pressures differ.
- **periodic**: the sample goes on at every border with its own opposite side, along and across the flow. Pores
  that do not meet there are closed, so that a sample that is not periodic conducts less, or not at all.
- **mirrored**: the sample is followed by its mirror image along the flow, without end, so that all pores
  meet; the sides along the flow are planes of symmetry, where fluid slips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.flow.graph import PoreGraph, pore_graph

__all__ = ["Boundary", "Domain", "checked_boundary", "percolating", "stokes_domain"]

Boundary = Literal["sealed", "periodic", "mirrored"]
Mask = npt.NDArray[np.bool_]
_SLAB = 2
_REACH = 32


@dataclass(frozen=True, slots=True)
class Domain:
    """The pore voxels that conduct, with flow along the first axis, which is periodic.

    Attributes
    ----------
    mask : ndarray of bool
        Pores that percolate, and what was added along the flow.
    boundary : Boundary
        At the sides.
    slab : int
        Planes of fluid behind the sample.
    """

    mask: Mask
    boundary: Boundary
    slab: int = 0

    @property
    def wraps(self) -> tuple[bool, bool, bool]:
        """Which axes go on at the other end."""
        return (True, self.boundary == "periodic", self.boundary == "periodic")

    def graph(self) -> PoreGraph:
        """Return the pore voxels and their neighbours."""
        return pore_graph(self.mask, self.wraps, self.boundary == "mirrored")

    def distances(self) -> npt.NDArray[np.float32]:
        """Return the distance of each pore voxel to the next wall, in voxels; far from it, a lower bound."""
        import edt

        pads = [(min(n, _REACH),) * 2 for n in self.mask.shape]
        mask, sides = self.mask, pads[1:]
        if self.boundary == "sealed":
            mask, sides = np.pad(mask, [(0, 0), (1, 1), (1, 1)]), [(1, 1), (1, 1)]
        mask = np.pad(mask, [pads[0], (0, 0), (0, 0)], mode="wrap")
        if self.boundary != "sealed":
            mode: Literal["wrap", "symmetric"] = "wrap" if self.boundary == "periodic" else "symmetric"
            mask = np.pad(mask, [(0, 0), *sides], mode=mode)
        found = edt.edt(mask.view(np.uint8))
        inner = tuple(slice(a, n - b) for n, (a, b) in zip(mask.shape, [pads[0], *sides], strict=True))
        return np.asarray(found[inner][self.mask], np.float32)


def checked_boundary(boundary: str) -> Boundary:
    """Return the boundary condition.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    for known in get_args(Boundary):
        if boundary == known:
            return known
    raise ParameterError(f"boundary={boundary!r} is not known. Use one of: {', '.join(get_args(Boundary))}.")


def percolating(mask: Mask, boundary: Boundary) -> Mask:
    """Return the pores that join inlet and outlet along the first axis, by faces.

    With periodic borders: those that go around the sample and come back to where they began.
    """
    if boundary == "periodic":
        return _winding(mask)
    from bigrock.kernels import label

    labels, count = label(mask, connectivity=6)
    keep = np.zeros(count + 1, bool)
    keep[np.intersect1d(labels[0], labels[-1])] = True
    keep[0] = False
    return np.asarray(keep[labels])


def _winding(mask: Mask) -> Mask:
    from bigrock.flow.graph_loops import wind

    graph = pore_graph(mask, (True, True, True))
    planes = np.repeat(np.arange(len(mask), dtype=np.int32), np.diff(graph.planes))
    keep = np.zeros(len(graph), bool)
    wind(graph.neighbours, planes, len(mask), keep)
    found = np.zeros_like(mask)
    found[mask] = keep
    return found


def stokes_domain(mask: Mask, boundary: Boundary) -> Domain | None:
    """Return where fluid flows along the first axis; None if nothing percolates.

    Raises
    ------
    ParameterError
        If there is no wall at all, so that nothing resists.
    """
    if boundary != "sealed" and mask.all():
        raise ParameterError(
            f"the mask of shape {mask.shape} has no solid, and with {boundary} borders no wall: its "
            "permeability is infinite. Check which value is pore, or use boundary='sealed'."
        )
    conducting = percolating(mask, boundary)
    if not conducting.any():
        return None
    if boundary == "sealed":
        slab = np.ones((_SLAB, *mask.shape[1:]), bool)
        return Domain(np.concatenate([conducting, slab]), boundary, _SLAB)
    if boundary == "mirrored":
        return Domain(np.concatenate([conducting, conducting[::-1]]), boundary)
    return Domain(conducting, boundary)
