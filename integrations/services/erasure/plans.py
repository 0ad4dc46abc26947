"""What an erasure will do, in sentences that are read before it is done."""

from dataclasses import dataclass

from django.utils.translation import gettext

from fieldcamp.workspace.errors import InvalidTransition
from integrations.models import SyncJob
from integrations.providers import PROVIDERS


@dataclass(frozen=True)
class ErasurePlan:
    """`name` is who or what is erased; `removes` and `stays` are sentences."""

    name: str
    removes: tuple[str, ...]
    stays: tuple[str, ...]


def no_sync_runs(workspace_id: str) -> None:
    """Raises InvalidTransition while a sync of the company runs: it has read what is about to be erased."""
    job = SyncJob.objects.in_flight().filter(workspace=workspace_id, lease_owner__gt="").first()
    if job is not None:
        label = PROVIDERS[job.integration].label if job.integration in PROVIDERS else job.integration
        sentence = gettext("A sync with {provider} is running. Erase once it is over, in a few minutes.")
        raise InvalidTransition(sentence.format(provider=label))
