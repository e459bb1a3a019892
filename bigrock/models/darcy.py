"""Darcy's law on a lattice of cells, as the last layer of a network: conductivities in, permeability out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["effective_log_k"]

_LIMIT = 16.0
"""Natural logarithms of conductivities are cut here: contrasts beyond e³² would be noise in double precision."""

_EVERY = 10
"""Steps between two looks at whether to stop, each of which waits for a GPU."""


def effective_log_k(log_k: Tensor, *, tolerance: float = 1e-4, steps: int = 500) -> Tensor:
    """Return the logarithm of the permeability along z of cells that conduct along z, y and x.

    Cells are cubes; between two of them flow meets the halves of both, one after the other. Pressure is
    1 on the first face and 0 on the last, sides are sealed. The pressures are found by conjugate gradients
    in double precision, and the permeability is the energy that they dissipate: the least of all pressures,
    so it is never too low, and is off by the square of what the pressures are off (Dirichlet's principle).
    Its gradient needs no second solve: it is the energy of each cell, and is off as the pressures are.

    Parameters
    ----------
    log_k : Tensor (N, 3, z, y, x)
        Natural logarithm of the conductivity of each cell along z, y and x; cut at ±16, beyond which no
        gradient passes.
    tolerance : float
        Where to stop: squared residuals, each over the conductance of its cell, over the flux through the
        first face. In cells that differ from their neighbours 1e-4 leaves the logarithm less than 0.01 too
        high, and gradients off by less than 15 % of their length; smooth fields of large contrasts take
        1e-6 and more steps for that (``tests/models/test_darcy.py``).
    steps : int
        Conjugate gradients end here at the latest, with what they have found by then.

    Returns
    -------
    Tensor (N,) float64

    Examples
    --------
    Layers across the flow, one after the other, have the harmonic mean:

    >>> layers = torch.tensor([1.0, 4.0]).log().reshape(1, 1, 2, 1, 1).expand(1, 3, 2, 4, 4)
    >>> round(float(effective_log_k(layers).exp()), 3)
    1.6
    """
    cut = log_k.double().clamp(-_LIMIT, _LIMIT)
    links = [_between(cut[:, axis], axis + 1) for axis in range(3)]
    first, last = 2 * cut[:, 0, :1].exp(), 2 * cut[:, 0, -1:].exp()
    with torch.no_grad():
        pressure = _pressure(links, first, last, tolerance, steps)
    # Energy of all links, those to the two faces included.
    energy = (first * (1 - pressure[:, :1]).square() + last * pressure[:, -1:].square()).sum((1, 2, 3))
    for axis, link in enumerate(links, 1):
        energy = energy + (link * pressure.diff(dim=axis).square()).sum((1, 2, 3))
    z, y, x = log_k.shape[2:]
    return (energy * z / (y * x)).log()


def _between(log_k: Tensor, dim: int) -> Tensor:
    """Return the conductance between the middles of neighbours: two halves, one after the other."""
    n = log_k.shape[dim] - 1
    return (math.log(2) - torch.logaddexp(-log_k.narrow(dim, 0, n), -log_k.narrow(dim, 1, n))).exp()


def _pressure(links: list[Tensor], first: Tensor, last: Tensor, tolerance: float, steps: int) -> Tensor:
    """Return the pressure (N, z, y, x) of conjugate gradients, preconditioned by the diagonal."""

    def leaving(pressure: Tensor) -> Tensor:
        """Return what flows out of each cell to the others and to the faces, were they at 0."""
        total = torch.zeros_like(pressure)
        total[:, :1] += first * pressure[:, :1]
        total[:, -1:] += last * pressure[:, -1:]
        for dim, link in enumerate(links, 1):
            n = link.shape[dim]
            flow = link * pressure.diff(dim=dim)
            total.narrow(dim, 0, n).sub_(flow)
            total.narrow(dim, 1, n).add_(flow)
        return total

    diagonal = _diagonal(links, first, last)
    many, z = diagonal.shape[:2]
    slope = 1 - (torch.arange(z, dtype=diagonal.dtype, device=diagonal.device) + 0.5) / z
    pressure = slope[:, None, None].expand_as(diagonal).clone()
    if pressure.is_meta:  # shapes alone are asked for
        return pressure
    residual = -leaving(pressure)
    residual[:, :1] += first
    direction = residual / diagonal
    left = (residual * direction).flatten(1).sum(1)
    moving = torch.ones_like(left, dtype=torch.bool)
    for step in range(1, steps + 1):
        image = leaving(direction)
        # Each image stops by itself, so that it has the same pressure whatever is in the batch with it.
        length = moving * left / (direction * image).flatten(1).sum(1).clamp_min(1e-300)
        pressure += length.reshape(many, 1, 1, 1) * direction
        residual -= length.reshape(many, 1, 1, 1) * image
        scaled = residual / diagonal
        now = (residual * scaled).flatten(1).sum(1)
        if step % _EVERY == 0:
            flux = (first * (1 - pressure[:, :1])).flatten(1).sum(1)
            moving &= now > tolerance * flux.abs()
            if not moving.any():
                break
        direction = scaled + (now / left.clamp_min(1e-300)).reshape(many, 1, 1, 1) * direction
        left = now
    return pressure


def _diagonal(links: list[Tensor], first: Tensor, last: Tensor) -> Tensor:
    """Return the sum of the conductances of each cell."""
    many, z = links[0].shape[0], links[0].shape[1] + 1
    total = first.new_zeros(many, z, *first.shape[2:])
    total[:, :1] += first
    total[:, -1:] += last
    for dim, link in enumerate(links, 1):
        total.narrow(dim, 0, link.shape[dim]).add_(link)
        total.narrow(dim, 1, link.shape[dim]).add_(link)
    return total
