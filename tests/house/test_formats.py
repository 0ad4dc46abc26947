"""Money, numbers and times are written by `fieldcamp.formats` and nothing else, in templates as in modules."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.is_file())
MODULES = sorted(
    path
    for top in ("fieldcamp", "integrations")
    for path in (ROOT / top).rglob("*.py")
    if "sandbox" not in path.parts and path.name != "formats.py"
)
IN_TEMPLATES = re.compile(r"\|\s*(?:date|time|floatformat|intcomma|naturaltime|naturalday|localtime)\b")
IN_MODULES = re.compile(r"\b(?:date_format|number_format|time_format|naturaltime)\(|:\+?,\.2f\}")


@pytest.mark.parametrize(
    ("pattern", "source"),
    [
        (IN_TEMPLATES, '{{ day|date:"j M" }}'), (IN_TEMPLATES, "{{ sum|floatformat:2 }}"),
        (IN_TEMPLATES, "{{ n|intcomma }}"), (IN_MODULES, 'date_format(day, "j M")'),
        (IN_MODULES, 'f"{amount:,.2f}"'), (IN_MODULES, 'f"{amount:+,.2f}"'),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(pattern, source):
    assert pattern.search(source)


def test_no_template_formats_by_itself():
    assert [str(path.relative_to(ROOT)) for path in TEMPLATES if IN_TEMPLATES.search(path.read_text())] == []


def test_no_module_formats_by_itself():
    assert [str(path.relative_to(ROOT)) for path in MODULES if IN_MODULES.search(path.read_text())] == []
