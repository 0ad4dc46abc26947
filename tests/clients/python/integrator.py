"""An integrator's program on the generated Python client: it adds a visit, syncs, follows the job and the change feed,
bills, and reads what waits for somebody. BASE_URL and KEY are the environment's."""

import datetime as dt
import os
import time
import uuid
from typing import Any

from fieldcamp_client import AuthenticatedClient
from fieldcamp_client.api.clients import create_client, delete_client, read_client, update_client
from fieldcamp_client.api.invoices import create_invoice, delete_invoice
from fieldcamp_client.api.items import create_item
from fieldcamp_client.api.jobs import list_jobs, read_job
from fieldcamp_client.api.problems import list_problem_causes, list_problems
from fieldcamp_client.api.sync import (
    read_google_calendar_changes,
    read_google_calendar_status,
    read_quickbooks_status,
    trigger_google_calendar_sync,
)
from fieldcamp_client.api.visits import create_visit, delete_visit, list_visits
from fieldcamp_client.models import (
    ClientRequest,
    Error,
    InvoiceLineRequest,
    InvoiceRequest,
    ItemRequest,
    JobStatusEnum,
    ListProblemsState,
    PatchedClientRequest,
    TriggerRequest,
    VisitRequest,
)

LONGEST = 120  # seconds that a job may take
OVER = {JobStatusEnum.SUCCEEDED, JobStatusEnum.PARTIAL, JobStatusEnum.FAILED, JobStatusEnum.CANCELLED}

api = AuthenticatedClient(os.environ["BASE_URL"], os.environ["KEY"], raise_on_unexpected_status=True)


def done(answer: Any) -> Any:
    """The answer of a call that has to succeed."""
    assert answer is not None and not isinstance(answer, Error), answer
    return answer


def sync() -> str:
    """Syncs, and waits for the end; one that is running already may have missed what was just written."""
    ends = time.monotonic() + LONGEST
    while done(read_google_calendar_status.sync(client=api)).active_job_id and time.monotonic() < ends:
        time.sleep(0.5)
    started = done(
        trigger_google_calendar_sync.sync(client=api, body=TriggerRequest(), idempotency_key=str(uuid.uuid4()))
    )
    tag, job = "", None
    while time.monotonic() < ends:
        answer = read_job.sync_detailed(started.job_id, client=api, if_none_match=tag or "none")
        tag = answer.headers.get("ETag", tag)
        job = done(answer.parsed) if answer.status_code != 304 else job
        if job is not None and job.status in OVER:
            break
        time.sleep(0.3)
    assert job is not None and job.status in OVER, job
    assert job.job_id in [each.job_id for each in done(list_jobs.sync(client=api, limit=20)).jobs]
    return str(job.status)


def main() -> None:
    status = done(read_google_calendar_status.sync(client=api))
    technician = next(row.member for row in status.connections if row.state == "active")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    name = f"Stone {uuid.uuid4().hex[:6]}"
    made = create_client.sync_detailed(client=api, body=ClientRequest(first_name="Ada", last_name=name))
    client = done(made.parsed).data

    # The tag of an answer is what an edit is made against.
    read = read_client.sync_detailed(client.id, client=api)
    edit = PatchedClientRequest(email="ada@example.com")
    assert done(update_client.sync(client.id, client=api, body=edit, if_match=read.headers["ETag"])).data.email
    stale = update_client.sync_detailed(client.id, client=api, body=edit, if_match=read.headers["ETag"])
    assert stale.status_code == 412 and isinstance(stale.parsed, Error), stale
    assert stale.parsed.error.code == "PRECONDITION_FAILED" and stale.parsed.error.doc_url

    start = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).replace(microsecond=0)
    body = VisitRequest(client_id=client.id, technician_id=technician, title="By a client", scheduled_start=start)
    visit = done(create_visit.sync(client=api, body=body, idempotency_key=str(uuid.uuid4()))).data
    assert visit.id in [each.id for each in done(list_visits.sync(client=api, client_id=client.id)).data]
    print("job", sync())

    page = done(read_google_calendar_changes.sync(client=api, since=since, limit=50))
    while page.next_cursor:
        page = done(read_google_calendar_changes.sync(client=api, cursor=page.next_cursor))
    page = done(read_google_calendar_changes.sync(client=api, cursor=page.resume_cursor, refresh=True, wait=1))
    print("feed as of", page.as_of)

    item = done(create_item.sync(client=api, body=ItemRequest(name=f"Call-out {uuid.uuid4().hex[:6]}", price=95))).data
    lines = [InvoiceLineRequest(item_id=item.id, quantity=2)]
    invoice = done(create_invoice.sync(client=api, body=InvoiceRequest(client_id=client.id, lines=lines))).data
    print("invoice", invoice.number, invoice.total)
    done(delete_invoice.sync(invoice.id, client=api))

    print("books", done(read_quickbooks_status.sync(client=api)).health)
    for problem in done(list_problems.sync(client=api, state=ListProblemsState.OPEN, limit=5)).problems:
        print(problem.code, problem.title, [choice.id for choice in problem.choices])
    print("causes", len(done(list_problem_causes.sync(client=api)).causes))

    done(delete_visit.sync(visit.id, client=api))
    gone = delete_client.sync_detailed(client.id, client=api)
    print("client", gone.status_code.value)


main()
