"""What the services refuse, as the API answers it."""

import contextlib
from collections.abc import Iterator

from fieldcamp.api.errors import ApiError
from integrations.records import instant
from integrations.selectors.feed import FeedExpired
from integrations.services.jobs import JobFinished, NotConnected, SyncInProgress
from integrations.services.plans import NeedsPlan

# How long a reader should wait before it asks for the job in flight again.
POLL_SECONDS = "2"


@contextlib.contextmanager
def as_api_errors() -> Iterator[None]:
    try:
        yield
    except NotConnected as refusal:
        details = {"reason": refusal.reason, "connect_url": refusal.connect_url}
        raise ApiError("INTEGRATION_NOT_CONNECTED", str(refusal), details=details) from refusal
    except SyncInProgress as refusal:
        raise ApiError(
            "SYNC_IN_PROGRESS",
            str(refusal),
            details={"active_job_id": refusal.job.pk},
            headers={"Retry-After": POLL_SECONDS},
        ) from refusal
    except NeedsPlan as refusal:
        raise ApiError("INVALID_TRANSITION", str(refusal)) from refusal
    except JobFinished as refusal:
        raise ApiError("JOB_FINISHED", str(refusal), details={"status": refusal.job.status}) from refusal
    except FeedExpired as refusal:
        raise ApiError(
            "CURSOR_EXPIRED", str(refusal), details={"resync_from": instant(refusal.resync_from)}
        ) from refusal
