"""What became of each record of a job: rows with names, what was changed from what to what, and links to both sides;
found by outcome, kind, what was done and name."""

import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.spreadsheets import csv_line
from fieldcamp.workspace.models import Invoice, Payment, Visit
from integrations.admin.jobchanges import changes_of
from integrations.admin.jobwords import action_of, group_of
from integrations.admin.record_pages import page_of
from integrations.admin.values import PLURALS
from integrations.kinds import KINDS
from integrations.models import Connection, JobItem, Link, Outcome, Problem, SyncJob
from integrations.selectors.links import remote_url
from integrations.selectors.subjects import Subjects, models, subjects

PAGE = 50
CHUNK = 500
_MOST_FOUND = 500  # records that a search by name looks for
_MOST_GROUPS = 30
_NAMED_BY = {"customer": "display_name", "item": "name", "tax": "name", "invoice": "number", "payment": "reference"}
_CHANGED = (Outcome.PULLED, Outcome.PUSHED, Outcome.FAILED)


@dataclass(frozen=True)
class RowsAsked:
    """Which of a job's results are wanted. What makes no sense is taken as not asked."""

    outcome: str = ""
    kind: str = ""
    action: str = ""
    search: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "RowsAsked":
        outcome, kind, page = query.get("outcome", ""), query.get("kind", ""), query.get("page", "")
        return cls(
            outcome if outcome in Outcome.values else "",
            kind if kind in KINDS else "",
            query.get("action", "")[:20].replace("\x00", ""),
            query.get("q", "").strip()[:100].replace("\x00", ""),
            max(int(page), 1) if page.isdecimal() and len(page) < 9 else 1,
        )

    def link(self, **other: Any) -> str:
        """Returns the query with these instead, without what is empty."""
        asked = {"outcome": self.outcome, "kind": self.kind, "action": self.action, "q": self.search, **other}
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    @property
    def narrows(self) -> bool:
        return bool(self.outcome or self.kind or self.action or self.search)


def rows_of(job: SyncJob, asked: RowsAsked) -> QuerySet[JobItem]:
    """Returns the wanted results in their order; a query for each kind of records where a name is looked for."""
    rows = JobItem.objects.filter(job=job).order_by("id")
    for name, value in (("outcome", asked.outcome), ("kind", asked.kind), ("action", asked.action)):
        rows = rows.filter(**{name: value}) if value else rows
    return rows.filter(_named(job, asked)) if asked.search else rows


def _named(job: SyncJob, asked: RowsAsked) -> Q:
    """Matches what is called so in FieldCamp, and what was said of it."""
    found: list[str] = []
    for kind, model in models().items():
        if (asked.kind and kind != asked.kind) or not admin.site.is_registered(model):
            continue
        fields = [name for name in admin.site.get_model_admin(model).search_fields if str(name)[:1].isalpha()]
        rows: Any = model.objects
        wanted = Q(pk__in=[])
        for name in fields:
            wanted |= Q(**{f"{name}__icontains": asked.search})
        records = rows.filter(wanted, workspace=job.workspace_id)
        found += list(records.order_by().values_list("pk", flat=True)[:_MOST_FOUND])
    return Q(record_id__in=found) | Q(message__icontains=asked.search) | Q(key=asked.search)


def groups(job: SyncJob, place: str) -> list[dict[str, Any]]:
    """Returns what was changed, and what waits, in groups (`59 clients created in QuickBooks`); one query, none where
    nothing was."""
    if not (job.pulled or job.pushed or job.failed):
        return []
    rows = JobItem.objects.filter(job=job, outcome__in=_CHANGED).order_by()
    counts: dict[tuple[str, str, str], int] = {}
    for kind, outcome, action, number in rows.values_list("kind", "outcome", "action").annotate(number=Count("pk")):
        key = (kind, outcome, "" if outcome == Outcome.FAILED else action)
        counts[key] = counts.get(key, 0) + number
    order = {kind: number for number, kind in enumerate(KINDS)}
    ranked = sorted(counts.items(), key=lambda one: (one[0][1] != Outcome.FAILED, order.get(one[0][0], 99), -one[1]))
    return [
        {
            "words": group_of(kind, action, outcome, number, place),
            "tone": "danger" if outcome == Outcome.FAILED else "",
            "link": RowsAsked(outcome, kind, action).link(),
        }
        for (kind, outcome, action), number in ranked[:_MOST_GROUPS]
    ]


