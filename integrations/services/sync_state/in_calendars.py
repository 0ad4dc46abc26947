"""Where visits are or should be: the calendars of their technicians, and those in which an event is left over."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from fieldcamp.workspace.models import Visit
from integrations.calendar.visits import VisitsOfStream, absence_of
from integrations.calendar.window import window_at
from integrations.kinds import Kind
from integrations.ledger.pairs import views_by
from integrations.models import Connection, ConnectionState, Link, Stream
from integrations.providers import PROVIDERS
from integrations.records import Window
from integrations.services.sync_state.facts import AccountFacts, Accounts
from integrations.services.sync_state.judging import judge
from integrations.services.sync_state.of_accounts import nobody_connected, not_in_use, not_synced
from integrations.services.sync_state.of_records import why_absent, why_out_of_window
from integrations.services.sync_state.places import RecordPlace, Traces, traces_of
from integrations.services.sync_state.reasons import Explanation
from integrations.services.sync_state.situation import Situation


def calendar_places(
    workspace_id: str, kind: Kind, visits: Sequence[Visit], known: Accounts
) -> dict[str, list[RecordPlace]]:
    """Returns the places of these visits of a company, by visit; a constant number of queries. Visits come with their
    client and technician."""
    calendars = [name for name, provider in PROVIDERS.items() if kind.name in provider.kinds]
    now, traces = known.now, traces_of(workspace_id, kind, [visit.pk for visit in visits])
    concerned = Q(member__in={visit.technician_id for visit in visits} - {None})
    concerned |= Q(streams__in={stream_id for (stream_id, _), link in traces.links.items() if link.cut_at is None})
    rows = Connection.objects.filter(concerned, workspace=workspace_id, integration__in=calendars).distinct()
    accounts = list(rows.select_related("member").order_by("created_at", "pk"))
    used = Connection.objects.connected().filter(workspace=workspace_id, integration__in=calendars).order_by()
    in_use = set(used.values_list("integration", flat=True).distinct())
    reading = _Reading(
        facts=known.of(accounts, ""),
        traces=traces,
        window=window_at(now),
        now=now,
        kind=kind,
        offered=[name for name in calendars if name in in_use] or calendars,
    )
    return {visit.pk: reading.of(visit) for visit in visits}


class _Reading:
    """All that is known of the accounts and visits that are asked about."""

    def __init__(
        self, facts: Mapping[str, AccountFacts], traces: Traces, window: Window, now: dt.datetime, kind: Kind,
        offered: Sequence[str],
    ):  # fmt: skip
        self.facts, self.traces, self.window, self.now, self.kind = facts, traces, window, now, kind
        self.offered = offered
        self.sides: dict[str, VisitsOfStream] = {}
        self.of_member: dict[str, list[AccountFacts]] = defaultdict(list)
        for account in facts.values():
            self.of_member[account.connection.member_id or ""].append(account)

    def of(self, visit: Visit) -> list[RecordPlace]:
        found: list[RecordPlace] = []
        own = self._own(visit)
        for account in own:
            target = next((stream for stream in account.streams if stream.is_target), None)
            found.append(self._in(visit, account, target) if target else self._without(visit, account))
        shown = {place.link.pk for place in found if place.link}
        for stream, link in self._left_over(visit):
            if link.pk not in shown:
                found.append(self._in(visit, self.facts[stream.connection_id], stream))
        if not own:
            found += [RecordPlace(name, None, "", self._nowhere(visit, name)) for name in self.offered]
        return found

    def _own(self, visit: Visit) -> list[AccountFacts]:
        """Returns the technician's accounts: those in use, and of an integration without one the last that was."""
        mine = self.of_member[visit.technician_id] if visit.technician_id else []
        in_use = [each for each in mine if each.connection.state != ConnectionState.DISCONNECTED]
        if in_use:
            return in_use
        last = {each.connection.integration: each for each in mine}
        return list(last.values())

    def _left_over(self, visit: Visit) -> Iterable[tuple[Stream, Link]]:
        for account in self.facts.values():
            for stream in account.streams:
                link = self.traces.links.get((stream.pk, visit.pk))
                if link is not None and link.cut_at is None and (link.seen is not None or link.intent is not None):
                    yield stream, link

    def _in(self, visit: Visit, account: AccountFacts, stream: Stream) -> RecordPlace:
        key = (stream.pk, visit.pk)
        link = self.traces.links.get(key)
        if link is not None:
            link.stream = stream
        side = self.sides.setdefault(stream.pk, VisitsOfStream(stream, self.window))
        local = views_by(lambda some: {visit.pk: side.view(visit)}, stream, [visit.pk])[visit.pk]
        situation = Situation(
            record=visit,
            kind=self.kind,
            account=account,
            stream=stream,
            local=local,
            link=link,
            dirty=self.traces.dirty.get(key),
            absence=local.absence,
            wanted=link is None and side.enters(visit),
            problems=self.traces.problems.get((account.connection.pk, visit.pk), []),
        )
        connection = account.connection
        return RecordPlace(connection.integration, connection.pk, str(stream), judge(situation), link)

    def _without(self, visit: Visit, account: AccountFacts) -> RecordPlace:
        """Returns the place of an account that has no calendar for visits."""
        connection = account.connection
        said = self._of_visit(visit) or not_in_use(connection, account.provider) or not_synced(account, "visits")
        return RecordPlace(connection.integration, connection.pk, "", said)

    def _nowhere(self, visit: Visit, integration: str) -> Explanation:
        return self._of_visit(visit) or nobody_connected(PROVIDERS[integration], visit.technician)

    def _of_visit(self, visit: Visit) -> Explanation | None:
        if absence := absence_of(visit):
            return why_absent(visit, self.kind, absence)
        start, end = visit.scheduled_start, visit.scheduled_end
        if start and end and not (end > self.window.start and start < self.window.end):
            return why_out_of_window(visit, self.now)
        return None
