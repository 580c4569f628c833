"""Boosted trees beside XGBoost and LightGBM: the same tables, one run, quality with intervals and time.

    python benches/baselines.py [--trees N] [--repeats N]    speed on 300,000 made-up windows of 190 columns
    python benches/baselines.py --metrics FILE               one service, failures by the error-rate rule, flattened windows
    python benches/baselines.py --servers FILE --failure NAME [--only raw|deviations]   many services: raw flattened windows, and per-service deviations with aggregates
    python benches/baselines.py --servers FILE --failure NAME --features                ours alone, on four kinds of columns: what each of them brings
    python benches/baselines.py --table FILE --outcome NAME --split NAME   a table without a clock

Needs numpy, pandas, pyarrow, scikit-learn, lightgbm and xgboost. Every choice is made on validation: early stopping by its log loss, and among
settings the one with its least; the test part is scored once by each model. Peers run with their usual settings and with the small trees and
sampled columns that ours have by default.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.metrics import accuracy_score, average_precision_score, log_loss, roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parent.parent
THREADS = int(os.environ.get("THREADS", os.cpu_count()))


def cpu():
    """CPU seconds of this process and of those that it waited for: what a busy machine does not change much."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def forewarn(parts, **settings):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, (x, y) in parts.items():
            np.ascontiguousarray(x, np.float32).tofile(folder / f"{name}.f32")
            np.ascontiguousarray(y, np.uint8).tofile(folder / f"{name}.u8")
        command = ["cargo", "bench", "-q", "-p", "forewarn-benches", "--bench", "baselines", "--", "--table", str(folder)]
        settings = {"threads": THREADS, **settings}
        command += [f"{name}={value}" for name, value in settings.items()]
        out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        found = json.loads(out.strip().splitlines()[-1])
        for name, part in (("scores", "test"), ("held_out", "validation")):
            found[name] = np.fromfile(folder / f"{part}.scores.f32", np.float32)
        return found


def with_lightgbm(parts, **settings):
    base = {"objective": "binary", "num_threads": THREADS, "verbosity": -1, "learning_rate": 0.1, "num_leaves": 31, "seed": 7}
    settings = {**base, **settings}
    rounds, patience = settings.pop("rounds", 2000), settings.pop("patience", 100)
    before, clock = cpu(), time.perf_counter()
    train = lightgbm.Dataset(*parts["train"])
    held_out = lightgbm.Dataset(*parts["validation"], reference=train)
    stop = [lightgbm.early_stopping(patience, verbose=False)] if patience else []
    model = lightgbm.train(settings, train, rounds, valid_sets=[held_out], callbacks=stop)
    used, seconds = cpu() - before, time.perf_counter() - clock
    best = model.best_iteration or rounds
    held_out, scores = (model.predict(parts[p][0], num_iteration=best) for p in ("validation", "test"))
    return {"cpu": used, "fit_seconds": seconds, "scores": scores, "held_out": held_out, "trees": best}


def with_xgboost(parts, **settings):
    base = {"objective": "binary:logistic", "tree_method": "hist", "nthread": THREADS, "eta": 0.1, "max_depth": 6, "seed": 7}
    settings = {**base, **settings}
    rounds, patience = settings.pop("rounds", 2000), settings.pop("patience", 100)
    before, clock = cpu(), time.perf_counter()
    train = xgboost.QuantileDMatrix(*parts["train"])
    held_out = xgboost.QuantileDMatrix(*parts["validation"], ref=train)
    stop = {"early_stopping_rounds": patience, "evals": [(held_out, "v")]} if patience else {}
    model = xgboost.train(settings, train, rounds, verbose_eval=False, **stop)
    used, seconds = cpu() - before, time.perf_counter() - clock
    best = getattr(model, "best_iteration", rounds - 1) + 1
    held_out, scores = (model.predict(xgboost.DMatrix(parts[p][0]), iteration_range=(0, best)) for p in ("validation", "test"))
    return {"cpu": used, "fit_seconds": seconds, "scores": scores, "held_out": held_out, "trees": best}


