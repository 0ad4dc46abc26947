"""The sync API, in which every provider has the same routes, each an address of its own; and free/busy."""

from django.urls import path
from rest_framework.views import APIView

from integrations.api import (
    availability,
    connect_links,
    connection_settings,
    connections,
    holds,
    jobs,
    plans,
    problem_answers,
    problems,
    reconciliation,
    sync,
    sync_states,
)
from integrations.api.record_calls import CALLS_VIEWS
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
urlpatterns += [
    path(
        "integrations/connect-links",
        connect_links.ConnectLinkListView.as_view(),
        name="integrations-connect-link-list",
    ),
    path(
        "integrations/connect-links/<str:link_id>",
        connect_links.OneConnectLinkView.as_view(),
        name="integrations-connect-link",
    ),
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
for resource, calls_view in CALLS_VIEWS.items():
    route = f"{resource}/<str:record_id>/sync/calls"
    urlpatterns.append(path(route, calls_view.as_view(), name=f"{resource}-sync-calls"))
for resource, state_view in sync_states.VIEWS.items():
    urlpatterns.append(path(f"{resource}/<str:record_id>/sync", state_view.as_view(), name=f"{resource}-sync"))
_ACCOUNTS: tuple[tuple[str, type[APIView], str], ...] = (
    ("connections", connections.ConnectionListView, "connection-list"),
    ("connections/<str:connection_id>", connections.OneConnectionView, "connection"),
    ("connections/<str:connection_id>/pause", connections.ConnectionPauseView, "connection-pause"),
    ("connections/<str:connection_id>/resume", connections.ConnectionResumeView, "connection-resume"),
    ("connections/<str:connection_id>/disconnect", connections.ConnectionDisconnectView, "connection-disconnect"),
    ("connections/<str:connection_id>/settings", connection_settings.ConnectionSettingsView, "connection-settings"),
    ("connections/<str:connection_id>/options", connection_settings.ConnectionOptionsView, "connection-options"),
    ("holds", holds.HoldListView, "hold-list"),
    ("holds/<str:hold_id>", holds.OneHoldView, "hold"),
    ("holds/<str:hold_id>/confirm", holds.HoldConfirmView, "hold-confirm"),
    ("holds/<str:hold_id>/reject", holds.HoldRejectView, "hold-reject"),
)
urlpatterns += [
    path(f"integrations/{place}", view.as_view(), name=f"integrations-{name}") for place, view, name in _ACCOUNTS
]
for provider in PROVIDERS.values():
    start = f"integrations/{provider.slug}"
    urlpatterns += [
        path(f"{start}/sync", sync.SyncView.of(provider).as_view(), name=f"{provider.slug}-sync"),
        path(f"{start}/status", sync.StatusView.of(provider).as_view(), name=f"{provider.slug}-status"),
        path(
            f"{start}/settings",
            connection_settings.IntegrationSettingsView.of(provider).as_view(),
            name=f"{provider.slug}-settings",
        ),
    ]
    if INVOICE.name in provider.kinds:
        view = reconciliation.ReconciliationView.of(provider)
        urlpatterns.append(path(f"{start}/reconciliation", view.as_view(), name=f"{provider.slug}-reconciliation"))
