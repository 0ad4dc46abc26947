"""What htmx replaces while somebody stands in it keeps the focus: it finds the element again by its id, and only so."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "integrations"
COMMENT = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", re.S)
OPENING = re.compile(r"<(a|button|summary|select|textarea|input|div)\b((?:{[{%].*?[}%]}|[^<>])*)>", re.S)
INCLUDED = re.compile(r'{% (?:include|extends) "integrations/([\w/]+\.html)"')
MOVED = re.compile("hx-get|hx-swap-oob")
REPLACED = ["button.html"]  # by which a card is replaced, and which stands in all of them


def replaced() -> set[str]:
    """Gives the templates of which a part is replaced while the page stays, with all that they include."""
    found, waiting = set(), [*REPLACED]
    waiting += [
        str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html") if MOVED.search(path.read_text())
    ]
    waiting += ["problem_card.html", *(f"fix/{path.name}" for path in (TEMPLATES / "fix").iterdir())]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += INCLUDED.findall((TEMPLATES / name).read_text())
    return found


def nameless(html: str) -> list[str]:
    """Gives the opening tags of what can have the focus and has no id."""
    found = []
    for match in OPENING.finditer(COMMENT.sub("", html)):
        tag, attributes = match.groups()
        focusable = "tabindex=" in attributes if tag == "div" else 'type="hidden"' not in attributes
        if focusable and " id=" not in attributes:
            found.append(match.group(0))
    return found


def test_what_is_replaced_is_found():
    assert {"card.html", "needs.html", "outcome.html", "job_live.html", "fix/conflict.html", "sides.html"} <= replaced()


@pytest.mark.parametrize("name", sorted(replaced()))
def test_what_can_have_the_focus_has_an_id(name):
    assert nameless((TEMPLATES / name).read_text()) == []


def test_an_element_without_id_is_noticed():
    assert nameless('<a class="x" href="{% url "a" %}">x</a><div tabindex="0">') != []
    assert nameless('<a id="x" href="{% url "a" %}">x</a><div class="y"><input type="hidden" name="z">') == []
