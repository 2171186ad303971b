"""A few nights of `python -m tests.simulation`; `make check-deep` lives a thousand."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.usefixtures("postgres_server")  # says why where there is none
def test_bad_nights_end_with_the_truth_and_a_seed_is_the_same_night_again(tmp_path: Path) -> None:
    """Seeds 8 to 10, the last of them on PostgreSQL; the first again, alone, step by step the same."""
    once, again = tmp_path / "once", tmp_path / "again"

    done = lived("--first", "8", "--nights", "9", "--processes", "1", "--journals", str(once))
    lived("--first", "8", "--nights", "3", "--processes", "1", "--journals", str(again))

    assert "9 shop-nights" in done
    journals = {path.name: path.read_text(encoding="utf-8").splitlines() for path in once.iterdir()}
    assert sorted(journals) == sorted(f"{seed}.txt" for seed in range(8, 11))
    assert len(journals["8.txt"]) > 100
    assert (again / "8.txt").read_text(encoding="utf-8").splitlines() == journals["8.txt"]
    assert journals["8.txt"] != journals["9.txt"]


def lived(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
