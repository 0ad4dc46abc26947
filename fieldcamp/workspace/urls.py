"""Addresses of FieldCamp's own records, below `/api/v1/`."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
