"""The cards of problems, as somebody at the desk sees and presses them."""

from django.test import Client as Browser

from integrations.models import Problem, SyncJob
from tests.integrations.engine import finish


def card(browser: Browser, problem: Problem) -> str:
    response = browser.get(f"/admin/integrations/problem/{problem.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def press(browser: Browser, problem: Problem, verb: str, **fields: str) -> str:
    """Presses a button of the card, lets the job run, and asks how it stands."""
    response = browser.post(
        f"/admin/integrations/problems/{problem.pk}/{verb}/", fields, headers={"HX-Request": "true"}
    )
    assert response.status_code == 200, response.content
    job = SyncJob.objects.filter(status="queued").first()
    if job is None:
        return response.content.decode()
    finish(job)
    return browser.get(f"/admin/integrations/problems/{problem.pk}/outcome/?job={job.pk}&said=x").content.decode()
