"""Prints as many free ports as asked for: below 32768, since higher ones may be taken by a client's socket."""

import random
import socket
import sys

found: list[socket.socket] = []
while len(found) < int(sys.argv[1]):
    probe = socket.socket()
    try:
        probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
    except OSError:
        continue
    found.append(probe)
print(*(probe.getsockname()[1] for probe in found))
