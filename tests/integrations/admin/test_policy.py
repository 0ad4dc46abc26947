"""What the pages let a browser do: the Content-Security-Policy."""

from django.test import Client as Browser


def test_only_the_themes_pages_may_evaluate_scripts(desk, ours):
    def policy(url: str) -> str:
        return desk().get(url)["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-eval'" in policy("/admin/")
    assert "script-src 'self' 'unsafe-eval'" in policy("/admin/login/")
    connecting = policy("/admin/integrations/connect/google-calendar/")
    assert "unsafe-eval" not in connecting
    assert "script-src" not in connecting


def test_a_form_may_lead_to_a_vendors_consent_but_not_a_password(desk, ours):
    """Browsers hold each redirect that follows a form to `form-action`, and nobody can list a vendor's hosts."""
    inside, outside = desk(), Browser()
    assert "form-action" not in inside.get("/admin/")["Content-Security-Policy"]
    assert "form-action" not in inside.get("/admin/integrations/connect/quickbooks/")["Content-Security-Policy"]
    assert "form-action 'self'" in outside.get("/admin/login/")["Content-Security-Policy"]
