"""The settings of one connection and of one integration: changed by who may, looked at by everybody else."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.errors import InvalidFields
from integrations.admin.buttons import pause_button, rights_at
from integrations.admin.intervals import CHOICES, every
from integrations.errors import ProviderError
from integrations.kinds import VISIT
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction, WorkspaceIntegration
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.selectors.budget import usage_of
from integrations.services import connections
from integrations.services.schedule import set_interval
from integrations.views.common import one

DIRECTIONS = {
    Direction.TWO_WAY: "Visits go into the calendar, and moving an event there moves the visit. Busy times block the "
    "schedule.",
    Direction.PUSH: "Visits go into the calendar. What is changed there is not taken over; a full sync puts it back.",
    Direction.PULL: "Busy times are read, and nothing is written into the calendar.",
}
POLICIES = {
    ConflictPolicy.LOCAL: "The time in FieldCamp stays, and is put back into the calendar.",
    ConflictPolicy.REMOTE: "The time in the calendar is taken over into FieldCamp.",
    ConflictPolicy.ASK: "The visit waits under Conflicts until somebody chooses. Everything else is synced meanwhile.",
}


def _page(request: HttpRequest, template: str, title: str, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), "title": title, **context}, status=status)


@desk_view("GET", "POST")
def connection_settings(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Target calendar, busy calendars, direction, conflicts. Books are set up on a page of their own."""
    rows = Connection.objects.select_related("workspace", "member")
    connection = one(request, rows, connection_id)
    may = rights_at(desk_user_of(request)).may_change(connection)
    if request.method == "POST" and not may:
        raise PermissionDenied
    provider = PROVIDERS[connection.integration]
    if VISIT.name not in provider.kinds or not connection.usable:
        there = "integrations:setup" if may else "admin:integrations_connection_change"
        return redirect(there, connection.pk)
    streams = list(connection.streams.filter(is_active=True).order_by("-is_target", "container_name"))
    context: dict[str, Any] = {
        "connection": connection,
        "provider": provider,
        "streams": streams,
        "chosen": _stored(streams),
        "may": may,
        "directions": [(value, Direction(value).label, words) for value, words in DIRECTIONS.items()],
        "policies": [(value, ConflictPolicy(value).label, words) for value, words in POLICIES.items()],
        "pause": pause_button(connection) if may else None,
        "paused": connection.state == ConnectionState.PAUSED,
    }
    status = 200
    if may:
        try:
            context["calendars"] = connections.list_containers(connection)
            if request.method == "POST":
                context["chosen"] = _posted(request)
                _save(request, connection, context["chosen"])
                if connection.streams.filter(is_active=True, first_synced_at=None).exists():
                    return redirect("integrations:preview", connection.pk)
                messages.success(request, f"The settings of {connection.account_name} are saved.")
                return redirect("integrations:settings", connection.pk)
        except connections.SetupError as error:
            context |= {"error": str(error), "error_field": error.field}
            status = 400
        except ProviderError as error:
            context |= {"may": False, "unreachable": str(error)}
            status = 503
    title = f"Settings of {connection.account_name}"
    return _page(request, "integrations/connection_settings.html", title, status, **context)


def _stored(streams: list[Any]) -> dict[str, Any]:
    target = next((stream for stream in streams if stream.is_target), None)
    return {
        "target": target.container_id if target else "",
        "busy": [stream.container_id for stream in streams if stream.reads_busy],
        "direction": target.direction if target else Direction.TWO_WAY.value,
        "policy": target.policy if target else ConflictPolicy.LOCAL.value,
    }


def _posted(request: HttpRequest) -> dict[str, Any]:
    names = ("target", "direction", "policy")
    return {**{name: request.POST.get(name, "") for name in names}, "busy": request.POST.getlist("busy")}


def _save(request: HttpRequest, connection: Connection, chosen: dict[str, Any]) -> None:
    if connection.member is None:
        raise connections.SetupError("", "Nobody's calendar yet: choose whose it is first.")
    connections.set_up(
        connection=connection,
        member=connection.member,
        target_container_id=chosen["target"],
        busy_container_ids=chosen["busy"],
        direction=chosen["direction"],
        policy=chosen["policy"],
        user=desk_user_of(request).user,
    )


@desk_view("GET", "POST")
def integration_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """How often it is synced, and how much of the provider's allowance is used."""
    desk_user, provider = desk_user_of(request), BY_SLUG.get(slug)
    if provider is None or desk_user.workspace is None:
        raise Http404
    may, error = desk_user.may("settings"), ""
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        text = request.POST.get("minutes", "")
        minutes = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
        try:
            row = set_interval(
                workspace=desk_user.workspace, integration=provider.name, minutes=minutes, user=desk_user.user
            )
        except InvalidFields as refused:
            error = " ".join(refused.details["minutes"])
        else:
            messages.success(request, f"{provider.label} is synced {every(row.interval_minutes)}.")
            return redirect("integrations:integration_settings", slug)
    stored = WorkspaceIntegration.objects.filter(workspace=desk_user.workspace, integration=provider.name).first()
    accounts = Connection.objects.filter(workspace=desk_user.workspace, integration=provider.name)
    found = list(accounts.exclude(state=ConnectionState.DISCONNECTED).select_related("member").order_by("created_at"))
    used = usage_of(found, timezone.now())
    minutes = stored.interval_minutes if stored else settings.SYNC_INTERVAL_MINUTES
    return _page(
        request,
        "integrations/integration_settings.html",
        f"{provider.label} settings",
        400 if error else 200,
        provider=provider,
        may=may,
        error=error,
        row=stored,
        minutes=minutes,
        every=every(minutes),
        choices=[(choice, every(choice)) for choice in sorted({*CHOICES, minutes}, key=lambda n: n or 10_000)],
        accounts=[(connection, used[connection.pk]) for connection in found],
    )
