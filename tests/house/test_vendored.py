"""What is kept here of other people's scripts is what its README says, and comes with its licence."""

import hashlib

from tests.house.imports import ROOT

VENDORED = ROOT / "static" / "vendor"


def test_each_file_is_the_one_that_is_written_down():
    folders = sorted(VENDORED.iterdir())
    assert [folder.name for folder in folders] == ["event-calendar"]
    for folder in folders:
        papers = (folder / "README.md").read_text()
        assert "Permission is hereby granted" in (folder / "LICENSE").read_text()
        files = [path for path in folder.iterdir() if path.name not in ("README.md", "LICENSE")]
        assert files
        for path in files:
            content = path.read_bytes()
            assert f"| `{path.name}` | sha256 `{hashlib.sha256(content).hexdigest()}` |" in papers, path.name
            assert b"sourceMappingURL" not in content, "a map that is not here"
