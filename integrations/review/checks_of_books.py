"""What Intuit asks of a program that writes into books: data by API alone, refusals with a way out, calls by name."""

import csv
import io
import re
from typing import Any

from integrations.demo.caller import Caller
from integrations.review.company import CANARY
from integrations.review.connecting import VendorSide, connected, status, sync, the_connection
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, expect

# Faults that a write of a customer is answered with: code, Intuit's words for it, status.
FAULTS = (
    ("6240", "Duplicate Name Exists Error", 400),
    ("6000", "A business validation error has occurred while processing your request", 400),
    ("2500", "Invalid Reference Id", 400),
    ("2050", "String length is either shorter or longer than supported by specification", 400),
    ("5030", "Feature Not Supported Error", 400),
    ("6420", "Invalid Enumeration", 400),
)
READS_A_DAY = 60
RUNS_A_DAY, TOLD_RUNS_A_DAY = 48, 8


def bookkeeper(probe: Probe, side: VendorSide) -> Caller:
    """Returns the books' own API, as the vendor's other programs use it."""
    token = probe.vendor("POST", "token", vendor=side.vendor, account=side.account)["access_token"]
    probe.witness.hide(token)
    caller = Caller(f"{probe.place.sandbox_url}/intuit/api/v3/company/{side.account}", token)
    caller.session.headers["Accept"] = "application/json"
    probe.place.mount(caller.session)
    return caller


def customers(books: Caller) -> dict[str, dict[str, Any]]:
    """Returns the customers in the books by their name."""
    answer = books("GET", "/query?query=SELECT%20*%20FROM%20Customer%20MAXRESULTS%201000")
    return {row["DisplayName"]: row for row in answer["QueryResponse"].get("Customer", [])}


def moves_by_api(probe: Probe, side: VendorSide) -> str:
    """Makes a client here and a customer there: after a sync each is on the other side, once."""
    connected(probe, side)
    books = bookkeeper(probe, side)
    name = f"Appears Here {len(customers(books))}"
    books("POST", "/customer", {"DisplayName": name, "CompanyName": name})
    sync(probe, side)
    here = [row for row in probe.caller.pages("/clients") if row["companyName"] == name]
    expect(len(here) == 1, f"A customer that was made in QuickBooks is {len(here)} times in FieldCamp.")
    there = [found for found in customers(books) if CANARY in found]
    expect(len(there) == 1, f"A client of FieldCamp with an invoice is {len(there)} times in QuickBooks.")
    return "A customer made there is here, a client made here is there, each once; nothing else moves data."


def refusals_have_a_way_out(probe: Probe, side: VendorSide) -> str:
    """Has QuickBooks refuse a customer with one fault after another: a sentence each, a page, and no failed job."""
    connected(probe, side)
    path, seen = f"/clients/{probe.company.client_id}", []
    try:
        for number, (code, words, answered) in enumerate(FAULTS):
            fault = {"Fault": {"Error": [{"Message": words, "Detail": words, "code": code}], "type": "ValidationFault"}}
            probe.vendor("POST", "faults", vendor=side.vendor, kind="status", status=answered, body=fault,
                         path="/(customer|batch)$", times=5)  # fmt: skip
            probe.caller("PATCH", path, {"phoneNumber": _phone(number)})
            job = sync(probe, side)
            probe.vendor("DELETE", "faults")
            expect(job["status"] in ("partial", "succeeded"), f"Fault {code} ends the job as {job['status']}.")
            found = [each for each in job["errors"] if each.get("record", {}).get("id") == probe.company.client_id]
            expect(found, f"Fault {code} on a client is not told of with the job.")
            said = found[0]["message"]
            expect(len(said) > 20 and said.strip() != words, f"Fault {code} has no sentence of its own: {said}")
            seen.append(f"{code}: {said[:60]}")
        problem = next(each for each in status(probe, side)["errors"] if "record" in each)
        page = probe.page(f"/admin/integrations/problem/{problem['id']}/change/")
        ways = set(re.findall(r"/admin/integrations/problems/\w+/([\w-]+)/", page))
        expect(ways & {"retry", "resolve"}, f"The problem's page has no way out, only {', '.join(ways) or 'text'}.")
    finally:
        probe.vendor("DELETE", "faults")
        probe.caller("PATCH", path, {"phoneNumber": _phone(99)})
        sync(probe, side)
    expect(sync(probe, side)["status"] == "succeeded", "The next edit does not mend a refusal.")
    return "; ".join(seen)


