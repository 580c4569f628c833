"""Rows and peak memory of each executor while services grow four times.

    python bench/spark.py [SERVICES] [DAYS]

Prints, for SERVICES and for four times as many: seconds, rows by executor, and the largest peak of memory of a Python
process and of a JVM. The figures are of a cluster of three small workers on loopback.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import forewarn  # noqa: E402
import forewarn.spark  # noqa: E402
from cluster import Cluster  # noqa: E402

RULE = "error_rate >= 0.05 for 2 steps"
METRICS = ["error_rate", "p99_latency", "cpu_usage", "memory_usage"]


def service(number: int, minutes: int) -> pa.Table:
    """Metrics of a service that fails for five minutes twice a day."""
    random = np.random.default_rng(number)
    times = np.datetime64("2024-01-01T00:00:00", "ms") + np.arange(minutes) * np.timedelta64(60_000, "ms")
    errors = np.where(np.arange(minutes) % 720 < 5, 0.2, random.random(minutes) * 0.03)
    cells = {"error_rate": errors, "p99_latency": 100 + 50 * random.random(minutes)}
    cells.update({name: random.random(minutes) for name in METRICS[2:]})
    return pa.table({"timestamp": times, "service": [f"service-{number:05}"] * minutes, **cells})


def fleet(path: Path, services: int, minutes: int) -> Path:
    """Files of ten services each."""
    path.mkdir()
    for first in range(0, services, 10):
        tables = [service(number, minutes) for number in range(first, min(first + 10, services))]
        file = path / f"{first:05}.parquet"
        pq.write_table(pa.concat_tables(tables), file, coerce_timestamps="us", compression="zstd")
    return path


def peak_kib(pid: int) -> int:
    """The peak of a process's memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def measure(folder: Path, path: Path, services: int, minutes: int, model: forewarn.Model) -> None:
    """Scores a fleet on a new cluster."""
    folder.mkdir()
    cluster = Cluster(folder, partitions=max(12, services // 4))
    try:
        rows = cluster.spark.read.parquet(str(path))
        begun = time.monotonic()
        scored = forewarn.spark.score(rows, model)

        def where(table):
            import resource

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return pa.table({"executor": [Path(os.getcwd()).name], "rows": [table.num_rows], "peak": [peak]})

        where = scored.groupBy("service").applyInArrow(where, "executor string, rows long, peak long")
        found = where.toPandas()
        seconds = time.monotonic() - begun
        jvms = max(peak_kib(pid) for pid in cluster.executors().values())
        shares = found.groupby("executor")["rows"].sum()
        print(
            f"{services} services, {services * minutes:,} rows: {seconds:.1f} s; rows by executor "
            f"{', '.join(f'{rows:,}' for rows in shares)}; peak memory of a Python worker "
            f"{found['peak'].max() / 1024:.0f} MiB, of an executor's JVM {jvms / 1024:.0f} MiB",
            flush=True,
        )
        assert found["rows"].sum() == services * minutes and len(shares) > 1
    finally:
        cluster.stop()


def main() -> None:
    services, days = (int(argument) for argument in (*sys.argv[1:], *["40", "7"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as made:
        folder, minutes = Path(made), days * 1440
        few = pa.concat_tables([service(number, minutes) for number in range(4)])
        model = forewarn.train(few, RULE, ["logistic_snapshot"]).model()
        for times in (1, 4):
            path = fleet(folder / f"fleet-{times}", services * times, minutes)
            measure(folder / f"cluster-{times}", path, services * times, minutes, model)


if __name__ == "__main__":
    main()
