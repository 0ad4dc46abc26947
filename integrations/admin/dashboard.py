"""The first page: cards, what needs a person, the queue, jobs per day."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from fieldcamp.desk.seat import Seat, seat_of
from fieldcamp.workspace.models import Workspace
from integrations.admin.cards import all_cards
from integrations.admin.problem_cards import problem_cards
from integrations.models import JobStatus, Problem
from integrations.selectors.dashboard import jobs_per_day, needs_you, queue_health

MOST = 50
MOST_COMPANIES = 500
_SERIES = (
    (JobStatus.SUCCEEDED, "--color-green-500"),
    (JobStatus.PARTIAL, "--color-orange-400"),
    (JobStatus.NEEDS_CONFIRMATION, "--color-orange-600"),
    (JobStatus.FAILED, "--color-red-500"),
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
    seat = seat_of(request)
    cards = all_cards(seat)
    return {
        **context,
        "title": gettext("Integrations"),
        "company": seat.workspace,
        "companies": _companies(seat),
        "chosen_company": seat.chosen.pk if seat.chosen else "",
        "cards": cards,
        "queue": queue_health(timezone.now()),
        **needs_context(seat),
        **_chart(seat),
    }


def _companies(seat: Seat) -> list[Workspace]:
    """Whom a superuser without a member may choose among."""
    return list(Workspace.objects.order_by("name", "pk")[:MOST_COMPANIES]) if seat.roams else []


def needs_context(seat: Seat) -> dict[str, Any]:
    """The list of open problems, worst first, and what is merely good to know."""
    if seat.workspace is None:
        return {"needs": [], "notices": []}
    problems = needs_you(seat.workspace, limit=MOST)
    notices = Problem.objects.filter(workspace=seat.workspace, notice=True, resolved_at=None, ignored_at=None)
    known = len(problems)
    both = problem_cards([*problems, *notices.select_related("connection", "link")[:20]], seat)
    return {
        "needs": both[:known],
        "notices": both[known:],
        "needs_more": known == MOST,
        "may_dismiss": seat.may("ignore"),
    }


def _chart(seat: Seat) -> dict[str, Any]:
    if seat.workspace is None:
        return {}
    days = jobs_per_day(seat.workspace, timezone.now())
    data = {
        "labels": [date_format(day, "j M") for day, _ in days],
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
