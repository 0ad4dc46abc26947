"""Changes and transactions: both are there or neither is, in the order in which they were made."""

import pytest
from django.db import transaction

from fieldcamp.workspace import tracking
from fieldcamp.workspace.models import Change, Visit
from tests.fieldcamp.workspace.changes import stored_version

pytestmark = pytest.mark.django_db(transaction=True)


def test_consumers_run_inside_of_it(make_visit, monkeypatch):
    inside = []
    monkeypatch.setattr(
        tracking, "_consumers", [lambda changes: inside.append(transaction.get_connection().in_atomic_block)]
    )
    visit = make_visit()
    visit.title = "x"
    visit.save()
    Visit.objects.update(title="y")
    Visit.objects.bulk_create([Visit(workspace=visit.workspace, client=visit.client, title="z")])
    visit.delete()
    Visit.objects.all().delete()
    assert inside == [True] * 7  # the client's creation and the visit's among them


@pytest.mark.parametrize(
    "write",
    [
        lambda visit: visit.save(),
        lambda visit: Visit.objects.update(title="new"),
        lambda visit: Visit.objects.bulk_update([visit], ["title"]),
        lambda visit: Visit.objects.bulk_create([Visit(workspace=visit.workspace, client=visit.client, title="z")]),
        lambda visit: visit.delete(),
        lambda visit: Visit.objects.all().delete(),
    ],
)
def test_a_failing_consumer_undoes_the_change(make_visit, monkeypatch, write):
    visit = make_visit(title="old")
    changes = Change.objects.count()

    def fail(changes):
        raise RuntimeError("consumer")

    monkeypatch.setattr(tracking, "_consumers", [fail])
    visit.title = "new"
    with pytest.raises(RuntimeError, match="consumer"):
        write(visit)
    assert Visit.objects.values_list("title", "version").get() == ("old", 1)
    assert Change.objects.count() == changes


def test_a_rollback_takes_the_log_along(make_visit):
    visit = make_visit(title="old")
    changes = Change.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        visit.title = "new"
        visit.save()
        raise RuntimeError
    assert Change.objects.count() == changes and Visit.objects.get().title == "old"


@pytest.mark.slow
def test_versions_are_exact_under_parallel_writes(make_visit, in_parallel):
    visit = make_visit()

    def work(number: int) -> None:
        mine = Visit.objects.get(pk=visit.pk)
        mine.title = f"by {number}"
        if number % 2:
            mine.save(update_fields=["title"])
        else:
            Visit.objects.filter(pk=visit.pk).update(notes=f"by {number}")

    in_parallel(12, work)
    versions = Change.objects.filter(record_id=visit.pk).order_by("seq").values_list("version", flat=True)
    assert list(versions) == list(range(1, 14)) and stored_version(visit) == 13
