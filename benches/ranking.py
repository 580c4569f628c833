"""What scikit-learn takes for the work of benches/ranking.rs, on scores of the same distribution, and how many times longer that is.

    python benches/ranking.py [--skip-rust]

needs scikit-learn. It first times scikit-learn, then runs `cargo bench -p forewarn-benches --bench ranking` on the same machine, reads the
figures that criterion leaves under target/criterion, and prints both with their ratio. Ten million scores, one in fifty positive.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from sklearn import metrics

WINDOWS, PREVALENCE = 10_000_000, 0.02


def best(work, repeats=3):
    """Seconds of the best of some runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def measure():
    random = np.random.default_rng(7)
    label = random.random(WINDOWS) < PREVALENCE
    score = np.minimum(random.random(WINDOWS, dtype=np.float32) * np.float32(0.7) + label * np.float32(0.3), 1)

    def everything():
        metrics.average_precision_score(label, score)
        metrics.roc_auc_score(label, score)
        metrics.roc_auc_score(label, score, max_fpr=0.01)
        precision, recall, _ = metrics.precision_recall_curve(label, score)
        metrics.auc(recall, precision)
        metrics.brier_score_loss(label, score)

    def best_f1():
        precision, recall, threshold = metrics.precision_recall_curve(label, score)
        with np.errstate(invalid="ignore"):
            f1 = 2 * precision * recall / (precision + recall)
        return threshold[np.nanargmax(f1[:-1])]

    return {
        "average_precision": best(lambda: metrics.average_precision_score(label, score)),
        "roc_auc": best(lambda: metrics.roc_auc_score(label, score)),
        "precision_recall_curve": best(lambda: metrics.precision_recall_curve(label, score)),
        "best_f1_threshold": best(best_f1),
        "brier": best(lambda: metrics.brier_score_loss(label, score)),
        "log_loss": best(lambda: metrics.log_loss(label, score)),
        "all_from_one_sort": best(everything, 1),
    }


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    theirs = measure()
    if "--skip-rust" not in sys.argv:
        command = ["cargo", "bench", "-p", "forewarn-benches", "--bench", "ranking", "--"]
        subprocess.run([*command, "--warm-up-time", "1", "--measurement-time", "5"], cwd=root, check=True)
    print(f"\n{'10,000,000 scores, seconds':28}{'forewarn':>10}{'scikit-learn':>14}{'times':>9}")
    for name, seconds in theirs.items():
        path = target / "criterion" / "ranking" / name / "new" / "estimates.json"
        ours = json.loads(path.read_text())["median"]["point_estimate"] * 1e-9
        print(f"{name:28}{ours:10.3f}{seconds:14.3f}{seconds / ours:9.1f}")


if __name__ == "__main__":
    main()
