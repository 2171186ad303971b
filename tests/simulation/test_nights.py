"""A few nights of `python -m tests.simulation`; `make check-deep` lives a thousand."""

import subprocess
import sys

import pytest


@pytest.mark.usefixtures("postgres_server")  # says why where there is none
def test_bad_nights_end_with_the_truth() -> None:
    """Seeds 4 to 10, the last of them on PostgreSQL."""
    command = [sys.executable, "-m", "tests.simulation", "--first", "4", "--nights", "21", "--processes", "1"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "21 shop-nights" in done.stdout