def items_context(job: SyncJob, desk_user: DeskUser, asked: RowsAsked) -> dict[str, Any]:
    """Returns one page of results; a constant number of queries."""
    rows = rows_of(job, asked)
    start = (asked.page - 1) * PAGE
    found = list(rows.select_related("connection")[start : start + PAGE + 1])
    if not found and asked.page > 1:
        return items_context(job, desk_user, RowsAsked(asked.outcome, asked.kind, asked.action, asked.search))
    items, more = found[:PAGE], len(found) > PAGE
    everything = {name: getattr(job, name) for name in Outcome.values}
    alone = not (asked.kind or asked.action or asked.search)
    of = (everything[asked.outcome] if asked.outcome else sum(everything.values())) if alone else None
    return {
        "items": shown_rows(job, items, desk_user),
        "asked": asked,
        "tabs": [("", gettext("All"), sum(everything.values()), asked.link(outcome=""))]
        + [(name, _OUTCOMES[Outcome(name)](), number, asked.link(outcome=name)) for name, number in everything.items()],
        "kinds": [(kind, str(PLURALS[kind])) for kind in KINDS if kind in PLURALS] if asked else [],
        "clear": "?",
        "csv_query": asked.link()[1:],
        "first": start + 1,
        "last": start + len(items),
        "of": of if of is not None else (None if more else start + len(items)),
        "next_link": asked.link(page=asked.page + 1) if more else "",
        "previous_link": asked.link(page=asked.page - 1 if asked.page > 2 else "") if asked.page > 1 else "",
    }


_OUTCOMES: dict[Outcome, Any] = {
    Outcome.PULLED: lambda: gettext("Taken in"),
    Outcome.PUSHED: lambda: gettext("Sent"),
    Outcome.SKIPPED: lambda: gettext("Nothing to do"),
    Outcome.FAILED: lambda: gettext("Waits for you"),
}


def shown_rows(job: SyncJob, items: Sequence[JobItem], desk_user: DeskUser) -> list[dict[str, Any]]:
    """Returns the rows as they are shown; a constant number of queries."""
    about = subjects((job.workspace_id, item.kind, item.record_id) for item in items)
    links = _links(items)
    changes = changes_of(job, items)
    cards = _cards(job, items)
    place = job.label
    return [_row(item, about, links, changes, cards, desk_user, place) for item in items]


def _row(
    item: JobItem,
    about: Subjects,
    links: Mapping[tuple[str, str, str], Link],
    changes: Mapping[tuple[str, str, str], Any],
    cards: Mapping[tuple[str, str], str],
    desk_user: DeskUser,
    place: str,
) -> dict[str, Any]:
    record = about.get((item.kind, item.record_id))
    link = links.get((item.connection_id, item.kind, item.record_id or item.remote_id))
    title, beside = called(record) if record is not None else (_name_there(item, link), "")
    return {
        "item": item,
        "title": title,
        "beside": beside,
        "kind": PLURALS.get(item.kind, item.kind),
        "url": page_of(record, desk_user) if record is not None else "",
        "action": action_of(item, place),
        "changes": changes.get((item.connection_id, item.kind, item.key), ()),
        "amount": amount_of(record),
        "page": remote_url(link) if link is not None else "",
        "card": cards.get((item.connection_id, item.key), ""),
        "failed": item.outcome == Outcome.FAILED,
        "account": item.connection.account_name,
    }


def called(record: Any) -> tuple[str, str]:
    """Returns how people call a record: its name, and what tells it from others of that name."""
    if isinstance(record, Visit):
        when = formats.moment(record.scheduled_start) if record.scheduled_start else gettext("no time")
        return str(record.title), f"{when} · {record.client}" if record.client_id else when
    if isinstance(record, Invoice):
        return str(record), f"{record.client} · {formats.day(record.date)}"
    if isinstance(record, Payment):
        return str(record.client), formats.day(record.date)
    return str(record), ""


