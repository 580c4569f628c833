"""Metrics of a simulated shop, and the program that the module is compared with."""

from __future__ import annotations

from pathlib import Path

import program
import pyarrow as pa
import pyarrow.csv
import pytest

RULE = "error_rate >= 0.05 for 2 steps"


def forewarn(*arguments: object) -> str:
    """Runs the program ``forewarn``; what it prints."""
    if not program.PROGRAM:
        pytest.skip("FOREWARN_PROGRAM names no program to compare with")
    return program.forewarn(*arguments)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty days of four services as CSV."""
    folder = tmp_path_factory.mktemp("shop")
    path = folder / "metrics.csv"
    forewarn("simulate", "--quiet", "--days", 20, "--output", path, "--truth", folder / "failures.csv")
    return path


@pytest.fixture(scope="session")
def metrics(shop: Path) -> pa.Table:
    """The same in memory."""
    return pyarrow.csv.read_csv(shop)
