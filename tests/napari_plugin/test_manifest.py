"""What napari finds: a sound manifest, readers that leave other people's files alone, a writer, samples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

npe2 = pytest.importorskip("npe2", reason="the review extra is not installed")
pytest.importorskip("napari.components", reason="the review extra is not installed")

import ifcyto.napari_plugin  # noqa: E402
from ifcyto.errors import UsageError  # noqa: E402
from ifcyto.napari_plugin.reader import get_reader, read  # noqa: E402
from ifcyto.napari_plugin.sample_data import CELLS, simulated_cells  # noqa: E402
from ifcyto.napari_plugin.writer import write_page  # noqa: E402
from ifcyto.writers.page_tiff import read_page_tiff  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

MANIFEST = Path(ifcyto.napari_plugin.__file__).parent / "napari.yaml"


def test_every_name_of_the_manifest_is_there(display):
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    commands = {command.id for command in manifest.contributions.commands}
    assert commands == {"ifcyto.read", "ifcyto.write_page", "ifcyto.sample", "ifcyto.review"}


def test_the_package_tells_napari_of_the_manifest():
    from importlib.metadata import entry_points

    (found,) = [point for point in entry_points(group="napari.manifest") if point.name == "ifcyto"]
    assert found.value == "ifcyto.napari_plugin:napari.yaml"


def test_discovery_imports_nothing_heavy():
    code = (
        "import sys, npe2\nfrom npe2 import PluginManager\nbefore = set(sys.modules)\n"
        f"PluginManager().register(npe2.PluginManifest.from_file({str(MANIFEST)!r}))\n"
        "import ifcyto.napari_plugin\n"
        "heavy = {'numpy', 'h5py', 'qtpy', 'numba', 'matplotlib', 'pandas', 'scipy', 'keras'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_other_peoples_files_are_left_to_others(tmp_path):
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["x"] = np.zeros(3)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "broken.toml").write_text("[study\n")
    (tmp_path / "text.cif").write_text("data_crystal\n_cell_length_a 5.4\n")  # crystallographers' files
    (tmp_path / "empty.daf").touch()
    for path in tmp_path.iterdir():
        assert get_reader(str(path)) is None, path
    assert get_reader(str(tmp_path / "gone.h5")) is None
    assert get_reader([str(tmp_path / "theirs.h5")]) is None


def test_cells_of_every_kind_of_ours_become_layers(stack, study):
    cif = stack.with_suffix(".cif")
    first = None
    for path in (stack, cif, study):
        assert get_reader(str(path)) is read
        layers = read(str(path))
        assert [(meta["name"], kind) for _, meta, kind in layers] == [
            ("BF", "image"),
            ("CD235a", "image"),
            ("DRAQ5", "image"),
            ("masks", "labels"),
            ("object numbers", "points"),
        ]
        assert layers[0][1]["scale"][-1] == 0.5
        if path == stack:
            first = layers[2][0]
        elif path == cif:
            assert np.array_equal(layers[2][0], first)
    assert not list(stack.parent.glob("*labels*"))


def test_the_writer_writes_what_the_layers_hold(stack, tmp_path):
    images = [layer for layer in read(str(stack)) if layer[2] == "image"]
    assert write_page(str(tmp_path / "page.tif"), images) == [str(tmp_path / "page.tif")]
    planes, channels, cells = read_page_tiff(tmp_path / "page.tif")
    assert planes.tobytes() == np.stack([data for data, _, _ in images]).tobytes()
    assert channels == ("BF", "CD235a", "DRAQ5")
    assert [cell.object for cell in cells] == list(range(30))
    with pytest.raises(UsageError, match="of one page of a review"):
        write_page(str(tmp_path / "other.tif"), [(np.zeros((4, 4)), {"name": "x", "metadata": {}}, "image")])


def test_sample_data_are_cells():
    images = [layer for layer in simulated_cells() if layer[2] == "image"]
    assert len(images) == 3
    assert len(images[0][1]["metadata"]["ifcyto page"]["cells"]) == CELLS
