"""The folder that is sent: `index.html` to read and print, `results.json` for machines."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from integrations.review.running import RowResult
from integrations.review.table import PreparedAnswer, ReviewTable, RowVerdict

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1a1f26; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; } h3 { margin: 0; font-size: 1rem; }
section.row { border: 1px solid #cbd2da; border-left-width: .4rem; border-radius: .3rem; padding: .7rem 1rem;
  margin: .8rem 0;   break-inside: avoid-page; }
section.pass { border-left-color: #1d7a3c; } section.fail { border-left-color: #b3261e; background: #fdf3f2; }
section.operator { border-left-color: #9a6700; } section.not-applicable { border-left-color: #8c959f; color: #4a525c; }
.verdict { font-weight: 600; text-transform: uppercase; font-size: .8rem; }
.finding { color: #7a4d00; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .78rem; margin: .2rem 0 .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { border: 1px solid #cbd2da; padding: .3rem .5rem;
  text-align: left; vertical-align: top; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } details > * { display: block; } }
"""
WORDS = {
    RowVerdict.PASS: "met",
    RowVerdict.FAIL: "not met",
    RowVerdict.OPERATOR: "the operator's",
    RowVerdict.NOT_APPLICABLE: "not applicable",
}


def write_evidence(
    folder: Path, table: ReviewTable, results: Sequence[RowResult], data_page: str, asked_at: dt.datetime, address: str
) -> None:
    """Writes both files. `data_page` is docs/data.md, `address` what was asked."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = results_as_json(table, results, data_page, asked_at, address)
    (folder / "results.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    (folder / "index.html").write_text(page(table, results, data_page, asked_at, address))


def results_as_json(
    table: ReviewTable, results: Sequence[RowResult], data_page: str, asked_at: dt.datetime, address: str
) -> dict[str, Any]:
    """Returns everything that is in the evidence, as JSON has it."""
    return {
        "vendor": table.vendor,
        "asked_at": asked_at.isoformat(timespec="seconds"),
        "address": address,
        "counts": {str(verdict): count for verdict, count in counts(results).items()},
        "rows": [_row(result) for result in results],
        "answers": [
            {"question": answer.question, "answer": text, "rows": list(answer.rows)}
            for answer, text in answers_of(table, results)
        ],
        "data_kept": [dict(zip(_heads(data_page), cells, strict=False)) for cells in data_kept(data_page)],
    }


def counts(results: Sequence[RowResult]) -> dict[RowVerdict, int]:
    """Returns how many rows have each verdict."""
    found = Counter(result.verdict for result in results)
    return {verdict: found[verdict] for verdict in RowVerdict}


def answers_of(table: ReviewTable, results: Sequence[RowResult]) -> Iterator[tuple[PreparedAnswer, str]]:
    """Yields the prepared answers; one whose rows are not all met is withheld."""
    met = {result.row.id for result in results if result.verdict == RowVerdict.PASS}
    for answer in table.answers:
        lacking = [row for row in answer.rows if row not in met]
        yield answer, f"Withheld: not met is {', '.join(lacking)}." if lacking else answer.answer


def data_kept(data_page: str) -> list[list[str]]:
    """Returns the rows of the first table of docs/data.md."""
    return [_cells(line) for line in _table(data_page)[2:]]


def _heads(data_page: str) -> list[str]:
    return _cells(_table(data_page)[0])


def _table(data_page: str) -> list[str]:
    found = [line for line in data_page.splitlines() if line.startswith("|")]
    if len(found) < 3:
        raise ValueError("docs/data.md has no table of what is kept.")
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]


def _row(result: RowResult) -> dict[str, Any]:
    row = result.row
    return {
        "id": row.id,
        "requirement": row.requirement,
        "page": {"title": row.page.title, "url": row.page.url, "looked_at": row.page.looked_at.isoformat()},
        "verdict": str(result.verdict),
        "said": result.said,
        "findings": result.findings,
        "seconds": round(result.seconds, 2),
        "exchanges": [asdict(exchange) for exchange in result.exchanges],
    }


def page(
    table: ReviewTable, results: Sequence[RowResult], data_page: str, asked_at: dt.datetime, address: str
) -> SafeString:
    """Returns index.html, which loads nothing from anywhere."""
    sums = ", ".join(f"{count} {WORDS[verdict]}" for verdict, count in counts(results).items())
    answers = list(answers_of(table, results))
    return format_html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>FieldCamp Integrations: review for '
        "{vendor}</title><style>{style}</style></head>\n<body><h1>FieldCamp Integrations: review for {vendor}</h1>\n"
        "<p>Asked on {at} of {address}. {sums}.</p>\n{rows}\n{answers}\n<h2>Data that is kept</h2>\n{data}\n"
        "</body></html>\n",
        vendor=table.vendor,
        style=mark_safe(STYLE),  # noqa: S308  (ours, and of this file)
        at=f"{asked_at:%Y-%m-%d %H:%M} UTC",
        address=address,
        sums=sums,
        rows=format_html_join("\n", "{}", ((_section(result),) for result in results)),
        answers=format_html(
            "<h2>Prepared answers</h2><dl>{}</dl>",
            format_html_join(
                "\n", "<dt><b>{}</b></dt><dd>{} <small>(rows {})</small></dd>",
                ((answer.question, text, ", ".join(answer.rows)) for answer, text in answers),
            ),
        ) if answers else "",
        data=_html_table(_heads(data_page), data_kept(data_page)),
    )  # fmt: skip


def _section(result: RowResult) -> SafeString:
    row = result.row
    return format_html(
        '<section class="row {verdict}"><h3>{id} · {requirement}</h3>\n<p><span class="verdict">{word}</span> '
        '{said}</p>\n{findings}<p><small><a href="{url}">{title}</a>, last looked at on {looked_at}</small></p>\n'
        "{asked}</section>",
        verdict=result.verdict,
        id=row.id,
        requirement=row.requirement,
        word=WORDS[result.verdict],
        said=result.said,
        findings=format_html_join("", '<p class="finding">{}</p>\n', ((each,) for each in result.findings)),
        url=row.page.url,
        title=row.page.title,
        looked_at=row.page.looked_at.isoformat(),
        asked=_asked(result),
    )


def _asked(result: RowResult) -> SafeString | str:
    if not result.exchanges:
        return ""
    return format_html(
        "<details><summary>{} asked</summary>{}</details>",
        len(result.exchanges),
        format_html_join(
            "\n",
            "<pre><b>{}</b>\n→ {}\n{}{}</pre>",
            (
                (
                    exchange.asked,
                    exchange.answered,
                    "".join(f"{name}: {value}\n" for name, value in exchange.headers.items()),
                    exchange.excerpt,
                )
                for exchange in result.exchanges
            ),
        ),
    )


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> SafeString:
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join(
            "\n", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
        ),
    )
