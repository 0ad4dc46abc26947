"""Opening and closing problems. One is open at most for each connection, code and record.

Integrators are told of each once, by an event in the same transaction: at once, or of what passes by itself when it has
lasted. Of what is over before nothing is told, nor of what is merely good to know.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.events.problems import problems_opened, problems_resolved
from integrations.models import Connection, Link, Problem
from integrations.selectors.standings import PASSING
from integrations.sync.state import Pair

# So long it lasts before it is told of: what a run or two put right of themselves concerns nobody.
PASSES_WITHIN = dt.timedelta(hours=1)
AT_ONCE = 500


def open_problem(
    connection: Connection,
    code: str,
    message: str,
    *,
    now: dt.datetime,
    kind: str = "",
    record_id: str = "",
    link: Link | None = None,
    detail: str = "",
    data: dict[str, Any] | None = None,
    notice: bool = False,
    met_as: Mapping[str, Any] | None = None,
) -> Problem:
    """Opens a problem, or brings the open one up to date. One that is ignored stays so while it is the same: it wakes
    when something else is said of it, or the record was edited since on either side (`met_as`)."""
    values = {
        "message": message[:500],
        "detail": detail[:2000],
        "data": data or {},
        "link": link,
        "notice": notice,
        "occurred_at": now,
    }
    which = {"connection": connection, "code": code, "record_kind": kind, "record_id": record_id, "resolved_at": None}
    with transaction.atomic(savepoint=False):
        known = Problem.objects.filter(**which).defer("detail").first()
        if known is not None and known.ignored_at and _differs(known, values, met_as or {}):
            values |= {"ignored_at": None, "ignored_by": None}
        if met_as is not None:
            newer = {name: value for name, value in met_as.items() if value}
            values["met_as"] = {**(known.met_as if known else {}), **newer}
        if not Problem.objects.filter(**which).update(**values):
            try:
                with transaction.atomic():
                    problem = Problem.objects.create(
                        workspace_id=connection.workspace_id,
                        integration=connection.integration,
                        **which,
                        **values,
                        **_telling(code, notice, now),
                    )
                _tell_of_new([problem])
                return problem
            except IntegrityError:  # another writer was faster
                Problem.objects.filter(**which).update(**values)
        problem = Problem.objects.get(**which)
        if problem.tell_at is None and not notice:  # it was merely good to know until now
            for name, value in _telling(code, notice, now).items():
                setattr(problem, name, value)
            problem.save(update_fields=["tell_at", "told_at"])
            _tell_of_new([problem])
    return problem


def _differs(known: Problem, values: Mapping[str, Any], met_as: Mapping[str, Any]) -> bool:
    """Returns whether an ignored problem is met as another one than the one that was ignored."""
    if known.notice or values["notice"]:
        return False
    if known.message != values["message"] or _reason(known.data) != _reason(values["data"]):
        return True
    edited = (met_as.get("seq") or 0) > (known.met_as.get("seq") or 0)
    before, now = known.met_as.get("tag"), met_as.get("tag")
    return edited or bool(before and now and before != now)


def _reason(data: Any) -> Any:
    return data.get("reason") if isinstance(data, Mapping) else None


def _telling(code: str, notice: bool, now: dt.datetime) -> dict[str, dt.datetime | None]:
    """Returns the columns that say when integrators are told of a problem that opens now, and when they were."""
    if notice:
        return {"tell_at": None, "told_at": None}
    passes = code in PASSING
    return {"tell_at": now + PASSES_WITHIN if passes else now, "told_at": None if passes else now}


def _tell_of_new(problems: Collection[Problem]) -> None:
    problems_opened([problem for problem in problems if problem.told_at])


def tell_of_lasting(now: dt.datetime) -> int:
    """Tells of open problems that have not passed by themselves within their time; how many."""
    due = Problem.objects.open().filter(told_at=None, tell_at__lte=now, notice=False)
    if not due.exists():
        return 0
    with transaction.atomic():
        lasting = list(due.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:AT_ONCE])
        Problem.objects.filter(pk__in=[problem.pk for problem in lasting]).update(told_at=now)
        problems_opened(lasting)
    return len(lasting)


def open_company_problem(workspace_id: str, integration: str, code: str, message: str, *, now: dt.datetime) -> None:
    """Opens a problem of an integration that is no single account's, or brings the open one up to date."""
    which = {"workspace_id": workspace_id, "integration": integration, "connection": None, "code": code}
    with transaction.atomic(savepoint=False):
        if not Problem.objects.open().filter(**which).update(occurred_at=now):
            told = _telling(code, False, now)
            _tell_of_new([Problem.objects.create(**which, message=message[:500], occurred_at=now, **told)])


def open_problems(
    connection: Connection,
    code: str,
    message: str,
    *,
    now: dt.datetime,
    kind: str,
    about: Mapping[str, tuple[Link, dict[str, Any]]],
) -> None:
    """Opens the same problem of many records (by their ids, each with its link and its data) at once, in the place of
    those that are open about them. Runs inside the caller's transaction, which holds the links."""
    resolve_problems(connection, now=now, codes=[code], kind=kind, record_ids=list(about))
    made = [
        Problem(
            workspace_id=connection.workspace_id,
            integration=connection.integration,
            connection=connection,
            code=code,
            record_kind=kind,
            record_id=record_id,
            message=message[:500],
            data=data,
            link=link,
            occurred_at=now,
            **_telling(code, False, now),
        )
        for record_id, (link, data) in about.items()
    ]
    Problem.objects.bulk_create(made, batch_size=AT_ONCE)
    _tell_of_new(made)


def open_record_problem(
    connection: Connection,
    pair: Pair,
    code: ProblemCode,
    message: str,
    *,
    link: Link | None = None,
    detail: str = "",
    data: dict[str, Any] | None = None,
    notice: bool = False,
) -> bool:
    """Opens a problem of one pair of records. Returns whether somebody has put it aside, and it is still the same: then
    the pair is held back, and has not failed."""
    problem = open_problem(
        connection,
        code,
        message,
        now=timezone.now(),
        kind=pair.kind.name,
        record_id=pair.key,
        link=link if link and link.pk else None,
        detail=detail,
        data=data,
        notice=notice,
        met_as={"seq": pair.dirty_seq, "tag": pair.tag},
    )
    return problem.ignored_at is not None


def resolve_problems(
    connection: Connection,
    *,
    now: dt.datetime,
    codes: Collection[str] | None = None,
    kind: str | None = None,
    record_ids: Collection[str] | None = None,
    notices: bool = True,
) -> int:
    """Closes the open problems that match; all of the connection's where nothing else is said."""
    problems = Problem.objects.open().filter(connection=connection)
    if codes is not None:
        problems = problems.filter(code__in=codes)
    if kind is not None:
        problems = problems.filter(record_kind=kind)
    if record_ids is not None:
        problems = problems.filter(record_id__in=record_ids)
    if not notices:
        problems = problems.filter(notice=False)
    return resolve(problems, now=now)


def resolve(problems: QuerySet[Problem], *, now: dt.datetime) -> int:
    """Closes those of these problems that are open, and tells of it; how many this call has closed."""
    with transaction.atomic(savepoint=False):
        still = problems.filter(resolved_at=None).select_for_update(of=("self",)).order_by("pk")
        found = list(still.defer("detail"))
        for start in range(0, len(found), AT_ONCE):
            some = found[start : start + AT_ONCE]
            Problem.objects.filter(pk__in=[problem.pk for problem in some]).update(resolved_at=now)
            problems_resolved(some)
    return len(found)
