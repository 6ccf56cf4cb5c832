from __future__ import annotations

import re
import shutil
from pathlib import Path

import h5py
import pytest

from ifcyto.gates.daf import read_daf_gating
from ifcyto.gates.gatingml_write import write_gatingml
from ifcyto.pipeline import draw as draw_module
from ifcyto.pipeline.convert import convert
from ifcyto.pipeline.export import export_cif, export_object_tiffs, export_ome_tiff
from ifcyto.pipeline.export_daf import export_daf
from ifcyto.pipeline.export_tables import export_fcs, export_feature_text, export_h5ad
from ifcyto.pipeline.gate import gate_daf, write_gated
from ifcyto.pipeline.measure import measure_to_file
from ifcyto.pipeline.personal import text_without_personal, without_personal
from ifcyto.pipeline.populations import export_pop
from ifcyto.pipeline.run import run_study
from ifcyto.readers.cif import CifReader


def blank_figure(_figure, folder, name, **_options):
    """Figures hold no metadata; rendering them is slow."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(PIXEL)
    return folder / f"{name}.png", Path(shutil.copyfile(folder / f"{name}.png", folder / f"{name}.pdf"))


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015d0b2a5c0000000049454e44ae426082"
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operator", "A. Name"),
        ("source_path", "run 7"),
        ("Imaging/FileName", "MDS01 Name"),
        ("Imaging/RemoteImageFileDir", "share"),
        ("note", "saved in C:\\Users\\name\\a.rif"),
        ("note", "\\\\server\\share"),
        ("note", "/home/name/a.rif"),
        ("description", "<xml/>"),
        ("user", "name"),
    ],
)
def test_what_may_name_a_person_or_folder_goes(name, value):
    assert without_personal({name: value, "kept": "1"}) == {"kept": "1"}
    assert without_personal({"sources": [{name: value}]}) == {"sources": [{}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Imaging/Magnification", "40"),
        ("Illumination/BfUseReferenceGains", "0"),
        ("Imaging/SaveBeadFile", "0"),
        ("ideas_version", "6.0.354.0"),
        ("Display/Channel1Name", "CD235a/PE"),
        ("files", {"0": "BNE/a.png"}),
    ],
)
def test_what_describes_the_instrument_stays(name, value):
    assert without_personal({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("file", "C:\\Users\\name\\a.cif", "a.cif"),
        ("file", "\\\\server\\share\\a.cif", "a.cif"),
        ("SampleName", "/home/name/runs/", "runs"),
        ("note", "made in C:\\Users\\name", ""),
        ("operator", "A. Name", ""),
        ("operator", "And", "And"),
        ("operator", "+", "+"),
        ("userfeaturetype", "Mask Only", "Mask Only"),
        ("def", "H Contrast Mean|M04|BF|3|Granularity:|1|20", "H Contrast Mean|M04|BF|3|Granularity:|1|20"),
    ],
)
def test_what_may_stay_of_a_text(name, text, kept):
    assert text_without_personal(name, text) == kept


@pytest.fixture(scope="module")
def words(shared_data):
    """What the metadata of the real file say of a person and of folders."""
    with CifReader(shared_data / "amnis" / "example.cif") as reader:
        metadata = reader.metadata
    hidden = metadata.keys() - without_personal(metadata).keys()
    parts = {part for name in hidden for part in re.split(r"[\\/]", metadata[name])}
    found = {part for part in parts | set(metadata["operator"].split()) if len(part) > 4} - {
        "DefaultFileName",
        "Images",
    }
    assert len(found) >= 6  # words that many texts hold are no sign
    return found


def tell_tales(folder, words):
    """Files below a folder that hold one of the words, in their bytes or in the texts of their HDF5."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[:4] == b"\x89HDF":
            data += hdf5_texts(path)
        for word in words:
            if any(word.lower().encode(code) in data.lower() for code in ("utf-8", "utf-16-le")):
                found.append((path.name, word))
    return found


def hdf5_texts(path):
    """All texts of an HDF5 file, whether they are stored packed or not."""
    texts = []
    with h5py.File(path) as file:

        def visit(_name, item):
            texts.extend(map(str, item.attrs.values()))
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "OS":
                texts.append(str(item[()]))

        file.visititems(visit)
        texts.extend(map(str, file.attrs.values()))
    return "\n".join(texts).encode()


def test_names_leave_in_no_export_unless_asked(shared_data, tmp_path, words):
    source = shared_data / "amnis" / "example.cif"
    out = tmp_path / "out"
    stack = convert(source, out / "stack.h5").outputs[0]
    table = out / "t.h5ad"
    measure_to_file(source, table, ["Area_M05"], csv_path=out / "t.csv", fcs_path=out / "t.fcs")
    labels = tmp_path / "labels.csv"
    labels.write_text("object,label\n3,BNE\n9,Doublet\n")
    export_feature_text(table, out / "t.txt")
    export_fcs(table, out / "labels.fcs", labels=labels)
    export_h5ad(out / "t.fcs", out / "back.h5ad", labels=labels)
    export_pop({"BNE": [3]}, out / "pops")
    export_cif([source, stack], out / "a.cif", objects=[[3], [4]])
    export_cif(source, out / "b.cif", objects=[3])
    export_object_tiffs(source, out / "tiffs", objects=[3])
    export_ome_tiff(source, out / "ome", objects=[3])
    daf = tmp_path / "names.daf"
    real = (shared_data / "amnis" / "ut7_ideas62.daf").read_bytes()
    daf.write_bytes(
        real.replace(b'file="example.cif"', b'file="E:\\Justyna\\example.cif" operator="Cathy Zimmerman"')
    )
    export_daf(daf, out / "copy.daf", labels=labels)
    write_gatingml(out / "gates.xml", read_daf_gating(daf).gates)
    write_gated(
        gate_daf(daf), table=out / "populations.csv", members=out / "members.csv", gates=out / "g.json"
    )
    assert len([path for path in out.rglob("*") if path.is_file()]) > 20
    assert tell_tales(out, words) == []
    export_daf(daf, tmp_path / "asked" / "copy.daf", labels=labels, keep_personal=True)
    export_cif(source, tmp_path / "asked" / "b.cif", objects=[3], keep_personal=True)
    assert {name for name, _ in tell_tales(tmp_path / "asked", words)} == {"copy.daf", "b.cif"}


def test_names_are_in_no_file_of_a_run(shared_data, tmp_path, words, monkeypatch):
    monkeypatch.setattr(draw_module, "save_figure", blank_figure)
    source = shared_data / "amnis" / "example.cif"
    samples = "".join(
        f'[[samples]]\nid = "S{n}"\ngroup = "{group}"\nfile = "{source.as_posix()}"\n'
        for n, group in enumerate(("NBM", "MDS"))
    )
    study = tmp_path / "study.toml"
    study.write_text(
        '[study]\ntitle = "T"\ncontrol = "NBM"\ncase = ["MDS"]\nseed = 7\n'
        f"[channels]\nBF = 5\nCD235a = 2\nDRAQ5 = 6\n{samples}"
    )
    report = run_study(study, tmp_path / "results", workers=1)
    assert "111" in report.read_text()
    assert len(list((tmp_path / "results").rglob("*.csv"))) >= 5
    assert tell_tales(tmp_path / "results", words) == []
    page = report.read_text()
    assert str(shared_data) not in page
