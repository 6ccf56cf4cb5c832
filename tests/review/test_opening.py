"""Studies, stacks and image files become reviews; what is wrong with them is told."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from ifcyto.errors import StudyError, UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.measure import measure, measure_to_file
from ifcyto.review.objects import from_results
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.review.second_reader import compare_readers
from ifcyto.review.tag_file import Tag
from ifcyto.samples.demo import write_demo_cif, write_demo_study
from ifcyto.stack.cell_stack import CellStack
from ifcyto.stack.write import write_stack

HEADER = "sample,group,object,stage,spot_count,candidate,spot,fbml,cnn,manual,fbml_score,cnn_probability\n"


@pytest.fixture(scope="module")
def cif(tmp_path_factory):
    return write_demo_cif(tmp_path_factory.mktemp("cif") / "demo.cif", n_cells=12)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two samples as a run leaves it, as far as a review needs it."""
    path = write_demo_study(
        tmp_path_factory.mktemp("study"), samples_per_group=1, cells_per_sample=8, truth_cells=0
    )
    stacks = path.parent / "results" / "work" / "stacks"
    stacks.mkdir(parents=True)
    rows = []
    for cif in sorted(path.parent.glob("*.cif")):
        convert(cif, stacks / f"{cif.stem}.h5")
        rows += [f"{cif.stem},MDS,{n},ProE,2,{int(n != 3)},BNE,,,,,\n" for n in range(8)]
    (path.parent / "results" / "classifications.csv").write_text(HEADER + "".join(rows))
    return path


def test_an_image_file_is_reviewed_through_a_stack_that_does_not_stay(cif):
    with_stack = open_review(cif, ReviewOptions(by="AB"))
    assert with_stack.channels == ("BF", "CD235a", "DRAQ5")
    assert with_stack.brightfield == (True, False, False)
    assert with_stack.pixel_size_um == 0.5
    assert len(with_stack.session.objects) == 12
    images, _ = with_stack.pages.read(with_stack.session.objects, np.arange(3), 32)
    assert images.shape == (3, 3, 32, 32)
    place = with_stack.pages.stacks[""]
    with_stack.close()
    assert not place.exists()
    assert with_stack.session.tags.path == cif.with_name("demo_labels.csv")


def test_a_channel_called_brightfield_is_one_though_its_file_does_not_say_so(cif, tmp_path):
    convert(cif, tmp_path / "demo.h5")
    with CellStack.open(tmp_path / "demo.h5") as stack:
        plain = [replace(channel, brightfield=False) for channel in stack.channels]
        write_stack([stack.cell(0)], tmp_path / "plain.h5", channels=plain)
    review = open_review(tmp_path / "plain.h5")
    assert review.brightfield == (True, False, False)
    review.close()


def test_columns_of_a_table_meet_objects_by_number(cif, tmp_path):
    convert(cif, tmp_path / "demo.h5")
    convert(cif, tmp_path / "part.h5", objects=[3, 7, 1])
    measure_to_file(tmp_path / "part.h5", tmp_path / "t.h5ad", ["Area_M05"])
    review = open_review(tmp_path / "demo.h5", ReviewOptions(table=tmp_path / "t.h5ad"))
    found = review.session.objects.numbers["Area_M05"]
    assert np.flatnonzero(np.isfinite(found)).tolist() == [1, 3, 7]
    whole = measure(tmp_path / "demo.h5", ["Area_M05"])
    assert found[7] == np.asarray(whole.X)[7, 0]
    review.close()


def test_candidates_of_a_study_with_their_stacks(study):
    review = open_review(study, ReviewOptions(by="AB", blinded=True))
    session = review.session
    assert len(session.objects) == len(from_results(study.parent / "results" / "classifications.csv")) == 14
    assert review.channels == ("BF", "CD235a", "DRAQ5")
    assert session.order.tolist() != list(range(14))
    images, _ = review.pages.read(session.objects, session.order, 24)
    sample, number = session.objects.key(int(session.order[5]))
    with CellStack.open(study.parent / "results" / "work" / "stacks" / f"{sample}.h5") as stack:
        assert np.array_equal(images[5], stack.images(stack.rows_of([number]), size=24)[0])
    session.tag("BNE", [0])
    text = session.tags.path.read_text().splitlines()
    assert text[0] == "sample,object,label,by,when"
    session.tags.path.unlink()
    review.close()


def test_what_cannot_be_reviewed_is_told(study, cif, tmp_path):
    with pytest.raises(StudyError, match="run the study first"):
        open_review(study, ReviewOptions(results=tmp_path))
    with pytest.raises(UsageError, match="a single input, found a study"):
        open_review(study, ReviewOptions(table="t.h5ad"))
    other = tmp_path / "results"
    other.mkdir()
    (other / "classifications.csv").write_text(HEADER + "X,MDS,1,ProE,2,1,BNE,,,,,\n")
    with pytest.raises(StudyError, match=r"other samples than the study's \(X\)"):
        open_review(study, ReviewOptions(results=other))
    (other / "classifications.csv").write_text(HEADER)
    empty = open_review(study, ReviewOptions(results=other))
    assert (len(empty.session.objects), empty.channels) == (0, ("BF", "CD235a", "DRAQ5"))
    empty.close()
    copy = shutil.copyfile(cif, tmp_path / "a.cif")
    (tmp_path / "a_labels.csv").write_text("garbage\n")
    with pytest.raises(StudyError, match="expected the columns object,label"):
        open_review(copy)
    assert (tmp_path / "a_labels.csv").read_text() == "garbage\n"


def test_classes_of_the_file_are_offered_again(cif, tmp_path):
    (tmp_path / "l.csv").write_text("object,label\n1,Budding\n2,BNE\n3,Ring\n")
    review = open_review(cif, ReviewOptions(labels=tmp_path / "l.csv"))
    assert [c.name for c in review.session.classes] == [
        "BNE",
        "Doublet",
        "Irregular",
        "Unknown",
        "Budding",
        "Ring",
    ]
    assert [c.key for c in review.session.classes] == list("123456")
    review.close()


def test_two_readers():
    first = {("", n): Tag(label) for n, label in enumerate(["BNE"] * 20 + ["Doublet"] * 30 + ["BNE"])}
    second = {("", n): Tag(label) for n, label in enumerate(["BNE"] * 25 + ["Doublet"] * 25)}
    found = compare_readers(first, second)
    assert found.matrix.tolist() == [[20, 0], [5, 25]]
    assert found.disagreements == tuple(("", n) for n in range(20, 25))
    assert (found.first_only, found.second_only) == (1, 0)
    share, chance = 45 / 50, (20 * 25 + 30 * 25) / 2500
    assert found.kappa.kappa == pytest.approx((share - chance) / (1 - chance))
    nobody = compare_readers({}, second)
    assert np.isnan(nobody.kappa.kappa)
    assert nobody.disagreements == ()
