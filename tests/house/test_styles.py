"""A class is laid out in one style sheet: two parts of the desk that take one name break each other where they meet."""

import re
from pathlib import Path

from django.conf import settings

SHEETS = Path(settings.BASE_DIR) / "static" / "fieldcamp"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
RULE = re.compile(r"([^{}]+){[^{}]*}")
ALONE = re.compile(r"\.(fc-[\w-]+)")
OTHER_WIDTHS = re.compile(r"@media[^{]*{(?:[^{}]*{[^{}]*})*[^{}]*}")


def laid_out(css: str) -> set[str]:
    """Gives the classes that stand alone in a selector, apart from what a sheet adds at other widths."""
    rules = RULE.findall(OTHER_WIDTHS.sub("", COMMENT.sub("", css)))
    alone = (ALONE.fullmatch(selector.strip()) for rule in rules for selector in rule.split(","))
    return {match.group(1) for match in alone if match}


def test_no_class_is_laid_out_by_two_sheets():
    owners: dict[str, list[str]] = {}
    for path in sorted(SHEETS.glob("*.css")):
        for name in laid_out(path.read_text()):
            owners.setdefault(name, []).append(path.name)
    assert len(owners) > 100
    assert {name: sheets for name, sheets in owners.items() if len(sheets) > 1} == {}


def test_a_class_that_stands_alone_is_noticed():
    css = """.fc-a, .fc-b { x: y } .fc-c .fc-d { x: y }
    @media (max-width: 9rem) { .fc-e { x: y } .fc-f { x: y } } .fc-g { x: y }"""
    assert laid_out(css) == {"fc-a", "fc-b", "fc-g"}
