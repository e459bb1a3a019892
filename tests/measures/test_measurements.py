"""The result object: mapping, JSON, CSV, HTML and tables, with units."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import pickle

import numpy as np
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
