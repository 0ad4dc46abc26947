"""The books' part of `--once`: edits by the office here and by the bookkeeper there, and both compared to the cent."""

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from integrations.demo.caller import Caller
from integrations.demo.once import Disagreement, Say, expect
from integrations.errors import ProblemReason
from integrations.models import Link, Problem
from integrations.providers import PROVIDERS
from integrations.services.books.decisions import decide_match

NAME, REALM = "quickbooks", "9130001"
ENTITIES = {"customer": "Customer", "item": "Item", "invoice": "Invoice", "payment": "Payment"}
ROUTES = {"customer": "/clients", "item": "/items", "invoice": "/invoices", "payment": "/payments"}


class Bookkeeper:
    """What a bookkeeper sees and does in QuickBooks, through its API at the sandbox."""

    def __init__(self, sandbox_url: str):
        token = Caller(f"{sandbox_url}/_control")("POST", "/token", {"vendor": "intuit", "account": REALM})
        self.call = Caller(f"{sandbox_url}/intuit/api/v3/company/{REALM}", token["access_token"])
        self.call.session.headers["Accept"] = "application/json"

    def all(self, entity: str) -> dict[str, dict[str, Any]]:
        """Returns every record of this kind, by its id."""
        where = "WHERE Active IN (true,false)" if entity in ("Customer", "Item") else ""
        answer = self.call("GET", f"/query?query={quote(f'SELECT * FROM {entity} {where} MAXRESULTS 1000')}")  # noqa: S608
        return {row["Id"]: row for row in answer["QueryResponse"].get(entity, [])}

    def save(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.call("POST", f"/{entity.lower()}", body)[entity]

    def edit(self, entity: str, row: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.save(entity, {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, **fields})


class BooksWalk:
    """The books, tried by the office and by the bookkeeper."""

    def __init__(self, api: Caller, sandbox_url: str, user: Any):
        self.api, self.provider, self.user = api, PROVIDERS[NAME], user
        self.books = Bookkeeper(sandbox_url)

    def sync(self) -> dict[str, Any]:
        return self.api.sync(self.provider.slug)

    def go(self, say: Say) -> list[dict[str, Any]]:
        """Answers what was asked, edits both sides, syncs, compares; the jobs. Raises Disagreement."""
        questions = Problem.objects.filter(integration=NAME, resolved_at=None, data__reason=ProblemReason.MATCH)
        say(f"Answering {len(questions)} questions whether a client and a customer are the same …")
        for question in questions:
            job = decide_match(problem=question, choice=question.data["candidates"][0], user=self.user)
            if job:
                self.api.ended(job.pk)
        jobs = [self.sync()]
        self.compare()
        since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)

        say("Editing in FieldCamp: a client's phone, a line more, a new invoice, a payment …")
        bills = [row for row in self.api.pages("/invoices") if row["status"] in ("unpaid", "overdue")]
        bills = [row for row in bills if row["deliveryStatus"] == "sent" and not row["voidedAt"]]
        # Of which nothing is paid yet, the largest first: what is received below must not be more than is open.
        bills = sorted((row for row in bills if not row["paid"]), key=lambda row: row["balance"], reverse=True)
        changed, paid_here, paid_there, voided = bills[:4]
        phone = {"countryCode": "+1", "number": "5185559999", "countryIdentifier": "US"}
        self.api("PATCH", f"/clients/{changed['clientId']}", {"phoneNumber": phone})
        line = {"description": "Permit fee", "quantity": "1", "unitPrice": "33.33", "taxable": False}
        lines = [{key: value for key, value in row.items() if key in LINE} for row in changed["lines"]]
        self.api("PATCH", f"/invoices/{changed['id']}", {"lines": [*lines, line]})
        made = self.api("POST", "/invoices", {"clientId": changed["clientId"], "lines": [line]})["data"]
        self.api("POST", f"/invoices/{made['id']}/send", {})
        share = {"invoiceId": paid_here["id"], "amount": paid_here["balance"]}
        money = {"clientId": paid_here["clientId"], "amount": paid_here["balance"], "allocations": [share]}
        self.api("POST", "/payments", money)
        self.api("POST", f"/invoices/{voided['id']}/void", {})

        say("Editing in QuickBooks: a payment received, a due date, a new customer …")
        theirs = self.books.all("Invoice")
        there = theirs[self._remote("invoice", paid_there["id"])]
        applied = {"Amount": 20, "LinkedTxn": [{"TxnId": there["Id"], "TxnType": "Invoice"}]}
        self.books.save("Payment", {"CustomerRef": there["CustomerRef"], "TotalAmt": 20, "Line": [applied]})
        there = self.books.all("Invoice")[there["Id"]]
        self.books.edit("Invoice", there, DueDate="2027-01-31")
        self.books.save("Customer", {"DisplayName": "Lakeside Inn", "CompanyName": "Lakeside Inn"})

        jobs.append(self.sync())
        self.compare()
        now = self.api("GET", f"/invoices/{paid_there['id']}")["data"]
        expect(now["dueDate"] == "2027-01-31", "the due date did not reach FieldCamp")
        expect(Decimal(str(now["paid"])) == 20, "the payment did not reach FieldCamp")
        expect(self._remote("invoice", made["id"]) in self.books.all("Invoice"), "the new invoice was not posted")
        expect(bool(self.api("GET", "/clients?search=Lakeside")["data"]), "the new customer did not reach FieldCamp")
        path = f"/integrations/{self.provider.slug}/sync?limit=200&since={since:%Y-%m-%dT%H:%M:%SZ}"
        rows = {(row["entity"], row["action"]) for row in self.api("GET", path)["changes"]}
        wanted = {("customer", "created"), ("payment", "created"), ("invoice", "updated")}
        expect(wanted <= rows, f"the change feed lacks {wanted - rows}")

        say("Syncing once more: nothing is left to do …")
        jobs.append(self.sync())
        quiet = jobs[-1]["counts"]
        expect(quiet["pulled"] == quiet["pushed"] == quiet["failed"] == 0, f"the quiet sync was not quiet: {quiet}")
        self.compare()
        return jobs

    def _remote(self, kind: str, record_id: str) -> str:
        return Link.objects.values_list("remote_id", flat=True).get(kind=kind, record_id=record_id, cut_at=None)

    def compare(self) -> int:
        """Checks that every record that belongs into the books is there once, with the same amounts."""
        compared = 0
        for kind, entity in ENTITIES.items():
            links = dict(
                Link.objects.filter(kind=kind, cut_at=None).exclude(record_id="").values_list("record_id", "remote_id")
            )
            ours = {row["id"]: row for row in self.api.pages(ROUTES[kind]) if _belongs(kind, row)}
            theirs = self.books.all(entity)
            if missing := ours.keys() - links.keys():
                raise Disagreement(f"not in QuickBooks: {', '.join(sorted(missing))}")
            if len(set(links.values())) != len(links):
                raise Disagreement(f"two records of FieldCamp are one {entity}")
            for record_id, row in ours.items():
                there = theirs.get(links[record_id])
                expect(there is not None, f"{record_id} has no {entity} any more")
                assert there is not None
                differs = [f"{name}: {a!r} here, {b!r} there" for name, a, b in _both(kind, row, there) if a != b]
                expect(not differs, f"{record_id} differs in {'; '.join(differs)}")
                compared += 1
        return compared


LINE = {"itemId", "description", "quantity", "unitPrice", "taxable"}


def _belongs(kind: str, row: dict[str, Any]) -> bool:
    """Drafts are nobody's business but ours."""
    return kind != "invoice" or row["deliveryStatus"] == "sent"


def _both(kind: str, row: dict[str, Any], there: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    if kind == "customer":
        return [("email", row["email"] or "", there.get("PrimaryEmailAddr", {}).get("Address", ""))]
    if kind == "item":
        return [("price", _money(row["price"]), _money(there.get("UnitPrice", 0)))]
    if kind == "payment":
        return [("amount", _money(0 if row["voidedAt"] else row["amount"]), _money(there["TotalAmt"]))]
    total = 0 if row["voidedAt"] else row["total"]
    return [
        ("number", row["number"], there["DocNumber"]),
        ("total", _money(total), _money(there["TotalAmt"])),
        ("open balance", _money(0 if row["voidedAt"] else row["balance"]), _money(there["Balance"])),
        ("due date", row["dueDate"] or row["date"], there["DueDate"]),
    ]


def _money(value: Any) -> Decimal:
    return Decimal(str(value))
