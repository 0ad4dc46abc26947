"""The pages of connect links, which people without a login see."""

from django.urls import path

from integrations.views import connect_links

urlpatterns = [
    path("link/<str:token>", connect_links.follow, name="connect_link"),
    path("connect-links/<str:link_id>/", connect_links.page, name="connect_link_page"),
]
