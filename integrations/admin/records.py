"""The visit's page, with its remote twins and where its changes came from."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest

from fieldcamp.desk.seat import seat_of
from fieldcamp.workspace.admin.records import ClientAdmin, VisitAdmin
from fieldcamp.workspace.models import Client, Visit
from integrations.admin.jobs import provider_label
from integrations.admin.problems import problems
from integrations.models import Issue, Link, Stream

admin.site.unregister([Visit, Client])


def places_of(workspace_id: str) -> dict[str, str]:
    """Stream ids and the provider's name, as the origins of changes."""
    streams = Stream.objects.filter(connection__workspace_id=workspace_id).select_related("connection")
    return {stream.pk: provider_label(stream.connection.integration) for stream in streams}


def twins_of(visit: Visit) -> list[dict[str, Any]]:
    """The visit's remote twins, the present ones first."""
    links = Link.objects.filter(kind=visit.kind, record_id=visit.pk, stream__connection__workspace=visit.workspace_id)
    return [
        {
            "link": link,
            "label": provider_label(link.stream.connection.integration),
            "connection": link.stream.connection,
            "calendar": str(link.stream),
            **_state(link),
        }
        for link in links.select_related("stream__connection").order_by("-cut_at", "pk")[:20]
    ]


def _state(link: Link) -> dict[str, str]:
    if link.cut_at:
        return {"state": "Not linked any more", "tone": "muted"}
    if link.hold_id:
        return {"state": "Waits for a confirmation", "tone": "warning"}
    if link.parked:
        return {"state": "Waits for a person", "tone": "danger"}
    if link.intent or link.unsettled:
        return {"state": "To be synced", "tone": "info"}
    return {"state": "In step", "tone": "success"}


@admin.register(Visit)
class SyncedVisitAdmin(VisitAdmin):
    def places(self, record: Visit) -> dict[str, str]:
        return places_of(record.workspace_id)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        visit = self.get_object(request, unquote(object_id))
        extra: dict[str, Any] = {}
        if visit:
            about = Issue.objects.filter(
                workspace_id=visit.workspace_id, record_kind=visit.kind, record_id=visit.pk, resolved_at=None
            )
            extra = {
                "synced_panel": "integrations/twins.html",
                "twins": twins_of(visit),
                "needs": problems(list(about.select_related("connection", "link")[:20]), seat_of(request)),
            }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})


@admin.register(Client)
class SyncedClientAdmin(ClientAdmin):
    def places(self, record: Client) -> dict[str, str]:
        return places_of(record.workspace_id)
