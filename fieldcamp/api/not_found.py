"""The addresses that the middleware uses for an address that does not exist: all of them lead to 404."""

from django.urls import re_path

from fieldcamp.api.views import NotFoundView

urlpatterns = [re_path("", NotFoundView.as_view())]
