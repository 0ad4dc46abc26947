"""What every answer of the API carries, and what it is spared because it is no page."""

import pytest

from tests.conftest import api_client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["visits", "nowhere", "integrations/google-calendar/status"])
def test_nothing_may_be_loaded_framed_or_guessed(api, path):
    response = api.get(f"/api/v1/{path}")
    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response["X-Frame-Options"] == "DENY" and response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


@pytest.mark.django_db
def test_pages_keep_their_own_policy():
    for page in ("/admin/login/", "/api/docs"):
        assert "default-src 'self'" in api_client().get(page)["Content-Security-Policy"]
