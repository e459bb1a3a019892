"""Every exception that bigrock raises on purpose.

One class per thing that a caller can catch; each also inherits the builtin that fits, so
``except ValueError`` and ``except FileNotFoundError`` work as a Python user expects.

::

    BigrockError
    ├── ParameterError (ValueError)          a value that was given is not allowed
    │   ├── UnitError                        a length, permeability or size that cannot be understood
    │   ├── AlignmentError                   blocks that do not match the output's write units
    │   ├── ConfigError                      a configuration file: names the key, the value, what is allowed
    │   └── PhaseError                       which value is pore is not known, or not in the class table
    ├── VolumeError
    │   ├── VolumeNotFoundError (FileNotFoundError)
    │   ├── VolumeExistsError (FileExistsError)
    │   ├── NotAVolumeError (ValueError)     a zarr store, or a folder, that is no bigrock/OME-Zarr volume
    │   ├── IncompleteVolumeError (ValueError)  a run or an import that was interrupted
    │   ├── VoxelSizeError (ValueError)      a physical unit is asked of a volume without voxel size
    │   └── CorruptChunkError (OSError)      stored bytes that do not decode: which block, which file
    ├── SourceError (ValueError)             a scan that is to be imported
    │   ├── UnsupportedFormatError
    │   ├── TruncatedFileError
    │   ├── SliceStackError                  missing, odd-sized or mixed slices
    │   └── NonFiniteError                   NaN or inf in the input
    ├── EngineError
    │   ├── PlanError (MemoryError)          the pass does not fit in memory
    │   ├── StorageFullError (OSError)       no space left at the destination
    │   ├── ResumeError (ValueError)         the done-log belongs to other settings
    │   ├── NotFittedError (ValueError)      a kernel that must see the volume first
    │   └── RunError (RuntimeError)          blocks that failed after every retry
    ├── BundleError (ValueError)             a model's folder: files, digest, channels or version do not fit
    ├── TrainingError (RuntimeError)         a training that cannot go on
    ├── BackendError (RuntimeError)          a GPU was asked for and cannot be used
    └── MissingDependencyError (ImportError) an optional package: names the extra to install
"""

from __future__ import annotations


class BigrockError(Exception):
    """Root of every error that bigrock raises on purpose."""


class ParameterError(BigrockError, ValueError):
    """A value that was given is not allowed."""


class UnitError(ParameterError):
    """A length, permeability or size that cannot be understood."""


class AlignmentError(ParameterError):
    """Blocks that do not match the output's write units, so that two would write one shard."""


class ConfigError(ParameterError):
    """A configuration file that is not valid."""


class PhaseError(ParameterError):
    """Which value is pore is not known, or not in the class table."""


class VolumeError(BigrockError):
    """Something about a stored volume."""


class VolumeNotFoundError(VolumeError, FileNotFoundError):
    """Nothing is stored at the path."""


class VolumeExistsError(VolumeError, FileExistsError):
    """Something is stored at the destination already."""


class NotAVolumeError(VolumeError, ValueError):
    """What is stored at the path is not a volume."""


class IncompleteVolumeError(VolumeError, ValueError):
    """The run or import that makes this volume did not finish."""


class VoxelSizeError(VolumeError, ValueError):
    """A physical unit is asked of a volume that has no voxel size."""


class CorruptChunkError(VolumeError, OSError):
    """Stored bytes that cannot be decoded."""


class SourceError(BigrockError, ValueError):
    """A scan that cannot be imported as it is."""


class UnsupportedFormatError(SourceError):
    """A file type that bigrock does not read or write."""


class TruncatedFileError(SourceError):
    """A file that holds fewer bytes than its description says."""


class SliceStackError(SourceError):
    """A stack of slices with missing, odd-sized or mixed members."""


class NonFiniteError(SourceError):
    """NaN or infinity in the input."""


class EngineError(BigrockError):
    """A pass that cannot run, or did not finish."""


class PlanError(EngineError, MemoryError):
    """A pass that does not fit in the memory it was given."""


class StorageFullError(EngineError, OSError):
    """No space is left at the destination."""


class ResumeError(EngineError, ValueError):
    """The destination holds a run with other settings."""


class NotFittedError(EngineError, ValueError):
    """A kernel that must see the volume before it can run."""


class RunError(EngineError, RuntimeError):
    """Blocks that failed after every retry; the rest of the run is done and kept."""


class BundleError(BigrockError, ValueError):
    """The folder of a model lacks files, was changed, or does not fit what it is used for."""


class TrainingError(BigrockError, RuntimeError):
    """A training that cannot go on: its loss is no number."""


class BackendError(BigrockError, RuntimeError):
    """A GPU was asked for and cannot be used."""


class MissingDependencyError(BigrockError, ImportError):
    """An optional package is not installed."""
