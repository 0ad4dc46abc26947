"""What the benchmarks have in common: running their parts, and putting a table into docs/benchmarks.md."""

from collections.abc import Callable, Mapping
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
Row = tuple[str, str, str, bool]  # measure, bar ("-": none), result, whether the bar is met


def table(rows: list[Row]) -> str:
    lines = [
        f"| {name} | {bar} | {result} | {('yes' if met else '**no**') if bar != '-' else ''} |"
        for name, bar, result, met in rows
    ]
    return "\n".join(["| measure | bar | result | met |", "|---|---|---|---|", *lines])


def put(begin: str, end: str, text: str) -> None:
    """Puts the text between these two marks, or behind all others; the rest of the page stays as it is."""
    page = PAGE.read_text()
    before, mark, rest = page.partition(begin)
    if mark:
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
    else:
        PAGE.write_text(f"{page.rstrip()}\n\n{begin}\n{text}\n{end}\n")


def run(parts: Mapping[str, Callable[[], list[Row]]], wanted: list[str]) -> list[Row]:
    """Runs the parts that are wanted, or all, and says each result at once."""
    rows: list[Row] = []
    for name in wanted or parts:
        rows += (found := parts[name]())
        for measure, bar, result, met in found:
            print(f"{'ok ' if met else 'NO '} {measure}: {result} (bar {bar})", flush=True)
    return rows
