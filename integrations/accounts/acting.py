"""Who decides something: a person at the desk, or an API key in a person's place."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from integrations.models import SyncJob


@dataclass(frozen=True)
class KeyActor:
    """An API key, by its name in the audit trail. `request_id` goes to the jobs that it starts."""

    signature: str
    request_id: str = ""

    def get_username(self) -> str:
        return self.signature

    def __str__(self) -> str:
        return self.signature


Actor = AbstractBaseUser | KeyActor


def login_of(actor: Actor) -> AbstractBaseUser | None:
    """Returns the person's login; None of a key, which has none."""
    return None if isinstance(actor, KeyActor) else actor


def job_fields(actor: Actor) -> dict[str, Any]:
    """Returns by whom a job is started that carries out what was decided, as `create_job` takes it."""
    by_key = isinstance(actor, KeyActor)
    return {
        "triggered_by": SyncJob.Trigger.API if by_key else SyncJob.Trigger.ADMIN,
        "actor": actor.get_username(),
        "request_id": actor.request_id if isinstance(actor, KeyActor) else "",
    }
