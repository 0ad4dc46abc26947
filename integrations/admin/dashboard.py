"""The first page: cards, what needs a person, the queue, jobs per day."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.webhooks.admin.banners import banners
from fieldcamp.workspace.models import Workspace
from integrations.admin.cards import all_cards
from integrations.admin.problem_cards import problem_cards
from integrations.models import JobStatus, Problem
from integrations.selectors.dashboard import jobs_per_day, needs_you, queue_health
from integrations.selectors.stalls import stalls_of

MOST = 50
MOST_COMPANIES = 500
_SERIES = (
    (JobStatus.SUCCEEDED, "--color-green-500"),
    (JobStatus.PARTIAL, "--color-orange-400"),
    (JobStatus.NEEDS_CONFIRMATION, "--color-orange-600"),
    (JobStatus.FAILED, "--color-red-500"),
    (JobStatus.PLANNED, "--color-blue-400"),
    (JobStatus.CANCELLED, "--color-base-400"),
)
_GREY = "#768090"  # legible on the light and on the dark page
_OPTIONS = {
    "barPercentage": 0.7,
    "maxBarThickness": 24,
    "responsive": True,
    "maintainAspectRatio": False,
    "animation": False,
    "datasets": {"bar": {"borderRadius": 2}},
    "plugins": {
        "legend": {"display": True, "position": "bottom", "labels": {"color": _GREY, "boxWidth": 10, "boxHeight": 10}}
    },
    "scales": {
        "x": {"stacked": True, "ticks": {"color": _GREY}, "grid": {"display": False}},
        "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0, "color": _GREY}},
    },
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook: the context of the admin's index."""
    desk_user = desk_user_of(request)
    cards = all_cards(desk_user)
    return {
        **context,
        "title": gettext("Integrations"),
        "company": desk_user.workspace,
        "companies": _companies(desk_user),
        "chosen_company": _chosen_company(desk_user),
        "is_operator": desk_user.is_operator,
        "cards": cards,
        "queue": queue_health(timezone.now()),
        "webhooks_in_trouble": banners(desk_user),
        **needs_context(desk_user),
        **_chart(desk_user),
    }


def _companies(desk_user: DeskUser) -> list[Workspace]:
    """Returns what may be chosen among: everything for a superuser without a member, else the login's own companies."""
    if desk_user.is_operator:
        return list(Workspace.objects.order_by("name", "pk")[:MOST_COMPANIES])
    return [member.workspace for member in desk_user.members]


def _chosen_company(desk_user: DeskUser) -> str:
    if desk_user.member:
        return desk_user.member.workspace_id
    return desk_user.chosen.pk if desk_user.chosen else ""


def needs_context(desk_user: DeskUser) -> dict[str, Any]:
    """Returns the list of open problems, worst first, and what is merely good to know."""
    if desk_user.workspace is None:
        return {"needs": [], "notices": []}
    problems = needs_you(desk_user.workspace, limit=MOST)
    notices = Problem.objects.filter(workspace=desk_user.workspace, notice=True, resolved_at=None, ignored_at=None)
    known = len(problems)
    both = problem_cards([*problems, *notices.select_related("connection", "link")[:20]], desk_user)
    return {
        "needs": both[:known],
        "notices": both[known:],
        "needs_more": known == MOST,
        "behind": 0 if problems else len(stalls_of(desk_user.workspace, timezone.now())),
        "may_dismiss": desk_user.may("ignore"),
    }


def _chart(desk_user: DeskUser) -> dict[str, Any]:
    if desk_user.workspace is None:
        return {}
    days = jobs_per_day(desk_user.workspace, timezone.now())
    data = {
        "labels": [formats.short_day(day) for day, _ in days],
        "datasets": [
            {
                "label": str(status.label),
                "data": [numbers.get(status, 0) for _, numbers in days],
                "backgroundColor": f"var({colour})",
            }
            for status, colour in _SERIES
        ],
    }
    rows = [(day, [numbers.get(status, 0) for status, _ in _SERIES]) for day, numbers in days]
    return {
        "chart": json.dumps(data),
        "chart_options": json.dumps(_OPTIONS),
        "chart_rows": rows,
        "chart_heads": [str(status.label) for status, _ in _SERIES],
        "chart_empty": not any(numbers for _, numbers in days),
    }
