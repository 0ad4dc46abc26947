"""Sync now, by a person at the desk."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from fieldcamp.workspace.roles import may
from integrations.models import SyncJob
from integrations.services.jobs import NotConnected, SyncInProgress, trigger_sync
from integrations.services.rights import connections_of, rights_of


@login_required
@require_POST
def sync(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Starts a sync of one connection and goes back to the dashboard, which shows how it gets on."""
    connection = get_object_or_404(connections_of(request.user), pk=connection_id)
    rights = rights_of(request.user, connection.workspace)
    if not (rights.manages or rights.may_change(connection) or may(rights.member, "sync")):
        raise Http404
    mode = request.POST.get("mode")
    try:
        trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            mode=mode if mode in SyncJob.Mode.values else SyncJob.Mode.INCREMENTAL,
            triggered_by=SyncJob.Trigger.ADMIN,
            actor=str(request.user),
        )
    except (NotConnected, SyncInProgress) as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"The sync of {connection.account_name} has been started.")
    return redirect("admin:index")
