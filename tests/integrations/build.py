"""The records that tests of jobs need, made with one call each."""

import datetime as dt
from itertools import count

from fieldcamp.workspace.models import Member, Role, Workspace
from integrations.models import Connection, ConnectionState, JobPart, JobStatus, SyncJob

GOOGLE = "google_calendar"
NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
_numbers = count(1)


def workspace(name: str = "Dana's Plumbing") -> Workspace:
    return Workspace.objects.create(name=name)


def member(of: Workspace, **fields) -> Member:
    number = next(_numbers)
    defaults = {"first_name": f"Tech {number}", "email": f"tech{number}@fieldcamp.test", "is_technician": True}
    return Member.objects.create(workspace=of, **(defaults | fields))


def owner(of: Workspace, email: str = "owner@fieldcamp.test") -> Member:
    return member(of, first_name="Olga", email=email, role=Role.OWNER, is_technician=False)


def connection(of: Workspace, state: str = ConnectionState.ACTIVE, **fields) -> Connection:
    number = next(_numbers)
    defaults = {
        "integration": GOOGLE,
        "account_id": f"account-{number}",
        "account_name": f"tech{number}@google.test",
        "member": None if fields.get("member_id") else member(of),
        "connected_at": NOW,
    }
    return Connection.objects.create(workspace=of, state=state, **(defaults | fields))


def job(of: Workspace, status: str = JobStatus.QUEUED, **fields) -> SyncJob:
    defaults = {"integration": GOOGLE, "triggered_by": "api", "actor": "key", "created_at": NOW}
    return SyncJob.objects.create(workspace=of, status=status, **(defaults | fields))


def ended(of: Workspace, status: str, parts: dict[Connection, str], error: dict | None = None, **fields) -> SyncJob:
    """A job that is over, with one part for each of the connections: {connection: the part's status}."""
    made = job(of, status=status, finished_at=fields.pop("finished_at", NOW), **fields)
    for which, part_status in parts.items():
        JobPart.objects.create(
            job=made,
            connection=which,
            status=part_status,
            direction="bidirectional",
            error=error if part_status == "failed" else None,
        )
    return made
