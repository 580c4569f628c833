"""The code of pages, run as it stands.

`python pages.py PAGE COUNT FOLDER` runs one of COUNT blocks in a new FOLDER, on files of the names that it uses.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from program import forewarn

ROOT = Path(__file__).parents[3]


def prepare(folder: Path) -> None:
    """Files of the names that the pages use."""
    asked = ["--output", folder / "metrics.csv", "--truth", folder / "failures.csv"]
    forewarn("simulate", "--quiet", "--days", 20, "--seed", 3, *asked)
    asked = ["--output", folder / "last-week.csv", "--truth", folder / "last-failures.csv"]
    forewarn("simulate", "--quiet", "--days", 7, "--seed", 4, *asked)
    model = ["--models", "logistic_snapshot", "--save", folder / "model.safetensors"]
    forewarn("train", "--quiet", "--input", folder / "metrics.csv", *model)


def run(page: str, folder: Path) -> int:
    """Runs the Python of a page, one block after another in one program, and lines of the program `forewarn` that other
    pages' tests do not run; how many blocks there were."""
    text, names, count = (ROOT / page).read_text(encoding="utf-8"), {}, 0
    before = os.getcwd()
    os.chdir(folder)
    try:
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if language == "python":
                exec(compile(block, page, "exec"), names)  # noqa: S102
                count += 1
            elif language == "text":
                for line in block.splitlines():
                    if line.startswith("forewarn train"):
                        forewarn(*shlex.split(line)[1:], "--models", "logistic_snapshot")
                        count += 1
    finally:
        os.chdir(before)
    return count


if __name__ == "__main__":
    page, expected, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).resolve()
    folder.mkdir()
    prepare(folder)
    found = run(page, folder)
    if found != expected:
        sys.exit(f"{page}: has {found} blocks, expected {expected}")
