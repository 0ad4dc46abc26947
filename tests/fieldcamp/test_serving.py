"""What gunicorn is told by the file in the folder that it is started in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


@pytest.mark.slow
@pytest.mark.once
def test_no_socket_lies_in_the_home_of_who_serves(tmp_path):
    """gunicorn 25.1 and later open one there, of one name for all servers of the user."""
    environ = os.environ | {"HOME": str(tmp_path), "FIELDCAMP_DATA": str(tmp_path / "data")}
    shown = subprocess.run(
        [sys.executable, "-m", "gunicorn", "fieldcamp.wsgi", "--print-config"],
        env=environ,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    told = {name.strip(): value.strip() for name, value in options.items()}
    assert told["control_socket_disable"] == "True"
    assert Path(told["config"]).name == "gunicorn.conf.py"
