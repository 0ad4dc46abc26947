"""What a job tells of what has gone wrong in it."""

import datetime as dt
from typing import Any

from django.utils import timezone

from integrations.records import instant


def job_error(
    code: str, message: str, connection_id: str | None, at: dt.datetime | None = None, **more: Any
) -> dict[str, Any]:
    """Returns one of a job's errors, which happened at `at`, or just now."""
    occurred_at = instant(at or timezone.now())
    return {"code": code, "message": message, "occurred_at": occurred_at, "connection_id": connection_id, **more}
