"""Where clients, items, taxes, invoices and payments are or should be: the books of the company."""

from collections.abc import Sequence
from typing import Any, cast

from integrations.accounts.streams import side_of
from integrations.books.base import BooksSide
from integrations.calendar.window import window_at
from integrations.kinds import Kind
from integrations.ledger.pairs import views_of
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.services.sync_state.facts import AccountFacts, Accounts
from integrations.services.sync_state.judging import judge
from integrations.services.sync_state.of_accounts import nobody_connected, not_in_use, not_synced
from integrations.services.sync_state.of_records import why_absent
from integrations.services.sync_state.places import RecordPlace, Traces, traces_of
from integrations.services.sync_state.reasons import Explanation
from integrations.services.sync_state.situation import Situation
from integrations.sync.state import NOWHERE, Absence


def books_places(
    workspace_id: str, kind: Kind, records: Sequence[Any], known: Accounts
) -> dict[str, list[RecordPlace]]:
    """Returns the places of these records of a company, by record; the number of queries depends on how many books are
    connected, and not on how many records there are."""
    books = [name for name, provider in PROVIDERS.items() if kind.name in provider.kinds]
    rows = Connection.objects.filter(workspace=workspace_id, integration__in=books).select_related("member")
    facts = known.of(list(rows.order_by("created_at", "pk")), kind.name)
    traces = traces_of(workspace_id, kind, [record.pk for record in records])
    found: dict[str, list[RecordPlace]] = {record.pk: [] for record in records}
    for name in books:
        accounts = [account for account in facts.values() if account.connection.integration == name]
        in_use = [each for each in accounts if each.connection.state != ConnectionState.DISCONNECTED] or accounts[-1:]
        for account in in_use:
            for record, place in zip(records, _in(account, kind, records, traces), strict=True):
                found[record.pk].append(place)
        if not in_use:
            for record in records:
                said = _of_record(record, kind) or nobody_connected(PROVIDERS[name])
                found[record.pk].append(RecordPlace(name, None, "", said))
    return found


def _of_record(record: Any, kind: Kind) -> Explanation | None:
    return why_absent(record, kind, Absence.DELETED) if record.deleted_at else None


def _in(account: AccountFacts, kind: Kind, records: Sequence[Any], traces: Traces) -> list[RecordPlace]:
    connection = account.connection
    if not account.streams:
        missing = not_in_use(connection, account.provider) or not_synced(account, kind.plural)
        return [
            RecordPlace(connection.integration, connection.pk, "", _of_record(record, kind) or missing)
            for record in records
        ]
    stream = account.streams[0]
    side = cast(BooksSide, side_of(stream, window_at(account.now)))
    ids = [record.pk for record in records]
    views, absences = views_of(side, kind.name, ids), side.absences(ids)
    places = []
    for record in records:
        key, local = (stream.pk, record.pk), views.get(record.pk, NOWHERE)
        if link := traces.links.get(key):
            link.stream = stream
        situation = Situation(
            record=record,
            kind=kind,
            account=account,
            stream=stream,
            local=local,
            link=link,
            dirty=traces.dirty.get(key),
            absence=local.absence or absences.get(record.pk),
            problems=traces.problems.get((connection.pk, record.pk), []),
            since=side.settings.invoices_from,
        )
        places.append(RecordPlace(connection.integration, connection.pk, kind.plural, judge(situation), link))
    return places
