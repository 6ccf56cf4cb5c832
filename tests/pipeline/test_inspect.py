from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ifcyto.errors import FormatError
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.inspect import check, describe


def test_a_real_cif_in_its_own_words(shared_data):
    found = describe(shared_data / "amnis" / "example.cif")
    assert (found.format, found.n_objects, found.dtype, found.has_masks) == ("cif", 111, "int16", True)
    assert found.object_numbers == (0, 110)
    assert [channel["brightfield"] for channel in found.channels] == [False] * 4 + [True, False]
    assert found.magnification == 40
    assert found.software["IDEAS"] == "6.0.354.0"
    truth = np.load(shared_data / "amnis" / "example_truth.npz")
    shapes = np.array([truth[name].shape for name in truth.files if name.startswith("img_")])
    assert found.sizes.height == (shapes[:, 0].min(), shapes[:, 0].max())
    assert found.sizes.width == (shapes[:, 1].min(), shapes[:, 1].max())
    assert found.sizes.looked_at == 111


def test_names_of_persons_are_shown_only_when_asked(shared_data):
    path = shared_data / "amnis" / "example.cif"
    asked = describe(path, personal=True)
    name = asked.personal["operator"]
    assert len(name) > 3
    assert name in json.dumps(asked.to_dict())
    plain = describe(path)
    assert name not in json.dumps(plain.to_dict())
    assert name not in str(plain.tables())


@pytest.mark.parametrize("name", ["ut7_ideas60.daf", "ut7_ideas62.daf"])
def test_a_daf_without_its_images_still_tells_its_populations(shared_data, name):
    found = describe(shared_data / "amnis" / name)
    assert (found.format, found.n_objects, found.sizes) == ("daf", 420, None)
    assert len(found.populations) == 30
    counts = {population.name: population.count for population in found.populations}
    assert counts["All"] == 420
    assert "without images" in found.notes[-1]
    assert found.software["IDEAS"].startswith("6.")


def test_a_stack_tells_what_it_was_made_from(tmp_path, demo_cif):
    source = describe(demo_cif)
    found = describe(convert(demo_cif, tmp_path / "a.h5").outputs[0])
    assert found.format == "cell stack"
    assert found.channels == source.channels
    assert found.sizes == source.sizes
    assert found.provenance["sources"][0]["name"] == "demo.cif"
    titles = [title for title, _ in found.tables()]
    assert titles == ["", "channels", "made from"]


def test_labels_of_a_folder_are_counted(tmp_path):
    for label, count in (("BNE", 2), ("Doublet", 3)):
        (tmp_path / "cells" / label).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((5, 6 + number), number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "cells" / label / f"{number}.png")
    found = describe(tmp_path / "cells")
    assert found.labels == {"BNE": 2, "Doublet": 3}
    assert (found.sizes.height, found.sizes.width) == ((5, 5), (6, 8))
    assert found.file == "cells"


def test_every_description_goes_to_json_and_to_tables(tmp_path, demo_cif):
    found = describe(demo_cif)
    again = json.loads(json.dumps(found.to_dict()))
    assert again["n_objects"] == 40
    assert again["sizes"]["looked_at"] == 40
    tables = dict(found.tables())
    assert ("objects", "40") in tables[""]
    assert tables["channels"][1][:3] == ("Ch01", "BF", "brightfield")


def test_nothing_readable(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "empty.cif").write_bytes(b"")
    for name, match in (
        ("a.txt", "expected one of cif"),
        ("empty.cif", "found an empty one"),
        ("none.cif", "cannot be opened"),
    ):
        with pytest.raises(FormatError, match=match):
            describe(tmp_path / name)
        with pytest.raises(FormatError, match=match):
            check(tmp_path / name)


def test_sound_files_have_no_faults(tmp_path, demo_cif):
    assert check(demo_cif) == []
    assert check(convert(demo_cif, tmp_path / "a.h5").outputs[0]) == []


@pytest.mark.parametrize("workers", [1, 4])
def test_every_fault_is_listed_with_its_place(damaged_cif, workers):
    calls = []
    faults = check(damaged_cif, workers=workers, progress=lambda *call: calls.append(call))
    assert [fault.object_number for fault in faults] == [7]
    assert faults[0].offset > 0
    assert calls[-1] == ("checking damaged.cif", 40, 40)


def test_a_truncated_file_tells_its_faults(tmp_path, demo_cif):
    path = tmp_path / "cut.cif"
    path.write_bytes(demo_cif.read_bytes()[:-2000])
    faults = check(path)
    assert faults
    assert faults == check(path)


def test_damage_that_hides_everything_is_the_one_fault(tmp_path, demo_cif):
    path = tmp_path / "cut.cif"
    path.write_bytes(demo_cif.read_bytes()[:300])
    faults = check(path)
    assert len(faults) == 1
    assert faults[0].offset is not None


def test_a_damaged_stack_tells_its_faults(tmp_path, demo_cif):
    path = convert(demo_cif, tmp_path / "a.h5").outputs[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = b"\xff" * 4000
    path.write_bytes(data)
    assert check(path)