def amount_of(record: Any) -> str:
    if isinstance(record, Invoice):
        return formats.money(record.total)
    return formats.money(record.amount) if isinstance(record, Payment) else ""


def _name_there(item: JobItem, link: Link | None) -> str:
    """Returns what a record is called that FieldCamp does not have. Somebody's own event has no name here."""
    if item.kind == "block":
        return gettext("Busy time")
    name = (link.seen or {}).get(_NAMED_BY[item.kind]) if link is not None and item.kind in _NAMED_BY else ""
    return str(name) if name else gettext("A record that is gone")


def _links(items: Sequence[JobItem]) -> dict[tuple[str, str, str], Link]:
    """Returns the links of these records, the live ones first, by connection, kind and the record's id (the one there
    where FieldCamp has none); one query."""
    if not items:
        return {}
    ours = {item.record_id for item in items if item.record_id}
    theirs = {item.remote_id for item in items if not item.record_id and item.kind in _NAMED_BY}
    wanted = Q(record_id__in=ours) | Q(remote_id__in=theirs) if theirs else Q(record_id__in=ours)
    rows = Link.objects.filter(
        wanted, kind__in={item.kind for item in items}, stream__connection__in={item.connection_id for item in items}
    )
    found: dict[tuple[str, str, str], Link] = {}
    for link in rows.select_related("stream__connection").order_by("-cut_at", "pk"):
        for name in (link.record_id, link.remote_id):
            key = (link.stream.connection_id, link.kind, name)
            if name and (key not in found or found[key].cut_at is not None):
                found[key] = link
    return found


def _cards(job: SyncJob, items: Sequence[JobItem]) -> dict[tuple[str, str], str]:
    """Returns the open problems of the records that wait, by connection and record; one query, none where none do."""
    waiting = [item.key for item in items if item.outcome == Outcome.FAILED]
    if not waiting:
        return {}
    rows = Problem.objects.filter(workspace=job.workspace_id, record_id__in=waiting, resolved_at=None)
    return {(row.connection_id or "", row.record_id): row.pk for row in rows}


def csv_lines(job: SyncJob, asked: RowsAsked) -> Iterator[str]:
    """Yields the wanted results as a table for people, fetched a chunk at a time; ids come last. It is written while it
    is sent, when the zone of the page is not in force any more: the company's is taken here."""
    zone, last = zoneinfo.ZoneInfo(job.workspace.timezone), 0
    yield csv_line([
        gettext("Run"), gettext("Account"), gettext("Kind"), gettext("Record"), gettext("About"), gettext("Outcome"),
        gettext("What was done"), gettext("Why"), gettext("Amount"), gettext("Record id"), gettext("Id there"),
    ])  # fmt: skip
    accounts = dict(Connection.objects.filter(workspace_id=job.workspace_id).values_list("pk", "account_name"))
    while True:
        chunk = list(rows_of(job, asked).filter(pk__gt=last)[:CHUNK])
        with timezone.override(zone):
            lines = [csv_line(cells) for cells in _cells(job, chunk, accounts)]
        yield from lines
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def _cells(job: SyncJob, items: Sequence[JobItem], accounts: Mapping[str, str]) -> Iterator[list[Any]]:
    about, links = subjects((job.workspace_id, one.kind, one.record_id) for one in items), _links(items)
    place, run = job.label, formats.precise(job.created_at)
    for item in items:
        record = about.get((item.kind, item.record_id))
        link = links.get((item.connection_id, item.kind, item.record_id or item.remote_id))
        title, beside = called(record) if record is not None else (_name_there(item, link), "")
        amount = record.total if isinstance(record, Invoice) else record.amount if isinstance(record, Payment) else None
        yield [
            run, accounts.get(item.connection_id, ""), PLURALS.get(item.kind, item.kind), title, beside,
            _OUTCOMES[Outcome(item.outcome)](), action_of(item, place), item.message, amount, item.record_id,
            item.remote_id,
        ]  # fmt: skip
