"""What a company's calls come to: counted as the vendor bills them, and no more of them than are needed."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from integrations.accounts.metering import IN_A_JOB, CallMeter
from integrations.models import DailyCalls, JobCall
from integrations.providers import PROVIDERS
from integrations.transport.meter import Metered, Sent
from tests.integrations.books.conftest import TODAY

DAY = dt.timedelta(days=1)


def sent(at: dt.datetime, status: int | str = 200, metered: Metered = Metered.YES, **fields) -> Sent:
    return Sent(at, "GET", "/v3/company/1/query", status, 12, "1-abc", True, metered, **fields)


def asked(intuit) -> list[str]:
    """What the vendor has seen of the calls to the company, by the last part of their address."""
    return [row["path"].rsplit("/", 1)[-1] for row in intuit.requests("/v3/company/")]


def counted(company) -> tuple[int, int, int, int]:
    DailyCalls.objects.get(connection=company)  # one row a day, whoever counts
    return DailyCalls.objects.values_list("reads", "writes", "metered", "unsettled").get(connection=company)


# --- counting -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_jobs_calls_are_counted_as_the_vendor_sees_them(company, sync, intuit, make_client, make_invoice):
    DailyCalls.objects.all().delete()
    intuit.forget_requests()
    for number in range(6):
        make_invoice(make_client(first_name=f"Kim {number}"), [(None, 1, 100)])
    assert sync().status == "succeeded"
    seen = intuit.requests("/v3/company/")
    reads = sum(row["method"] == "GET" for row in seen)
    batches = sum(row["path"].endswith("/batch") for row in seen)
    assert reads and batches == 2  # customers and invoices
    assert counted(company) == (reads, len(seen) - reads, reads, batches)


def test_what_a_page_asks_is_counted_too(company, intuit):
    from integrations.services.books.setup import refresh_company

    DailyCalls.objects.all().delete()
    intuit.forget_requests()
    refresh_company(company)
    assert counted(company) == (len(asked(intuit)), 0, len(asked(intuit)), 0) == (2, 0, 2, 0)


def test_a_refusal_is_not_billed_and_a_lost_answer_may_be(company):
    meter = CallMeter(company, PROVIDERS["quickbooks"])
    DailyCalls.objects.all().delete()
    now = timezone.now()
    for status in (200, 400, 401, 429, 503, "ReadTimeout"):
        meter.count(sent(now, status))
    assert counted(company) == (6, 0, 2, 0)


def test_the_day_ends_at_midnight_utc(company):
    DailyCalls.objects.all().delete()
    meter = CallMeter(company, PROVIDERS["quickbooks"])
    for moment in ("2026-11-22T23:59:59+00:00", "2026-11-22T16:00:00-08:00", "2026-11-23T23:59:59+00:00"):
        meter.count(sent(dt.datetime.fromisoformat(moment)))
    rows = DailyCalls.objects.order_by("day").values_list("day", "metered")
    assert list(rows) == [(dt.date(2026, 11, 22), 1), (dt.date(2026, 11, 23), 2)]


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_what_it_has_not_written_and_no_more(company, sync):
    job = sync()
    JobCall.objects.all().delete()
    DailyCalls.objects.all().delete()
    meter = CallMeter(company, PROVIDERS["quickbooks"], job_id=job.pk, at_once=IN_A_JOB)
    now = timezone.now()
    for _ in range(2 * IN_A_JOB + 3):
        meter.count(sent(now))
    del meter
    assert counted(company)[0] == JobCall.objects.filter(job=job).count() == 2 * IN_A_JOB


def test_a_slow_run_writes_down_what_it_has_counted(company):
    DailyCalls.objects.all().delete()
    meter = CallMeter(company, PROVIDERS["quickbooks"], at_once=IN_A_JOB)
    now = timezone.now()
    meter.count(sent(now))
    assert not DailyCalls.objects.exists()
    meter.count(sent(now + dt.timedelta(seconds=11)))
    assert counted(company)[0] == 2


@pytest.mark.django_db(transaction=True)
def test_workers_that_count_at_the_same_time_add_up(company, in_parallel):
    DailyCalls.objects.all().delete()
    now = timezone.now()

    def work(_: int) -> None:
        meter = CallMeter(company, PROVIDERS["quickbooks"], at_once=3)
        for _ in range(9):
            meter.count(sent(now))

    in_parallel(6, work)
    assert counted(company) == (54, 0, 54, 0)


# --- no more than are needed ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_at_rest_is_one_call_and_the_tax_lists_are_read_once_a_day(company, sync, intuit, clock):
    sync()
    sync()
    intuit.forget_requests()
    for _ in range(3):
        job = sync()
        assert (job.status, job.pulled, job.pushed, job.failed) == ("succeeded", 0, 0, 0)
    assert asked(intuit) == ["cdc"] * 3
    clock.move(DAY.total_seconds() + 1)
    intuit.forget_requests()
    sync()
    # …and what the company is like.
    assert sorted(asked(intuit)) == ["9130001", "cdc", "preferences", "query", "query"]


@pytest.mark.parametrize("how", [{"mode": "full"}, {"scope": "taxes"}])
@pytest.mark.slow
def test_whoever_asks_for_the_taxes_has_them_read(company, sync, intuit, how):
    sync()
    intuit.forget_requests()
    sync(**how)
    statements = [row["query"] for row in intuit.requests("/query")]
    assert [name for name in ("TaxCode", "TaxRate") if any(f"FROM {name}" in one for one in statements)] == [
        "TaxCode",
        "TaxRate",
    ]


@pytest.mark.slow
def test_what_is_about_to_be_taxed_is_taxed_by_the_rate_of_now(
    company, books, sync, make_client, make_tax, make_invoice
):
    tax = make_tax()
    sync()
    code = next(row for row in books.all("TaxRate") if row["Name"] == "California")
    books.click("settings", action="rate", tax_rate=code["Id"], percent="8.5", **{"from": TODAY.isoformat()})
    sync()  # at rest: nobody asks
    tax.refresh_from_db()
    assert tax.rate == Decimal("0.08")
    make_invoice(make_client(), [(None, 1, 100)], tax_rate_id=tax.pk)
    sync()
    tax.refresh_from_db()
    assert tax.rate == Decimal("0.085")


@pytest.mark.slow
def test_an_invoice_with_a_new_tax_code_has_the_taxes_read(company, books, sync, make_client, make_invoice):
    invoice = make_invoice(make_client(), [(None, 1, 100)])
    sync()
    agency = books.all("TaxAgency")[0]["Id"]
    rates = [{"TaxRateName": "County", "RateValue": "9", "TaxAgencyId": agency, "TaxApplicableOn": "Sales"}]
    code = books.call("POST", "taxservice/taxcode", json={"TaxCode": "County", "TaxRateDetails": rates})["TaxCodeId"]
    [bill] = books.all("Invoice")
    lines = [{**line, "SalesItemLineDetail": {**line["SalesItemLineDetail"], "TaxCodeRef": {"value": "TAX"}}}
             for line in bill["Line"] if line["DetailType"] == "SalesItemLineDetail"]  # fmt: skip
    books.edit("Invoice", bill["Id"], Line=lines, TxnTaxDetail={"TxnTaxCodeRef": {"value": code}})
    sync()
    invoice.refresh_from_db()
    assert (invoice.tax_rate and invoice.tax_rate.name) == "County"


@pytest.mark.slow
def test_nothing_is_read_after_a_write(company, sync, intuit, make_client, make_invoice):
    sync()
    intuit.forget_requests()
    for number in range(3):
        make_invoice(make_client(first_name=f"Kim {number}"), [(None, 1, 100)])
    sync()
    calls = asked(intuit)
    assert calls.count("customer") == calls.count("invoice") == 3
    assert calls[calls.index("customer") :].count("query") == 0
    assert [name for name in calls if name not in ("cdc", "query", "customer", "invoice")] == ["9130001", "preferences"]
    assert calls.count("cdc") == 1


@pytest.mark.slow
def test_a_batch_is_one_call_to_the_books(company, sync, intuit, make_client):
    DailyCalls.objects.all().delete()
    intuit.forget_requests()
    for number in range(6):
        make_client(first_name=f"Lou {number}")
    sync()
    seen = intuit.requests("/v3/company/")
    assert any(row["path"].endswith("/batch") for row in seen)
    assert DailyCalls.objects.get(connection=company).counted == len(seen)
