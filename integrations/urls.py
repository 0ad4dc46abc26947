"""The pages below /admin/integrations/ that are no admin change lists."""

from django.urls import path

from integrations.views import connect
from integrations.views.sync import sync

app_name = "integrations"
urlpatterns = [
    path("connect/<slug:slug>/", connect.connect, name="connect"),
    path("connections/<str:connection_id>/setup/", connect.setup, name="setup"),
    path("connections/<str:connection_id>/preview/", connect.preview, name="preview"),
    path("connections/<str:connection_id>/sync/", sync, name="sync"),
]
