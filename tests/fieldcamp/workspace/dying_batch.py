"""A process that sends a batch and kills itself amid item N: `python -m tests.fieldcamp.workspace.dying_batch N`."""

import os
import signal
import sys


def main(after: int) -> None:
    import django

    django.setup()
    from fieldcamp.workspace import services
    from fieldcamp.workspace.rest.batch import ClientBatchView
    from tests.conftest import api_client
    from tests.fieldcamp.workspace.test_batch import creates, send

    done = []

    def dying(**values):
        client = services.create_client(**values)
        done.append(client)
        if len(done) > after:  # it is written, and its transaction has not committed
            os.kill(os.getpid(), signal.SIGKILL)
        return client

    ClientBatchView.create = staticmethod(dying)
    caller = api_client(os.environ["BATCH_KEY"])
    caller.defaults["HTTP_HOST"] = "127.0.0.1"
    send(caller, creates(*"abcdefgh"), key="k")


if __name__ == "__main__":
    main(int(sys.argv[1]))
