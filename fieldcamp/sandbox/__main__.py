"""python -m fieldcamp.sandbox --port 8001 --state FILE [--tls] [--seed demo|messy|empty] [--push-http]"""

import argparse
import os

from fieldcamp.sandbox.control import SEEDS
from fieldcamp.sandbox.server import serve

parser = argparse.ArgumentParser(prog="python -m fieldcamp.sandbox", description="The vendors, simulated on one port.")
parser.add_argument("--port", type=int, default=8001)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--state", metavar="FILE", help="where everything is kept; without it all is forgotten at the end")
parser.add_argument("--tls", action="store_true", help="https with a self-signed certificate")
parser.add_argument("--seed", choices=SEEDS, default="demo", help="what a new state begins with")
parser.add_argument("--push-http", action="store_true", help="receivers of pushes on this machine may do without https")
parser.add_argument("--push-anywhere", action="store_true", help="receivers of pushes need not be on this machine")
arguments = parser.parse_args()
os.umask(0o077)  # whatever is made is its owner's alone
serve(
    arguments.port,
    arguments.state,
    arguments.tls,
    arguments.host,
    arguments.seed,
    arguments.push_anywhere,
    arguments.push_http,
)
