"""From a connection to its account at the provider: an HTTP client bound to its tokens and its budget."""

from collections.abc import Callable
from typing import Any

import structlog
from django.db import DatabaseError
from django.db import connection as database

from fieldcamp.encryption import DecryptionError
from integrations.accounts.grants import OrmBudgetStore, OrmGrantStore
from integrations.accounts.metering import CallMeter, add_statuses
from integrations.errors import Misconfigured
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider, ProviderClient
from integrations.transport.budget import MinuteBudget
from integrations.transport.client import HttpClient
from integrations.transport.tokens import RefreshingTokens

log = structlog.get_logger(__name__)

# A refresh has to end within its claim (transport.tokens.CLAIM): two sends and the pause between them do.
TOKEN_ATTEMPTS, TOKEN_LIMIT = 2, 12.0


def client_for(connection: Connection, provider: Provider, **kwargs: Any) -> HttpClient:
    """Returns the exit to the network for this connection. `kwargs` go to `HttpClient` (before_call, meter, clock,
    sleep, random…); what has no meter of its own writes each call down at once."""
    kwargs.setdefault("meter", CallMeter(connection, provider))
    return HttpClient(
        provider,
        token_source(connection, provider),
        account_id=_account_id(connection),
        budget=MinuteBudget(OrmBudgetStore(connection.pk), provider.requests_per_minute),
        connection_id=connection.pk,
        **kwargs,
    )


def counter(provider: Provider) -> Callable[[int | str], None]:
    """Counts calls that are no account's (of a token endpoint) by status. A count that cannot be written is not worth a
    call."""

    def count(status: int | str) -> None:
        try:
            with database.cursor() as cursor:
                add_statuses(cursor, provider.name, {str(status)[:40]: 1})
        except DatabaseError:
            log.warning("call_not_counted", integration=provider.name, status=status)

    return count


def token_source(connection: Connection, provider: Provider, **kwargs: Any) -> RefreshingTokens:
    """Returns the connection's tokens, refreshed when they have to be."""
    http = HttpClient(
        provider,
        None,
        connection_id=connection.pk,
        attempts=TOKEN_ATTEMPTS,
        send_limit=TOKEN_LIMIT,
        after_call=counter(provider),
    )
    return RefreshingTokens(
        OrmGrantStore(connection.pk), lambda token: provider.refresh(http, token), provider.permissions, **kwargs
    )


def open_remote(connection: Connection, **kwargs: Any) -> ProviderClient:
    """Returns the connection's account at its provider; `kwargs` go to `HttpClient`."""
    provider = PROVIDERS[connection.integration]
    return provider.open(client_for(connection, provider, **kwargs), _account_id(connection))


def _account_id(connection: Connection) -> str:
    try:
        return connection.account_id
    except DecryptionError as error:
        raise Misconfigured(str(error)) from None  # the operator's fault: nobody has to reconnect
