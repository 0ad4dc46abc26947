"""The JSON of `/visits/batch` and `/clients/batch`: items that each make, change or delete one record."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import Direction, OpenApiExample
from rest_framework import serializers

from fieldcamp.api.components import ERROR_DETAIL
from fieldcamp.api.examples import example
from fieldcamp.api.key_serializers import DeletedSerializer
from fieldcamp.api.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from fieldcamp.workspace.rest.examples import CLIENT, NEW_CLIENT, NEW_VISIT, VISIT
from fieldcamp.workspace.rest.overlaps import VisitWarningSerializer
from fieldcamp.workspace.rest.serializers import ClientSerializer, VisitSerializer

MOST_ITEMS = 100
CREATE, UPDATE, DELETE = "create", "update", "delete"
_TAG = '"5a2f0d9c8b7e6f1a2b3c4d5e"'


class RecordData(serializers.DictField):
    """Fields of a record, which its own serializer checks when the item's turn has come."""

    def __init__(self, record_class: type[serializers.Serializer], **kwargs: Any):
        self.record_class = record_class
        super().__init__(**kwargs)


class RecordDataSchema(OpenApiSerializerFieldExtension):
    target_class = RecordData

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        if direction == "request":
            return dict(auto_schema.resolve_serializer(self.target.record_class(partial=True), direction).ref)
        shapes = (self.target.record_class, DeletedSerializer)
        return {"oneOf": [auto_schema.resolve_serializer(each, direction).ref for each in shapes]}


class ErrorOfItem(serializers.DictField):
    """What `error` of the envelope says."""


class ErrorOfItemSchema(OpenApiSerializerFieldExtension):
    target_class = ErrorOfItem

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{ERROR_DETAIL}"}


class BatchItemSerializer(StrictSerializer):
    """One item. `data` depends on the kind of record."""

    op = serializers.ChoiceField((CREATE, UPDATE, DELETE))
    id = StrictCharField(max_length=40, required=False, help_text="Of the record to update or delete.")
    ifMatch = StrictCharField(
        source="if_match", max_length=200, required=False,
        help_text="An ETag, of the record to update or delete: 412 unless it is still the current one.",
    )  # fmt: skip


_DATA = "The fields, as POST takes them (create), or those to change, as PATCH does (update). Not with delete."


class VisitBatchItem(BatchItemSerializer):
    """A visit to create, update or delete."""

    data = RecordData(VisitSerializer, required=False, help_text=_DATA)  # type: ignore[assignment]


class ClientBatchItem(BatchItemSerializer):
    """A client to create, update or delete."""

    data = RecordData(ClientSerializer, required=False, help_text=_DATA)  # type: ignore[assignment]


class BatchSerializer(StrictSerializer):
    """Up to a hundred items."""

    atomic = StrictBooleanField(
        default=False, help_text="All of them or none: 422 `BATCH_REJECTED` if one cannot be done."
    )


def _request(new: dict[str, Any], changed: dict[str, Any], record_id: str) -> dict[str, Any]:
    update = {"op": UPDATE, "id": record_id, "ifMatch": _TAG, "data": changed}
    return {"items": [{"op": CREATE, "data": new}, update, {"op": DELETE, "id": f"{record_id[:-1]}Z"}]}


class VisitBatchSerializer(BatchSerializer):
    items = VisitBatchItem(many=True, allow_empty=False, max_length=MOST_ITEMS)  # type: ignore[call-arg]


class ClientBatchSerializer(BatchSerializer):
    items = ClientBatchItem(many=True, allow_empty=False, max_length=MOST_ITEMS)  # type: ignore[call-arg]


class BatchRowSerializer(serializers.Serializer):
    """What came of one item: `data` or `error`."""

    index = serializers.IntegerField(help_text="Which item, from 0 on.")
    status = serializers.IntegerField(help_text="201, 200, or that of its error: what a call of its own would answer.")
    etag = serializers.CharField(required=False, help_text="Of the record that was made or changed.")
    error = ErrorOfItem(required=False)


def _rows(data: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    done = {"index": 0, "status": 201, "data": data, "etag": _TAG, **more}
    sentence = "The record has changed since you read it. Read it again and repeat the change with its new ETag."
    link = "https://fieldcamp.example/api/docs/errors#PRECONDITION_FAILED"
    error = {"code": "PRECONDITION_FAILED", "message": sentence, "details": {}, "doc_url": link}
    deleted = {"index": 2, "status": 200, "data": {"id": f"{data['id'][:-1]}Z", "deleted": True}}
    return [done, {"index": 1, "status": 412, "error": error}, deleted]


class VisitBatchRow(BatchRowSerializer):
    """What came of one item: `data` or `error`."""

    data = RecordData(VisitSerializer, required=False)  # type: ignore[assignment]
    warnings = VisitWarningSerializer(many=True, required=False, help_text="As beside a visit's own answer.")


class ClientBatchRow(BatchRowSerializer):
    """What came of one item: `data` or `error`."""

    data = RecordData(ClientSerializer, required=False)  # type: ignore[assignment]


def _examples(new: dict[str, Any], changed: dict[str, Any], data: dict[str, Any], **more: Any) -> list[OpenApiExample]:
    return [example(_request(new, changed, data["id"]), request=True), example(_rows(data, **more))]


VISIT_BATCH = _examples(NEW_VISIT, {"notes": "Key at the door"}, VISIT, warnings=[])
CLIENT_BATCH = _examples(NEW_CLIENT, {"stage": "customer"}, CLIENT)
