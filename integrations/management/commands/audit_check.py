"""`manage.py audit_check`: whether anybody has changed the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldcamp.workspace.audit_chain import check_all
from fieldcamp.workspace.models import AuditEntry


class Command(BaseCommand):
    help = (
        "Goes through each company's audit trail and names the first entry that was changed, put in, or is missing. "
        "Prints the newest digest of each; one that was noted earlier is held against the trail with --holds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--holds", metavar="DIGEST", action="append", default=[], help="has to be in the trail")

    def handle(self, *args: Any, holds: list[str], **options: Any) -> None:
        """Prints a line for each chain, and ends with 1 where one does not hold."""
        wrong = 0
        for report in check_all():
            name = f"{report.name} ({report.scope})" if report.scope else report.name
            waits = f", {report.waiting} of the newest are not sealed yet" if report.waiting else ""
            if report.holds:
                head = f", up to {report.head}" if report.head else ""
                self.stdout.write(f"{name}: {report.entries} entries hold{head}{waits}.")
                continue
            wrong += 1
            entry = report.broken
            which = f"entry {entry.pk} ({entry.at:%Y-%m-%d %H:%M:%S} UTC, {entry.action}): " if entry else ""
            self.stdout.write(self.style.ERROR(f"{name}: BROKEN after {report.entries} entries. {which}{report.why}"))
        for digest in holds:
            if not AuditEntry.objects.filter(digest=digest).exists():
                wrong += 1
                self.stdout.write(self.style.ERROR(f"No entry has the digest {digest}: the trail was written anew."))
        if wrong:
            raise CommandError("The audit trail does not hold.")
