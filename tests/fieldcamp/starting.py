"""Reads the settings in one environment after another, each in a process forked off this one, which has read Django and
no settings. Prints, as JSON, what each has failed with, "" where it has not. Run by `test_settings.py`.
"""

import importlib
import json
import os
import sys

import dj_database_url  # noqa: F401  (what the settings import: read once for all)

import fieldcamp.api.reference
import fieldcamp.desk.theme
import fieldcamp.logs
import fieldcamp.startup  # noqa: F401


def start(environment: dict[str, str]) -> str:
    """What the settings fail with in this environment."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reading)
        os.environ.update(environment)
        said = ""
        try:
            importlib.import_module("fieldcamp.settings")
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


if __name__ == "__main__":
    print(json.dumps([start(environment) for environment in json.loads(sys.argv[1])]))  # noqa: T201
