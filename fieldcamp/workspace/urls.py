"""Addresses of FieldCamp's own records, below `/api/v1/`."""

from django.urls import path

from fieldcamp.workspace import views

urlpatterns = [
    path("visits", views.VisitListView.as_view(), name="visits"),
    path("visits/<str:record_id>", views.VisitView.as_view(), name="visit"),
    path("clients", views.ClientListView.as_view(), name="clients"),
    path("clients/<str:record_id>", views.ClientView.as_view(), name="client"),
    path("team", views.TeamView.as_view(), name="team"),
    path("team/<str:record_id>", views.MemberView.as_view(), name="team-member"),
]
