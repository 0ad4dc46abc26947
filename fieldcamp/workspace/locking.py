"""Records locked ahead of a piece of work on many: clients before visits, each by their ids."""

from collections.abc import Set

from fieldcamp.workspace.models import Client, Visit, Workspace


def lock(model: type[Client | Visit], workspace: Workspace, ids: Set[str]) -> None:
    rows = model._default_manager.filter(workspace=workspace, pk__in=ids).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))
