"""Pushes that do not end: how often they are followed."""

import pytest

from integrations.models import SyncJob
from integrations.push.dispatching import dispatch_prompt
from integrations.push.marks import mark
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW
from tests.integrations.push.test_dispatching import SECOND, account, planned, run

pytestmark = pytest.mark.django_db
QUICKBOOKS = "quickbooks"


@pytest.mark.slow
@pytest.mark.parametrize(("integration", "most"), [(GOOGLE, 13), (QUICKBOOKS, 7)])
def test_pushes_that_do_not_end_make_a_job_each_half_a_minute(integration, most):
    """The first few are quicker, where looking is not billed."""
    workspace = build.workspace()
    planned(workspace, integration)
    stream = account(workspace, integration=integration)
    started = []
    for second in range(180):
        now = NOW + second * SECOND
        mark([stream.pk], now, kind="exists")
        if dispatch_prompt(now):
            started.append(second)
            job = SyncJob.objects.get(status="queued")
            SyncJob.objects.filter(pk=job.pk).update(created_at=now)
            run(job, now)
    pauses = [after - before for before, after in zip(started, started[1:], strict=False)]
    assert len(started) <= most and max(pauses) <= 31 and started[0] <= 2
    if integration == GOOGLE:
        assert pauses[:4] == [4, 4, 4, 4] and pauses[-1] >= 30
    else:
        assert min(pauses) >= 30
