"""What the views of all records share: a list, a record, creation and actions in FieldCamp's envelope."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from fieldcamp.api.etags import check_if_match, etag_of, is_unchanged
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import keyset_page
from fieldcamp.api.round_trips import ChangedMeanwhile, edit_of, try_again
from fieldcamp.api.views import ApiView, envelope, ok
from fieldcamp.workspace.attribution import attributed, by_key
from fieldcamp.workspace.rest.including import asked, shapes, with_included
from fieldcamp.workspace.rest.record_lists import (
    RecordPageMetaSerializer,
    TombstoneSerializer,
    record_page,
    tombstone,
)


@functools.cache
def _shape(serializer_class: type[Serializer], partial: bool = False) -> Serializer:
    """Returns one serializer for all requests: making its fields anew costs more than using them, and they keep no
    state."""
    return serializer_class(partial=partial)


class WorkspaceView(ApiView):
    """Tells the workspace's own errors in the API's words, and signs changes with the key's name."""

    serializer_class: ClassVar[type[Serializer]]
    enveloped = True

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(self.told(exc, self.kwargs.get("record_id", "")))

    def told(self, exc: Exception, record_id: str) -> Exception:
        """Returns the error that is told instead of this one, about the record if it is about one."""
        return exc

    def data(self, record: Any) -> dict[str, Any]:
        return dict(_shape(self.serializer_class).to_representation(record))

    def parsed(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return _shape(self.serializer_class).run_validation(data)

    def beside(self, record: Any) -> dict[str, Any]:
        """Returns what the answer to a write says beside `data`: `beside_writes` has its shapes."""
        return {}

    def written(self, request: Request, record: Any) -> tuple[dict[str, Any], str]:
        """Returns the answer to a write of the record, and its tag."""
        data = self.data(record)
        return {**envelope(request, data), **self.beside(record)}, etag_of(data)

    def signed(self):
        return attributed(actor=by_key(self.key.name), source="api")


class ListView(WorkspaceView):
    """One page of a list, in the order of ids."""

    def get(self, request: Request) -> Response:
        """One page."""
        filters = self.filters(request)
        rows, meta = keyset_page(request, self.rows(**filters), filters=filters)
        return ok(request, [self.data(row) for row in rows], **meta)

    def filters(self, request: Request) -> dict[str, Any]:
        raise NotImplementedError

    def rows(self, **filters: Any) -> QuerySet:
        raise NotImplementedError


class RecordListView(ListView):
    """One page of a list that others follow."""

    raises: Mapping[str, Sequence[str]] = {"GET": ("CURSOR_EXPIRED",)}
    list_meta_class = RecordPageMetaSerializer
    list_also = TombstoneSerializer

    @property
    def list_included(self) -> Mapping[str, type[Serializer]]:
        return shapes()

    def get(self, request: Request) -> Response:
        """One page, in the order of the last change.

        To keep a copy, follow `meta.next_cursor` until it is null, keep `meta.resume_cursor`, and send it as `cursor`
        the next time: nothing is missed, whoever writes meanwhile, and what changes again comes again. With
        `includeDeleted=true` what was deleted comes too, as `{"id", "deleted": true, "deletedAt", "updatedAt"}`, for a
        year: a cursor or `since` from before that is refused (410). Filters choose by what a record is now: one that
        does not pass them any more is not told, so keep a copy of the whole list and choose there. Deleted rows come
        whatever the filters are.

        With `since` instead: what was changed at or after that time; of up to a minute before it, or of as long as its
        saving took, what has come already may come again.
        """
        filters, included = self.filters(request), asked(request, self.key)
        rows, meta = record_page(request, self.workspace, self.rows(**filters), filters)
        shown = [tombstone(row) if row.deleted_at else self.data(row) for row in rows]
        return ok(request, with_included(included, self.workspace.pk, rows, shown), **meta)


class CreateMixin:
    """POST: creates one record, once for each Idempotency-Key."""

    create: Callable[..., Any]
    idempotent_methods: Sequence[str] = ("POST",)
    conditional_creation = True

    def post(self: Any, request: Request) -> HttpResponseBase:
        """Creates one. What is empty may be left out or null."""
        values = self.parsed(request.data)

        def run() -> IdempotentAnswer:
            with self.signed():
                record = self.create(workspace=self.workspace, **values)
            answer, etag = self.written(request, record)
            return IdempotentAnswer(201, answer, {"Location": f"{request.path}/{record.pk}", "ETag": etag})

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=run)


