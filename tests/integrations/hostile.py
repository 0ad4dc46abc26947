"""What nobody sends by pressing a button, and a look at everything that is stored."""

import re
from typing import Any

from django.apps import apps

# Unknown, of the wrong type, very long, not text, and made to break out of where it is shown.
VALUES = ("none", "-1", "1e999", "\x00", "a\x00b", "x" * 99_999, "<script>alert(1)</script>", "' OR 1=1 --", "\u202e💥")
# Written by every call to a provider, also by those that a page makes before anything is saved.
_CALLS = {"integrations.DailyCalls", "integrations.ProviderBudget", "integrations.ProviderCalls"}


def stored() -> dict[str, list[dict[str, Any]]]:
    """All rows of the product's own tables."""
    own = (model for model in apps.get_models() if model._meta.app_label in ("integrations", "workspace", "api"))
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in own
        if model._meta.label not in _CALLS
    }


def errors_in(page: str) -> dict[str, str]:
    """What is said at each field, by the field's id. What is said is named by the field, and in the summary."""
    found = dict(re.findall(r'<span class="fc-error" id="([^"]+)_error"><span class="fc-line">(.*?)</span>', page))
    for field, sentence in found.items():
        assert re.search(rf'aria-describedby="[^"]*\b{re.escape(field)}_error"', page), f"{field} has no description"
        assert f'<a href="#{field}">' in page, f"the summary does not lead to {field}"
        assert sentence in page.partition('id="' + field)[0], f"the summary does not say: {sentence}"
        assert re.search(rf'\bid="{re.escape(field)}"', page), f"the summary leads nowhere: {field}"
    if found:
        assert page.count('aria-invalid="true"') >= len(found)
        assert 'role="alert"' in page
    assert "<script>alert" not in page
    return found


def assert_refused(response, before: dict[str, Any], *fields: str) -> dict[str, str]:
    """The page says at exactly these fields what is wrong, and nothing at all is saved."""
    assert response.status_code == 400
    said = errors_in(response.content.decode())
    assert set(said) == set(fields)
    assert stored() == before
    return said
