"""Which slices to annotate: for training, for validation, and for the test that nobody trains on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigrock.errors import ParameterError, VoxelSizeError
from bigrock.volumes import Voxel

if TYPE_CHECKING:
    import pyarrow

__all__ = ["SliceChoice", "select_slices"]

_VALIDATION = 2


@dataclass(frozen=True, slots=True)
class SliceChoice:
    """Slices for training, validation and test, all different; made by `select_slices`, or by hand.

    Parameters
    ----------
    depth : int
        Slices in the stack.
    train, validation, test : tuple of int
        Numbers of slices, from 0 on.
    interval_m : float
        Metres between training slices at equal intervals: thickness of the stack / (n + 1).
    slice_m : float
        Metres from slice to slice.

    Raises
    ------
    ParameterError
        If a slice is named twice, or is not in the stack, or none is for training.

    Examples
    --------
    >>> SliceChoice(100, (25, 75), (50,), (10,), 3.3e-7, 1e-8).apart
    {10: 15}
    """

    depth: int
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    interval_m: float
    slice_m: float

    def __post_init__(self) -> None:
        roles: dict[int, str] = {}
        for role in ("train", "validation", "test"):
            slices = tuple(int(z) for z in getattr(self, role))
            object.__setattr__(self, role, slices)
            for z in slices:
                if not 0 <= z < self.depth:
                    raise ParameterError(
                        f"slice {z} for {role} is not in a stack of {self.depth} slices. Use 0 to {self.depth - 1}."
                    )
                if z in roles:
                    raise ParameterError(
                        f"slice {z} is given for {roles[z]} and for {role}: what is measured on it would be what was "
                        "learned. Give every slice one role."
                    )
                roles[z] = role
        if not self.train:
            raise ParameterError("no slice is given for training. Give one or more.")

    @property
    def slices(self) -> tuple[int, ...]:
        """All chosen slices, ascending."""
        return tuple(sorted((*self.train, *self.validation, *self.test)))

    @property
    def roles(self) -> dict[int, str]:
        """Slice → "train", "validation" or "test"."""
        named = {z: role for role in ("train", "validation", "test") for z in getattr(self, role)}
        return {z: named[z] for z in self.slices}

    @property
    def apart(self) -> dict[int, int]:
        """How many slices each test slice is from the nearest training slice."""
        return {z: min(abs(z - t) for t in self.train) for z in self.test}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON, with the distances in slices and metres."""
        return {
            "depth": self.depth,
            "train": list(self.train),
            "validation": list(self.validation),
            "test": list(self.test),
            "interval_m": self.interval_m,
            "slice_m": self.slice_m,
            "test_from_training": {
                str(z): {"slices": n, "metres": n * self.slice_m} for z, n in self.apart.items()
            },
        }

    def __str__(self) -> str:
        nearest = min(self.apart.values(), default=None)
        told = "" if nearest is None else f" (at least {nearest} slice{'s' * (nearest != 1)} from training)"
        return (
            f"train {_listed(self.train)}; validation {_listed(self.validation)}; test {_listed(self.test)}{told}; "
            f"interval {self.interval_m * 1e6:.3f} µm"
        )


def select_slices(
    depth: int,
    n: int,
    *,
    voxel_size: Voxel | None,
    test: int = 5,
    apart: int | None = None,
    texture: pyarrow.Table | None = None,
) -> SliceChoice:
    """Return n training slices at equal intervals, two for validation and some for the test, all different.

    Training slices are those that hold the depths k/(n + 1) of the thickness; validation 1/3 and 2/3; test the
    numbers 1/2, 1/4, 3/4, 1/8, 5/8… of the Halton sequence with base 2 (van der Corput). Where such a slice is
    nearer than `apart` to one chosen before (test slices: only to training and validation), the next deeper slice
    that is far enough is taken, going on from the top after the last one; where there is none, `apart` is
    halved for that slice, down to 1. Always the same for the same numbers.

    Parameters
    ----------
    depth : int
        Slices in the stack.
    n : int
        Training slices.
    voxel_size : tuple of float
        Metres z, y, x.
    test : int
        Test slices; 0 for none.
    apart : int, optional
        Least distance, in slices, of validation and test slices from training slices, and of test from validation
        slices. By default a tenth of the interval, 1 to 10: neighbours show the same pores.
    texture : pyarrow.Table, optional
        Texture of every slice, from `slice_texture`: training slices are then those that stand for the stack's
        diversity (`diverse_slices`), and not at equal intervals.

    Returns
    -------
    SliceChoice

    Raises
    ------
    ParameterError
        If the stack is too short for so many slices, or a number is not allowed.
    VoxelSizeError
        If the voxel size is not known: there is no interval then.

    References
    ----------
    J. H. Halton, On the efficiency of certain quasi-random sequences of points in evaluating
    multi-dimensional integrals, Numerische Mathematik 2 (1960).

    Examples
    --------
    >>> print(select_slices(692, 2, voxel_size=(1e-8, 5e-9, 5e-9), test=1))
    train 230, 461; validation 240, 471; test 346 (at least 115 slices from training); interval 2.307 µm
    """
    wanted = n + _VALIDATION + test
    if n < 1 or test < 0 or (apart is not None and apart < 1):
        raise ParameterError(
            f"n={n}, test={test}, apart={apart} are not allowed: n and apart are 1 or more, test is 0 or more."
        )
    if depth < wanted:
        raise ParameterError(
            f"a stack of {depth} slices is too short for {n} training, {_VALIDATION} validation and {test} test "
            f"slices: test = train would overlap. Ask for at most {depth} in all."
        )
    if voxel_size is None:
        raise VoxelSizeError(
            "the stack has no voxel size, and the interval between slices needs one: taking it for 1 would be wrong "
            "by orders of magnitude. Import the scan again with its voxel size, such as voxel_size='10, 5, 5 nm' "
            "(--voxel-size)."
        )
    train = [k * depth // (n + 1) for k in range(1, n + 1)]
    if texture is not None:
        from bigrock.workflows.shale.slice_diversity import diverse_slices

        train = list(diverse_slices(texture, n))
    reach = min(10, max(1, depth // (n + 1) // 10)) if apart is None else apart
    validation: list[int] = []
    for k in range(1, _VALIDATION + 1):
        near = [*train, *validation]
        validation.append(_free(k * depth // (_VALIDATION + 1), near, near, depth, reach))
    tests: list[int] = []
    for k in range(1, test + 1):
        near = [*train, *validation]
        tests.append(_free(int(_corput(k) * depth), near, [*near, *tests], depth, reach))
    interval = depth * voxel_size[0] / (n + 1)
    return SliceChoice(depth, tuple(train), tuple(validation), tuple(tests), interval, voxel_size[0])


def _free(wanted: int, near: Sequence[int], taken: Iterable[int], depth: int, apart: int) -> int:
    """Return the slice at or after the one wanted that is free, and far enough from those chosen before."""
    used = set(taken)
    while True:
        for step in range(depth):
            z = (wanted + step) % depth
            if z not in used and all(abs(z - other) >= apart for other in near):
                return z
        apart //= 2


def _corput(k: int) -> float:
    """Return number k of the Halton sequence with base 2: its binary digits behind the point, reversed."""
    value, digit = 0.0, 0.5
    while k:
        value += digit * (k & 1)
        k, digit = k >> 1, digit / 2
    return value


def _listed(slices: tuple[int, ...]) -> str:
    return ", ".join(map(str, slices)) or "none"
