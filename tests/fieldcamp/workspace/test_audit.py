"""The audit trail: who did what to connections and settings, and that it stands or falls with the action."""

import pytest
from django.db import transaction

from fieldcamp.workspace import team
from fieldcamp.workspace.models import AuditEntry, Role
from fieldcamp.workspace.tracking import attributed
from integrations.services import connections
from tests.integrations import build

pytestmark = pytest.mark.django_db


def last() -> AuditEntry:
    return AuditEntry.objects.latest("id")


def test_pausing_and_resuming(django_user_model):
    user = django_user_model.objects.create_user("olivia")
    connection = build.connection(build.workspace())
    connections.pause(connection=connection, user=user)
    entry = last()
    assert (entry.action, entry.actor, entry.workspace_id) == ("connection.paused", "olivia", connection.workspace_id)
    assert (entry.before["state"], entry.after["state"]) == ("active", "paused")
    connections.resume(connection=connection, user=user)
    assert (last().action, last().after["state"]) == ("connection.resumed", "active")


def test_settings_and_people(workspace, make_member):
    with attributed(actor="Olivia Hart"):
        team.update_settings(workspace=workspace, changes={"timezone": "UTC"})
    entry = last()
    assert (entry.action, entry.actor) == ("settings.changed", "Olivia Hart")
    assert (entry.before, entry.after) == ({"timezone": "America/New_York"}, {"timezone": "UTC"})
    member = team.create_member(workspace=workspace, by=None, fields={"first_name": "Ada"})
    team.update_member(workspace=workspace, member_id=member.pk, by=None, changes={"role": Role.ADMIN})
    assert (last().action, last().before, last().after) == ("member.updated", {"role": "staff"}, {"role": "admin"})


def test_an_entry_goes_with_the_deed_that_was_undone(workspace):
    with pytest.raises(RuntimeError), transaction.atomic():
        team.update_settings(workspace=workspace, changes={"name": "Other"})
        raise RuntimeError
    assert not AuditEntry.objects.exists()
