"""Problems are told of once, and of what has passed by itself nothing is told."""

import datetime as dt

import pytest
from django.db import transaction

from integrations.errors import ProblemCode
from integrations.jobs import sweeper
from integrations.ledger.problems import (
    PASSES_WITHIN,
    open_company_problem,
    open_problem,
    open_problems,
    resolve,
    resolve_problems,
    tell_of_lasting,
)
from integrations.models import Connection, Link, Problem, Stream
from integrations.services.decisions import ignore
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW
from tests.integrations.events.seen import bodies, names, objects

pytestmark = pytest.mark.django_db
REJECTED, UNAVAILABLE = ProblemCode.RECORD_REJECTED, ProblemCode.PROVIDER_UNAVAILABLE
SECOND = dt.timedelta(seconds=1)
VISIT_ID = "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD"


@pytest.fixture
def account(workspace) -> Connection:
    return build.connection(workspace)


def rejected(account: Connection, message: str = "Refused.", **fields) -> Problem:
    return open_problem(account, REJECTED, message, now=NOW, **{"kind": "visit", "record_id": VISIT_ID} | fields)


def test_a_problem_is_told_of_once_and_its_end_once(account, status):
    rejected(account)
    [shown] = status(GOOGLE)["errors"]
    assert objects("problem.opened") == [shown]
    rejected(account, "Refused again.")
    assert len(bodies()) == 1
    assert resolve_problems(account, now=NOW, codes=[REJECTED]) == 1
    assert resolve_problems(account, now=NOW, codes=[REJECTED]) == 0
    assert objects("problem.resolved") == [{**shown, "message": "Refused again."}]
    [first, _last] = bodies()
    assert (first["source"]["kind"], first["source"]["integration"]) == ("sync", GOOGLE)
    rejected(account)  # another one
    assert names() == ["problem.opened", "problem.resolved", "problem.opened"]
    opened = objects("problem.opened")
    assert opened[0]["id"] != opened[1]["id"]


@pytest.mark.parametrize("code", [code for code in ProblemCode if code != ProblemCode.CONFLICT])
def test_of_every_code_but_conflict_a_problem_is_told(account, code):
    """Of what passes by itself an hour later, when it has not."""
    open_problem(account, code, "So it is.", now=NOW)
    tell_of_lasting(NOW + PASSES_WITHIN)
    resolve_problems(account, now=NOW + PASSES_WITHIN)
    assert names() == ["problem.opened", "problem.resolved"]
    assert [shown["code"] for shown in objects("problem.opened")] == [code]


def test_what_has_passed_within_its_time_is_never_told(account):
    open_problem(account, UNAVAILABLE, "No answer.", now=NOW)
    sweeper.sweep(NOW + PASSES_WITHIN - SECOND)
    resolve_problems(account, now=NOW + PASSES_WITHIN)
    sweeper.sweep(NOW + PASSES_WITHIN)
    assert names() == []


def test_what_lasts_is_told_once_though_it_is_met_with_again_and_again(account):
    for half_hours in range(3):
        now = NOW + half_hours * PASSES_WITHIN / 2
        open_problem(account, UNAVAILABLE, "No answer.", now=now)
        sweeper.sweep(now)
        assert names() == ["problem.opened"] * (half_hours == 2)
    sweeper.sweep(now + SECOND)
    assert tell_of_lasting(now + SECOND) == 0
    assert len(bodies()) == 1
    resolve_problems(account, now=now)
    assert names() == ["problem.opened", "problem.resolved"]


def test_what_is_merely_good_to_know_is_not_told_until_it_is_more(account, status):
    rejected(account, notice=True)
    tell_of_lasting(NOW + PASSES_WITHIN)
    assert names() == [] and status(GOOGLE)["errors"] == []
    rejected(account)
    rejected(account)
    assert objects("problem.opened") == status(GOOGLE)["errors"]
    assert len(bodies()) == 1
    rejected(account, notice=True)  # and back: who was told of it is told of its end
    resolve_problems(account, now=NOW)
    assert names() == ["problem.opened", "problem.resolved"]


