"""All addresses. `/` is for everybody, `/admin/` the desk; all under `/api/` answers in the API's own manner."""

from django.contrib import admin
from django.urls import include, path, re_path

from fieldcamp.api import docs
from fieldcamp.desk.guards import throttled
from fieldcamp.health import healthz, readyz
from fieldcamp.metrics import metrics
from fieldcamp.signin.passwords import ForgottenView
from integrations.views.push import receive_push
from integrations.views.security_events import receive_event

handler400 = "fieldcamp.error_pages.bad_request"
handler500 = "fieldcamp.error_pages.server_error"
urlpatterns = [
    path("", include("integrations.views.public_urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/integrations/", include("integrations.urls")),
    path("admin/password/", throttled(ForgottenView.as_view()), name="admin_password_reset"),
    path("admin/password/", include("fieldcamp.desk.passwords")),
    path("admin/", include("fieldcamp.signin.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("integrations.views.consent_urls")),
    path("", include("integrations.views.connect_link_urls")),
    path("security-events/<slug:slug>", receive_event, name="security_events"),
    # With a slash at its end or without: a redirect would be a lost message.
    re_path(r"^push/(?P<address>[a-z]{1,32})/?$", receive_push, name="push"),
    path("api/docs", docs.reference, name="api-reference"),
    path("api/docs/<slug:name>", docs.page, name="api-page"),
    path("api/v1/", include("fieldcamp.api.urls")),
    path("api/v1/", include("fieldcamp.workspace.rest.urls")),
    path("api/v1/", include("fieldcamp.webhooks.rest.urls")),
    path("api/v1/", include("integrations.api.urls")),
]
