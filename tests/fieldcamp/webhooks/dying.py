"""A process that sends webhooks and kills itself at one step: `python -m tests.fieldcamp.webhooks.dying STEP`."""

import os
import signal
import sys
from typing import Any


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(function: Any) -> Any:
    def then_dies(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        die()

    return then_dies


def main(step: str) -> None:
    import django

    django.setup()
    from django.db import transaction

    from fieldcamp.webhooks import claiming, fan_out, outcomes, sending
    from fieldcamp.webhooks.sender import Sender
    from fieldcamp.workspace.models import Client, Workspace

    workspace = Workspace.objects.get()
    if step == "before the commit":
        with transaction.atomic():
            Client.objects.create(workspace=workspace, first_name="Never")
            die()
    elif step == "after the commit":
        Client.objects.create(workspace=workspace, first_name="Late")
        die()
    elif step == "while handing out":
        fan_out._save_final = dying_after(fan_out._save_final)
    elif step == "handed out":
        claiming.claim = die
    elif step == "claimed":
        sending.deliver = die
    elif step == "about to send":
        sending.post = die
    elif step == "sent":
        sending.post = dying_after(sending.post)
    elif step == "while writing":
        outcomes.keep_attempt = dying_after(outcomes.keep_attempt)
    elif step == "written":
        outcomes.record = dying_after(outcomes.record)
    Sender(threads=2).run()


if __name__ == "__main__":
    main(sys.argv[1])
