"""The sandbox's page in the documentation names what there is."""

import re
from pathlib import Path

from fieldcamp.sandbox.google.push import SWITCHES as GOOGLE
from fieldcamp.sandbox.intuit.push import MIXED, VOID_WORD
from fieldcamp.sandbox.microsoft.push import EVENTS
from fieldcamp.sandbox.microsoft.push import SWITCHES as MICROSOFT
from fieldcamp.sandbox.push.pushes import KINDS

PAGE = (Path(__file__).parents[4] / "docs" / "sandbox.md").read_text()


def test_every_control_call_is_on_the_page_and_none_besides(app):
    rows = re.findall(r"^\| ((?:`\w+`, )*`[A-Z]+) /_control/(\w+)`", PAGE, re.MULTILINE)
    named = {(verb, name) for verbs, name in rows for verb in re.findall(r"[A-Z]+", verbs)}
    assert named == set(app.control._calls)


def test_every_kind_of_trouble_and_every_switch_is_on_the_page():
    for name in (*KINDS, *EVENTS, *GOOGLE, *MICROSOFT, MIXED, VOID_WORD, "test"):
        assert f"`{name}`" in PAGE, name
