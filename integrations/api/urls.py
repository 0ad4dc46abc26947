"""The sync API. Every provider answers at the same addresses; an unknown slug is a 404 like any unknown path."""

from django.urls import path

from integrations.api import jobs, sync

urlpatterns = [
    path("integrations/jobs", jobs.JobListView.as_view(), name="integrations-job-list"),
    path("integrations/jobs/<str:job_id>", jobs.JobView.as_view(), name="integrations-job"),
    path("integrations/jobs/<str:job_id>/cancel", jobs.JobCancelView.as_view(), name="integrations-job-cancel"),
    path("integrations/<slug:slug>/sync", sync.SyncView.as_view(), name="integrations-sync"),
    path("integrations/<slug:slug>/status", sync.StatusView.as_view(), name="integrations-status"),
]
