"""Truth building on simulated cells whose kind is known."""

from __future__ import annotations

import numpy as np
import pytest

from ifcyto.classify.model_folder import read_model
from ifcyto.errors import UsageError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.measure import measure
from ifcyto.review.opening import ReviewOptions, open_review
from ifcyto.review.truth import clusters, learn, measured, save_model
from ifcyto.samples.demo import write_demo_cif

FEATURES = ["Area_M05", "Aspect Ratio_M05", "Intensity_MC_DRAQ5", "Area_M01", "Circularity_M05"]


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    convert(write_demo_cif(folder / "demo.cif", n_cells=60), folder / "demo.h5")
    found = open_review(folder / "demo.h5", ReviewOptions(by="AB"))
    seen = []
    columns = measured(found, FEATURES, progress=lambda task, done, total: seen.append(done))
    assert seen
    found.session.add_columns(numbers=columns)
    yield found
    found.close()


def columns(review):
    numbers = review.session.objects.numbers
    return list(numbers), np.column_stack(list(numbers.values()))


def test_columns_are_those_of_measure(review):
    table = measure(review.pages.stacks[""], FEATURES)
    assert np.array_equal(columns(review)[1], np.asarray(table.X), equal_nan=True)


def test_clusters_have_names_and_hold_alike_objects(review):
    names, values = columns(review)
    found = clusters(names, values, groups=3)
    counts = [int((found == name).sum()) for name in ("01", "02", "03")]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) + int((found == "").sum()) == 60


def test_a_round_of_tagging_gives_suggestions_and_a_confusion(review, tmp_path):
    names, values = columns(review)
    with pytest.raises(UsageError, match="tags of two classes or more, found none"):
        learn(review, names, values)
    large = np.nan_to_num(values[:, 0]) > np.nanmedian(values[:, 0])
    tagged = np.arange(0, 60, 2)
    review.session.tag("Doublet", tagged[large[tagged]].tolist())
    review.session.tag("Irregular", tagged[~large[tagged]].tolist())
    found = learn(review, names, values, n=7)
    assert found.classes == ("Doublet", "Irregular")
    assert not np.isin(found.tagging.suggestions.rows, tagged).any()
    matrix = [[len(found.rows_of(true, said)) for said in found.classes] for true in found.classes]
    assert matrix == found.tagging.training.cv.matrix.tolist()
    with pytest.raises(UsageError, match="measure the objects first"):
        learn(review, [], values[:, :0])
    result = save_model(review, tmp_path / "model", FEATURES)
    assert read_model(tmp_path / "model").scorer.classes == result.training.scorer.classes