def resampled(figure, blocks, draws=500):
    """95 % of a figure of rows, over blocks drawn with replacement; draws in which it is not defined are left out."""
    rng, names = np.random.default_rng(7), np.unique(blocks)
    rows = {name: np.flatnonzero(blocks == name) for name in names}
    drawn = (figure(np.concatenate([rows[name] for name in rng.choice(names, len(names))])) for _ in range(draws))
    return np.percentile([value for value in drawn if value is not None], [2.5, 97.5])


def interval(y, scores, blocks, against=None):
    """95 % of the average precision; of the difference to another model's on the same rows, if there is one."""

    def figure(rows):
        if not 0 < y[rows].sum() < len(rows):
            return None
        value = average_precision_score(y[rows], scores[rows])
        return value - (average_precision_score(y[rows], against[rows]) if against is not None else 0)

    return resampled(figure, blocks)


def compare(title, parts, blocks=None, settings=(), peers=True):
    x, y = parts["test"]
    shape = parts["train"][0].shape
    print(f"\n{title}: {shape[0]} x {shape[1]} to fit on, {len(y)} to test on, {y.mean():.4f} positive")
    small = {"num_leaves": 4, "learning_rate": 0.05, "feature_fraction": 0.1, "bagging_fraction": 0.5, "bagging_freq": 1, "lambda_l2": 10}
    few = {"max_depth": 2, "eta": 0.05, "colsample_bytree": 0.1, "subsample": 0.5, "lambda": 10}
    models = {"forewarn": forewarn(parts, **dict(settings))}
    if peers:
        models["LightGBM, usual settings"] = with_lightgbm(parts)
        models["LightGBM, small trees"] = with_lightgbm(parts, **small)
        models["XGBoost, usual settings"] = with_xgboost(parts)
        models["XGBoost, small trees"] = with_xgboost(parts, **few)
    ours = models["forewarn"]["scores"]
    print(f"{'':26}{'PR-AUC':>8}{'95 % interval':>17}{'ours less theirs':>19}{'ROC-AUC':>9}{'log loss':>10}{'accuracy':>10}{'trees':>7}")
    for name, model in models.items():
        s = np.clip(model["scores"].astype(float), 1e-9, 1 - 1e-9)
        own = difference = ""
        if blocks is not None:
            low, high = interval(y, s, blocks)
            own = f"{low:.4f}..{high:.4f}"
            if name != "forewarn":
                low, high = interval(y, ours, blocks, against=s)
                difference = f"{low:+.4f}..{high:+.4f}"
        figures = (average_precision_score(y, s), roc_auc_score(y, s), log_loss(y, s), accuracy_score(y, s > 0.5))
        print(f"{name:26}{figures[0]:8.4f}{own:>17}{difference:>19}{figures[1]:9.4f}{figures[2]:10.5f}{figures[3]:10.4f}{model['trees']:7}", flush=True)
    return models


def warnings(y, model, failure):
    """Rows of the test part that alarm, by the threshold that 1 % of the validation scores exceed, and failures warned of by any of theirs."""
    threshold = np.quantile(model["held_out"], 0.99, method="higher")
    alarm = model["scores"] >= threshold
    return alarm, pd.Series(alarm[y]).groupby(failure[y]).any()


def event_recall(y, models, failure, blocks):
    """Share of failures with a warning, on a budget of alarms in 1 % of the validation windows; blocks are drawn with all failures in them."""
    warned = {name: warnings(y, model, failure) for name, model in models.items()}
    # A failure belongs to the block of its first positive window.
    block = pd.Series(blocks[y]).groupby(failure[y]).first().to_numpy()
    ours = warned["forewarn"][1].to_numpy(float)
    print(f"{'':26}{'warned of':>12}{'95 % interval':>17}{'ours less theirs':>19}{'alarms in the test part':>26}")
    for name, (alarm, found) in warned.items():
        found = found.to_numpy(float)
        low, high = resampled(lambda rows: found[rows].mean(), block)
        difference = ""
        if name != "forewarn":
            less = resampled(lambda rows: (ours - found)[rows].mean(), block)
            difference = f"{less[0]:+.2f}..{less[1]:+.2f}"
        print(f"{name:26}{int(found.sum()):5} of {len(found):3}{f'{low:.2f}..{high:.2f}':>17}{difference:>19}{alarm.mean():25.2%}", flush=True)


