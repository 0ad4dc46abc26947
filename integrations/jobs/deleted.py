"""The end of what was deleted: first the words of rows that people have hidden, then the rows, as far as nothing needs
them any more.

Till then a row without words tells those who follow its list that it was deleted. What something points to stays for
good: a client whom the books have, an invoice with its number. No change log is told: nobody is shown these rows.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from fieldcamp.workspace.erasing import PERSONAL, erase_changes, erase_lines, erase_log_entries
from fieldcamp.workspace.models import Client, Invoice, Payment, Visit
from fieldcamp.workspace.tracking import TrackedModel
from integrations.ledger.erasing import empty_links
from integrations.models import Link

CHUNK = 500


def prune_deleted(before: dt.datetime, gone_before: dt.datetime) -> int:
    """Takes the words out of what was deleted before the first time, ends what was deleted before both, and tells how
    many rows have lost theirs. A client stays as long as a visit, an invoice or a payment of theirs does, or whoever
    they were merged into."""
    count = sum(_empty(model, before) for model in (Visit, Invoice, Payment, Client))
    for model in (Visit, Client):  # numbers are not given again, and payments belong to invoices
        _end(model, min(before, gone_before))
    return count


def _empty(model: type[TrackedModel], before: dt.datetime) -> int:
    count = 0
    while True:
        with transaction.atomic():
            ids = list(_over(model, before).order_by("pk").values_list("pk", flat=True)[:CHUNK])
            if not ids:
                return count
            links = Link.objects.filter(record_id__in=ids)
            empty_links(links.select_for_update(of=("self",)))
            erase_changes(model, ids)
            erase_log_entries(ids)
            if model is Invoice:
                erase_lines(ids)
            # Past the change log: what it would say of them is what goes.
            rows: QuerySet[TrackedModel] = models.QuerySet(model).filter(pk__in=ids)
            rows.update(**PERSONAL[model], erased_at=timezone.now())
            count += len(ids)


def _end(model: type[TrackedModel], before: dt.datetime) -> None:
    empty: QuerySet[TrackedModel] = model.objects.filter(deleted_at__lt=before, erased_at__isnull=False)
    last = ""
    while ids := list(empty.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        last = ids[-1]
        with transaction.atomic():
            models.QuerySet(model).filter(pk__in=_free(model, ids)).delete()


def _over(model: type[TrackedModel], before: dt.datetime) -> QuerySet[TrackedModel]:
    """Returns the rows whose time is over and that still say something."""
    rows: QuerySet[TrackedModel] = model.objects.filter(deleted_at__lt=before, erased_at=None)
    if model is Client:
        rows = rows.filter(pk__in=Client.objects.filter(merged_into=None).values("pk"))
        for related in (Visit, Invoice, Payment):
            rows = rows.exclude(Exists(related.objects.alive().filter(client=OuterRef("pk"))))
    return rows


def _free(model: type[TrackedModel], ids: Sequence[str]) -> list[str]:
    """Returns those of these rows that nothing points to."""
    rows = model.objects.filter(pk__in=ids).exclude(Exists(Link.objects.live().filter(record_id=OuterRef("pk"))))
    if model is Client:
        for related, name in ((Visit, "client"), (Invoice, "client"), (Payment, "client"), (Client, "merged_into")):
            rows = rows.exclude(Exists(related.objects.filter(**{name: OuterRef("pk")})))
    return list(rows.values_list("pk", flat=True))
