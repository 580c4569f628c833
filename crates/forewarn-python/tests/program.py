"""The program that the module is compared with, and that pages use beside it."""

from __future__ import annotations

import os
import subprocess

PROGRAM = os.environ.get("FOREWARN_PROGRAM", "")


def forewarn(*arguments: object) -> str:
    """Runs the program ``forewarn``, which the environment names; what it prints."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout
