"""Array in, array out: what is computed on the voxels of one block, on numpy or cupy arrays.

Lower-case names are pure functions ``(image, *, parameters) -> array`` for images in memory.
Capitalised names are the same as settings: `Kernel` objects for `bigrock.run`, or `Reduction`
objects for one shared read of a volume.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Not lazy: a function that has the name of its module, and whichever is imported last keeps the name.
from bigrock.kernels.low_resolution import low_resolution
from bigrock.kernels.standardize import Standardize, standardize

if TYPE_CHECKING:
    from bigrock.kernels.basins_network import PoreNetwork, PoreRegions
    from bigrock.kernels.box_counting import BoxCounting, BoxCounts, BoxTally, box_count
    from bigrock.kernels.box_sums import BoxGrid, BoxSums, box_grid
    from bigrock.kernels.chords import ChordCounts, ChordLengths, chord_lengths
    from bigrock.kernels.clean_up import FillHoles, RemoveSmall, fill_holes, remove_small_components
    from bigrock.kernels.component_shells import ShellCounts, ShellVoxels
    from bigrock.kernels.configurations import ConfigurationCounts, Configurations, configuration_counts
    from bigrock.kernels.denoise import Gaussian, Median, gaussian, median
    from bigrock.kernels.denoise_noise import NoiseLevel, noise_level
    from bigrock.kernels.denoise_patches import NonLocalMeans, non_local_means
    from bigrock.kernels.differential_box_counting import DifferentialBoxCounting, differential_box_count
    from bigrock.kernels.distances import Distance, distance
    from bigrock.kernels.distances_largest import LargestDistance
    from bigrock.kernels.field_of_view import Cylinder, MaskField, MaskOutside
    from bigrock.kernels.field_of_view_detection import detect_field_of_view
    from bigrock.kernels.gliding_box import BoxMasses, GlidingBoxes, lacunarity
    from bigrock.kernels.histogram import GreyHistogram, Histogram, grey_histogram
    from bigrock.kernels.labelling import label
    from bigrock.kernels.labelling_reduction import ComponentRuns, Components, find_components
    from bigrock.kernels.labelling_sums import ComponentSums
    from bigrock.kernels.majority import MajorityAlongZ, majority_along_z
    from bigrock.kernels.minkowski import (
        MinkowskiFunctionals,
        euler_number,
        minkowski_functionals,
        surface_area,
    )
    from bigrock.kernels.morphology import (
        Closing,
        Dilation,
        Erosion,
        Opening,
        binary_closing,
        binary_dilation,
        binary_erosion,
        binary_opening,
    )
    from bigrock.kernels.otsu import LocalOtsu, local_otsu
    from bigrock.kernels.pore_fractions import pores_of_fractions
    from bigrock.kernels.pore_hosts import split_pores
    from bigrock.kernels.pores_watershed import pores
    from bigrock.kernels.rings import RemoveRings, remove_rings
    from bigrock.kernels.stripes import RemoveStripes, remove_stripes
    from bigrock.kernels.thickness import LocalThickness, local_thickness, thickness_diameters
    from bigrock.kernels.thickness_counts import ThicknessCounts
    from bigrock.kernels.threshold import GlobalOtsu, SelectClass, Threshold
    from bigrock.kernels.two_point import Correlogram, PairCounts, two_point_correlation

__all__ = [
    "BoxCounting",
    "BoxCounts",
    "BoxGrid",
    "BoxMasses",
    "BoxSums",
    "BoxTally",
    "ChordCounts",
    "ChordLengths",
    "Closing",
    "ComponentRuns",
    "ComponentSums",
    "Components",
    "ConfigurationCounts",
    "Configurations",
    "Correlogram",
    "Cylinder",
    "DifferentialBoxCounting",
    "Dilation",
    "Distance",
    "Erosion",
    "FillHoles",
    "Gaussian",
    "GlidingBoxes",
    "GlobalOtsu",
    "GreyHistogram",
    "Histogram",
    "LargestDistance",
    "LocalOtsu",
    "LocalThickness",
    "MajorityAlongZ",
    "MaskField",
    "MaskOutside",
    "Median",
    "MinkowskiFunctionals",
    "NoiseLevel",
    "NonLocalMeans",
    "Opening",
    "PairCounts",
    "PoreNetwork",
    "PoreRegions",
    "RemoveRings",
    "RemoveSmall",
    "RemoveStripes",
    "SelectClass",
    "ShellCounts",
    "ShellVoxels",
    "Standardize",
    "ThicknessCounts",
    "Threshold",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_opening",
    "box_count",
    "box_grid",
    "chord_lengths",
    "configuration_counts",
    "detect_field_of_view",
    "differential_box_count",
    "distance",
    "euler_number",
    "fill_holes",
    "find_components",
    "gaussian",
    "grey_histogram",
    "label",
    "lacunarity",
    "local_otsu",
    "local_thickness",
    "low_resolution",
    "majority_along_z",
    "median",
    "minkowski_functionals",
    "noise_level",
    "non_local_means",
    "pores",
    "pores_of_fractions",
    "remove_rings",
    "remove_small_components",
    "remove_stripes",
    "split_pores",
    "standardize",
    "surface_area",
    "thickness_diameters",
    "two_point_correlation",
]

_MODULES = {
    "BoxCounting": "box_counting",
    "BoxCounts": "box_counting",
    "BoxGrid": "box_sums",
    "BoxMasses": "gliding_box",
    "BoxSums": "box_sums",
    "BoxTally": "box_counting",
    "ChordCounts": "chords",
    "ChordLengths": "chords",
    "Closing": "morphology",
    "ComponentRuns": "labelling_reduction",
    "ComponentSums": "labelling_sums",
    "Components": "labelling_reduction",
    "ConfigurationCounts": "configurations",
    "Configurations": "configurations",
    "Correlogram": "two_point",
    "Cylinder": "field_of_view",
    "DifferentialBoxCounting": "differential_box_counting",
    "Dilation": "morphology",
    "Distance": "distances",
    "Erosion": "morphology",
    "FillHoles": "clean_up",
    "Gaussian": "denoise",
    "GlidingBoxes": "gliding_box",
    "GlobalOtsu": "threshold",
    "GreyHistogram": "histogram",
    "Histogram": "histogram",
    "LargestDistance": "distances_largest",
    "LocalOtsu": "otsu",
    "LocalThickness": "thickness",
    "MajorityAlongZ": "majority",
    "MaskField": "field_of_view",
    "MaskOutside": "field_of_view",
    "Median": "denoise",
    "MinkowskiFunctionals": "minkowski",
    "NoiseLevel": "denoise_noise",
    "NonLocalMeans": "denoise_patches",
    "Opening": "morphology",
    "PairCounts": "two_point",
    "PoreNetwork": "basins_network",
    "PoreRegions": "basins_network",
    "RemoveRings": "rings",
    "RemoveSmall": "clean_up",
    "RemoveStripes": "stripes",
    "SelectClass": "threshold",
    "ShellCounts": "component_shells",
    "ShellVoxels": "component_shells",
    "ThicknessCounts": "thickness_counts",
    "Threshold": "threshold",
    "binary_closing": "morphology",
    "binary_dilation": "morphology",
    "binary_erosion": "morphology",
    "binary_opening": "morphology",
    "box_count": "box_counting",
    "box_grid": "box_sums",
    "chord_lengths": "chords",
    "configuration_counts": "configurations",
    "detect_field_of_view": "field_of_view_detection",
    "differential_box_count": "differential_box_counting",
    "distance": "distances",
    "euler_number": "minkowski",
    "fill_holes": "clean_up",
    "find_components": "labelling_reduction",
    "gaussian": "denoise",
    "grey_histogram": "histogram",
    "label": "labelling",
    "lacunarity": "gliding_box",
    "local_otsu": "otsu",
    "local_thickness": "thickness",
    "majority_along_z": "majority",
    "median": "denoise",
    "minkowski_functionals": "minkowski",
    "noise_level": "denoise_noise",
    "non_local_means": "denoise_patches",
    "pores": "pores_watershed",
    "pores_of_fractions": "pore_fractions",
    "remove_rings": "rings",
    "remove_small_components": "clean_up",
    "remove_stripes": "stripes",
    "split_pores": "pore_hosts",
    "surface_area": "minkowski",
    "thickness_diameters": "thickness",
    "two_point_correlation": "two_point",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
