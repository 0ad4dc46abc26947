"""Records locked ahead of a piece of work on many: clients before visits, each by their ids."""

from collections.abc import Set

from fieldcamp.workspace.models import Client, Visit, Workspace


def lock_clients(workspace: Workspace, client_ids: Set[str]) -> None:
    rows = Client.objects.filter(workspace=workspace, pk__in=client_ids).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def lock_visits(workspace: Workspace, visit_ids: Set[str]) -> None:
    rows = Visit.objects.filter(workspace=workspace, pk__in=visit_ids).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))
