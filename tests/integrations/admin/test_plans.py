"""A plan at the desk: what it would do, in words; who may approve it; and the switch that asks for that."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.models import Plan, PlanOperation, SyncJob, WorkspaceIntegration
from tests.integrations.admin.conftest import Company, company

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(db) -> Company:
    made = company("Ours")
    SyncJob.objects.filter(pk=made.job.pk).update(dry_run=True, status="planned")
    later = timezone.now() + dt.timedelta(minutes=30)
    counts = {"operations": 2, "fieldcamp": {}, "provider": {}}
    Plan.objects.filter(pk=made.plan.pk).update(
        counts=counts, expires_at=later, money={"USD": {"invoices_created": "8.00"}}
    )
    common = {"plan": made.plan, "connection": made.connection, "stream": made.stream, "decided": {}}
    PlanOperation.objects.create(
        **common, number=1, action="update", side="provider", kind="visit", key=made.visit.pk, record_id=made.visit.pk,
        fields={"title": ["Old", "<b>New</b>"]},
    )  # fmt: skip
    PlanOperation.objects.create(
        **common, number=2, action="create", side="fieldcamp", kind="block", key="h", remote_id="h"
    )
    return made


def page_of(rows: Company) -> str:
    return f"/admin/integrations/syncjob/{rows.job.pk}/change/"


def test_a_person_reads_it(ours, desk):
    text = desk("owner").get(page_of(ours)).content.decode()
    assert "2 changes" in text and "Visit of Ours" in text and "8.00 USD" in text
    assert "<b>Title</b> Old → &lt;b&gt;New&lt;/b&gt;" in text


@pytest.mark.slow
def test_a_person_approves_it_where_that_is_wanted(ours, desk):
    owner, staff = desk("owner"), desk("staff")
    page, approve = page_of(ours), f"/admin/integrations/plans/{ours.plan.pk}/approve/"
    assert approve not in owner.get(page).content.decode()
    row = WorkspaceIntegration.objects.get(workspace=ours.workspace)
    settings = reverse("integrations:integration_settings", args=["google-calendar"])
    assert owner.post(settings, {"minutes": row.interval_minutes, "approval": "approved"}).status_code == 302
    row.refresh_from_db()
    assert row.approves_plans
    assert approve in owner.get(page).content.decode() and approve not in staff.get(page).content.decode()
    assert staff.post(approve).status_code in (302, 403) and Plan.objects.get(pk=ours.plan.pk).approved_at is None
    assert owner.post(approve).status_code == 302
    assert Plan.objects.get(pk=ours.plan.pk).approved_by == f"owner-{ours.workspace.pk}"
    assert f"Approved by owner-{ours.workspace.pk}" in owner.get(page).content.decode()
