"""Slices of a sweep: training slices of every number, and others that none of them has, to validate and test on."""

from __future__ import annotations

from collections.abc import Sequence

from bigrock.errors import ParameterError
from bigrock.workflows.shale.annotated import AnnotatedSlices
from bigrock.workflows.shale.parts import Parts
from bigrock.workflows.shale.selection import select_slices

__all__ = ["sweep_parts"]

_ANY = (1e-9, 1e-9, 1e-9)
"""The places of the slices are the same for any voxel size."""


def sweep_parts(labels: AnnotatedSlices, counts: Sequence[int], *, test: int = 5) -> dict[int, Parts]:
    """Return training slices for each number, and validation and test slices that are in none of them.

    Parameters
    ----------
    labels : AnnotatedSlices
        What is annotated.
    counts : sequence of int
        Numbers of training slices.
    test : int
        Test slices.

    Returns
    -------
    dict of int to Parts

    Raises
    ------
    ParameterError
        If the stack is too short, or a training slice is not annotated.
    """
    depth = len(labels.counts)
    if not counts or min(counts) < 1:
        raise ParameterError(
            f"counts {list(counts)} are not numbers of training slices. Give such as 2, 4, 6."
        )
    choices = {n: select_slices(depth, n, voxel_size=_ANY, test=test) for n in counts}
    trained = sorted({z for choice in choices.values() for z in choice.train})
    bare = sorted(set(trained) - set(labels.available))
    if bare:
        raise ParameterError(
            f"slices {bare} would be trained on, and nobody annotated them. Annotate them, or sweep other numbers."
        )
    largest = choices[max(counts)]
    free = [z for z in labels.available if z not in trained]
    if len(free) < len(largest.validation) + test:
        raise ParameterError(
            f"{len(free)} annotated slices are left of {depth} when {list(counts)} training slices are taken, and "
            f"{len(largest.validation) + test} are needed to validate and test. Sweep fewer numbers, or a taller stack."
        )
    distance = {z: min(abs(z - t) for t in trained) for z in free}
    taken: list[int] = []
    for place in (*largest.validation, *largest.test):
        # As near to its place as the free slices allow, but rather two slices off than beside a training slice.
        left = [z for z in free if z not in taken]
        taken.append(min(left, key=lambda z: (abs(z - place) - 2 * min(distance[z], 3), z)))
    split = len(largest.validation)
    fixed = tuple(sorted(taken[:split])), tuple(sorted(taken[split:]))
    return {n: Parts(choice.train, *fixed) for n, choice in choices.items()}
