"""The API's reference and the pages beside it, as everybody can read them."""

import json
import re

import pytest
from playwright.sync_api import expect

from fieldcamp.api.docs import document
from tests.browser.test_agenda import serious

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.slow]

METHODS = {"get", "post", "put", "patch", "delete"}
REFERENCE = re.compile(r"#/components/(\w+)/([\w.-]+)")


def a_part() -> dict:
    """The document with the shortest paths that have all methods between them: the whole takes minutes to look at."""
    whole = json.loads(json.dumps(document()[0]))
    chosen, seen = {}, set()
    for path, item in sorted(whole["paths"].items(), key=lambda each: len(str(each[1]))):
        if not METHODS & set(item) <= seen:
            chosen[path] = item
            seen |= METHODS & set(item)
    assert seen == METHODS
    waiting, needed = [json.dumps(chosen)], set()
    while waiting:
        for kind, name in set(REFERENCE.findall(waiting.pop())) - needed:
            needed.add((kind, name))
            waiting.append(json.dumps(whole["components"][kind][name]))
    parts = {"securitySchemes": whole["components"]["securitySchemes"]}
    for kind, name in needed:
        parts.setdefault(kind, {})[name] = whole["components"][kind][name]
    return {**whole, "paths": chosen, "components": parts}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_in_the_reference(open_page, scheme):
    page, part = open_page(color_scheme=scheme), a_part()
    page.route("**/api/v1/schema", lambda route: route.fulfill(json=part))
    page.goto("/api/docs")
    expect(page.locator(".opblock")).not_to_have_count(0, timeout=90_000)  # a busy machine draws it slowly
    for method in ("get", "post"):
        head = page.locator(f".opblock-{method} .opblock-summary-control").first
        head.press("Enter")
        expect(head).to_have_attribute("aria-expanded", "true")
        expect(page.locator(f".opblock-{method} .responses-wrapper").first).to_be_visible()
    findings = serious(page)
    for name in ("quickstart", "errors"):
        page.goto(f"/api/docs/{name}")
        findings += serious(page)
    assert findings == []
