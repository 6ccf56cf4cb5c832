from __future__ import annotations

import pytest

from ifcyto.pipeline.personal import without_personal


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
