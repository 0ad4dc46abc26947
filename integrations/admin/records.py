"""The pages of FieldCamp's records, with their remote counterparts and where their changes came from."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import desk_user_of
from fieldcamp.webhooks.monitoring import sent_of
from fieldcamp.workspace.admin.records import RecordAdmin
from fieldcamp.workspace.models import Client
from fieldcamp.workspace.tracking import TrackedModel
from integrations.admin.counterparts import links_of, places_of_record, taking_back
from integrations.admin.jobs import provider_label
from integrations.admin.problem_cards import problem_cards
from integrations.admin.trail import trail_of
from integrations.kinds import CUSTOMER, KINDS
from integrations.models import ConnectionState, Direction, Link, Problem, Stream
from integrations.selectors.subjects import kinds_of, models

NOTHING_YET = {
    "visit": _("Nothing yet: a visit with a technician and a time goes into that technician's connected calendar."),
    "client": _("Nothing yet: a client goes into the connected books with the next sync."),
    "item": _("Nothing yet: an active item goes into the connected books with the next sync."),
    "tax": _(
        "Nothing yet: no tax code is ever made in the books. Choose one in the settings of the connected company."
    ),
    "invoice": _("Nothing yet: an invoice goes into the connected books once it is sent."),
    "payment": _("Nothing yet: a payment goes into the connected books after its invoices."),
}


def places_of(workspace_id: str) -> dict[str, str]:
    """Returns stream ids and the provider's name, as the origins of changes."""
    streams = Stream.objects.filter(connection__workspace_id=workspace_id).select_related("connection")
    return {stream.pk: provider_label(stream.connection.integration) for stream in streams}


def past_counterparts(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Returns what the record was linked with once."""
    return [
        {
            "label": provider_label(link.stream.connection.integration),
            "account": link.stream.connection.account_name,
            "at": link.cut_at,
        }
        for link in links
        if link.cut_at is not None
    ]


def after_deletion(record: Any) -> list[str]:
    """Returns what becomes of the counterparts when the record is deleted here."""
    said = []
    for link in links_of(record).filter(cut_at=None)[:20]:
        connection = link.stream.connection
        where = f"{provider_label(connection.integration)} ({connection.account_name})"
        stays = not KINDS[link.kind].removable or link.stream.direction == Direction.PULL
        if connection.state == ConnectionState.DISCONNECTED:
            said.append(gettext("Its counterpart in {where} stays: that account is disconnected.").format(where=where))
        elif stays:
            said.append(gettext("Its counterpart in {where} stays as it is.").format(where=where))
        else:
            said.append(gettext("The next sync removes its event from {where}.").format(where=where))
    return said or [gettext("It is not synced with anything, so nothing happens elsewhere.")]


def after_merge(client: Client, into: Client) -> list[str]:
    """Returns what becomes of the customers in the books when the one client is merged into the other."""
    theirs, own = (_customers(each) for each in (client, into))
    said = []
    for connection_id, link in theirs.items():
        where = provider_label(link.stream.connection.integration)
        if connection_id not in own:
            text = gettext("Its customer in {where}, “{name}”, is that of “{into}” from then on, with that name.")
        else:
            text = gettext(
                "In {where} nothing is merged: “{name}” stays beside “{other}” with all its documents, until you merge "
                "the two there. New invoices go to “{other}”."
            )
        other = _named(own[connection_id]) if connection_id in own else ""
        said.append(text.format(where=where, name=_named(link), into=into, other=other))
    return said


def _customers(client: Client) -> dict[str, Link]:
    links = Link.objects.present().filter(
        kind=CUSTOMER.name, record_id=client.pk, stream__connection__workspace=client.workspace_id
    )
    return {link.stream.connection_id: link for link in links.select_related("stream__connection")}


def _named(link: Link) -> str:
    return CUSTOMER.name_in(link.seen) or link.remote_id


class SyncedMixin(RecordAdmin):
    """Adds the panel "Synced with" and names the origins in the history."""

    def places(self, record: Any) -> dict[str, str]:
        return places_of(record.workspace_id)

    def consequences(self, record: Any) -> list[str]:
        return [*super().consequences(record), *after_deletion(record)]

    def merge_consequences(self, client: Client, into: Client) -> list[str]:
        return after_merge(client, into)

    def beside(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        desk_user = desk_user_of(request)
        links = list(links_of(record)[:20])
        about = Problem.objects.filter(
            workspace_id=record.workspace_id, record_kind__in=kinds_of(record), record_id=record.pk, resolved_at=None
        )
        return {
            **super().beside(request, record),
            "synced_panel": "integrations/counterparts.html",
            "past_counterparts": past_counterparts(links),
            "nothing_yet": NOTHING_YET.get(record.kind, _("Nothing yet.")),
            "states": places_of_record(record, links, desk_user),
            "taking_back": taking_back(links, desk_user),
            **trail_of(record, desk_user),
            "sent_webhooks": sent_of(record.pk, record.workspace_id),
            "needs": problem_cards(list(about.select_related("connection", "link")[:20]), desk_user),
        }


def _with_twins(model: type[TrackedModel]) -> None:
    """Puts a page with counterparts in the place of the workspace's own page of this kind of record."""
    own = type(admin.site.get_model_admin(model))
    admin.site.unregister(model)
    admin.site.register(model, type(f"Synced{own.__name__}", (SyncedMixin, own), {}))


for _model in models().values():
    if admin.site.is_registered(_model):
        _with_twins(_model)