def _phone(number: int) -> dict[str, str]:
    return {"countryCode": "+1", "number": f"51855510{number:02}", "countryIdentifier": "US"}


def plan_changes(probe: Probe, side: VendorSide) -> str:
    """Has the company's subscription lapse: a sentence and no lost edit; renewed, what waited is written."""
    connected(probe, side)
    path = f"/clients/{probe.company.client_id}"
    try:
        probe.vendor("POST", "switches", vendor=side.vendor, account=side.account, subscription="lapsed")
        probe.caller("PATCH", path, {"phoneNumber": _phone(55)})
        job = sync(probe, side)
        said = " ".join(each["message"] for each in [*job["errors"], *status(probe, side)["errors"]])
        expect("subscription" in said.lower() or "plan" in said.lower(), f"A lapsed plan is not told of: {said or job}")
        expect(the_connection(probe, side)["state"] == "active", "A lapsed plan has ended the connection.")
    finally:
        probe.vendor("POST", "switches", vendor=side.vendor, account=side.account, subscription=None)
        job = sync(probe, side)
    expect(job["status"] == "succeeded", f"After the plan was renewed a sync is {job['status']}.")
    row = next(each for name, each in customers(bookkeeper(probe, side)).items() if CANARY in name)
    expect("5551055" in "".join(filter(str.isdigit, str(row.get("PrimaryPhone")))), "The edit was lost meanwhile.")
    return f"“{said[:160]}” The edit was written after the renewal."


def calls_are_named(probe: Probe, side: VendorSide) -> str:
    """Downloads a job's calls for Intuit's support: each with time, status and intuit_tid, and no customer's word."""
    connected(probe, side)
    probe.caller("PATCH", f"/clients/{probe.company.client_id}", {"phoneNumber": _phone(77)})
    job = sync(probe, side)["job_id"]
    address = f"/admin/integrations/jobs/{job}/calls.csv"
    expect(address in probe.page(f"/admin/integrations/syncjob/{job}/change/"), "The job's page has no export.")
    table = probe.ask(address, by=probe.owner.session)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    expect(rows, "The export has no calls.")
    column = next((name for name in rows[0] if "tid" in name), "")
    expect(column, f"The export has no column for intuit_tid, only {', '.join(rows[0])}.")
    expect(all(row[column] for row in rows), "A call has no intuit_tid.")
    expect(CANARY.lower() not in table.text.lower() and "Bearer" not in table.text, "The export has a customer's data.")
    stored = {row["path"] for row in rows}
    return f"{len(rows)} calls, each with its {column}: {', '.join(sorted(stored))[:120]}"


def few_reads_at_rest(probe: Probe, side: VendorSide) -> str:
    """Counts what a sync of a company at rest reads, for a day of 48 of them."""
    connected(probe, side)
    sync(probe, side)
    probe.forget_calls()
    for _ in range(2):
        sync(probe, side)
    calls = [row for row in probe.vendor_calls(side.vendor, "/v3/company/") if row["status"] == 200]
    if not calls:
        raise Unmet("A sync of a company at rest reads nothing: a change there could not be noticed.")
    a_day = len(calls) / 2 * RUNS_A_DAY
    expect(a_day <= READS_A_DAY, f"A company at rest comes to {a_day:.0f} reads a day, more than {READS_A_DAY}.")
    told = len(calls) / 2 * TOLD_RUNS_A_DAY
    return f"{len(calls) / 2:g} reads a sync, {a_day:.0f} a day at rest, {told:.0f} where webhooks come."


def keys_bound_to_company(probe: Probe, side: VendorSide) -> str:
    """Asks for the books' data with another company's key, and with one that has no scope for them."""
    connected(probe, side)
    for path in ("/invoices", "/payments", "/clients"):
        other = probe.api(path, key=probe.company.other_key)
        expect(other.status_code == 200 and not other.json()["data"], f"{path} gives another company's key something.")
        narrow = probe.api(path, key=probe.company.reading_key)
        expect(narrow.status_code == 403, f"{path} answered {narrow.status_code} to a key without that scope.")
    return "A key sees its own company alone, and money only with a scope of its own."
