"""What is refused of accounts and their settings, by our services or by the provider, as the API answers it."""

import contextlib
import datetime as dt
import math
from collections.abc import Iterator

from django.utils import timezone

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.workspace.errors import InvalidFields
from integrations.api.errors import as_api_errors
from integrations.errors import NeedsPermission, NeedsReconnect, ProviderError, RateLimited
from integrations.models import Connection, NotConnectedReason
from integrations.selectors.connections import way_on_url
from integrations.services.connection_settings import Contended
from integrations.services.setup import SetupError

LATER = "60"  # seconds, where a provider does not answer
SOON = "1"


@contextlib.contextmanager
def refusals_of(connection: Connection) -> Iterator[None]:
    """Answers 400 for what cannot be taken, 409 for what cannot be done as things are, 422 where a person has to let
    FieldCamp in, and 503 where the provider does not answer."""
    try:
        with as_api_errors():
            yield
    except InvalidFields as refusal:
        raise validation_error({name or "body": sentences for name, sentences in refusal.details.items()}) from refusal
    except SetupError as refusal:
        raise ApiError("INVALID_TRANSITION", str(refusal)) from refusal
    except Contended as refusal:
        raise ApiError("UNAVAILABLE", str(refusal), headers={"Retry-After": SOON}) from refusal
    except (NeedsReconnect, NeedsPermission) as refusal:
        lacks = isinstance(refusal, NeedsPermission)
        reason = NotConnectedReason.NEEDS_PERMISSION if lacks else NotConnectedReason.NEEDS_RECONNECT
        connection.refresh_from_db()  # what it has come to is in its state
        details = {"reason": reason, "connect_url": way_on_url(connection)}
        raise ApiError("INTEGRATION_NOT_CONNECTED", str(refusal), details=details) from refusal
    except ProviderError as refusal:
        seconds = LATER
        if isinstance(refusal, RateLimited):
            wait = (refusal.retry_at - timezone.now()) / dt.timedelta(seconds=1)
            seconds = str(max(math.ceil(wait), 1))
        raise ApiError("UNAVAILABLE", str(refusal), headers={"Retry-After": seconds}) from refusal
