"""One table in every form: read alike, gated alike, and back."""

from __future__ import annotations

import anndata
import numpy as np
import pytest

from ifcyto.errors import FormatError, OutputError, StudyError, UsageError
from ifcyto.features.table import read_table
from ifcyto.gates.store import parse_gates
from ifcyto.pipeline.export_tables import export_fcs, export_feature_text, export_h5ad, read_spillover
from ifcyto.pipeline.feature_files import from_table, is_feature_file, read_features, with_labels
from ifcyto.pipeline.gate import gate_table
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.pipeline.populations import read_populations
from ifcyto.readers.fcs import read_fcs

FEATURES = ["Area_M01", "Intensity_M05_DRAQ5", "Area_Threshold(M05, DRAQ5, 50)", "Object Number"]
GATES = """{"format": "ifcyto gates", "version": 1, "gates": [
 {"name": "n", "kind": "range", "features": ["Object Number"], "high": 9},
 {"name": "a", "kind": "range", "features": ["Area_M01"], "low": 60}
], "populations": [{"name": "First", "gate": "n"}, {"name": "Large", "parent": "First", "gate": "a"}]}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, demo_cif):
    """The same features as .h5ad, FCS and text."""
    folder = tmp_path_factory.mktemp("features")
    result = measure_to_file(demo_cif, folder / "t.h5ad", FEATURES, fcs_path=folder / "t.fcs")
    assert result.n_objects == 40
    export_feature_text(folder / "t.h5ad", folder / "t.txt")
    return folder


def test_every_form_says_the_same(files):
    table = read_features(files / "t.h5ad")
    assert table.names == tuple(FEATURES[:3])
    assert table.markers == ("", "DRAQ5", "")
    for name in ("t.fcs", "t.txt"):
        other = read_features(files / name)
        assert is_feature_file(files / name)
        assert other.names == table.names
        assert np.array_equal(other.objects, table.objects)
        np.testing.assert_allclose(other.values, table.values, rtol=2**-24 if name == "t.fcs" else 0)
    fcs = read_features(files / "t.fcs")
    assert (fcs.pixel_size_um, fcs.sample, fcs.markers) == (0.5, "demo", table.markers)
    assert read_features(files / "t.txt").pixel_size_um is None


def test_gates_apply_to_every_form(files):
    gates = parse_gates(GATES)
    counts = [
        [row.count for row in gate_table(files / name, gates).populations.counts()]
        for name in ("t.h5ad", "t.fcs", "t.txt")
    ]
    assert counts[0][:2] == [40, 10]
    assert 0 < counts[0][2] <= 10
    assert counts[1] == counts[2] == counts[0]
    assert gate_table(read_table(files / "t.h5ad"), gates).populations.counts()[1].count == 10


def test_a_table_of_another_program_opens_in_anndata(files, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("object,label,probability\n3,BNE,0.75\n4,Doublet,\n")
    for name in ("t.fcs", "t.txt"):
        path = export_h5ad(files / name, tmp_path / f"{name}.h5ad", labels=labels).path
        table = anndata.read_h5ad(path)
        assert table.shape == (40, 3)
        assert table.obs["label"].tolist()[2:6] == ["", "BNE", "Doublet", ""]
        assert table.obs["probability"].iloc[3] == 0.75
        back = from_table(read_table(path), path)
        assert np.array_equal(back.values, read_features(files / name).values)
        assert back.labels[3] == "BNE"


def test_classes_go_along_into_fcs(files, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("object,label,probability\n3,BNE,0.75\n4,Doublet,0.5\n5,,\n")
    table = read_fcs(export_fcs(files / "t.h5ad", tmp_path / "a.fcs", labels=labels).path)
    assert read_populations(tmp_path / "a.fcs") == {"BNE": [3], "Doublet": [4]}
    with pytest.raises(FormatError, match="a table with classes, found none in it"):
        read_populations(files / "t.h5ad")
    assert dict(zip(table.objects.tolist(), table.labels, strict=True)) == {
        **dict.fromkeys(range(40), ""), 3: "BNE", 4: "Doublet"
    }  # fmt: skip
    assert table.probabilities[3:5].tolist() == [0.75, 0.5]
    labels.write_text("object,label\n3,BNE\n77,BNE\n")
    with pytest.raises(UsageError, match=r"1 of 2 objects are not in .*: 77"):
        export_fcs(files / "t.h5ad", tmp_path / "b.fcs", labels=labels)
    labels.write_text("object,label,probability\n3,BNE,high\n")
    with pytest.raises(StudyError, match="line 2: expected a probability, found 'high'"):
        with_labels(table, labels)


def test_the_stored_features_of_a_daf(shared_data, tmp_path):
    daf = shared_data / "amnis" / "ut7_ideas62.daf"
    table = read_features(daf)
    assert table.values.shape == (420, 195)
    back = read_features(export_feature_text(daf, tmp_path / "a.txt").path)
    assert back.names == table.names
    assert np.array_equal(back.values, table.values, equal_nan=True)
    result = export_fcs(daf, tmp_path / "a.fcs")
    back = read_features(result.path)
    assert back.names == table.names
    np.testing.assert_allclose(back.values, table.values, rtol=2**-23)
    assert not is_feature_file(daf)


def test_spillover_from_a_file(files, tmp_path):
    path = tmp_path / "spill.csv"
    path.write_text(",Area_M01,Intensity_M05_DRAQ5\nArea_M01,1,0.5\nIntensity_M05_DRAQ5,0,1\n")
    result = export_fcs(files / "t.h5ad", tmp_path / "a.fcs", spillover=path)
    assert b"$SPILLOVER/2,Area_M01,Intensity_M05_DRAQ5,1.0,0.5,0.0,1.0/" in result.path.read_bytes()
    for text, message in (
        ("A,B\n1,0\n", "2 lines of 2 numbers"),
        ("A\nx\n", "of numbers"),
        ("", "after the names"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=message):
            read_spillover(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_spillover(tmp_path / "none.csv")


def test_what_cannot_be_is_refused(files, tmp_path):
    for export in (export_fcs, export_feature_text, export_h5ad):
        with pytest.raises(UsageError, match="apart from the inputs"):
            export(files / "t.h5ad", files / "t.h5ad", overwrite=True)
        with pytest.raises(OutputError, match="exists already"):
            export(files / "t.h5ad", files / "t.fcs")
        with pytest.raises(FormatError, match="cannot be read"):
            export(tmp_path / "none.txt", tmp_path / "a")
    table = read_table(files / "t.h5ad")
    two = table.copy()
    two.obs["sample"] = ["a"] * 30 + ["b"] * 10
    with pytest.raises(UsageError, match=r"the objects of one sample, found 2 \(a, b\)"):
        from_table(two, "two")
    with pytest.raises(OutputError, match="exists already"):
        measure_to_file(tmp_path / "x.cif", tmp_path / "new.h5ad", FEATURES, fcs_path=files / "t.fcs")
    with pytest.raises(UsageError, match="another file for each output"):
        measure_to_file(tmp_path / "x.cif", tmp_path / "n", FEATURES, fcs_path=tmp_path / "n")
