"""`manage.py create_api_key --workspace wsp_… --name "…"`: prints a new secret, once."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import Workspace


class Command(BaseCommand):
    help = "Creates an API key and prints its secret, which is shown only this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", required=True, help="the workspace's id, wsp_…")
        parser.add_argument("--name", required=True)
        parser.add_argument("--scope", action="append", choices=SCOPES, help="repeatable; without it: all of them")
        parser.add_argument("--rate-limit", type=int, metavar="N", help="calls a minute instead of 100")
        parser.add_argument("--expires-days", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(pk=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--expires-days must be from 1 to 36500.")
        try:
            _, secret = create_key(
                workspace=workspace,
                name=options["name"],
                scopes=options["scope"] or SCOPES,
                expires_at=timezone.now() + dt.timedelta(days=days) if days else None,
                rate_limit_override=options["rate_limit"],
                created_by="create_api_key",
            )
        except ValidationError as exc:
            raise CommandError(" ".join(exc.messages)) from None
        self.stdout.write(secret)
