"""What is installed: pinned with its hashes, nothing else, and somebody is asked about known holes in it."""

import importlib.util
import json
import re
from subprocess import CompletedProcess

import pytest

from tests.house.imports import ROOT
from tests.house.test_papers import pins

COMPILED = sorted(path.stem for path in ROOT.glob("requirements*.in"))


@pytest.mark.parametrize("name", COMPILED)
def test_everything_that_is_installed_is_pinned_with_its_hashes(name):
    """Also what ours need themselves; at the version that the .in file names (`scripts/lock` makes the other)."""
    text = (ROOT / f"{name}.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 5
    loose = [line for line in lines if not re.match(r"[\w.-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]
    assert loose == []
    locked = pins(f"{name}.txt")
    assert {each: version for each, version in pins(f"{name}.in").items() if locked.get(each) != version} == {}
    for included in re.findall(r"^-r (\S+)\.in$", (ROOT / f"{name}.in").read_text(), re.MULTILINE):
        different = {each for each, version in pins(f"{included}.txt").items() if locked.get(each) != version}
        assert different == set(), f"{name}.txt and {included}.txt"


def test_nothing_else_is_installed_than_what_is_compiled():
    texts = [(ROOT / name).read_text() for name in ("scripts/venv.sh", "scripts/lock", ".ci/run", "scripts/demo")]
    installs = [
        line.strip() for text in texts for line in text.replace("\\\n", "").splitlines() if "pip install" in line
    ]
    # The second: uv itself, by whoever begins without compiled requirements.
    assert len(installs) == 2 and "--require-hashes" in installs[0] and "^uv==" in installs[1]


ASKED = {"name": "django", "version": "5.2.19", "vulns": []}
HOLE = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["5.2.20"]}


@pytest.mark.parametrize(
    ("answered", "code", "said"),
    [
        ([ASKED], 0, "1 packages of x.txt: 0 known holes."),
        ([ASKED, {"name": "six", "version": "1", "vulns": [HOLE]}], 1, "six 1: PYSEC-1, CVE-1; mended in 5.2.20"),
        ([ASKED, {"name": "six", "skip_reason": "not found"}], 3, "NOT AUDITED"),
        ([{"name": "six", "version": "1", "vulns": [HOLE]}, {"name": "a", "skip_reason": "x"}], 1, "PYSEC-1"),
        (None, 3, "Could not connect"),
    ],
)
def test_an_audit_that_could_ask_nobody_says_so(monkeypatch, capsys, answered, code, said):
    spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts/audit.py")
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    text = "" if answered is None else json.dumps({"dependencies": answered, "fixes": []})
    done = CompletedProcess([], 1, text, "ERROR: Could not connect to PyPI")
    monkeypatch.setattr(audit.subprocess, "run", lambda *_args, **_kwargs: done)
    assert audit.main("x.txt") == code
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
