"""Pages about notebooks."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest


def test_the_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.run("crates/forewarn-python/README.md", tmp_path) == 1
    assert capsys.readouterr().out == "2024-01-01 00:40:00+00:00\n5\n"


def test_the_package_s_own_examples_hold() -> None:
    import doctest

    import forewarn

    assert doctest.testmod(forewarn).failed == 0