class RecordView(WorkspaceView):
    """One record, to read."""

    tagged_methods: Sequence[str] = ("GET",)

    def get(self, request: Request, record_id: str) -> Response:
        """One of them."""
        data = self.data(self.rows().get(pk=record_id))
        etag = etag_of(data)
        if is_unchanged(request, etag):
            return Response(status=304, headers={"ETag": etag})
        return ok(request, data, headers={"ETag": etag})

    def rows(self) -> QuerySet:
        raise NotImplementedError


class EditableView(RecordView):
    """One record, to read, change and delete."""

    conditional_methods: Sequence[str] = ("PATCH", "PUT", "DELETE")

    def patch(self, request: Request, record_id: str) -> Response:
        """Changes the fields that are sent. What is sent as GET has shown it stays as it is."""
        return self._updated(request, record_id, whole=False)

    def put(self, request: Request, record_id: str) -> Response:
        """Replaces all fields: one that is left out becomes empty, or its default. What is sent as GET has shown it
        stays as it is; of a read-only field that is all that is taken."""
        return self._updated(request, record_id, whole=True)

    def _updated(self, request: Request, record_id: str, *, whole: bool) -> Response:
        record = self.edited(record_id, request.data, lambda record: self._check(request, record), whole=whole)
        answer, etag = self.written(request, record)
        return Response(answer, headers={"ETag": etag})

    def edited(self, record_id: str, sent: Any, check: Callable[[Any], None], *, whole: bool = False) -> Any:
        """Makes the edit that was sent (`round_trips`); `check` sees the record under its lock, and may raise."""
        shapes = _shape(self.serializer_class), _shape(self.serializer_class, True)

        def work() -> Any:
            read = self.rows().get(pk=record_id)
            edit = edit_of(*shapes, sent, self.data(read), read, whole=whole)

            def checked(record: Any) -> None:
                check(record)
                if edit.as_read and (record.version, record.updated_at) != (read.version, read.updated_at):
                    raise ChangedMeanwhile

            with self.signed():
                return self.update(record_id, edit.changes, checked)

        return try_again(work)

    def delete(self, request: Request, record_id: str) -> Response:
        """Deletes it; it is not found any more, and its history stays."""
        with self.signed():
            self.remove(record_id, lambda record: self._check(request, record))
        return ok(request, {"id": record_id, "deleted": True})

    def _check(self, request: Request, record: Any) -> None:
        if "If-Match" in request.headers:
            check_if_match(request, etag_of(self.data(record)))

    def update(self, record_id: str, changes: Mapping[str, Any], check: Callable[[Any], None]) -> Any:
        raise NotImplementedError

    def remove(self, record_id: str, check: Callable[[Any], None]) -> Any:
        raise NotImplementedError


class ActionView(WorkspaceView):
    """POST: does one thing with a record that exists; done again, it changes nothing more."""

    conditional_methods = ("POST",)
    idempotent_methods = ("POST",)
    body_class: ClassVar[type[Serializer]]
    raises = {"POST": ("INVALID_TRANSITION",)}

    def act(self, record_id: str, check: Callable[[Any], None], **values: Any) -> Any:
        raise NotImplementedError

    def run(self, request: Request, record_id: str) -> HttpResponseBase:
        values = _shape(self.body_class).run_validation(request.data)

        def check(record: Any) -> None:
            if "If-Match" in request.headers:
                check_if_match(request, etag_of(self.data(record)))

        def run() -> IdempotentAnswer:
            with self.signed():
                record = self.act(record_id, check, **values)
            answer, etag = self.written(request, record)
            return IdempotentAnswer(200, answer, {"ETag": etag})

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=run)


_READ_WRITE = {"GET": "read", "POST": "write", "PUT": "write", "PATCH": "write", "DELETE": "write"}


def scopes_of(resource: str) -> dict[str, str]:
    return {method: f"{resource}:{access}" for method, access in _READ_WRITE.items()}
