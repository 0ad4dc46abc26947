"""The digests by which accounts are found: whether they are those of today's API_KEY_PEPPER, and making them so."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from django.db import IntegrityError, transaction

from fieldcamp.encryption import DecryptionError
from integrations.models import Connection
from integrations.models.accounts import digest_of

log = structlog.get_logger(__name__)


@dataclass
class Renewal:
    """What became of the digests that were others: how many are renewed; the ids of connections whose account cannot be
    read; pairs of ids (the one that stays as it is, the one that has its account by now)."""

    renewed: int = 0
    unreadable: list[str] = field(default_factory=list)
    doubled: list[tuple[str, str]] = field(default_factory=list)


def stale() -> Iterator[Connection]:
    """Yields the connections whose digest is not that of their account: they were made under another pepper. Those
    whose account cannot be read are left to whoever asks about keys."""
    for connection in Connection.objects.order_by("pk").iterator(chunk_size=500):
        try:
            if not connection.is_of(connection.account_id):
                yield connection
        except DecryptionError:
            continue


def renew_digests() -> Renewal:
    """Computes all digests anew. An account that was connected again under the new pepper has two connections, of which
    the older one keeps its digest, and is not found, until a person has erased one of them."""
    result = Renewal()
    for pk in list(Connection.objects.order_by("pk").values_list("pk", flat=True)):
        connection = Connection.objects.filter(pk=pk).first()
        try:
            if connection is None or connection.is_of(connection.account_id):
                continue
            digest = digest_of(connection.account_id)
        except DecryptionError:
            result.unreadable.append(pk)
            continue
        try:
            with transaction.atomic():
                # An account that takes this row over in the same moment has written its own digest.
                same = Connection.objects.filter(pk=pk, account_digest=connection.account_digest)
                result.renewed += same.update(account_digest=digest)
        except IntegrityError:
            others = Connection.objects.filter(workspace=connection.workspace_id, account_digest=digest)
            now = others.filter(integration=connection.integration).values_list("pk", flat=True).first()
            result.doubled.append((pk, now or ""))
    log.info("digests_renewed", renewed=result.renewed, unreadable=result.unreadable, doubled=result.doubled)
    return result
