"""`manage.py review VENDOR`: asks what a vendor's reviewers ask, and writes the evidence. See docs/reviews.md."""

import datetime as dt
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.review.company import make_review_company
from integrations.review.evidence import counts, write_evidence
from integrations.review.own import certificate_files, environment, free_port, own_product
from integrations.review.probe import Probe
from integrations.review.running import RowResult, examine, failed
from integrations.review.site import site_results
from integrations.review.table import ReviewTable, RowVerdict
from integrations.review.vendors import TABLES


class Command(BaseCommand):
    help = (
        "Starts a product of its own with the simulated vendors, asks it each row of the vendor's review, and writes "
        "index.html and results.json. Nothing leaves this machine, unless --url names the running site, of which the "
        "rows about its server are asked besides. Ends with 1 where a row is not met."
    )
    requires_system_checks = ()  # the product that is asked has its own settings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("vendor", choices=sorted(TABLES))
        parser.add_argument("--out", metavar="FOLDER", default="", help="where the evidence goes (var/reviews/VENDOR)")
        parser.add_argument("--only", metavar="ID", action="append", default=[], help="a row; may be repeated")
        parser.add_argument("--url", default="", help="the running site, whose server is asked too")
        parser.add_argument("--here", action="store_true", help="in the environment of the trial; set by itself")

    def handle(self, *args: Any, vendor: str, out: str, only: list[str], url: str, here: bool, **options: Any) -> None:
        """Runs itself again in an environment of its own, or, there, asks."""
        table = TABLES[vendor]
        if unknown := set(only) - {row.id for row in table}:
            raise CommandError(f"{table.vendor} has no row {', '.join(sorted(unknown))}.")
        if url and not url.startswith(("https://", "http://")):
            raise CommandError(f"--url is {url}: write an address that starts with https://.")
        folder = Path(out or settings.FIELDCAMP_DATA / "reviews" / vendor).resolve()
        if not here:
            sys.exit(self._apart([vendor, "--out", str(folder), *(f"--only={row}" for row in only), f"--url={url}"]))
        logging.getLogger().setLevel(logging.WARNING)  # what is printed here is read; the processes' own logs are asked
        results = self._ask(table, only, url.rstrip("/"))
        at = dt.datetime.now(dt.UTC)
        data_page = (settings.BASE_DIR / "docs/data.md").read_text()
        asked = f"a product of its own{f', and the server of {url}' if url else ''}"
        write_evidence(folder, table, results, data_page, at, asked)
        sums = ", ".join(f"{count} {verdict}" for verdict, count in counts(results).items())
        self.stdout.write(f"\n{sums}. The evidence is in {folder}.")
        if wrong := failed(results):
            raise CommandError(f"Not met: {', '.join(result.row.id for result in wrong)}.")

    def _apart(self, arguments: list[str]) -> int:
        with tempfile.TemporaryDirectory(prefix="fieldcamp-review.") as folder:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "review", "--here", *arguments]
            env = environment(os.environ, Path(folder), free_port(), free_port()) | certificate_files(Path(folder))
            self.stdout.flush()
            return subprocess.run(command, env=env, cwd=settings.BASE_DIR, check=False).returncode  # noqa: S603

    def _ask(self, table: ReviewTable, only: list[str], url: str) -> list[RowResult]:
        today = dt.datetime.now(dt.UTC).date()
        self.stdout.write("Starting a product and the simulated vendors …")
        with own_product() as place:
            probe = Probe(place, make_review_company())
            results = examine(table, probe, today, only, self._tell)
        return [*results, *(site_results(url, today, self._tell) if url else [])]

    def _tell(self, result: RowResult) -> None:
        style = {RowVerdict.PASS: self.style.SUCCESS, RowVerdict.FAIL: self.style.ERROR}.get(result.verdict, str)
        self.stdout.write(f"{style(f'{result.verdict:14}')} {result.row.id:10} {result.said[:180]}")
        for finding in result.findings:
            self.stdout.write(f"{'':14} {self.style.WARNING(finding)}")
        self.stdout.flush()
