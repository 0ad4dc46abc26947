"""The pages of connecting an account: start, choices, first sync. Each parses, calls one service and renders."""

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fieldcamp.desk.users import desk_user_of
from fieldcamp.formats import in_currency
from fieldcamp.workspace.models import Member
from integrations.accounts.consent import ConsentRequest
from integrations.accounts.rights import Rights, connections_of, rights_of
from integrations.admin.record_lines import SHOWN, line_of
from integrations.errors import ProviderError
from integrations.models import Connection, ConnectionState
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.providers.base import Provider
from integrations.records import Container
from integrations.services import connections
from integrations.services.preview import preview_first_sync
from integrations.services.setup import books_of, keeps_books, taken_members
from integrations.views import books
from integrations.views.common import after_setup, changeable
from integrations.views.forms.buttons import ConsentForm
from integrations.views.forms.calendars import CalendarSetupForm, chosen_in


@login_required
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows one button on GET, and leads on to consent on POST. `connection` renews that one, `switch` allows another
    account for it."""
    provider = BY_SLUG.get(slug)
    if provider is None:
        raise Http404
    form = ConsentForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        raise Http404
    renew = None
    if form.cleaned_data["connection"]:
        mine = connections_of(request.user).filter(integration=provider.name)
        renew = get_object_or_404(mine, pk=form.cleaned_data["connection"])
    workspace = renew.workspace if renew else desk_user_of(request).workspace
    if workspace is None:
        raise Http404
    rights = rights_of(request.user, workspace)
    if not rights.may_connect_to(provider.name) or (renew and not rights.may_change(renew)):
        return render(request, "connect/not_allowed.html", {"provider": provider}, status=403)
    if renew is None and (kept := books_of(workspace, provider.name)):
        context = {"provider": provider, "kept": kept}
        return render(request, "connect/one_company.html", context, status=409)
    switch = bool(form.cleaned_data["switch"])
    if request.method == "GET":
        context = {"provider": provider, "renew": renew, "switch": switch, "manages": rights.manages}
        return render(request, "connect/start.html", context)
    intent = ConsentRequest(str(request.user.pk), workspace.pk, renew.pk if renew else "", switch)
    return _to_consent(request, provider, intent, renew)


def _to_consent(
    request: HttpRequest, provider: Provider, intent: ConsentRequest, renew: Connection | None
) -> HttpResponse:
    try:
        dance = get_adapter(request).get_provider(request, provider.slug)
    except SocialApp.DoesNotExist:
        return render(request, "connect/misconfigured.html", {"provider": provider, "intent": intent}, status=503)
    auth_params = dance.get_auth_params()
    if renew and not intent.switch:
        auth_params["login_hint"] = renew.account_name
    return dance.redirect(request, process="redirect", data=intent.to_state(), auth_params=auth_params)


@login_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Asks whose calendar it is, where visits go, what is read for busy time, or how books are kept; with defaults
    that fit most."""
    connection, rights = changeable(request, connection_id)
    context: dict[str, Any] = {"connection": connection, "provider": PROVIDERS[connection.integration]}
    if connection.state_now == ConnectionState.MEMBER_INACTIVE:
        return redirect("integrations:leaving", connection.pk)
    if connection.state not in (ConnectionState.SETUP, ConnectionState.ACTIVE, ConnectionState.PAUSED):
        return render(request, "connect/repair.html", context)
    if keeps_books(connection):
        return books.setup(request, connection)
    people = Member.objects.filter(workspace=connection.workspace, is_active=True)
    try:
        calendars = connections.list_containers(connection)
        form = CalendarSetupForm(
            request.POST if request.method == "POST" else None,
            initial=_defaults(connection, rights, calendars),
            calendars=calendars,
            members=[member for member in people if rights.may_bind(member)],
            taken=taken_members(connection),
        )
        if form.is_bound and form.attempt(
            lambda: connections.set_up(connection=connection, user=request.user, **form.choices())
        ):
            return after_setup(request, connection)
    except ProviderError as error:
        return render(request, "connect/unreachable.html", context | {"error": error}, status=503)
    return render(request, "connect/setup.html", context | {"form": form}, status=form.status)


def _defaults(connection: Connection, rights: Rights, calendars: list[Container]) -> dict[str, Any]:
    """Returns the choices of before, or what fits most."""
    streams = list(connection.streams.filter(is_active=True))
    main = next((calendar.id for calendar in calendars if calendar.primary and calendar.writable), "")
    main = main or next((calendar.id for calendar in calendars if calendar.writable), "")
    member = (
        connection.member or connections.suggest_member(connection) or (rights.member if not rights.manages else None)
    )
    usual = {"member": member.pk if member else "", **chosen_in(streams)}
    if not usual["target"]:
        usual["target"] = main
    return usual if streams else usual | {"busy": [main]}


@login_required
@require_http_methods(["GET"])
def preview(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Shows what the first sync will do, and the button that starts it."""
    connection, _ = changeable(request, connection_id)
    if not connection.usable:
        return redirect("integrations:setup", connection.pk)
    workspace = connection.workspace
    with timezone.override(workspace.timezone), in_currency(workspace.currency):
        return books.preview(request, connection) if keeps_books(connection) else _preview(request, connection)


def _preview(request: HttpRequest, connection: Connection) -> HttpResponse:
    context: dict[str, Any] = {"connection": connection, "provider": PROVIDERS[connection.integration]}
    try:
        found = context["preview"] = preview_first_sync(connection)
        lines = [line_of(visit, desk_user_of(request), "", value=visit.pk) for visit in found.visits]
        context |= {"first": lines[:SHOWN], "rest": lines[SHOWN:], "more": found.to_create - len(lines)}
    except ProviderError as error:
        context["error"] = error
        return render(request, "connect/unreachable.html", context, status=503)
    return render(request, "connect/preview.html", context)
