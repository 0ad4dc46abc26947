"""A sound product: no row fails. And what the evidence says of it."""

import datetime as dt
import json
import re

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from integrations.review import checks_of_answers
from integrations.review.evidence import write_evidence
from integrations.review.own import environment
from integrations.review.running import RowResult, examine, failed
from integrations.review.seen import Witness
from integrations.review.site import site_results
from integrations.review.table import PreparedAnswer, ReviewTable, RowVerdict, VendorPage
from integrations.review.vendors import TABLES

TODAY = dt.date(2026, 11, 29)
# Asked by `manage.py review` alone: each takes a second or more, and what it asks has tests of its own.
DEAR = {"intuit": {"Q1", "Q2", "Q3", "Q5", "Q6", "Q9", "Q10", "I1.1", "I1.4", "I2.1", "I2.2", "I2.3", "S4", "S7", "S11",
                   "G1", "G4", "G13", "Q12", "I4.4/5.3"}}  # fmt: skip
# What the vendors' tables have in common is asked once, with one vendor.
OWN = {
    "google": {"O2", "O2.limited-use", "O3", "O3.reasons", "O4", "O7", "G11"},
    "microsoft": {"M3", "M4", "M6", "M6.admin", "M7", "M8", "M10", "M5"},
    "xero": {"XS.audit"},
}
DATA = (settings.BASE_DIR / "docs/data.md").read_text()


def rows(name: str) -> set[str]:
    return OWN.get(name) or {row.id for row in TABLES[name]} - DEAR[name]


@pytest.mark.slow
@pytest.mark.once
def test_no_row_fails(probe, monkeypatch, tmp_path):
    monkeypatch.setattr(checks_of_answers, "DESK_PAGES", 5)
    results: list[RowResult] = []
    known = {}
    for name, table in TABLES.items():
        results += examine(table, probe, TODAY, rows(name), known=known)
    assert {(result.row.id, result.said) for result in failed(results)} == set()
    asked = [result for result in results if result.verdict == RowVerdict.PASS]
    assert len(asked) > 30 and all(result.exchanges for result in asked)
    write_evidence(tmp_path, TABLES["intuit"], results, DATA, dt.datetime.now(dt.UTC), "the tests' own product")
    texts = [(tmp_path / name).read_text() for name in ("index.html", "results.json")]
    for secret in (*probe.company.tokens, "sandbox-secret", settings.SECRET_KEY, "eyJ"):
        assert not any(secret in text for text in texts)
    assert not re.search(r"(code|state|token)=(?!…|\[redacted\])\w", texts[1])


@pytest.mark.slow
def test_the_running_site_is_asked_from_outside(make_probe, behind_tls):
    """Nobody listens there: TLS cannot be spoken, and what is answered here in its place is asked."""
    place = make_probe().place
    results = {each.row.id: each for each in site_results("https://127.0.0.1:9", TODAY)}
    assert {each.verdict for each in results.values()} == {RowVerdict.FAIL}
    assert all("could not be asked" in each.said for each in results.values())
    found = {each.row.id: each.verdict for each in site_results(place.url, TODAY, mount=place.mount)}
    wrong = {row for row, verdict in found.items() if verdict == RowVerdict.FAIL}
    assert wrong == {"site.tls", "site.https"}  # plain requests go to port 80
    behind_tls.OPERATOR_NAME = ""
    [named] = [row for row in site_results(place.url, TODAY, mount=place.mount) if row.row.id == "site.operator"]
    assert named.verdict == RowVerdict.FAIL and "has not been named" in named.said


# --- asking and writing ---------------------------------------------------------------------------------------------

PAGE = VendorPage("A page", "https://vendor.example/page", dt.date(2026, 11, 1))


class Silent:
    """A probe that asks nobody."""

    def __init__(self) -> None:
        self.witness = Witness()


@pytest.fixture
def table():
    table = ReviewTable("Vendor", answers=(PreparedAnswer("Is it?", "It is.", ("A",)),))

    @table.row("A", "It is asked", PAGE)
    def asked(probe) -> str:
        probe.witness.note("GET /", "200", {"Set-Cookie": "x"}, "Bearer abcdefghijklmnop")
        return "200."

    @table.row("B", "Nothing is asked", PAGE)
    def unasked(probe) -> str:
        return "All is well."

    @table.row("C", "It breaks off", PAGE)
    def broken(probe) -> str:
        raise ConnectionError("nobody listens")

    table.operator("D", "A portal", PAGE, "Enter the address.")
    table.not_applicable("E", "A feature", PAGE, "Not built yet.")
    return table


