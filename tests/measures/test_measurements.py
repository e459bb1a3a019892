"""The result object: mapping, JSON, CSV, HTML and tables, with units."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import pickle

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from rich.console import Console

from bigrock.measures import Measurements, measure
from bigrock.volumes import ArraySource


@pytest.fixture(scope="module")
def result() -> Measurements:
    mask = np.random.default_rng(0).random((5, 6, 7)) < 0.25
    return measure(ArraySource(mask, (2.25e-6,) * 3), ["porosity", "profiles"], progress=False)


def test_it_is_a_mapping_of_measures(result):
    assert list(result) == ["porosity", "profiles"]
    assert len(result) == 2
    assert "porosity" in result
    with pytest.raises(KeyError):
        result["euler"]


def test_json_holds_measures_units_and_what_was_measured(result, tmp_path):
    path = tmp_path / "rock.json"
    text = result.to_json(path)
    parsed = json.loads(path.read_text(encoding="utf-8"))
    assert parsed == json.loads(text) == result.to_dict()
    assert parsed["porosity"]["total"] == result["porosity"]["total"]
    assert len(parsed["profiles"]["x"]["porosity"]) == 7
    assert parsed["units"]["porosity"]["bulk_volume"] == "m³"
    assert parsed["volume"]["voxel_size_m"] == [2.25e-6] * 3
    assert parsed["volume"]["pore"] == "mask value True"
    assert parsed["volume"]["shape"] == [5, 6, 7]


def test_numbers_without_json_become_null():
    odd = Measurements({"odd": {"nan": np.nan, "inf": [np.inf, 1.0], "count": np.uint64(3)}}, {}, {})
    assert json.loads(odd.to_json())["odd"] == {"nan": None, "inf": [None, 1.0], "count": 3}


def test_csv_has_one_line_per_number(result, tmp_path):
    path = tmp_path / "rock.csv"
    result.to_csv(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    found = {(r["measure"], r["quantity"]): (r["value"], r["unit"]) for r in rows}
    assert float(found["porosity", "total"][0]) == result["porosity"]["total"]
    assert found["porosity", "total"][1] == "fraction"
    assert found["porosity", "bulk_volume"][1] == "m³"
    value, unit = found["profiles", "x.porosity[6]"]
    assert (float(value), unit) == (result["profiles"]["x"]["porosity"][6], "fraction")
    assert found["profiles", "z.position[0]"] == (str(1.125e-6), "m")
    assert len(rows) == 5 + 3 * 4 + 2 * (5 + 6 + 7)


def test_html_is_a_well_formed_table_and_escapes_names(result):
    class Checker(html.parser.HTMLParser):
        open_tags: list[str]

        def handle_starttag(self, tag, attrs):
            self.open_tags.append(tag)

        def handle_endtag(self, tag):
            assert self.open_tags.pop() == tag

    checker = Checker()
    checker.open_tags = []
    checker.feed(result.to_html())
    assert checker.open_tags == []
    assert "porosity" in result.to_html()
    assert result._repr_html_() == result.to_html()
    nasty = Measurements({"<b>": {"&": "<script>"}}, {}, {"path": "<i>"}).to_html()
    assert "<script>" not in nasty
    assert "&lt;script&gt;" in nasty
    assert "<i>" not in nasty


def test_tables_show_units_and_summarise_arrays(result):
    console = Console(file=io.StringIO(), width=160)
    console.print(result)
    for text in (str(result), console.file.getvalue()):
        assert "voxel 2.25 µm" in text
        assert "pore is mask value True" in text
        assert "fraction" in text
        assert "7 values" in text


def test_what_is_not_known_is_said_so():
    text = str(measure(np.zeros((3, 3, 3), bool), "porosity", progress=False))
    assert "not known" in text
    assert "voxel not stated" in text
    assert "array in memory" in text


def test_a_more_specific_unit_wins():
    odd = Measurements({"m": {"a": {"x": 1}, "b": {"x": 2}}}, {"m": {"x": "m", "b.x": "s"}}, {})
    assert [unit for *_, unit in odd.rows()] == ["m", "s"]


def test_results_pickle(result):
    copy = pickle.loads(pickle.dumps(result))
    assert copy.to_dict() == result.to_dict()
    assert "porosity, profiles" in repr(copy)


def test_truth_and_text_are_shown_as_words():
    shown = str(Measurements({"m": {"through": True, "closed": False, "rule": "faces", "none": []}}, {}, {}))
    for word in ("yes", "no", "faces", "none"):
        assert word in shown


@pytest.fixture
def with_tables() -> Measurements:
    table = pyarrow.table({"id": [1, 2, 3], "voxels": [70, 9, 1]})
    found = {
        "connectivity": {"components": table, "count": 3, "percolates": {"z": True, "y": False}},
        "texture": {"clay / wet": {"slices": table.slice(0, 2)}, "clay : wet": {"slices": table.slice(0, 1)}},
        "curves": {"r": np.arange(3), "s2": np.array([0.5, np.nan, 0.1]), "rule": "faces", "k": None},
    }
    return Measurements(found, {"curves": {"r": "m"}}, {"path": "rock.zarr"})


def test_tables_are_counted_in_texts_and_given_by_name(with_tables):
    assert [(m, q, t.num_rows) for m, q, t in with_tables.tables()] == [
        ("connectivity", "components", 3),
        ("texture", "clay / wet.slices", 2),
        ("texture", "clay : wet.slices", 1),
    ]
    assert "3 rows" in str(with_tables)
    assert with_tables.to_dict()["connectivity"]["components"] == {"rows": 3, "columns": ["id", "voxels"]}


def test_csv_has_the_number_of_rows_of_a_table(with_tables, tmp_path):
    with_tables.to_csv(tmp_path / "rock.csv")
    assert "connectivity,components,3,rows" in (tmp_path / "rock.csv").read_text(encoding="utf-8")


def test_parquet_has_a_file_for_every_table_and_one_of_all_numbers(with_tables, tmp_path):
    files = with_tables.to_parquet(tmp_path / "new" / "folder")
    assert [file.name for file in files] == [
        "measurements.parquet",
        "connectivity-components.parquet",
        "texture-clay___wet.slices.parquet",
        "texture-clay___wet.slices-2.parquet",
    ]
    kept = pyarrow.parquet.read_table(files[1])
    assert kept.equals(with_tables["connectivity"]["components"])
    assert json.loads(kept.schema.metadata[b"bigrock"]) == {"path": "rock.zarr"}
    numbers = pyarrow.parquet.read_table(files[0])
    assert numbers.column_names == ["measure", "quantity", "index", "value", "unit", "text"]
    rows = {(row["quantity"], row["index"]): row for row in numbers.to_pylist()}
    assert rows["count", None]["value"] == 3
    assert (rows["percolates.z", None]["value"], rows["percolates.y", None]["value"]) == (1, 0)
    assert [rows["s2", i]["value"] for i in range(3)] == [0.5, None, 0.1]
    assert rows["r", 2]["unit"] == "m"
    assert (rows["rule", None]["text"], rows["rule", None]["value"]) == ("faces", None)
    assert (rows["k", None]["text"], rows["k", None]["value"]) == (None, None)
    assert ("components", None) not in rows


def test_classes_stand_side_by_side():
    labels = np.random.default_rng(0).integers(0, 3, (5, 6, 7)).astype(np.uint8)
    source = ArraySource(labels, None, "labels", {"pore": 0, "clay": 1, "quartz": 2})
    result = measure(source, ["porosity", "histogram"], classes="all", progress=False)
    head, *lines = str(result).splitlines()[1:]
    assert head.split() == ["measure", "quantity", "value", "pore", "clay", "quartz", "unit"]
    total = next(line for line in lines if line.startswith("porosity") and " total " in line)
    shares = [result["porosity"][name]["total"] for name in ("pore", "clay", "quartz")]
    assert total.split() == ["porosity", "total", *(f"{share:.6g}" for share in shares), "fraction"]
    assert result.to_html().count("<th>") == 7
    alone = measure(source, ["porosity"], classes=["clay"], progress=False)
    assert str(alone).splitlines()[1].split() == ["measure", "quantity", "clay", "unit"]


def test_arrays_of_words_and_unknown_numbers_have_a_text():
    nothing = np.full(5, np.nan)
    odd = {"few": ["a", "b"], "many": list("abcde"), "nothing": nothing, "some": [*nothing, 2.0]}
    odd["sizes"] = np.array([2, 4, 8])
    shown = str(Measurements({"m": odd}, {}, {}))
    for words in ("a, b", "5 values", "5 values, none known", "6 values, 2 to 2", "2, 4, 8"):
        assert words in shown
