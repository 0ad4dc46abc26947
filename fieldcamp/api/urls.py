"""Addresses of the API platform itself, below `/api/v1/`."""

from django.urls import path

from fieldcamp.api import docs, key_views

urlpatterns = [
    path("schema", docs.SchemaView.as_view(), name="api-schema"),
    path("api-keys", key_views.KeyListView.as_view(), name="api-keys"),
    path("api-keys/<str:key_id>", key_views.KeyView.as_view(), name="api-key"),
    path("api-keys/<str:key_id>/rotate", key_views.KeyRotateView.as_view(), name="api-key-rotate"),
]
