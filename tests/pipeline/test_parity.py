"""Parity against a DAF made of our own values, some of them spoilt on purpose."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from ifcyto.errors import FormatError, OutputError, UsageError
from ifcyto.pipeline.measure import measure, measure_to_file
from ifcyto.pipeline.parity import HEADER, check_parity, write_parity
from ifcyto.readers.cif import CifReader
from ifcyto.samples.demo import write_demo_cif

DEFINITIONS = ("Area|M05", "Intensity|M05|DRAQ5", "Aspect Ratio|M01", "Spot Count|M05")
N = 14


@pytest.fixture(scope="module")
def cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("parity") / "cells.cif", n_cells=N, seed=6)


@pytest.fixture(scope="module")
def stored(cif):
    """Our values in the order of the CIF, one column a definition."""
    return measure(cif, list(DEFINITIONS)).X.copy()


def write_daf(folder, cif, values, definitions=DEFINITIONS, order=None):
    with CifReader(cif) as reader:
        objects = list(zip(reader.object_numbers.tolist(), reader.image_offsets.tolist(), strict=True))
    order = list(range(N)) if order is None else order
    so = "".join(f'<SO id="{objects[i][0]}" imgIFD="{objects[i][1]}"/>' for i in order)
    udf = "".join(
        f'<UDF name="{d.replace("|", "_")}" type="single" userfeaturetype="x" def="{d}"/>'
        for d in definitions
    )
    columns = "".join(
        f'<UDFValues fid="{k}" fv="{"|".join(repr(float(values[i, k])) for i in order)}"/>'
        for k in range(len(definitions))
    )
    images = '<image name="DRAQ5" physicalChannel="4"/>'
    path = folder / "cells.daf"
    path.write_text(
        f'<?xml version="1.0"?>\n<Assay IDEAS_version="6.0"><SOD file="{cif}" objcount="{N}"><Images>{images}'
        f"</Images><DefinedFeatures>{udf}</DefinedFeatures><FeatureValues>{columns}</FeatureValues>{so}"
        "</SOD></Assay>"
    )
    if not (folder / cif.name).exists():
        (folder / cif.name).write_bytes(cif.read_bytes())
    return path


def test_our_own_values_agree_whatever_their_order(tmp_path, cif, stored, rng):
    order = rng.permutation(N).tolist()
    table = check_parity(write_daf(tmp_path, cif, stored, order=order))
    assert [row.definition for row in table.rows] == list(DEFINITIONS)
    assert [(row.result.n, row.result.equal, row.result.max_error) for row in table.rows] == [(N, N, 0)] * 4
    assert table.n_objects == N


def test_spoilt_values_are_found_in_their_column(tmp_path, cif, stored):
    spoilt = stored.copy()
    spoilt[:, 1] *= 0.8
    spoilt[3, 2] = np.nan
    spoilt[:, 3] -= 1
    area, intensity, ratio, spots = check_parity(write_daf(tmp_path, cif, spoilt)).rows
    assert area.result.equal == N
    assert intensity.result.slope == pytest.approx(1.25)
    assert intensity.result.median_error == pytest.approx(0.25)
    assert (ratio.result.n, ratio.result.theirs_missing) == (N - 1, 1)
    assert spots.result.offset == 1
    assert (area.confidence, ratio.confidence) == ("VERIFIED", "VERIFIED")


def test_the_table_is_written(tmp_path, cif, stored):
    table = check_parity(write_daf(tmp_path, cif, stored))
    with write_parity(table, tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == HEADER
    assert [row[0] for row in rows[1:]] == [d.replace("|", "_") for d in DEFINITIONS]
    assert [row[2:4] for row in rows[1:]] == [[str(N), str(N)]] * 4
    with pytest.raises(OutputError, match="exists already"):
        write_parity(table, tmp_path / "p.csv")


def test_the_daf_and_its_cif_are_never_replaced(tmp_path, cif, stored):
    daf = write_daf(tmp_path, cif, stored)
    table = check_parity(daf)
    before = {path: path.read_bytes() for path in (daf, tmp_path / cif.name)}
    for path in before:
        with pytest.raises(UsageError, match="apart from the inputs"):
            write_parity(table, path, overwrite=True)
        for outputs in ({"output": path}, {"output": tmp_path / "t.h5ad", "csv_path": path}):
            with pytest.raises(UsageError, match="apart from the inputs"):
                measure_to_file(daf, features="basic", overwrite=True, **outputs)
        with pytest.raises(UsageError, match="apart from the inputs"):
            measure_to_file(cif, daf, daf, overwrite=True)
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(tmp_path.iterdir()) == sorted(before)


def test_a_table_names_all_files_it_was_made_from(tmp_path, cif, stored):
    daf = write_daf(tmp_path, cif, stored)
    record = json.loads(measure(daf, daf).uns["ifcyto"]["provenance"])
    assert [source["name"] for source in record["sources"]] == ["cells.daf", "cells.cif"]
    (tmp_path / "names.txt").write_text("Area_M05")
    record = json.loads(measure(cif, tmp_path / "names.txt").uns["ifcyto"]["provenance"])
    assert [source["name"] for source in record["sources"]] == ["cells.cif", "names.txt"]


def test_features_that_are_not_here_are_said(tmp_path, cif, stored):
    table = check_parity(
        write_daf(tmp_path, cif, stored, ("Area|M05", "Objects/mL", "Aspect Ratio|M01", "Spot Count|M05"))
    )
    assert [row.feature for row in table.rows] == ["Area_M05", "Aspect Ratio_M01", "Spot Count_M05"]
    assert any("Objects/mL" in note for note in table.notes)


def test_what_cannot_be_compared_is_refused(tmp_path, cif, stored, shared_data):
    with pytest.raises(UsageError, match="expected an IDEAS analysis file"):
        check_parity(cif)
    with pytest.raises(UsageError, match=r"cells.daf: expected features that ifcyto has, found none"):
        check_parity(write_daf(tmp_path, cif, stored, ("Objects/mL", "Objects per sec")))
    with pytest.raises(FormatError, match="it is another file"):
        check_parity(shared_data / "amnis" / "ut7_ideas62.daf")
    with pytest.raises(UsageError, match="cannot be read"):
        check_parity(tmp_path / "missing.daf")
