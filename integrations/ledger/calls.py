"""The calls behind each record: which of them a stream's work has made about it, what was sent and what came back.

Kept are the fields of the record by FieldCamp's own names for them, and nothing else of what went over the wire: what
a vendor's body holds besides (other records of a batch or a listing, headers, tokens) is never looked at here.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import structlog
from django.db import DatabaseError, connections, models, router, transaction
from ulid import ULID

from integrations.errors import ProblemCode, ProviderError
from integrations.kinds import BLOCK, KINDS, Kind
from integrations.ledger.excerpts import excerpt, short
from integrations.ledger.ownership import LEFT_OVER
from integrations.models import CallPurpose, Link, RecordCall, Stream
from integrations.records import Fields, Operation, Page, RemoteRecord, Verb, Window, WriteResult
from integrations.sync.ports import Remote
from integrations.transport.exchanges import CallMade, Part, collected

log = structlog.get_logger(__name__)

MOST = 20  # calls about one record that one run, or one reader of the feed, writes down
_PURPOSES = {Verb.CREATE: CallPurpose.CREATE, Verb.UPDATE: CallPurpose.UPDATE, Verb.DELETE: CallPurpose.DELETE}
_WHERE = 500  # characters of an address
_CHUNK = 50  # rows of one statement: SQLite takes 999 values
_PREPARED = (models.JSONField, models.DateTimeField)
_Told = tuple[CallMade, Part | None]


class RecordCalls:
    """The calls of one stream's work, which goes through `remote`. Writes are written down as soon as they have been
    answered, or not; what was read, together with what it makes of the links (`seen`)."""

    def __init__(self, stream: Stream, job_id: str = ""):
        self.stream, self.job_id = stream, job_id
        self._page: CallMade | None = None
        self._looked: dict[str, list[_Told]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._remote: Remote | None = None
        self._starts: dict[dt.datetime, str] = {}
        self._numbers = count()
        self.records = self.reads = self.writes = 0  # so far: named by listings; calls

    def through(self, remote: Remote) -> "RecordCalls":
        """Has the stream's work go through this account from now on."""
        self._remote = remote
        return self

    # --- the account, as `sync.ports.Remote` ------------------------------------------------------------------------

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        pages = iter(self._account.changes(container_id, cursor, window))
        while True:
            with collected() as exchanges:
                page = next(pages, None)
            self.reads += len(exchanges)
            if page is None:
                return
            self.records += len(page.records)
            self._looked.clear()
            self._page = next((each for each in reversed(exchanges) if each.parts == () and each.worked), None)
            self._take_looks(exchanges)
            yield page

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        with collected() as exchanges:
            found = self._account.get(container_id, ids, sent)
        self.reads += len(exchanges)
        self._take_looks(exchanges, ids)
        return found

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        results: Sequence[WriteResult] = ()
        failure: BaseException | None = None
        with collected() as exchanges:
            try:
                results = self._account.write(container_id, operations)
            except Exception as error:
                failure = error
                raise
            finally:
                self.writes += sum(not each.sent.reads for each in exchanges)
                self.reads += sum(each.sent.reads for each in exchanges)
                self._keep(self._written(operations, exchanges, {each.key: each for each in results}, failure))
        return list(results)

    @property
    def _account(self) -> Remote:
        assert self._remote is not None, "The stream's work goes through no account."
        return self._remote

    def _take_looks(self, exchanges: Iterable[CallMade], ids: Sequence[str] = ()) -> None:
        for exchange in exchanges:
            if not exchange.sent.reads:
                continue
            for part in exchange.parts or ():
                self._looked[part.key].append((exchange, part))
            if exchange.parts is None:
                for id in ids:
                    self._looked[id].append((exchange, None))

    # --- rows -------------------------------------------------------------------------------------------------------

    def seen(self, records: Iterable[tuple[Link, RemoteRecord, str]]) -> None:
        """Writes down by which calls these were seen, with what of each is new; the text is the id that it was asked
        for by. Runs inside the caller's transaction."""
        rows: list[RecordCall] = []
        for link, record, name in records:
            purpose = CallPurpose.LOOK if name in self._looked else CallPurpose.LIST
            # Taken out: what is looked for again, in the same run, has calls of its own.
            told = self._looked.pop(name, None) or ([(self._page, None)] if self._page else [])
            if not told or link.kind == BLOCK.name or link.record_id.startswith(LEFT_OVER):
                continue
            kind = KINDS[link.kind]
            # Of a first listing all is new, and stands with the link.
            whole = purpose is CallPurpose.LOOK or self.stream.first_synced_at is not None
            fields = _kept(kind, record.fields, bool(link.erased_at)) if whole and not record.gone else None
            made = [
                self._row(exchange, part, kind, link.record_id, link.remote_id, purpose)
                for exchange, part in told[-MOST:]
            ]
            made[-1].response = fields
            rows += made
        _insert(self._few(rows))

    def _written(
        self,
        operations: Sequence[Operation],
        exchanges: Sequence[CallMade],
        results: Mapping[str, WriteResult],
        failure: BaseException | None,
    ) -> Iterator[RecordCall]:
        """Yields a row for each write and each call that carried it; the last of them has had the answer."""
        told = {operation.key: list(_carriers(operation.key, exchanges)) for operation in operations}
        if not any(told.values()):
            return
        erased = self._erased([operation.key for operation in operations])
        for operation in operations:
            record_id = operation.marker.record_id if operation.marker else operation.key
            if record_id.startswith(LEFT_OVER):
                continue
            kind, nobody = KINDS[operation.kind], operation.key in erased
            result = results.get(operation.key) or WriteResult(operation.key, error=_as_error(failure))
            request = None if operation.verb is Verb.DELETE else _kept(kind, operation.fields, nobody)
            record = result.record
            remote_id = record.id if record and operation.verb is Verb.CREATE else operation.remote_id
            made = [
                self._row(exchange, part, kind, record_id, remote_id, _PURPOSES[operation.verb])
                for exchange, part in told[operation.key]
            ]
            for row in made:
                row.request = request
            if made:
                made[-1].response = _kept(kind, record.fields, nobody) if record and not record.gone else None
                made[-1].error = _refusal(result.error, nobody)
            yield from made

    def _erased(self, record_ids: Sequence[str]) -> set[str]:
        links = Link.objects.filter(stream=self.stream, record_id__in=record_ids, erased_at__isnull=False)
        return set(links.values_list("record_id", flat=True))

    def _row(
        self, exchange: CallMade, part: Part | None, kind: Kind, record_id: str, remote_id: str, purpose: CallPurpose
    ) -> RecordCall:
        sent = exchange.sent
        shared = part is not None and part.method and {
            "method": part.method[:10], "path": short(part.path, _WHERE), "status": part.status
        }  # fmt: skip
        return RecordCall(
            id=self._new_id(sent.at),
            stream_id=self.stream.pk,
            job=self.job_id,
            kind=kind.name,
            record_id=record_id,
            remote_id=remote_id,
            purpose=purpose,
            at=sent.at,
            method=sent.method[:10],
            path=short(sent.path, _WHERE),
            status=str(sent.status)[:40],
            ms=max(sent.ms, 0),
            trace=short(sent.trace, 100),
            part=shared or None,
        )

    def _new_id(self, at: dt.datetime) -> str:
        """Returns an id for a row of the call made then: a ULID of that time, with a number at its end, since to make
        a whole one for each row of a batch takes longer than all else."""
        if at not in self._starts:
            if len(self._starts) > MOST:
                self._starts.clear()
            self._starts[at] = str(ULID.from_datetime(at))[:-4]
        return f"cal_{self._starts[at]}{next(self._numbers) % 10_000:04}"

    def _few(self, rows: Iterable[RecordCall]) -> list[RecordCall]:
        """Returns the rows without those that are too many about one record."""
        few = []
        for row in rows:
            key = row.record_id or row.remote_id
            self._counts[key] += 1
            if self._counts[key] <= MOST:
                few.append(row)
        return few

    def _keep(self, rows: Iterable[RecordCall]) -> None:
        """Writes down what was sent. What cannot be written is not worth the answer of a write."""
        try:
            with transaction.atomic():
                _insert(self._few(rows))
        except DatabaseError:
            log.warning("record_calls_not_kept", connection_id=self.stream.connection_id, stream_id=self.stream.pk)


