"""The settings of one connection and of one integration: changed by who may, looked at by everybody else."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.buttons import pause_button, rights_at
from integrations.admin.intervals import every
from integrations.errors import ProviderError
from integrations.kinds import VISIT
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction, WorkspaceIntegration
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.providers.base import Provider
from integrations.queue.planning import interval_minutes_of, scheduled_every
from integrations.selectors.budget import usage_of
from integrations.services import connections, leaving
from integrations.services.plans import set_approval
from integrations.services.schedule import set_interval
from integrations.views.common import one, tell_saved
from integrations.views.forms.calendars import CalendarForm, chosen_in
from integrations.views.forms.schedule import ScheduleForm

DIRECTIONS = {
    Direction.TWO_WAY: _(
        "Visits go into the calendar, and moving an event there moves the visit. Busy times block the schedule."
    ),
    Direction.PUSH: _(
        "Visits go into the calendar. What is changed there is not taken over; a full sync puts it back."
    ),
    Direction.PULL: _("Busy times are read, and nothing is written into the calendar."),
}
POLICIES = {
    ConflictPolicy.LOCAL: _("The time in FieldCamp stays, and is put back into the calendar."),
    ConflictPolicy.REMOTE: _("The time in the calendar is taken over into FieldCamp."),
    ConflictPolicy.ASK: _(
        "The visit waits under Conflicts until somebody chooses. Everything else is synced meanwhile."
    ),
}


def _page(request: HttpRequest, template: str, title: str, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), "title": title, **context}, status=status)


@desk_view("GET", "POST")
def connection_settings(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks for target calendar, busy calendars, direction, conflicts. Books are set up on a page of their own."""
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
    chosen = chosen_in(streams)
    context: dict[str, Any] = {
        "connection": connection,
        "provider": provider,
        "streams": streams,
        "chosen": chosen,
        "left": leaving.what_is_left(connection),
        "busy_times": leaving.busy_times_of(connection),
        "may": may,
        "directions": [(value, Direction(value).label, words) for value, words in DIRECTIONS.items()],
        "policies": [(value, ConflictPolicy(value).label, words) for value, words in POLICIES.items()],
        "pause": pause_button(connection) if may else None,
        "paused": connection.state == ConnectionState.PAUSED,
    }
    status = 200
    if may:
        try:
            form = CalendarForm(
                request.POST if request.method == "POST" else None,
                initial=chosen,
                calendars=connections.list_containers(connection),
            )
            if form.is_bound and form.attempt(lambda: _save(request, connection, form)):
                if connection.streams.filter(is_active=True, first_synced_at=None).exists():
                    return redirect("integrations:preview", connection.pk)
                tell_saved(request, connection)
                return redirect("integrations:settings", connection.pk)
            context["form"] = form
            status = form.status
        except ProviderError as error:
            context |= {"may": False, "unreachable": str(error)}
            status = 503
    title = gettext("Settings of {account}").format(account=connection.account_name)
    return _page(request, "integrations/connection_settings.html", title, status, **context)


def _save(request: HttpRequest, connection: Connection, form: CalendarForm) -> Connection:
    if connection.member is None:
        raise connections.SetupError("", gettext("Nobody's calendar yet: choose whose it is first."))
    user = desk_user_of(request).user
    return connections.set_up(connection=connection, member=connection.member, user=user, **form.choices())


def _by_itself(provider: Provider) -> str:
    """Returns the words for an interval that nobody chooses; "" where the vendor's telling does not change it."""
    longer = scheduled_every(provider.name)
    if longer is None:
        return ""
    words = {
        "usual": every(settings.SYNC_INTERVAL_MINUTES),
        "longer": every(int(longer.total_seconds() // 60)),
        "provider": provider.label,
    }
    return gettext("{usual}; {longer} while {provider} tells of changes by itself").format(**words)


@desk_view("GET", "POST")
def integration_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks how often it is synced, and shows how much of the provider's allowance is used."""
    desk_user, provider = desk_user_of(request), BY_SLUG.get(slug)
    if provider is None or desk_user.workspace is None:
        raise Http404
    workspace, may = desk_user.workspace, desk_user.may("settings")
    if request.method == "POST" and not may:
        raise PermissionDenied
    stored = WorkspaceIntegration.objects.filter(workspace=workspace, integration=provider.name).first()
    minutes = stored.interval_minutes if stored else settings.SYNC_INTERVAL_MINUTES
    at_once = stored.sync_on_save if stored else True
    by_itself = _by_itself(provider)
    left = by_itself and not (stored and stored.interval_chosen)
    initial = {"minutes": None if left else minutes, "on_save": "at_once" if at_once else "by_schedule",
               "approval": "approved" if stored and stored.approves_plans else "free"}  # fmt: skip
    form = ScheduleForm(request.POST if request.method == "POST" else None, initial=initial, by_itself=by_itself)

    def save() -> WorkspaceIntegration:
        chosen = dict(form.cleaned_data)
        wanted = chosen.pop("approval")
        row = set_interval(workspace=workspace, integration=provider.name, user=desk_user.user, **chosen)
        if wanted is not None:
            set_approval(workspace=workspace, integration=provider.name, wanted=wanted, user=desk_user.user)
        return row

    if form.is_bound and form.attempt(save):
        said = gettext("{provider} is synced {interval}.")
        interval = every(interval_minutes_of(form.result))
        messages.success(request, said.format(provider=provider.label, interval=interval))
        return redirect("integrations:integration_settings", slug)
    accounts = Connection.objects.filter(workspace=workspace, integration=provider.name)
    found = list(accounts.exclude(state=ConnectionState.DISCONNECTED).select_related("member").order_by("created_at"))
    used = usage_of(found, timezone.now())
    return _page(
        request,
        "integrations/integration_settings.html",
        gettext("{provider} settings").format(provider=provider.label),
        form.status,
        provider=provider,
        may=may,
        form=form,
        row=stored,
        every=every(interval_minutes_of(stored) if stored else minutes),
        on_save=at_once and minutes,
        accounts=[(connection, used[connection.pk]) for connection in found],
    )
