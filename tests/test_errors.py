"""Every error can be caught as the builtin that a Python user expects, and as ours."""

from __future__ import annotations

import inspect
import pickle

import pytest

from bigrock import errors

CLASSES = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, Exception)]


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ParameterError", ValueError),
        ("UnitError", ValueError),
        ("AlignmentError", ValueError),
        ("ConfigError", ValueError),
        ("PhaseError", ValueError),
        ("VolumeNotFoundError", FileNotFoundError),
        ("VolumeExistsError", FileExistsError),
        ("NotAVolumeError", ValueError),
        ("IncompleteVolumeError", ValueError),
        ("VoxelSizeError", ValueError),
        ("CorruptChunkError", OSError),
        ("SourceError", ValueError),
        ("PlanError", MemoryError),
        ("StorageFullError", OSError),
        ("ResumeError", ValueError),
        ("NotFittedError", ValueError),
        ("RunError", RuntimeError),
        ("BackendError", RuntimeError),
        ("MissingDependencyError", ImportError),
    ],
)
def test_each_error_is_also_the_builtin_that_fits(name, builtin):
    assert issubclass(getattr(errors, name), builtin)


# A plan is made and refused by the coordinator; distributed's pickling cannot make a MemoryError again.
@pytest.mark.parametrize("error", [c for c in CLASSES if c is not errors.PlanError], ids=lambda c: c.__name__)
def test_errors_say_what_they_were_told_and_travel_between_processes(error):
    told = error("what is wrong: what would have happened. What to do.")
    assert (
        str(pickle.loads(pickle.dumps(told)))
        == str(told)
        == "what is wrong: what would have happened. What to do."
    )
    assert isinstance(told, errors.BigrockError)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    parents: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        name = next((word for word in line.split() if word.endswith("Error") and word.isidentifier()), None)
        if name is None or not hasattr(errors, name):
            continue
        depth = line.index(name)
        parents = [p for p in parents if p[0] < depth]
        if parents:
            assert getattr(errors, parents[-1][1]) in getattr(errors, name).__bases__, name
        parents.append((depth, name))
