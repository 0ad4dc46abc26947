"""`/visits/batch` and `/clients/batch`: many records made, changed and deleted in one call, by the services of each."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from fieldcamp.api import limits
from fieldcamp.api.batches import Row, duplicates, run_atomic_batch, run_batch
from fieldcamp.api.errors import validation_error
from fieldcamp.api.etags import check_tags, etag_of
from fieldcamp.api.idempotency import canonical
from fieldcamp.api.views import envelope
from fieldcamp.workspace import services
from fieldcamp.workspace.locking import lock
from fieldcamp.workspace.models import Client, Visit
from fieldcamp.workspace.rest.batch_serializers import (
    CLIENT_BATCH,
    CREATE,
    DELETE,
    UPDATE,
    VISIT_BATCH,
    ClientBatchRow,
    ClientBatchSerializer,
    VisitBatchRow,
    VisitBatchSerializer,
)
from fieldcamp.workspace.rest.views import ClientView, VisitView

Items = Sequence[dict[str, Any]]

_DOC = """Creates, updates and deletes up to 100, each as a call of its own would: `data` has a row for each item, in
order, with its status and its data or error. One that fails hinders no other, unless `atomic` is true.

Draws as many calls on the quota as it has items; if fewer are left, nothing is done (429). No record may be named
twice (400). With an `Idempotency-Key` each item is done once, also if the answer was lost or the first call was broken
off midway: a repeat does what is left, and answers all. Items that failed for a while (`UNAVAILABLE`) are tried again
by it."""


class BatchMixin:
    """POST: many items. Beside the view of one record, by which each of them is done."""

    http_method_names: Any = ["post", "options"]
    tagged_methods: Sequence[str] = ()
    conditional_methods: Sequence[str] = ()
    idempotent_methods: Sequence[str] = ("POST",)
    beside_writes: Any = {}  # each row has its own
    raises: Any = {"POST": ("BATCH_REJECTED",)}
    quota: limits.Quota | None = None
    batch_class: ClassVar[type[Serializer]]

    def run(self: Any, request: Request) -> HttpResponseBase:
        body = self.batch_class().run_validation(request.data)
        items: Items = body["items"]
        _check_items(items)

        def work(number: int) -> Row:
            item = items[number]
            try:
                return self.done(item)
            except Exception as exc:
                told = self.told(exc, item.get("id", ""))
                if told is exc:
                    raise  # with its own cause, which says what the database has refused
                raise told from exc

        def answer(rows: list[Row]) -> dict[str, Any]:
            return envelope(request, [{"index": index, **row} for index, row in enumerate(rows)])

        done: dict[str, Any] = {
            "fingerprint_body": canonical(request.data),
            "before": lambda: self._draw(request, len(items)),
        }
        if not body["atomic"]:
            return run_batch(request, len(items), work, answer, **done)

        return run_atomic_batch(request, len(items), work, answer, **done, lock=lambda: self.lock(items))

    def done(self: Any, item: dict[str, Any]) -> Row:
        """Returns the row of an item that was done; raises as the services do."""
        if item["op"] == DELETE:
            with self.signed():
                self.remove(item["id"], lambda record: self._check_tag(item, record))
            return {"status": 200, "data": {"id": item["id"], "deleted": True}}
        if item["op"] == CREATE:
            values = self.parsed(item["data"])
            with self.signed():
                record = self.create(workspace=self.workspace, **values)
        else:
            record = self.edited(item["id"], item["data"], lambda record: self._check_tag(item, record))
        data = self.data(record)
        status = 201 if item["op"] == CREATE else 200
        return {"status": status, "data": data, "etag": etag_of(data), **self.beside(record)}

    def lock(self: Any, items: Items) -> None:
        raise NotImplementedError

    def _check_tag(self: Any, item: dict[str, Any], record: Any) -> None:
        if text := item.get("if_match"):
            check_tags(parse_etags(text) or [f'"{text}"'], etag_of(self.data(record)))

    def _draw(self: Any, request: Request, count: int) -> None:
        """Draws on the quota for all items but the first, which the call itself has drawn for."""
        window = min(self.quota.windows, key=lambda each: each.limit)
        if count > window.limit:
            few = f"Must have at most {window.limit} entries: {window.name.lower()} has no more calls."
            raise validation_error({"items": [few]})
        if count > 1:
            self.quota = limits.take(self.key, calls=count - 1)
            self.quota.check()


def _check_items(items: Items) -> None:
    """Refuses items that say too little or too much, whatever they are about."""
    wrong: dict[str, list[str]] = {}
    for number, item in enumerate(items):
        for name, ops in (("id", (UPDATE, DELETE)), ("data", (CREATE, UPDATE))):
            if item["op"] in ops and name not in item:
                wrong[f"items.{number}.{name}"] = ["This field is required."]
            elif item["op"] not in ops and name in item:
                wrong[f"items.{number}.{name}"] = [f"Not with {item['op']}."]
        if item["op"] == CREATE and "if_match" in item:
            wrong[f"items.{number}.ifMatch"] = ["Not with create."]
    for number, first in duplicates([item.get("id") for item in items]).items():
        wrong[f"items.{number}.id"] = [f"Item {first} has this id already. Make one item of the two."]
    if wrong:
        raise validation_error(wrong)


def _ids(items: Items, name: str = "") -> set[str]:
    """Returns the records that the items are about, or those that they refer to by this field."""
    found = ((item.get("data") or {}).get(name) if name else item.get("id") for item in items)
    return {each for each in found if isinstance(each, str)}


class VisitBatchView(BatchMixin, VisitView):
    batch_class = VisitBatchSerializer
    create = staticmethod(services.create_visit)

    @extend_schema(
        operation_id="batch_visits",
        request=VisitBatchSerializer,
        responses={200: VisitBatchRow(many=True)},
        examples=VISIT_BATCH,
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self.run(request)

    post.__doc__ = _DOC

    def lock(self, items: Items) -> None:
        lock(Client, self.workspace, _ids(items, "clientId"))
        lock(Visit, self.workspace, _ids(items))


class ClientBatchView(BatchMixin, ClientView):
    batch_class = ClientBatchSerializer
    create = staticmethod(services.create_client)

    @extend_schema(
        operation_id="batch_clients",
        request=ClientBatchSerializer,
        responses={200: ClientBatchRow(many=True)},
        examples=CLIENT_BATCH,
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self.run(request)

    post.__doc__ = _DOC

    def lock(self, items: Items) -> None:
        lock(Client, self.workspace, _ids(items))
