"""What the change log has, in short."""

from fieldcamp.workspace.models import Change


def log(record=None) -> list[tuple]:
    rows = Change.objects.order_by("seq")
    if record is not None:
        rows = rows.filter(record_id=record.pk)
    return list(rows.values_list("action", "version", "before", "after"))


def stored_version(record) -> int:
    return type(record).objects.values_list("version", flat=True).get(pk=record.pk)
