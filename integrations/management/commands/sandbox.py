"""`manage.py sandbox`: the vendors' simulator, for people who try the product without accounts of their own."""

import os
import sys
from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Starts the sandbox: the vendors, simulated, on one port."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--state", default=str(settings.FIELDCAMP_DATA / "sandbox.state"), help="the file that keeps its state"
        )

        parser.add_argument(
            "--push-http", action="store_true", help="receivers of pushes on this machine may do without https"
        )
        parser.add_argument(
            "--push-anywhere", action="store_true", help="receivers of pushes need not be on this machine"
        )

    def handle(self, *args, port: int, host: str, state: str, push_http: bool, push_anywhere: bool, **options):
        if find_spec("werkzeug") is None:
            raise CommandError("The sandbox's packages are missing: pip install -r requirements-sandbox.txt")
        # A program of its own, in this process's place: the simulator shares no code with what it stands in for.
        os.chdir(settings.BASE_DIR)
        command = [sys.executable, "-m", "fieldcamp.sandbox", "--host", host, "--port", str(port), "--state", state]
        command += ["--push-http"] * push_http + ["--push-anywhere"] * push_anywhere
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606