def test_the_end_of_what_was_merely_good_to_know_is_not_told(account):
    rejected(account, notice=True)
    assert resolve_problems(account, now=NOW) == 1
    assert names() == []


def test_putting_a_problem_away_tells_nothing(account, django_user_model):
    ignore(problem=rejected(account), user=django_user_model.objects.create_user("olga"))
    assert names() == ["problem.opened"]


def test_a_conflict_names_the_fields_and_no_values(account):
    sides = {"local": {"start": "2026-05-30T13:00:00Z", "title": "Boiler"}, "remote": {"start": "2026-05-30T15:00:00Z"}}
    about = {"kind": "visit", "record_id": VISIT_ID, "data": {**sides, "base": {}, "fields": "end, start"}}
    problem = open_problem(account, ProblemCode.CONFLICT, "Both have moved it.", now=NOW, **about)
    shown = {
        "id": problem.pk,
        "integration": GOOGLE,
        "connection_id": account.pk,
        "kind": "visit",
        "record_id": VISIT_ID,
        "fields": ["end", "start"],
    }
    resolve_problems(account, now=NOW)
    assert objects("conflict.opened") == objects("conflict.resolved") == [shown]
    assert names() == ["conflict.opened", "conflict.resolved"]
    assert "Boiler" not in str(bodies()) and "2026-05-30" not in str(bodies())


def test_a_conflict_over_no_field_in_particular_names_none(account):
    open_problem(account, ProblemCode.CONFLICT, "It has moved on.", now=NOW, kind="visit", record_id=VISIT_ID)
    assert [shown["fields"] for shown in objects("conflict.opened")] == [[]]


@pytest.mark.slow
def test_many_at_once_are_told_in_a_few_statements(account, django_assert_max_num_queries):
    stream = Stream.objects.create(connection=account, container_id="c")
    links = Link.objects.bulk_create(
        [Link(stream=stream, kind="visit", record_id=f"vis_{n}", remote_id=f"e{n}") for n in range(300)]
    )
    about = {link.record_id: (link, {}) for link in links}
    with django_assert_max_num_queries(12):
        open_problems(account, REJECTED, "Refused.", now=NOW, kind="visit", about=about)
    with django_assert_max_num_queries(12):
        assert resolve_problems(account, now=NOW) == 300
    assert sorted(shown["record"]["id"] for shown in objects("problem.opened")) == sorted(about)
    assert len(objects("problem.resolved")) == 300


def test_an_integration_that_gives_up_is_told_of_once(workspace, status):
    for _ in range(2):
        open_company_problem(workspace.pk, GOOGLE, ProblemCode.INTERNAL_ERROR, "It was broken off.", now=NOW)
    assert objects("problem.opened") == status(GOOGLE)["errors"]
    ours = Problem.objects.filter(workspace=workspace)
    assert (resolve(ours, now=NOW), resolve(ours, now=NOW)) == (1, 0)
    assert names() == ["problem.opened", "problem.resolved"]


def test_what_is_rolled_back_is_told_to_nobody(account):
    with pytest.raises(RuntimeError), transaction.atomic():
        rejected(account)
        raise RuntimeError
    problem = rejected(account)
    with pytest.raises(RuntimeError), transaction.atomic():
        resolve_problems(account, now=NOW)
        raise RuntimeError
    assert [shown["id"] for shown in objects("problem.opened")] == [problem.pk]
    assert objects("problem.resolved") == []


def test_the_end_of_nothing_costs_one_query(account, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert resolve_problems(account, now=NOW) == 0


def test_records_of_the_provider_have_ids_of_any_length(account):
    rejected(account, record_id="x" * 900)
    assert [shown["record"]["id"] for shown in objects("problem.opened")] == ["x" * 900]
