"""The sync API, in which every provider has the same routes, each an address of its own; and free/busy."""

from django.urls import path

from integrations.api import availability, jobs, problems, reconciliation, sync
from integrations.kinds import INVOICE
from integrations.providers import PROVIDERS

urlpatterns = [
    path("availability", availability.AvailabilityView.as_view(), name="availability"),
    path("integrations/jobs", jobs.JobListView.as_view(), name="integrations-job-list"),
    path("integrations/jobs/<str:job_id>", jobs.JobView.as_view(), name="integrations-job"),
    path("integrations/jobs/<str:job_id>/cancel", jobs.JobCancelView.as_view(), name="integrations-job-cancel"),
]
urlpatterns.append(
    path(
        "integrations/problems/<str:problem_id>/answer",
        problems.ProblemAnswerView.as_view(),
        name="integrations-problem-answer",
    )
)
for provider in PROVIDERS.values():
    start = f"integrations/{provider.slug}"
    urlpatterns += [
        path(f"{start}/sync", sync.SyncView.of(provider).as_view(), name=f"{provider.slug}-sync"),
        path(f"{start}/status", sync.StatusView.of(provider).as_view(), name=f"{provider.slug}-status"),
    ]
    if INVOICE.name in provider.kinds:
        view = reconciliation.ReconciliationView.of(provider)
        urlpatterns.append(path(f"{start}/reconciliation", view.as_view(), name=f"{provider.slug}-reconciliation"))