def test_what_was_not_asked_is_not_met(table):
    results = {result.row.id: result for result in examine(table, Silent(), TODAY)}
    assert [(key, str(result.verdict)) for key, result in results.items()] == [
        ("A", "pass"), ("B", "fail"), ("C", "fail"), ("D", "operator"), ("E", "not-applicable"),
    ]  # fmt: skip
    assert results["B"].said == "Nothing was asked."
    assert "ConnectionError: nobody listens" in results["C"].said
    assert not any(result.findings for result in results.values())


def test_a_page_that_was_looked_at_long_ago_is_a_finding(table):
    [result, *_] = examine(table, Silent(), dt.date(2027, 1, 31), only=["A"])
    assert (result.verdict, len(result.findings)) == (RowVerdict.PASS, 1)
    assert "last looked at on 2026-11-01" in result.findings[0]
    [result, *_] = examine(table, Silent(), dt.date(2027, 1, 30), only=["A"])
    assert result.findings == []


def test_the_evidence_can_be_read_and_parsed(table, tmp_path):
    results = examine(table, Silent(), TODAY)
    write_evidence(tmp_path, table, results, DATA, dt.datetime(2026, 11, 29, tzinfo=dt.UTC), "a product")
    facts = json.loads((tmp_path / "results.json").read_text())
    assert facts["counts"] == {"pass": 1, "fail": 2, "operator": 1, "not-applicable": 1}
    [row, *_] = facts["rows"]
    assert row["page"] == {"title": "A page", "url": "https://vendor.example/page", "looked_at": "2026-11-01"}
    assert row["exchanges"][0]["asked"] == "GET /" and "abcdefgh" not in str(facts)
    assert facts["answers"] == [{"question": "Is it?", "answer": "It is.", "rows": ["A"]}]
    tables = {each["table"] for each in facts["data_kept"]}
    assert {"workspace_client", "integrations_oauthgrant"} <= tables
    page = (tmp_path / "index.html").read_text()
    assert "http" not in re.sub(r'href="[^"]*"', "", page)  # it loads nothing
    assert page.count('<section class="row') == 5 and "<td>workspace_client</td>" in page


def test_an_answer_that_does_not_hold_is_withheld(table, tmp_path):
    results = examine(table, Silent(), TODAY, only=["B"])
    write_evidence(tmp_path, table, results, DATA, dt.datetime.now(dt.UTC), "a product")
    [answer] = json.loads((tmp_path / "results.json").read_text())["answers"]
    assert answer["answer"] == "Withheld: not met is A."


def test_each_answer_stands_on_rows_that_there_are():
    for table in TABLES.values():
        known = {row.id for row in table if row.check}
        for answer in table.answers:
            assert answer.rows and set(answer.rows) <= known, answer.question


def test_two_rows_of_one_name_are_refused(table):
    with pytest.raises(ValueError, match="two rows A"):
        table.operator("A", "Again", PAGE, "")


def test_a_trial_takes_nothing_of_the_operators(tmp_path):
    theirs = ("DATABASE_URL", "INTUIT_CLIENT_SECRET", "QUICKBOOKS_API_URL", "EMAIL_HOST", "SECRET_KEY")
    given = dict.fromkeys(theirs, "x") | {"PATH": "/bin", "OPERATOR_NAME": "Sync Ltd", "HSTS_SECONDS": "5"}
    made = environment(given, tmp_path, 8000, 8001)
    assert not set(theirs) & made.keys()
    assert (made["OPERATOR_NAME"], made["HSTS_SECONDS"], made["PATH"]) == ("Sync Ltd", "5", "/bin")
    assert (made["PUBLIC_URL"], made["FIELDCAMP_DATA"]) == ("https://127.0.0.1:8000", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--only", "X99"], "no row X99"), (["--url", "ftp://x"], "starts with https"), ([], "invalid choice")],
)
def test_a_mistake_in_the_command_is_told(arguments, words):
    vendor = "intuit" if arguments else "nobody"
    with pytest.raises(CommandError, match=words):
        call_command("review", vendor, *arguments)
