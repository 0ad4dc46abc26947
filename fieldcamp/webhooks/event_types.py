"""The types of events that webhooks are sent for, and the scope that each needs."""

from collections.abc import Iterable
from dataclasses import dataclass

API_VERSION = "2024-10-01"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: `name` is `resource.action`; whoever subscribes to it needs `scope`. `since` is the first
    `api_version` that has it."""

    name: str
    scope: str
    description: str
    since: str = API_VERSION

    @property
    def resource(self) -> str:
        return self.name.partition(".")[0]

    @property
    def tells_previous(self) -> bool:
        """Returns whether its events say what changed, in `previous_attributes`."""
        return self.name.endswith((".updated", ".status_changed"))


def _types(scope: str, **descriptions: str) -> Iterable[EventType]:
    return (EventType(name.replace("__", "."), scope, text) for name, text in descriptions.items())


_ALL = (
    *_types(
        "visits:read",
        visit__created="A visit was made.",
        visit__updated="A field of a visit changed.",
        visit__status_changed="A visit's status changed; sent beside `visit.updated`.",
        visit__completed="A visit was completed; sent beside `visit.status_changed`.",
        visit__deleted="A visit was deleted.",
    ),
    *_types(
        "clients:read",
        client__created="A client was made.",
        client__updated="A field of a client changed.",
        client__deleted="A client was deleted.",
    ),
    *_types(
        "items:read",
        item__created="An item was made.",
        item__updated="A field of an item changed.",
        item__deleted="An item was deleted.",
    ),
    *_types(
        "taxes:read",
        tax__created="A tax was made.",
        tax__updated="A field of a tax changed.",
        tax__deleted="A tax was deleted.",
    ),
    *_types(
        "invoices:read",
        invoice__created="An invoice was made.",
        invoice__updated="A field of an invoice changed.",
        invoice__paid="An invoice's balance came to nothing by payments; once for each time that it does.",
        invoice__voided="An invoice was voided.",
        invoice__deleted="A draft of an invoice was deleted.",
    ),
    *_types(
        "payments:read",
        payment__created="A payment was recorded.",
        payment__updated="A field of a payment, or which invoices it pays, changed.",
        payment__deleted="A payment was deleted or voided.",
    ),
    *_types(
        "team:read",
        team_member__created="A person joined the team.",
        team_member__updated="A field of a person of the team changed.",
        team_member__deleted="A person left the team for good.",
    ),
    *_types(
        "integrations:read",
        connection__connected="An account was connected and set up.",
        connection__reconnected="An account was connected again.",
        connection__disconnected="An account was disconnected.",
        connection__needs_reconnect="The vendor does not let FieldCamp in any more: somebody has to connect again.",
        connection__needs_permission="A permission is missing: somebody has to connect again and grant it.",
        connection__paused="An account was paused: by a person, after failures in a row, or since its person left.",
        connection__resumed="An account that stood still goes on.",
        connection__stalled="An account's data is older than it should be, whatever the cause.",
        connection__recovered="A stalled account is up to date again.",
        connect_link__used="Somebody without a login has connected an account with a connect link.",
        sync__started="A sync began. Of scheduled ones only with `onlyChanged` off.",
        sync__completed="A sync ended, in whole or in part.",
        sync__failed="A sync failed.",
        sync__cancelled="A sync was cancelled.",
        sync__needs_confirmation="A sync holds removals back until somebody decides.",
        sync__planned="A dry run has made a plan.",
        sync__confirmed="Held removals were confirmed.",
        sync__rejected="Held removals were rejected.",
        conflict__opened="Both sides changed the same field, and a person is to decide.",
        conflict__resolved="A conflict was settled.",
        problem__opened="Something needs a person; of what passes by itself, once it has lasted an hour.",
        problem__resolved="A problem is solved.",
        change__detected="Somebody changed a record at the provider: a row of the change feed.",
    ),
    *_types(
        "webhooks:read",
        webhook__disabled="Another webhook of the company was disabled after failing for days.",
        webhook__test="A test that somebody asked for.",
    ),
)
EVENT_TYPES = {each.name: each for each in _ALL}
