"""Ending the channels of an account that is about to be left: the vendor wants its token for that."""

import structlog
from django.utils import timezone

from integrations.accounts.clients import client_for
from integrations.errors import ProviderError
from integrations.models import Connection, PushChannel
from integrations.providers import PROVIDERS
from integrations.providers.push import HeldChannel

log = structlog.get_logger(__name__)

ENDED = (PushChannel.State.STOPPED, PushChannel.State.UNSUPPORTED)
PATIENCE = 3.0  # seconds for each, where a person may be waiting


def stop_channels(connection: Connection) -> None:
    """Stops the account's channels at the vendor, as far as it answers, and here in any case. To be called before the
    tokens go, and outside of transactions."""
    push = PROVIDERS[connection.integration].push
    if push is None or push.channels is None:
        return
    rows = PushChannel.objects.filter(stream__connection=connection).exclude(state__in=ENDED).select_related("stream")
    held = [
        HeldChannel(row.channel_id, row.resource_id, row.stream.container_id)
        for row in rows.order_by("pk")
        if row.resource_id and not (row.expires_at and row.expires_at < timezone.now())
    ]
    forget_channels(connection)  # first: whatever happens there, what still comes changes nothing any more
    if not held:
        return
    try:
        provider = PROVIDERS[connection.integration]
        api = push.channels(client_for(connection, provider, attempts=1, read_timeout=PATIENCE, send_limit=PATIENCE))
        for channel in held:
            api.stop(channel)
    except ProviderError as error:  # the vendor ends them by itself, at the latest when they expire
        log.warning("push_stop_failed", connection_id=connection.pk, error=type(error).__name__)


def forget_channels(connection: Connection) -> None:
    """Says of all channels that they are stopped."""
    rows = PushChannel.objects.filter(stream__connection=connection).exclude(state=PushChannel.State.STOPPED)
    rows.update(state=PushChannel.State.STOPPED, renew_at=None)
