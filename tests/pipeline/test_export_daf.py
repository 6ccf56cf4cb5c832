"""Features, classes and populations into copies of analyses: joins, names, privacy."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.errors import OutputError, UsageError
from ifcyto.pipeline.export_daf import CAUTION, export_daf
from ifcyto.pipeline.export_tables import export_h5ad
from ifcyto.pipeline.gate import gate_daf
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.readers.daf_document import read_daf

XML = (
    '<Assay IDEAS_version="6.0" operator="Ann Other">\n<SampleName>C:\\runs\\Ann\\MDS01</SampleName>'
    '<Operator>Ann Other</Operator><SOD file="C:\\Users\\Ann Other\\MDS01.cif" objcount="40" checksum="7">'
    '<Images><image name="BF" physicalChannel="0"/><image name="DRAQ5" physicalChannel="4"/></Images>'
    '<masks><mask type="C" name="Big" def="Dilate|M05|2"/></masks>'
    '<DefinedFeatures><UDF name="Area_M01" type="single" def="Area|M01"/></DefinedFeatures>'
    '<FeatureValues><UDFValues fid="0" fv="{values}"/></FeatureValues>{objects}'
    '<Pops><Pop name="All" type="B" base=""/></Pops></SOD></Assay>'
)


@pytest.fixture
def daf(tmp_path):
    """A small analysis of the forty simulated cells, with names of a person in it."""
    path = tmp_path / "MDS01.daf"
    values = "|".join(map(str, range(40)))
    path.write_text(XML.format(values=values, objects="".join(f'<SO id="{n}"/>' for n in range(40))))
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory, demo_cif):
    folder = tmp_path_factory.mktemp("daf")
    names = ["Area_M01", "Area_M05", "Intensity_M05_DRAQ5", "Intensity_M02_CD235a", "Area_Big"]
    from ifcyto.pipeline.measure_job import MeasureOptions

    options = MeasureOptions(masks={"Big": "Dilate(M05, 2)"})
    return measure_to_file(demo_cif, folder / "t.h5ad", names, options=options).output


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("object,label,probability\n3,BNE,0.75\n9,BNE,0.5\n4,Doublet,0.9\n5,,\n")
    return path


def test_features_and_classes_go_into_the_copy(tmp_path, daf, table, labels):
    result = export_daf(daf, tmp_path / "b.daf", features=table, labels=labels, populations={"mine": [0]})
    after = read_daf(result.path)
    assert after.feature("Area_M01").tolist() == list(range(40))
    import anndata

    ours = anndata.read_h5ad(table)
    assert np.array_equal(after.feature("Area_M05"), ours[:, "Area_M05"].X.ravel())
    known = {feature.name: (feature.definition, feature.user_type) for feature in after.features}
    assert known["Intensity_M05_DRAQ5"] == ("Intensity|M05|DRAQ5", "Mask and Image")
    assert known["Area_Big"] == ("Area|Big", "Mask Only")
    # The analysis has no such image: IDEAS could not compute the feature anew.
    assert known["Intensity_M02_CD235a"] == ("Intensity_M02_CD235a", "No Parameters")
    assert after.feature("Class Number")[[3, 9, 4, 5, 0]].tolist() == [1, 1, 2, 0, 0]
    assert after.feature("Class Probability")[[3, 4]].tolist() == [0.75, 0.9]
    counts = {row.population: row.count for row in gate_daf(result.path).populations.counts()}
    assert counts == {"All": 40, "BNE": 2, "Doublet": 1, "mine": 1}
    assert result.notes[-1] == CAUTION
    told = " ".join(result.notes)
    assert "1 features are in the DAF already" in told
    assert "Class Number: 1 BNE, 2 Doublet; 0 not judged" in told
    assert "added 6 features and 3 tagged populations" in told


def test_names_of_persons_and_folders_stay_behind_unless_asked(tmp_path, daf, labels):
    result = export_daf(daf, tmp_path / "b.daf", labels=labels)
    copy = result.path.read_bytes()
    assert b"Ann" not in copy
    assert b"Users" not in copy
    assert read_daf(result.path).source_file == "MDS01.cif"
    assert b"<SampleName>MDS01</SampleName>" in copy
    assert "4 names of persons or folders were taken out" in " ".join(result.notes)
    asked = export_daf(daf, tmp_path / "c.daf", labels=labels, keep_personal=True).path.read_bytes()
    assert asked.count(b"Ann Other") == 3
    assert asked.startswith(daf.read_bytes()[:200])


def test_some_objects_and_other_names(tmp_path, daf, table, labels):
    few = tmp_path / "few.txt"
    few.write_text("Object Number\tnew\n4\t1.5\n2\t2.5\n")
    result = export_daf(daf, tmp_path / "b.daf", features=few, prefix="ours ", populations={"All": [4, 2]})
    after = read_daf(result.path)
    assert np.isnan(after.feature("new")).sum() == 38
    assert after.feature("new")[[4, 2]].tolist() == [1.5, 2.5]
    assert after.populations[-1].name == "ours All"
    assert "38 objects of the DAF have no values" in " ".join(result.notes)
    labelled = export_h5ad(table, tmp_path / "t.h5ad", labels=labels).path
    again = export_daf(daf, tmp_path / "c.daf", features=labelled)
    assert [pop.name for pop in read_daf(again.path).populations] == ["All", "BNE", "Doublet"]


def test_what_cannot_be_is_refused(tmp_path, daf, labels):
    with pytest.raises(UsageError, match=r"population 'All' is there already; give a prefix"):
        export_daf(daf, tmp_path / "b.daf", populations={"All": [1]})
    with pytest.raises(UsageError, match="found 'BNE' as a class and as a list"):
        export_daf(daf, tmp_path / "b.daf", labels=labels, populations={"BNE": [1]})
    with pytest.raises(UsageError, match="found neither"):
        export_daf(daf, tmp_path / "b.daf")
    with pytest.raises(UsageError, match="apart from the inputs"):
        export_daf(daf, daf, labels=labels, overwrite=True)
    with pytest.raises(UsageError, match="apart from the inputs"):
        export_daf(daf, labels, labels=labels, overwrite=True)
    labels.write_text("object,label\n40,BNE\n")
    with pytest.raises(UsageError, match="1 of 1 objects are not in"):
        export_daf(daf, tmp_path / "b.daf", labels=labels)
    (tmp_path / "c.daf").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        export_daf(daf, tmp_path / "c.daf", populations={"x": [1]})
    assert not (tmp_path / "b.daf").exists()
