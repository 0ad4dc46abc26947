"""How a worker's processes learn that they are to stop, also when nobody is left to tell them.

The supervisor (`manage.py worker`) holds the only writing end of a pipe; all processes of its django-q2 cluster inherit
the reading end. The pipe closes when the supervisor says stop and, by itself, when it dies: either way every process
sees it. (Signals would not do: on SIGTERM django-q2's cluster drains, but nothing reaches the processes that run
tasks, and a SIGTERM to the group kills them in the middle of a write.)

A running job asks `requested()` between provider calls and hands itself back. What has not ended `GRACE` seconds later
ends here.
"""

import os
import select
import signal
import threading
import time

GRACE = 8.0
PIPE_VARIABLE = "FIELDCAMP_WORKER_PIPE"
NAME_VARIABLE = "FIELDCAMP_WORKER_NAME"


def _pipe() -> int | None:
    value = os.environ.get(PIPE_VARIABLE, "")
    return int(value) if value else None


def cluster_name() -> str:
    """Returns what the leases of this cluster's processes start with ("" outside a worker), so that its supervisor can
    free them at once after it had to kill them."""
    return os.environ.get(NAME_VARIABLE, "")


def requested(timeout: float | None = 0) -> bool:
    """Returns whether this process is to stop. Waits up to `timeout` seconds for it (None: for ever)."""
    pipe = _pipe()
    if pipe is None:
        return False
    return bool(select.select([pipe], [], [], timeout)[0])


def watch() -> None:
    """Makes this process, and every process that it forks, end when the pipe closes.

    The process that calls this is asked by SIGTERM, which makes a django-q2 cluster finish what it has begun.
    """
    os.register_at_fork(after_in_child=_start_watching)
    _start_watching(ask=True)


def _start_watching(ask: bool = False) -> None:
    threading.Thread(target=_end_with_pipe, args=(ask,), name="end-with-supervisor", daemon=True).start()


def _end_with_pipe(ask: bool) -> None:
    requested(timeout=None)
    if ask:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
