"""What the tests let a real worker run."""

import os
import time
from pathlib import Path

from integrations.queue import shutdown
from integrations.queue.lease import Lease


def until_stopped(file: str) -> None:
    """Writes its process's number, waits until it is asked to stop, and says so."""
    Path(file).write_text(str(os.getpid()))
    asked = shutdown.requested(timeout=60)
    Path(file).write_text("asked to stop" if asked else "not asked")


def hold_and_ignore(job_id: str, file: str) -> None:
    """Takes a job and hears nothing more."""
    assert Lease.claim(job_id)
    Path(file).write_text(str(os.getpid()))
    time.sleep(60)
