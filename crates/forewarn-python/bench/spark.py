"""Rows and peak memory of each executor while services grow eight times, and a machine that fails in the middle.

    python bench/spark.py [SERVICES] [DAYS]

Scores SERVICES, four times and eight times as many on a new cluster each, of three small workers on loopback, whose
heap is about as small as Spark takes it and is taken whole at the start. Prints seconds, rows by executor, and the
largest peak of memory of a Python process and of a JVM. Then it scores once more, ends a worker and its executor by
SIGKILL in the middle, and compares the rows. Fails where executors have unequal rows, their memory grows, or a row is
lost, changed or there twice.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import forewarn  # noqa: E402
import forewarn.spark  # noqa: E402
from cluster import HEAP_MIB, Cluster, peak_kib, until  # noqa: E402

RULE = "error_rate >= 0.05 for 2 steps"
TIMES = (1, 4, 8)
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


def measure(
    folder: Path, path: Path, services: int, minutes: int, model: forewarn.Model
) -> tuple[float, float, float]:
    """Scores a fleet on a new cluster: peaks of a Python worker and of a JVM in MiB, and the largest share of rows."""
    folder.mkdir()
    # About a service each: which executor takes how many depends on how quick each is.
    cluster = Cluster(folder, partitions=services)
    try:
        rows = cluster.spark.read.parquet(str(path))
        begun = time.monotonic()
        scored = forewarn.spark.score(rows, model)

        def where(table):
            import resource

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return pa.table({"executor": [Path(os.getcwd()).name], "rows": [table.num_rows], "peak": [peak]})

        found = scored.groupBy("service").applyInArrow(where, "executor string, rows long, peak long").toPandas()
        seconds = time.monotonic() - begun
        jvms = max(peak_kib(pid) for pid in cluster.executors().values()) / 1024
        python = found["peak"].max() / 1024
        shares = found.groupby("executor")["rows"].sum()
        unequal = shares.max() / shares.mean()
        print(
            f"{services} services, {services * minutes:,} rows: {seconds:.1f} s; rows by executor "
            f"{', '.join(f'{rows:,}' for rows in shares)}, the largest share {unequal:.2f} times the mean; peak memory "
            f"of a Python worker {python:.0f} MiB, of an executor's JVM {jvms:.0f} MiB with a heap of {HEAP_MIB} MiB",
            flush=True,
        )
        assert found["rows"].sum() == services * minutes and len(shares) == 3
        return python, jvms, unequal
    finally:
        cluster.stop()


def in_order(scored: Any) -> pa.Table:
    return scored.toArrow().sort_by([("service", "ascending"), ("timestamp", "ascending")]).combine_chunks()


def fail(folder: Path, path: Path, rows: int, model: forewarn.Model) -> None:
    """Scores a fleet twice, the second time with a worker that ends in the middle."""
    folder.mkdir()
    cluster = Cluster(folder, partitions=48)
    try:
        scored = forewarn.spark.score(cluster.spark.read.parquet(str(path)), model)
        whole = in_order(scored)
        found: list[pa.Table] = []
        job = threading.Thread(target=lambda: found.append(in_order(scored)))
        job.start()
        until("a third of the tasks", 600, lambda: cluster.done_tasks() > 16)
        done = cluster.done_tasks()
        cluster.kill_a_worker()
        assert job.is_alive(), "the job was over before the worker was ended"
        job.join()
        keys = found[0].group_by(["service", "timestamp"]).aggregate([]).num_rows
        assert found[0].equals(whole) and keys == found[0].num_rows == rows
        print(f"a worker and its executor ended by SIGKILL after {done} tasks: the same {rows:,} rows, none twice")
    finally:
        cluster.stop()


def main() -> None:
    services, days = (int(argument) for argument in (*sys.argv[1:], *["40", "7"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as made:
        folder, minutes = Path(made), days * 1440
        few = pa.concat_tables([service(number, minutes) for number in range(4)])
        model = forewarn.train(few, RULE, ["logistic_snapshot"]).model()
        peaks = []
        for times in TIMES:
            path = fleet(folder / f"fleet-{times}", services * times, minutes)
            peaks.append(measure(folder / f"cluster-{times}", path, services * times, minutes, model))
        (python, jvm, _), *more = peaks
        for python_of_more, jvm_of_more, unequal in more:
            # Of a few services a quick executor takes one or two more than its share.
            assert unequal < 1.25, f"executors have unequal rows: {peaks}"
            grows = python_of_more > 1.1 * python or jvm_of_more > 1.1 * jvm
            assert not grows, f"memory grows with services: {peaks}"
        fail(folder / "cluster-that-fails", path, services * TIMES[-1] * minutes, model)


if __name__ == "__main__":
    main()