def _insert(rows: Sequence[RecordCall]) -> None:
    """Inserts the rows. `bulk_create` would take as long for it as all else about them: it asks every field of every
    row for its value. Of most kinds of fields that is the value itself."""
    database, fields = connections[router.db_for_write(RecordCall)], RecordCall._meta.concrete_fields
    into = ", ".join(database.ops.quote_name(str(field.column)) for field in fields)
    table, marks = database.ops.quote_name(RecordCall._meta.db_table), ", ".join(["%s"] * len(fields))
    told = [
        [
            field.get_db_prep_save(getattr(row, field.attname), database)
            if isinstance(field, _PREPARED)
            else getattr(row, field.attname)
            for field in fields
        ]
        for row in rows
    ]
    with database.cursor() as cursor:
        for start in range(0, len(told), _CHUNK):
            some = told[start : start + _CHUNK]
            values = ", ".join([f"({marks})"] * len(some))
            statement = f"INSERT INTO {table} ({into}) VALUES {values}"  # noqa: S608 -- names of ours, and marks
            cursor.execute(statement, [each for row in some for each in row])


def _carriers(key: str, exchanges: Iterable[CallMade]) -> Iterator[_Told]:
    """Yields the calls that carried the write of this key: those that say so; all writing ones that do not say."""
    for exchange in exchanges:
        if exchange.parts is None:
            if not exchange.sent.reads:
                yield exchange, None
            continue
        for part in exchange.parts:
            if part.key == key and not exchange.sent.reads:
                yield exchange, part


def _kept(kind: Kind, fields: Fields, nobody: bool) -> dict[str, Any]:
    """Returns what is kept of a record's fields; where its person was erased, nothing of them."""
    told = {name: fields[name] for name in kind.told if name in fields}
    return excerpt(kind.impersonal(fields) if nobody else {**kind.pick(fields), **told})


def _as_error(failure: BaseException | None) -> Exception | None:
    return failure if isinstance(failure, Exception) else None


def _refusal(error: Exception | None, nobody: bool) -> dict[str, str] | None:
    """Returns a refusal as it is kept: our sentence, and the vendor's words without secrets."""
    if error is None:
        return None
    if not isinstance(error, ProviderError):
        return {"code": ProblemCode.INTERNAL_ERROR, "message": "FieldCamp could not read the answer.", "detail": ""}
    code = str(error.code)
    if nobody:
        return {"code": code, "message": "", "detail": ""}
    return {"code": code, "message": short(str(error), 300), "detail": short(error.detail, 300)}