def flattened(values, rows=10):
    """Windows of `rows` rows ending in each row, newest first; the first rows have none."""
    out = [values[rows - 1 - k : len(values) - k] for k in range(rows)]
    return np.concatenate(out, axis=1)


def by_row(values):
    """The same, with a row of nothing for rows that no window ends in."""
    return np.vstack([np.full((9, 10 * values.shape[1]), np.nan, np.float32), flattened(values)])


def aggregates(values):
    """Last row, mean, deviation, range and changes of windows of ten rows."""
    frame = pd.DataFrame(values)
    rolling = frame.rolling(10)
    views = [frame, rolling.mean(), rolling.std(ddof=0), rolling.max() - rolling.min(), frame.diff(1), frame.diff(4), frame.diff(9)]
    return pd.concat(views, axis=1).to_numpy(np.float32)


def three(x, y, f, cuts, purge):
    """Parts by time, `purge` before each cut left out."""
    low, high = cuts
    masks = (f < low - purge), (f >= low) & (f < high - purge), f >= high
    return {name: (x[m], y[m]) for name, m in zip(("train", "validation", "test"), masks)}, masks


def one_service(path):
    data = pd.read_csv(path)
    metrics = [c for c in data.columns if c != "timestamp"]
    bad = data["error_rate"].to_numpy() >= 0.05
    failing = bad & np.r_[False, bad[:-1]]
    n = len(data)
    y = np.zeros(n, bool)
    for k in range(1, 6):
        y[:-k] |= failing[k:]
    values = data[metrics].to_numpy(np.float32)
    deltas = np.diff(values, axis=0, prepend=np.full((1, len(metrics)), np.nan, np.float32))
    keep = [i for i, name in enumerate(metrics) if name != "pod_restarts"]
    x = flattened(np.hstack([values, deltas[:, keep]]))
    # The last window whose five minutes are all there.
    rows = np.arange(9, n - 5)
    parts, masks = three(x[: len(rows)], y[rows], rows / n, (0.7, 0.85), 17 / n)
    compare("one service, flattened windows", parts, rows[masks[2]] // 1440)


def many_services(path, failure, only, features):
    data = pd.read_parquet(path)
    metrics = [c for c in data.columns if c not in ("service", "timestamp", failure)]
    time = pd.to_datetime(data["timestamp"])
    data["f"] = ((time - time.min()) / (time.max() - time.min())).to_numpy()
    purge = 17 / (32 * 1440)
    kinds = {"raw, flattened": [], "deviations and aggregates": []}
    if features:
        kinds = {"raw, flattened": [], "raw aggregates": [], "deviations, flattened": [], "deviations and aggregates": []}
    y, f, day, episode = [], [], [], []
    for number, (_, part) in enumerate(data.groupby("service", sort=True)):
        bad = part[failure].to_numpy(bool)
        onset = bad & ~np.r_[False, bad[:-1]]
        label = np.zeros(len(part), bool)
        for k in range(1, 6):
            label[:-k] |= onset[k:]
        keep = ~bad
        keep[:9], keep[-6:] = False, False
        raw = part[metrics].to_numpy(np.float32)
        train = part["f"].to_numpy() < 0.6 - purge
        mean, deviation = raw[train].mean(axis=0), raw[train].std(axis=0)
        z = np.clip((raw - mean) / np.where(deviation > 0, deviation, 1), -20, 20)
        for kind, columns in kinds.items():
            values = raw if kind.startswith("raw") else z
            columns.append((by_row(values) if "flattened" in kind else aggregates(values))[keep])
        y.append(label[keep])
        f.append(part["f"].to_numpy()[keep])
        day.append((part["f"].to_numpy()[keep] * 32).astype(int))
        # The failure that a positive window speaks of: the next to begin.
        following = np.cumsum(onset[::-1])[::-1]
        episode.append(number * len(data) + np.r_[following[1:], 0][keep])
    y, f, day, episode = map(np.concatenate, (y, f, day, episode))
    for kind, x in kinds.items():
        parts, masks = three(np.concatenate(x), y, f, (0.6, 0.8), purge)
        if only and only not in kind:
            continue
        models = compare(f"many services, {kind}", parts, day[masks[2]], peers=not features)
        event_recall(y[masks[2]], models, episode[masks[2]], day[masks[2]])


def table(path, outcome, split):
    data = pd.read_csv(path)
    columns = [c for c in data.columns if c not in (outcome, split)]
    x, y = data[columns].to_numpy(np.float32), data[outcome].to_numpy(bool)
    train = np.flatnonzero(data[split] == "train")
    held_out = np.arange(len(train)) % 5 == 0
    rows = {"train": train[~held_out], "validation": train[held_out], "test": np.flatnonzero(data[split] == "test")}
    compare("table", {name: (x[r], y[r]) for name, r in rows.items()}, settings={"rows": 0.5, "columns": 0.3})


def speed(trees, repeats):
    """The same number of trees of the same size, on all rows and columns, by CPU seconds and by the clock."""
    rng = np.random.default_rng(7)
    n, width = 300_000, 19
    level = np.cumsum(rng.normal(size=(n + 9, width)), axis=0) * 0.1
    values = (np.sin(level) + rng.normal(size=level.shape)).astype(np.float32)
    x = flattened(values)
    risk = 1.5 * x[:, 0] + np.maximum(x[:, 1] - x[:, 20], 0) + x[:, 2] * x[:, 3] - 5
    y = rng.random(n) < 1 / (1 + np.exp(-risk))
    cut = int(0.8 * n)
    whole = {"train": (x, y), "validation": (x[cut:], y[cut:]), "test": (x[cut:], y[cut:])}
    parts = {"train": (x[:cut], y[:cut]), "validation": (x[cut:], y[cut:]), "test": (x[cut:], y[cut:])}
    same = {"leaves": 31, "rate": 0.1, "trees": trees, "patience": trees, "rows": 1, "columns": 1, "l2": 1, "curvature": 1}
    print(f"{n} x {x.shape[1]}, {y.mean():.3f} positive, {trees} trees of 31 leaves, {THREADS} threads")
    rows = []
    for name, fit in (
        ("forewarn", lambda p: forewarn(p, **same)),
        ("LightGBM", lambda p: with_lightgbm(p, rounds=trees, patience=0, lambda_l2=1)),
        ("XGBoost hist", lambda p: with_xgboost(p, rounds=trees, patience=0, max_depth=0, max_leaves=31, grow_policy="lossguide")),
    ):
        loss = log_loss(parts["test"][1], np.clip(fit(parts)["scores"].astype(float), 1e-9, 1 - 1e-9))
        best = None
        for _ in range(repeats):
            before = cpu()
            model = fit(whole)
            # Ours is a process of its own, whose CPU seconds can only be had with all that it does besides.
            timed = model["fit_seconds"], model.get("cpu", cpu() - before)
            best = min(best or timed, timed)
        rows.append((name, *best, loss))
        print(f"{name:14} fit {best[0]:7.2f} s by the clock, {best[1]:7.2f} s of CPU, log loss on the last fifth {loss:.5f}", flush=True)
    print(f"forewarn takes {rows[0][1] / rows[2][1]:.2f} times the time of XGBoost hist, {rows[0][1] / rows[1][1]:.2f} times that of LightGBM")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("metrics", "servers", "failure", "only", "table", "outcome", "split"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--features", action="store_true")
    options = parser.parse_args()
    if options.metrics:
        one_service(options.metrics)
    elif options.servers:
        many_services(options.servers, options.failure, options.only, options.features)
    elif options.table:
        table(options.table, options.outcome, options.split)
    else:
        speed(options.trees, options.repeats)


if __name__ == "__main__":
    main()
