"""Errors name the options of the command, not the keywords of the library."""

from __future__ import annotations

import pytest

from bigrock.cli.wording import in_options


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("give the value with pore=… if", "give the value with --pore … if"),
        ("pore='clay' is not a class", "--pore 'clay' is not a class"),
        ("or overwrite=True (--overwrite).", "or --overwrite."),
        ("Give another phase (pore=), or", "Give another phase (--pore), or"),
        ("Give overwrite= (--overwrite), or", "Give --overwrite, or"),
        ("with voxel_size= (--voxel-size).", "with --voxel-size."),
        ("Threshold it first, give through=kernel, or", "Threshold it first, or"),
        ("such as sizes=(21, 4) (--sizes 21,4), or", "such as --sizes 21,4, or"),
        ("such as voxel_size='2.25 um' (--voxel-size).", "such as --voxel-size '2.25 um'."),
        ("pore=1 and classes='all' are both given", "--pore 1 and --classes 'all' are both given"),
        ("measure it without field_of_view, or crop", "measure it without --field-of-view, or crop"),
        ("local-otsu pore=black", "local-otsu --pore black"),
        ("the file /data/my_field_of_view.zarr", "the file /data/my_field_of_view.zarr"),
        ("radius=0 is not allowed", "radius=0 is not allowed"),
        ("a porosity of the pore", "a porosity of the pore"),
        (
            "with bigrock.run(bigrock.kernels.GlobalOtsu(), volume, dest), or",
            "with bigrock run VOLUME DEST --kernel global-otsu, or",
        ),
        ("Give for instance sizes=(1, 2, 4, 8).", "Give for instance --sizes 1,2,4,8."),
        ("is not a multiple of (64, 64, 64)", "is not a multiple of (64, 64, 64)"),
    ],
)
def test_keywords_become_options(said: str, shown: str) -> None:
    assert in_options(said, ["pore", "classes", "overwrite", "voxel_size", "field_of_view", "sizes"]) == shown


def test_a_keyword_may_have_another_name_on_the_command_line() -> None:
    assert in_options("give dest=…", ["out"], {"dest": "out"}) == "give --out …"


def test_what_an_option_switches_off_is_named_by_the_option() -> None:
    assert in_options("train with resume=False, or", ["no_resume"]) == "train with --no-resume, or"
    assert in_options("train with resume=False, or", ["overwrite"]) == "train with resume=False, or"


def test_a_kernel_in_between_is_named_where_the_command_takes_one() -> None:
    assert in_options("first, give through=kernel, or", ["kernel"]) == "first, give --kernel TEXT, or"
