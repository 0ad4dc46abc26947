"""Asking a vendor's rows one after another. A row that breaks off, or that has asked nothing, is not met."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field, replace
from functools import partial

from integrations.review.probe import Probe
from integrations.review.seen import Exchange, Unmet
from integrations.review.table import Check, ReviewRow, ReviewTable, RowVerdict

MOST_SHOWN = 40  # exchanges of a row that are kept: the first and the last of them


@dataclass(slots=True)
class RowResult:
    """A row's verdict, what was said of it, and what it rests on. `findings` are to be looked at and fail nothing."""

    row: ReviewRow
    verdict: RowVerdict
    said: str
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0


def examine(
    table: ReviewTable,
    probe: Probe,
    today: dt.date,
    only: Collection[str] = (),
    tell: Callable[[RowResult], None] = lambda _result: None,
    known: dict[Hashable, RowResult] | None = None,
) -> list[RowResult]:
    """Returns the results of the table's rows, or of those that `only` names. Rows that ask the same share an answer,
    those of several tables too where they are handed the same `known`."""
    known = {} if known is None else known
    results = []
    for row in table:
        if only and row.id not in only:
            continue
        result = _result(row, probe, known)
        if row.page.is_old(today):
            result.findings.append(
                f"“{row.page.title}” was last looked at on {row.page.looked_at}: compare it with this row again."
            )
        results.append(result)
        tell(result)
    return results


def failed(results: Collection[RowResult]) -> list[RowResult]:
    """Returns the rows that are not met."""
    return [result for result in results if result.verdict == RowVerdict.FAIL]


def _result(row: ReviewRow, probe: Probe, known: dict[Hashable, RowResult]) -> RowResult:
    if row.check is None:
        return RowResult(row, row.verdict, row.sentence)
    key = _key(row.check)
    if key in known:
        return replace(known[key], row=row, findings=[], seconds=0.0)
    known[key] = _ask(row, row.check, probe)
    return replace(known[key], findings=[])


def _ask(row: ReviewRow, check: Check, probe: Probe) -> RowResult:
    probe.witness.take()
    begun = time.perf_counter()
    try:
        verdict, said = RowVerdict.PASS, check(probe)
    except Unmet as unmet:
        verdict, said = RowVerdict.FAIL, str(unmet)
    except Exception as error:
        verdict, said = RowVerdict.FAIL, f"It could not be asked: {type(error).__name__}: {error}"
    exchanges = probe.witness.take()
    if verdict == RowVerdict.PASS and not exchanges:
        verdict, said = RowVerdict.FAIL, "Nothing was asked."
    shown = (
        exchanges if len(exchanges) <= MOST_SHOWN else [*exchanges[: MOST_SHOWN // 2], *exchanges[-MOST_SHOWN // 2 :]]
    )
    return RowResult(row, verdict, probe.witness.clean(said), shown, seconds=time.perf_counter() - begun)


def _key(check: Check) -> Hashable:
    if isinstance(check, partial):
        return (check.func, check.args, tuple(sorted(check.keywords.items())))
    return check
