"""Measures cases with scikit-learn: reads JSON from standard input, writes JSON to standard output."""

import json
import sys

import numpy as np
from sklearn import metrics


def measure(case):
    # Scores are 32-bit numbers; as 64-bit ones nothing is rounded again.
    score = np.asarray(case["scores"], dtype=np.float32).astype(np.float64)
    label = np.asarray(case["positive"], dtype=int)
    weight = np.asarray(case["weights"], dtype=np.float64)
    called = (score >= np.float64(np.float32(case["threshold"]))).astype(int)
    precision, recall, _ = metrics.precision_recall_curve(label, score, sample_weight=weight)
    weighted = {"sample_weight": weight}
    return {
        "average_precision": metrics.average_precision_score(label, score, **weighted),
        "trapezoidal_pr_auc": metrics.auc(recall, precision),
        "roc_auc": metrics.roc_auc_score(label, score, **weighted),
        "partial_roc_auc": metrics.roc_auc_score(label, score, max_fpr=case["max_fpr"], **weighted),
        "precision": metrics.precision_score(label, called, zero_division=0, **weighted),
        "recall": metrics.recall_score(label, called, zero_division=0, **weighted),
        "f1": metrics.f1_score(label, called, zero_division=0, **weighted),
        "f2": metrics.fbeta_score(label, called, beta=2, zero_division=0, **weighted),
        "mcc": metrics.matthews_corrcoef(label, called, **weighted),
        "brier": metrics.brier_score_loss(label, score, **weighted),
        "log_loss": metrics.log_loss(label, score, **weighted),
    }


json.dump([measure(case) for case in json.load(sys.stdin)], sys.stdout)
