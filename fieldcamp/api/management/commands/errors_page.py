"""`manage.py errors_page`: writes docs/errors.md from the table of errors; `--check` only compares."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fieldcamp.api.errors_page import errors_page


class Command(BaseCommand):
    help = "Writes docs/errors.md from the table of errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "errors.md"
        text = errors_page()
        if options["check"]:
            if not path.exists() or path.read_text() != text:
                raise CommandError("docs/errors.md is not current. Run manage.py errors_page.")
        else:
            path.write_text(text)
