"""Statements composed once write what the ORM would."""

import pytest
from django.db import transaction
from django.utils import timezone

from fieldcamp.api.models import IdempotencyRecord
from fieldcamp.statements import Insert
from integrations.models import SyncJob
from integrations.services.jobs import SyncInProgress, create_job

pytestmark = pytest.mark.django_db


def stored(job: SyncJob) -> dict:
    row = SyncJob.objects.filter(pk=job.pk).values().get()
    return {name: value for name, value in row.items() if name != "id"}


@pytest.mark.parametrize("only", [None, ["lnk_1"], {"é": [1, None]}])
def test_a_job_is_the_one_that_the_orm_would_save(workspace, second_workspace, only):
    made = create_job(
        workspace=workspace, integration="google_calendar", mode="full", only=only, triggered_by="api",
        actor="a" * 300, request_id="r" * 300,
    )  # fmt: skip
    fields = {field.attname: getattr(made, field.attname) for field in SyncJob._meta.concrete_fields}
    saved = SyncJob.objects.create(**fields | {"id": "syn_saved", "workspace_id": second_workspace.pk})
    assert stored(made) | {"workspace_id": second_workspace.pk} == stored(saved)
    made.stage = "reading"
    made.save()  # an update, not a second insertion
    assert SyncJob.objects.get(pk=made.pk).stage == "reading"


def test_a_row_in_the_way_is_told_and_ends_no_transaction(workspace):
    def job(integration: str) -> SyncJob:
        return create_job(workspace=workspace, integration=integration, triggered_by="api", actor="")

    with transaction.atomic():
        first = job("google_calendar")
        with pytest.raises(SyncInProgress) as refusal:
            job("google_calendar")
        assert refusal.value.job == first
        job("outlook_calendar")
    assert SyncJob.objects.count() == 2


def test_each_column_gets_what_is_given_or_its_default(workspace):
    insert = Insert(IdempotencyRecord, ["workspace_id", "key", "fingerprint", "created_at"])
    now = timezone.now()
    assert insert(workspace.pk, "k%s'", "f", now) is True
    assert insert(workspace.pk, "k%s'", "other", now) is False
    row = IdempotencyRecord.objects.get()
    assert (row.key, row.fingerprint, row.status, bytes(row.body), row.headers, row.created_at) == (
        "k%s'", "f", 0, b"", {}, now,
    )  # fmt: skip


def test_a_default_that_differs_from_row_to_row_has_to_be_given():
    with pytest.raises(TypeError, match="created_at"):
        Insert(IdempotencyRecord, ["workspace_id", "key", "fingerprint"])
