"""What NumPy and pandas take for the work of benches/windows.rs, on arrays of the same shape, and how many times longer that is.

    python benches/windows.py [--skip-rust]

needs numpy and pandas. It first times NumPy and pandas, then runs `cargo bench -p forewarn-benches` on the same machine, reads the figures
that criterion leaves under target/criterion, and prints both with their ratio. One million rows, ten metrics, windows of ten minutes,
a period of five.

What is compared: labels by cumulative sums; deltas and z-scores by whole-array arithmetic; a random batch by fancy indexing of a
`sliding_window_view` ("numpy view", the faster of the two: it copies whole rows of a strided view) and of the rows ("numpy rows", what one writes
without that view); and a pandas loop that slices one window after another.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pandas as pd

ROWS, METRICS, OBSERVATION, PERIOD, CONFIRM, BATCH = 1_000_000, 10, 10, 5, 2, 256
LIMIT = 0.05


def best(work, count, repeats=5):
    """Nanoseconds of one of `count` pieces of work, in the best of some runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times) / count * 1e9


def frames():
    values = np.random.default_rng(7).random((ROWS, METRICS), dtype=np.float32)
    values[:, 1] **= 30
    return values


def numpy_labels(values):
    """Onset labels with the cumulative sums that a careful NumPy user would write."""
    bad = values[:, 1] >= LIMIT
    edges = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False])).astype(np.int8)))
    onsets, ends = edges[::2], edges[1::2]
    long = ends - onsets >= CONFIRM
    starts = np.zeros(ROWS + 1, np.int32)
    starts[onsets[long] + 1] = 1
    total = np.cumsum(starts)
    last = np.arange(OBSERVATION - 1, ROWS - PERIOD - CONFIRM)
    failing = np.zeros(ROWS + 1, np.int32)
    np.add.at(failing, onsets[long], 1)
    np.add.at(failing, ends[long], -1)
    return (total[last + PERIOD + 1] > total[last + 1]), np.cumsum(failing)[last] == 0


def numpy_features(values):
    deltas = np.full((ROWS, METRICS - 1), np.nan, np.float32)
    np.subtract(values[1:, :-1], values[:-1, :-1], out=deltas[1:])
    return np.concatenate((values, deltas), axis=1)


def numpy_normalise(features, rows):
    mean = np.nanmean(features[:rows], axis=0, dtype=np.float64)
    deviation = np.nanstd(features[:rows], axis=0, dtype=np.float64)
    return ((features - mean) / deviation).astype(np.float32)


def pandas_loop(values, windows):
    """One labelled window after another, as first versions of such code are written."""
    frame = pd.DataFrame(values, columns=[f"m{i}" for i in range(METRICS)])
    found = []
    for last in range(OBSERVATION - 1, OBSERVATION - 1 + windows):
        window = frame.iloc[last - OBSERVATION + 1 : last + 1]
        future = frame["m1"].iloc[last + 1 : last + 1 + PERIOD]
        found.append((window.to_numpy(), bool((future >= LIMIT).any())))
    return found


def measure():
    values = frames()
    train = ROWS * 7 // 10
    features = numpy_features(values)
    normalised = numpy_normalise(features, train)
    view = np.lib.stride_tricks.sliding_window_view(normalised, OBSERVATION, axis=0).transpose(0, 2, 1)
    picks = np.random.default_rng(7).permutation(train)
    batches = [picks[i : i + BATCH] for i in range(0, len(picks) - BATCH, BATCH)][:500]

    def gather():
        for batch in batches:
            np.ascontiguousarray(view[batch])

    def gather_rows():
        for batch in batches:
            normalised[batch[:, None] + np.arange(OBSERVATION)]

    def data_set():
        numpy_labels(values)
        numpy_normalise(numpy_features(values), train)

    windows = 5_000
    loop = best(lambda: pandas_loop(values, windows), windows, 3)
    labels = best(lambda: numpy_labels(values), ROWS)
    one_pass = best(lambda: numpy_normalise(numpy_features(values), train), ROWS, 3)
    rows = [
        ("labels, ns a window", "windows/label", "numpy", labels),
        ("  in memory used before", "windows/label_again", "numpy", labels),
        ("deltas, ns a row", "windows/deltas", "numpy", best(lambda: numpy_features(values), ROWS)),
        (
            "deltas + z-score, ns a row",
            "windows/deltas_and_zscore",
            "numpy",
            one_pass,
        ),
        ("  in memory used before", "windows/deltas_and_zscore_again", "numpy", one_pass),
        ("data set, ns a window", "windows/data_set", "numpy", best(data_set, ROWS, 3)),
        ("data set, ns a window", "windows/data_set", "pandas loop", loop),
        ("  in memory used before", "windows/data_set_again", "pandas loop", loop),
        ("gather, ns a window", "batch/gather", "numpy view", best(gather, len(batches) * BATCH)),
        ("gather, ns a window", "batch/gather", "numpy rows", best(gather_rows, len(batches) * BATCH)),
    ]
    return rows


def criterion(target, name, count):
    """Nanoseconds of one piece of work by criterion's median."""
    group, bench = name.split("/")
    path = target / "criterion" / group / bench / "new" / "estimates.json"
    return json.loads(path.read_text())["median"]["point_estimate"] / count


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    rows = measure()
    if "--skip-rust" not in sys.argv:
        command = ["cargo", "bench", "-p", "forewarn-benches", "--bench", "windows", "--"]
        subprocess.run([*command, "--warm-up-time", "1", "--measurement-time", "3"], cwd=root, check=True)
    counts = {"batch/gather": BATCH}
    print(f"\n{'':28}{'forewarn':>10}{'against':>14}{'theirs':>12}{'times':>9}")
    for text, name, against, theirs in rows:
        ours = criterion(target, name, counts.get(name, ROWS))
        print(f"{text:28}{ours:10.1f}{against:>14}{theirs:12.1f}{theirs / ours:9.1f}")
    copy = criterion(target, "batch/memcpy_of_the_same_bytes", BATCH)
    gather = criterion(target, "batch/gather", BATCH)
    print(f"gather over a bare memcpy of the same bytes: {gather / copy:.2f}")
    for name in ("push_and_window", "push_features_and_window"):
        print(f"{name}: {criterion(target, 'batch/' + name, 1):.1f} ns a sample")
    for work in ("fit", "apply", "apply_again"):
        one, two = (criterion(target, f"fleet/{work}_{n}_threads", 1) for n in (1, 2))
        print(f"{work}, 16 services: two threads are {one / two:.2f} times one")


if __name__ == "__main__":
    main()
