"""Opening and closing problems. One is open at most for each connection, code and record."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.models import Connection, Link, Problem
from integrations.sync.state import Pair


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
) -> Problem:
    """Opens a problem, or brings the open one up to date."""
    values = {
        "message": message[:500],
        "detail": detail[:2000],
        "data": data or {},
        "link": link,
        "notice": notice,
        "occurred_at": now,
    }
    which = {"connection": connection, "code": code, "record_kind": kind, "record_id": record_id, "resolved_at": None}
    if not Problem.objects.filter(**which).update(**values):
        try:
            with transaction.atomic():
                return Problem.objects.create(
                    workspace_id=connection.workspace_id, integration=connection.integration, **which, **values
                )
        except IntegrityError:  # another writer was faster
            Problem.objects.filter(**which).update(**values)
    return Problem.objects.get(**which)


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
        )
        for record_id, (link, data) in about.items()
    ]
    Problem.objects.bulk_create(made, batch_size=500)


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
) -> None:
    """Opens a problem of one pair of records."""
    open_problem(
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
    )


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
    return problems.update(resolved_at=now)
