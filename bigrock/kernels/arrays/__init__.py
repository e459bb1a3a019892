"""Kernels written once for every array module: one body over ``xp``, for numpy, cupy and any other.

A body asks `bigrock.kernels.backend.namespace` for the module of its arrays and calls nothing but
names of the Python array API standard, so the same lines run on a GPU (cupy), in the tests on the
strictest implementation there is (array_api_strict), and on numpy. It is what a GPU runs, and the
oracle of the compiled loops: both give the same numbers, bit for bit. The CPU takes the compiled
loops, which are many times faster, and a body from here only where there is nothing to compile
(comparisons) or where a test or a caller asks for it.

The public functions stay in the modules above this package: they check, and pass numpy arrays to
the compiled loops and all others to the body in the module of the same name here.

Of the standard (2025.12), these are not had by cupy 14, or go by other keywords there:

- ``unstack``, ``vecdot``: index along the axis; multiply and ``sum``.
- ``clip(min=, max=)``, ``reshape(shape=)``, ``permute_dims(axes=)``: give them by position, and
  both limits to ``clip``.
- ``argsort(stable=, descending=)``, ``sort(stable=, descending=)``: without them; ``flip`` after.
- ``repeat`` by an array: ``take`` with indices.
- ``unique_values``, ``unique_counts``: in any order; numpy 2.3 gives none.
- ``device=``, ``result_type`` of scalars: leave out; give every array its ``dtype=``.

``astype`` and ``cumulative_sum`` take numpy 2.1. ``bincount``, ``add.at``, ``cumsum`` and the methods of arrays
(``.sum()``, ``.astype()``) are not in the standard: one ``sum`` per value, ``unique_counts``,
``cumulative_sum``, ``xp.sum``, ``xp.astype``. Types do not mix: an array of bool is no number until
``astype``, and integers meet floats only after it. ``tests/kernels/arrays/test_names.py`` reads
every call and looks the name and its keywords up in all three modules.
"""
