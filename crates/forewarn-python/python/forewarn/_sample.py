"""Samples: rows that are labelled once, with what a training needs to know of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Union

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = "forewarn_part=rows"
ABOUT = "about"


class Sample:
    """Labelled rows of the services that are kept, and what is about all services.

    ``forewarn train --sample FOLDER`` fits on what :meth:`write` wrote.
    """

    def __init__(self, rows: pa.Table, about: str) -> None:
        self.rows = rows
        """``service``, ``timestamp``, every metric, ``forewarn_label`` (0 negative, 1 positive, 2 ongoing, 3 censored,
        4 missing), and ``forewarn_weight``: how many windows the one that ends in the row stands for, 0 for none."""
        self._about = about

    @property
    def about(self) -> dict[str, Any]:
        """Question, metrics with units, fingerprint, and counts of every service, kept or not."""
        return json.loads(self._about)

    def to_json(self) -> str:
        """:attr:`about` as text, byte for byte the same for the same rows."""
        return self._about

    def write(self, folder: Union[str, "os.PathLike[str]"]) -> None:
        """Writes rows as Parquet and what is about them as text into a new folder."""
        base = Path(folder)
        for part in (ROWS, ABOUT):
            (base / part).mkdir(parents=True)
        pq.write_table(self.rows, base / ROWS / "part-00000.parquet", compression="zstd")
        (base / ABOUT / "part-00000.txt").write_text(self._about + "\n", encoding="utf-8")
