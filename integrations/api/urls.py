"""The sync API, in which every provider has the same routes, each an address of its own; and free/busy."""

from django.urls import path

from integrations.api import availability, jobs, plans, problem_answers, problems, reconciliation, sync
from integrations.kinds import INVOICE
from integrations.providers import PROVIDERS

urlpatterns = [
    path("availability", availability.AvailabilityView.as_view(), name="availability"),
    path("integrations/jobs", jobs.JobListView.as_view(), name="integrations-job-list"),
    path("integrations/jobs/<str:job_id>", jobs.JobView.as_view(), name="integrations-job"),
    path("integrations/jobs/<str:job_id>/cancel", jobs.JobCancelView.as_view(), name="integrations-job-cancel"),
    path("integrations/plans/<str:plan_id>", plans.PlanView.as_view(), name="integrations-plan"),
    path("integrations/plans/<str:plan_id>/apply", plans.PlanApplyView.as_view(), name="integrations-plan-apply"),
    path("integrations/plans/<str:plan_id>/approve", plans.PlanApproveView.as_view(), name="integrations-plan-approve"),
]
for place, each, name in (
    ("", problems.ProblemListView, "problem-list"),
    ("/causes", problems.ProblemCausesView, "problem-causes"),
    ("/answer", problem_answers.ProblemsAnswerView, "problems-answer"),
    ("/retry", problem_answers.ProblemsRetryView, "problems-retry"),
    ("/<str:problem_id>", problems.OneProblemView, "problem"),
    ("/<str:problem_id>/answer", problem_answers.ProblemAnswerView, "problem-answer"),
    ("/<str:problem_id>/retry", problem_answers.ProblemRetryView, "problem-retry"),
    ("/<str:problem_id>/ignore", problem_answers.ProblemIgnoreView, "problem-ignore"),
    ("/<str:problem_id>/unignore", problem_answers.ProblemUnignoreView, "problem-unignore"),
):
    urlpatterns.append(path(f"integrations/problems{place}", each.as_view(), name=f"integrations-{name}"))
for provider in PROVIDERS.values():
    start = f"integrations/{provider.slug}"
    urlpatterns += [
        path(f"{start}/sync", sync.SyncView.of(provider).as_view(), name=f"{provider.slug}-sync"),
        path(f"{start}/status", sync.StatusView.of(provider).as_view(), name=f"{provider.slug}-status"),
    ]
    if INVOICE.name in provider.kinds:
        view = reconciliation.ReconciliationView.of(provider)
        urlpatterns.append(path(f"{start}/reconciliation", view.as_view(), name=f"{provider.slug}-reconciliation"))
