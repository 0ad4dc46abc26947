"""docs/data.md says of each table what it holds, why and for how long."""

import re

from django.apps import apps

from tests.house.imports import ROOT


def test_the_paper_names_every_table():
    paper = (ROOT / "docs/data.md").read_text()
    rows = [line.split("|") for line in paper.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row[1])]
    assert sorted(named) == sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    assert all(len(row) == 7 and all(cell.strip() for cell in row[1:6]) for row in rows)


def test_the_days_in_the_paper_are_those_of_the_settings():
    paper, example = ((ROOT / name).read_text() for name in ("docs/data.md", ".env.example"))
    said = dict(re.findall(r"`([A-Z_]+_DAYS)` \((\d+)\)", paper))
    assert len(said) == 7 and said.items() <= dict(re.findall(r"^([A-Z_]+)=(\d+)$", example, re.MULTILINE)).items()
