"""Notes and the records of files that are attached to transactions and items.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/attachable
"""

from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.intuit import errors
from fieldcamp.sandbox.intuit.entity import Body, Entity, Property, texts
from fieldcamp.sandbox.intuit.shape import choice, flag, rows, struct, text
from fieldcamp.sandbox.intuit.store import Stored

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit.books import Books

CATEGORIES = ("Contact Photo", "Document", "Image", "Receipt", "Signature", "Sound", "Other")


def _target(books: "Books", entity: str, path: str, value: Any) -> Any:
    """What a note belongs to: {"type", "value"}."""
    kept = struct(("name",), type=text(50), value=text(30))(books, entity, path, value)
    name = next((each for each in books.entities if each.lower() == str(kept.get("type", "")).lower()), "")
    if not name or books.get(name, str(kept.get("value", ""))) is None:
        raise errors.invalid_reference(str(kept.get("type", "")), kept.get("value"), path)
    return {"type": name, "value": kept["value"]}


def _prepare(books: "Books", draft: Body, old: Stored | None, sent: Body) -> None:
    if not draft.get("Note") and not draft.get("FileName"):
        raise errors.required("Note")
    for reference in draft.get("AttachableRef", []):
        reference.setdefault("IncludeOnSend", False)


ATTACHABLE = Entity(
    name="Attachable",
    segment="attachable",
    is_list=False,
    sequence="Attachable",
    operations=frozenset({"create", "update", "delete"}),
    fields={
        "Note": text(2000),
        "FileName": text(1000),
        "Category": choice(*CATEGORIES),
        "ContentType": text(100),
        "PlaceName": text(2000),
        "Tag": text(2000),
        "Lat": text(100),
        "Long": text(100),
        "AttachableRef": rows(
            struct(EntityRef=_target, IncludeOnSend=flag(), LineInfo=text(20), NoRefOnly=flag(), Inactive=flag())
        ),
    },
    ignored=frozenset(
        {"FileAccessUri", "TempDownloadUri", "Size", "ThumbnailFileAccessUri", "ThumbnailTempDownloadUri"}
    ),
    filterable={
        **texts("FileName", "Note", "Category", "ContentType", "Tag"),
        "AttachableRef.EntityRef.Type": Property("$.AttachableRef[0].EntityRef.type"),
        "AttachableRef.EntityRef.value": Property("$.AttachableRef[0].EntityRef.value"),
    },
    prepare=_prepare,
)
