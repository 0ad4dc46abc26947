"""Mutation testing, area by area: see scripts/mutants, which calls this."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "mutants"
SURVIVORS = ROOT / "tests" / "survivors"
OVER = ("no tests", "survived")  # as mutmut calls a mutant that nobody has noticed


@dataclass(frozen=True)
class Area:
    """What is broken, and the tests that have to notice; `least` is the share of mutants that they kill, in percent."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    least: int = 0


AREAS = {
    "sync": Area(
        tuple(f"integrations/sync/{name}.py" for name in
              ("apply", "guard", "isolation", "observe", "operations", "plan", "policy", "run", "state")),
        tuple(f"tests/integrations/sync/test_{name}.py" for name in
              ("apply", "careful", "certainty", "far", "guarding", "listings", "patience", "plan", "plan_fields",
               "plan_rows", "refused", "run")),
        least=90,
    ),
    "money": Area(
        ("fieldcamp/money.py", "fieldcamp/workspace/totals.py", "fieldcamp/workspace/lines.py"),
        tuple(f"tests/fieldcamp/workspace/test_{name}.py" for name in ("money", "totals", "money_api", "sent")),
        least=90,
    ),
    "documents": Area(
        ("fieldcamp/workspace/invoicing.py", "fieldcamp/workspace/paying.py"),
        tuple(f"tests/fieldcamp/workspace/test_{name}.py" for name in ("money_api", "books")),
    ),
    "mapping": Area(
        ("integrations/providers/google_calendar/mapping.py", "integrations/providers/outlook_calendar/mapping.py",
         "integrations/providers/quickbooks/mapping/*.py"),
        tuple(f"tests/integrations/providers/{name}.py" for name in
              ("google_calendar/test_mapping", "outlook_calendar/test_mapping", "quickbooks/test_mapping",
               "quickbooks/test_overlay", "quickbooks/test_overlay_elsewhere", "quickbooks/test_unsaid")),
    ),
    "matching": Area(("integrations/books/matching.py",), ("tests/integrations/books/test_matching.py",)),
    "leases": Area(("integrations/queue/lease.py",), ("tests/integrations/queue",)),
}  # fmt: skip

SETTINGS = """[mutmut]
source_paths=
    fieldcamp
    integrations
only_mutate={sources}
also_copy=
    manage.py
    pyproject.toml
    templates
    static
    tests
pytest_add_cli_args=
    -p
    no:randomly
    -p
    no:cacheprovider
    -m
    not slow and not browser
    --no-migrations
pytest_add_cli_args_test_selection={tests}
use_git_change_detection=false
"""


def main() -> int:
    """Runs the areas that were asked for; the process fails where a mutant lives that is not on the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"one of {', '.join(AREAS)}; all by default")
    parser.add_argument("--shrink", action="store_true", help="take what is noticed by now off the lists")
    asked = parser.parse_args()
    if unknown := set(asked.areas) - set(AREAS):
        parser.error(f"there is no area {', '.join(sorted(unknown))}")
    return max([run(name, AREAS[name], shrink=asked.shrink) for name in asked.areas or AREAS])


def run(name: str, area: Area, *, shrink: bool) -> int:
    """Runs one area, prints how it went, and returns 1 where that is not good enough."""
    folder = prepare(name, area)
    known = (folder / "mutants").exists()
    with tempfile.TemporaryDirectory(prefix="fieldcamp-mutants.") as data:
        call(folder, "run", FIELDCAMP_DATA=data)
        if known and (names := unnoticed(folder)):  # the tests may be better by now
            call(folder, "run", *names, FIELDCAMP_DATA=data)
    call(folder, "export-cicd-stats", stdout=subprocess.DEVNULL)
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    found = survivors(folder)
    share = 100 * (1 - found.total() / counts["total"])
    print(f"{name}: {counts['total']} mutants, {found.total()} of them unnoticed; {share:.1f} % killed.")
    path = SURVIVORS / f"{name}.txt"
    listed = Counter(path.read_text().splitlines()) if path.exists() else found
    for line in sorted((found - listed).elements()):
        print(f"  nobody notices: {line}")
    for line in sorted((listed - found).elements()):
        print(f"  is noticed by now: {line}")
    if shrink or not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in sorted((listed & found).elements())))
    return int(bool(found - listed) or share < area.least)


def prepare(name: str, area: Area) -> Path:
    """Copies what git knows beside what mutmut remembers of the last run, and says what there is to do."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    wanted = {line for line in listed.stdout.splitlines() if (ROOT / line).is_file()}
    for old in folder.iterdir():
        if old.name != "mutants":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for line in wanted:
        (folder / line).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / line, folder / line)
    sources, tests = ("".join(f"\n    {path}" for path in paths) for paths in (area.sources, area.tests))
    (folder / "setup.cfg").write_text(SETTINGS.format(sources=sources, tests=tests))
    return folder


def call(folder: Path, *arguments: str, stdout: int | None = None, **environment: str) -> str:
    """Runs mutmut, and returns what it has printed where that is asked for."""
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "SANDBOX_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments], cwd=folder, env=kept | environment, stdout=stdout, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout or ""


def unnoticed(folder: Path) -> list[str]:
    """Returns mutmut's names of the mutants that nobody has noticed."""
    rows = (line.strip().rpartition(": ") for line in call(folder, "results", stdout=subprocess.PIPE).splitlines())
    return [name for name, _, status in rows if status in OVER]


def survivors(folder: Path) -> Counter[str]:
    """Returns the mutants that nobody has noticed, each by its function and what was changed in it: the numbers that
    mutmut gives them move with every edit."""
    found: Counter[str] = Counter()
    for name in unnoticed(folder):
        diff = call(folder, "show", name, stdout=subprocess.PIPE).splitlines()
        changed = [row for row in diff if re.match(r"[-+](?![-+])", row)]
        function = re.sub(r"(?<=\.)x(ǁ|_)|__mutmut_\d+$", "", name).replace("ǁ", ".")
        found[f"{function}: " + " ".join(re.sub(r"\s+", " ", row) for row in changed)] += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
