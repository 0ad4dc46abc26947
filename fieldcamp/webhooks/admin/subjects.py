"""How people call what events are about, and the syncs that they came from: never by an id where there is a name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from fieldcamp.webhooks.admin.sources import PAGES, EventOrigin, page_of, record_page, source_of
from fieldcamp.webhooks.admin.words import plain_host
from fieldcamp.webhooks.models import WebhookEndpoint, WebhookEvent

Key = tuple[str, str]  # the resource and the id


@dataclass(frozen=True)
class EventSubjects:
    """The names of some events' records and syncs, read at once: a query for each kind among them."""

    names: Mapping[Key, str]

    def about(self, event: WebhookEvent) -> str | SafeString:
        """Returns the record by its name, with its page; "–" where there is none."""
        if not event.record_id:
            return "–"
        name = self.names.get((_resource(event), event.record_id)) or gettext("not there any more")
        return _linked(record_page(event), name)

    def came_from(self, event: WebhookEvent) -> str | SafeString:
        """Returns who or what has caused the event, of a sync with its page."""
        source: EventOrigin = source_of(event)
        if source.job:
            name = self.names.get(("sync", source.job)) or gettext("not there any more")
            return format_html("{}: {}", source.label, _linked(page_of("sync", source.job), name))
        return f"{source.label}: {source.actor}" if source.actor else source.label


def subjects_of(events: Iterable[WebhookEvent]) -> EventSubjects:
    """Reads the names of what these events are about; of another company than an event's nothing."""
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for event in events:
        if event.record_id and _resource(event) in PAGES:
            wanted[_resource(event)][event.record_id] = event.workspace_id
        if job := source_of(event).job:
            wanted["sync"][job] = event.workspace_id
    names: dict[Key, str] = {}
    for resource, ids in wanted.items():
        rows: Any = apps.get_model(PAGES[resource].replace("_", ".", 1))._default_manager.filter(pk__in=list(ids))
        if resource == "client":
            rows = rows.select_related("parent")  # its name has it
        names |= {(resource, row.pk): _name(row) for row in rows if row.workspace_id == ids[row.pk]}
    return EventSubjects(names)


def _resource(event: WebhookEvent) -> str:
    return event.type.partition(".")[0]


def _name(row: Any) -> str:
    # An address may have a secret in its path, and the list is read by those who may not see it.
    return plain_host(row) if isinstance(row, WebhookEndpoint) else str(row)


def _linked(url: str, name: str) -> str | SafeString:
    return format_html('<a href="{}">{}</a>', url, name) if url else name
