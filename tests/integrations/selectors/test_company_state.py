"""How a company stands: each state has its clause, alone and beside any other, and only the well one is calm."""

from itertools import combinations_with_replacement

import pytest
from django.utils import timezone

from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.selectors.company.findings import ActsNext, FindingKind, Urgency
from integrations.selectors.company.state import SHOWN, health_of
from tests.integrations.selectors.planted import NOW, PLACES, STATES, Planted

HERE, THERE = PLACES[0], PLACES[1]


@pytest.fixture(autouse=True)
def _in_the_readers_zone():
    """Whoever reads sits elsewhere: the company's zone counts."""
    with timezone.override("America/Denver"):
        yield


def test_all_is_well():
    state = Planted().state()
    assert state.calm and state.findings == []
    assert state.sentence == "All in step. Checked 21:56, next at 22:34."
    assert {health_of(one, state.findings) for one in state.standings} == {"ok"}


def test_nothing_is_connected():
    facts = Planted()
    for one in facts.standings:
        one.connections[0].state = "disconnected"
    assert facts.state().sentence == "Nothing is connected yet."


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_clause_which_says_whom_it_concerns_and_what_is_next(name):
    plant, kind = STATES[name]
    facts = Planted()
    plant(facts, HERE)
    state = facts.state()
    (clause,) = [each for each in state.clauses if each.kind is kind]
    told = f"{clause.text} {' '.join(clause.details)}"
    assert not state.calm and "All in step. Checked" not in state.sentence
    assert clause.text.rstrip(".") in state.sentence
    if kind is not FindingKind.NOBODY_WORKS:
        assert str(PROVIDERS[HERE].label) in told or f"lee@{HERE}.test" in told
    (finding,) = clause.findings
    assert finding.acts in ActsNext and (clause.details or kind is FindingKind.UNKNOWN)
    if finding.next_at:
        there = timezone.localtime(finding.next_at, facts.zone)
        assert f"{there:%H:%M}" in told or kind in (
            FindingKind.LEAVING, FindingKind.NO_ACCESS, FindingKind.NOT_UP_TO_DATE, FindingKind.HELD
        )  # fmt: skip
    assert state.sentence.startswith("Something needs a look") is (kind is FindingKind.UNKNOWN)


def test_of_two_states_both_are_told_and_the_worse_one_first():
    for one, other in combinations_with_replacement(STATES, 2):
        facts = Planted()
        STATES[one][0](facts, HERE)
        STATES[other][0](facts, THERE)
        state = facts.state()
        kinds = [clause.kind for clause in state.clauses]
        for name in (one, other):
            kind = STATES[name][1]
            # What waits for a worker is counted where it is told that none works.
            silent = "worker" in one + other and name in ("just queued", "queued for long")
            assert kind in kinds or silent, (one, other, kinds)
        assert not state.calm and "All in step. Checked" not in state.sentence, (one, other)
        order = [(-clause.urgency, clause.kind.rank) for clause in state.clauses]
        assert order == sorted(order)
        said = state.sentence
        for clause in state.shown:
            assert clause.text.rstrip(".") in said, (one, other, said)
        healths = {place: health_of(facts.at(place), state.findings) for place in (HERE, THERE)}
        if "disconnected" not in healths.values():
            calm = all(finding.urgency is Urgency.CALM for finding in state.findings)
            assert calm is (set(healths.values()) == {"ok"}), (one, other, healths)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("running", "Syncing Google Calendar. 50 of 120 visits, about 1 min left. Everything else is in step."),
        ("open question", "1 thing needs you. Everything else is in step."),
        (
            "vendor down",
            "Google Calendar does not answer since 21:58. FieldCamp tries again at 22:34; nothing is lost, 14 changes "
            "wait. Everything else is in step.",
        ),
        ("no worker", "Syncing has stopped: nothing has run since 21:58, 2 jobs wait."),
        ("ignored", "All in step, except 1 record that you ignore: Ben Hoffman."),
        (
            "paused by a person",
            "Google Calendar of lee@google_calendar.test is paused since 3 Nov by Olivia Hart. Everything else is in "
            "step.",
        ),
        (
            "paused by us",
            "Google Calendar of lee@google_calendar.test was paused by FieldCamp after 10 failed runs. Everything else "
            "is in step.",
        ),
        (
            "fails again and again",
            "Google Calendar of lee@google_calendar.test has failed 3 times in a row, and will be paused after 7 more. "
            "Everything else is in step.",
        ),
        ("notice", "All in step; 1 thing is good to know."),
    ],
)
def test_the_words(name, said):
    facts = Planted()
    facts.waiting_changes[HERE], facts.waiting_jobs = 14, 2
    STATES[name][0](facts, HERE)
    assert facts.state().sentence == said


def test_a_sync_of_one_account_says_nothing_for_another_that_was_never_synced():
    facts = Planted()
    here = facts.at(HERE)
    fresh = Connection(
        pk="con_new", workspace=facts.company, integration=HERE, account_name="new@google.test", state="active"
    )
    here.connections.append(fresh)
    facts.running(HERE, connection_id=here.connections[0].pk)
    state = facts.state()
    assert {finding.kind for finding in state.findings} == {FindingKind.RUNNING, FindingKind.NOT_SYNCED_YET}
    assert "1 account has not been synced yet: new@google.test." in state.sentence
    facts.running(HERE)  # a job of all accounts takes it along
    assert {finding.kind for finding in facts.state().findings} == {FindingKind.RUNNING}


def test_of_many_the_worst_are_told_and_the_others_counted():
    facts = Planted()
    for place, name in zip(
        [HERE, THERE, PLACES[2], HERE, THERE],
        ["misconfigured", "vendor down", "paused by a person", "running", "ignored"],
        strict=True,
    ):
        STATES[name][0](facts, place)
    state = facts.state()
    assert len(state.clauses) == 5 and len(state.shown) == SHOWN
    assert state.sentence.startswith("1 thing needs you. Outlook does not answer since 21:58.")
    assert state.sentence.endswith("And 2 more.") and "Everything else" not in state.sentence


def test_what_stops_work_is_counted_apart_from_what_can_wait():
    facts = Planted()
    STATES["misconfigured"][0](facts, HERE)
    STATES["open question"][0](facts, THERE)
    state = facts.state()
    assert (state.needs, state.stops, state.tone) == (2, 1, "danger")
    assert {place: health_of(facts.at(place), state.findings) for place in PLACES} == {
        HERE: "needs_attention", THERE: "needs_attention", PLACES[2]: "ok",
    }  # fmt: skip


def test_a_vendor_that_is_down_is_no_task_of_anybody():
    facts = Planted()
    STATES["vendor down"][0](facts, HERE)
    state = facts.state()
    assert (state.needs, state.stops, state.tone) == (0, 0, "info")
    assert state.findings[0].since is not None and state.findings[0].since < NOW
