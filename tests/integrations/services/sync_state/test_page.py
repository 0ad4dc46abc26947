"""docs/sync-state.md says of each reason what the code does, and has the order in which they are told."""

import re

import pytest
from django.conf import settings

from integrations.api.sync_state_examples import OF_VISIT
from integrations.errors import ProblemCode, ProblemReason
from integrations.models import Problem
from integrations.services.problems.fixes import fix_of
from integrations.services.sync_state.judging import STEPS
from integrations.services.sync_state.reasons import REASONS, STATE_OF, RecordState, SyncReason

# The codes under which these causes are met.
CODES = {ProblemReason.WAITING: ProblemCode.WAITING_FOR_GONE, ProblemReason.VARIANCE: ProblemCode.AMOUNT_VARIANCE}


@pytest.fixture(scope="module")
def page() -> str:
    return (settings.BASE_DIR / "docs/sync-state.md").read_text()


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the table with this first column, cell by cell."""
    table = page.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


def test_it_has_each_reason_with_its_state(page):
    told = [(row[0].strip("`"), row[1].strip("`")) for row in rows_of(page, "reason")]
    assert told == [(reason.value, STATE_OF[reason].value) for reason in SyncReason]
    assert all(len(row) == 4 and all(row) for row in rows_of(page, "reason"))


def test_it_has_each_cause_of_a_problem(page):
    found = {name: row[1] for row in rows_of(page, "cause") for name in re.findall(r"`(\w+)`", row[0])}
    assert found.keys() | {reason.value for reason in SyncReason} == set(REASONS)
    for cause, title in found.items():
        code = CODES.get(cause) or (cause.upper() if cause.upper() in ProblemCode.__members__ else "RECORD_REJECTED")
        reason = {"reason": cause} if cause in set(ProblemReason) else {}
        assert str(fix_of(Problem(code=code, data=reason)).title) == title, cause


def test_it_has_each_state_and_each_step_of_the_order(page):
    assert [row[0].strip("`") for row in rows_of(page, "state")] == [state.value for state in RecordState]
    order = page.partition("## The order")[2].partition("## Reasons")[0]
    assert len(re.findall(r"^\d\. ", order, re.MULTILINE)) == len(STEPS)


def test_it_shows_what_a_row_has(page):
    shown = set(re.findall(r'^ +"(\w+)":', page, re.MULTILINE)) - {"recordId", "integrations"}
    assert shown == OF_VISIT["integrations"][0].keys()
