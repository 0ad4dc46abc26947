"""Addresses of the API platform itself, below `/api/v1/`."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
