"""The pages of connecting an account: start, choices, first sync. Each parses, calls one service and renders."""

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.models import Member
from integrations.accounts.consent import ConsentRequest
from integrations.accounts.rights import Rights, connections_of, rights_of
from integrations.errors import ProviderError
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.providers.base import Provider
from integrations.records import Container
from integrations.services import connections
from integrations.services.preview import preview_first_sync
from integrations.services.setup import keeps_books
from integrations.views import books
from integrations.views.common import changeable


@login_required
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """GET: one button. POST: on to consent. `connection` renews that one, `switch` allows another account for it."""
    provider = BY_SLUG.get(slug)
    if provider is None:
        raise Http404
    values = request.POST if request.method == "POST" else request.GET
    renew = None
    if values.get("connection"):
        mine = connections_of(request.user).filter(integration=provider.name)
        renew = get_object_or_404(mine, pk=values["connection"])
    workspace = renew.workspace if renew else desk_user_of(request).workspace
    if workspace is None:
        raise Http404
    rights = rights_of(request.user, workspace)
    if not rights.may_connect_to(provider.name) or (renew and not rights.may_change(renew)):
        return render(request, "connect/not_allowed.html", {"provider": provider}, status=403)
    switch = values.get("switch") == "1"
    if request.method == "GET":
        return render(request, "connect/start.html", {"provider": provider, "renew": renew, "switch": switch})
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
    """Whose calendar it is, where visits go, what is read for busy time, or how books are kept; with defaults that fit
    most."""
    connection, rights = changeable(request, connection_id)
    context = {
        "connection": connection,
        "provider": PROVIDERS[connection.integration],
        "directions": Direction.choices,
        "policies": ConflictPolicy.choices,
    }
    if connection.state not in (ConnectionState.SETUP, ConnectionState.ACTIVE, ConnectionState.PAUSED):
        return render(request, "connect/repair.html", context)
    if keeps_books(connection):
        return books.setup(request, connection)
    members = [
        member
        for member in Member.objects.filter(workspace=connection.workspace, is_active=True)
        if rights.may_bind(member)
    ]
    try:
        calendars = connections.list_containers(connection)
        if request.method == "GET":
            chosen = _defaults(connection, rights, calendars)
        else:
            chosen = _posted(request)
            connections.set_up(
                connection=connection,
                member=_one_of(members, chosen["member"]),
                target_container_id=chosen["target"],
                busy_container_ids=chosen["busy"],
                direction=chosen["direction"],
                policy=chosen["policy"],
                user=request.user,
            )
            if connection.streams.filter(is_active=True, first_synced_at=None).exists():
                return redirect("integrations:preview", connection.pk)
            messages.success(request, f"The settings of {connection.account_name} are saved.")
            return redirect("admin:integrations_connection_change", connection.pk)
    except connections.SetupError as error:
        context |= {"error": str(error), "error_field": error.field, "chosen": chosen, "calendars": calendars}
        return render(request, "connect/setup.html", context | {"members": members}, status=400)
    except ProviderError as error:
        return render(request, "connect/unreachable.html", context | {"error": error}, status=503)
    return render(
        request, "connect/setup.html", context | {"chosen": chosen, "calendars": calendars, "members": members}
    )


def _posted(request: HttpRequest) -> dict:
    return {
        "member": request.POST.get("member", ""),
        "target": request.POST.get("target", ""),
        "busy": request.POST.getlist("busy"),
        "direction": request.POST.get("direction") or Direction.TWO_WAY.value,
        "policy": request.POST.get("policy") or ConflictPolicy.LOCAL.value,
    }


def _one_of(members: list[Member], member_id: str) -> Member:
    for member in members:
        if member.pk == member_id:
            return member
    raise connections.SetupError("member", "Choose whose calendar it is.")


def _defaults(connection: Connection, rights: Rights, calendars: list[Container]) -> dict:
    streams = list(connection.streams.filter(is_active=True))
    target = next((stream for stream in streams if stream.is_target), None)
    main = next((calendar.id for calendar in calendars if calendar.primary and calendar.writable), "")
    main = main or next((calendar.id for calendar in calendars if calendar.writable), "")
    member = (
        connection.member or connections.suggest_member(connection) or (rights.member if not rights.manages else None)
    )
    return {
        "member": member.pk if member else "",
        "target": target.container_id if target else main,
        "busy": [stream.container_id for stream in streams if stream.reads_busy] if streams else [main],
        "direction": target.direction if target else Direction.TWO_WAY.value,
        "policy": target.policy if target else ConflictPolicy.LOCAL.value,
    }


@login_required
@require_http_methods(["GET"])
def preview(request: HttpRequest, connection_id: str) -> HttpResponse:
    """What the first sync will do, and the button that starts it."""
    connection, _ = changeable(request, connection_id)
    context = {"connection": connection, "provider": PROVIDERS[connection.integration]}
    if not connection.usable:
        return redirect("integrations:setup", connection.pk)
    if keeps_books(connection):
        return books.preview(request, connection)
    try:
        context["preview"] = preview_first_sync(connection)
    except ProviderError as error:
        context["error"] = error
        return render(request, "connect/unreachable.html", context, status=503)
    return render(request, "connect/preview.html", context)
