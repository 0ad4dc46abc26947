"""What a list of the desk can be asked: a search of ten words, and what its filters offer."""

import pytest
from django.contrib import admin

from fieldcamp.desk.admins import ScopedAdmin
from tests.conftest import api_client


@pytest.mark.slow
def test_a_search_of_a_thousand_words(desk, ours, api_key):
    browser, many = desk(), "of " * 1000
    for path in (
        "/admin/workspace/visit/?q=",
        "/admin/workspace/client/?q=",
        "/admin/search/?extended=1&s=",
        f"/admin/workspace/client/{ours.client.pk}/merge/?q=",
    ):
        assert browser.get(path + many).status_code == 200, path
    assert ours.client.company_name in browser.get(f"/admin/workspace/client/?q={many}").content.decode()
    found = browser.get(f"/admin/workspace/client/?q={'of ' * 9}nobody").content.decode()
    assert ours.client.company_name not in found
    api = api_client(api_key(workspace=ours.workspace))
    for name in ("clients", "items"):
        assert len(api.get(f"/api/v1/{name}?search={'of ' * 10}").json()["data"]) == 1
        assert list(api.get(f"/api/v1/{name}?search={many}").json()["error"]["details"]) == ["search"]


@pytest.mark.slow
def test_a_list_is_no_oracle_for_what_it_does_not_filter_by(desk, ours):
    browser = desk("viewer")
    browser.raise_request_exception = False
    for query in (
        "message__contains=x", "detail=x", "pk__startswith=p", "id__gt=1", "link__remote_id=x", "data__a__has_key=x",
        "connection__grant__access_token__regex=^1", "connection__oauthgrant__isnull=0", "workspace__name__contains=x",
        "code__contains=x", "connection_id=x",
    ):  # fmt: skip
        answer = browser.get(f"/admin/integrations/problem/?{query}")
        assert answer.status_code == 400, query


@pytest.mark.slow
def test_what_filters_offer_may_be_asked(desk, ours):
    """Each list's own filters, with each value that they offer."""
    browser, tried = desk(), 0
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ScopedAdmin):
            continue
        listed = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        request = browser.get(listed).wsgi_request
        changes = model_admin.get_changelist_instance(request)
        for spec in changes.filter_specs:
            offered = [choice["query_string"] for choice in spec.choices(changes) if "query_string" in choice]
            for query in offered[-1:]:
                assert browser.get(listed + query).status_code == 200, (listed, query)
                tried += 1
    assert tried > 10
    dates = "scheduled_start_from=2026-01-01&scheduled_start_to=2030-01-01"
    assert browser.get(f"/admin/workspace/visit/?{dates}").status_code == 200
