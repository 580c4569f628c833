"""What alarm policies detect at the same rate of false alarms, from the predictions that `forewarn evaluate` writes.

    python benches/alarm_policies.py forewarn-report/predictions.csv [MODEL]

For each policy the threshold is the one that has exactly the asked rate in hindsight, in each half of the test span by
itself: what remains is how well the policy itself tells failures from false alarms. A failure is a run of positive
windows. Needs numpy.
"""

import csv
import sys

import numpy as np

# Refractory minutes, votes needed, of how many minutes, share of the newest log-odds in a running mean.
POLICIES = [
    (5, 1, 1, 1.0), (10, 1, 1, 1.0), (15, 1, 1, 1.0), (30, 1, 1, 1.0), (60, 1, 1, 1.0),
    (5, 2, 2, 1.0), (5, 2, 3, 1.0), (5, 1, 1, 0.5), (10, 1, 1, 0.5),
]
RATES = {"1 a week": 1.0, "1 a day": 7.0}
WEEK = 7 * 24 * 60


def read(path, model):
    """Minutes, labels and log-odds of each service, in order."""
    services = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if row["model"] == model:
                score = min(max(float(row["score"]), 1e-7), 1 - 1e-7)
                found = services.setdefault(row["service"], [])
                found.append((np.datetime64(row["timestamp"].rstrip("Z"), "m").astype(int), int(row["label"]), score))
    result = []
    for _, found in sorted(services.items()):
        time, label, score = np.array(sorted(found)).T
        result.append((time.astype(int), label.astype(bool), np.log(score / (1 - score))))
    return result


def smoothed(time, values, share):
    """A running mean that begins again after a gap of more than five minutes."""
    if share == 1.0:
        return values
    out, mean = np.empty_like(values), values[0]
    for at, value in enumerate(values):
        mean = value if at and time[at] - time[at - 1] > 5 else mean + share * (value - mean)
        out[at] = mean
    return out


def counted(services, threshold, policy):
    """False alarms, failures detected and failures."""
    refractory, needed, of, _ = policy
    false, detected, failures = 0, 0, 0
    for time, label, values in services:
        starts = label & ~np.concatenate([[False], label[:-1] & (np.diff(time) == 1)])
        failure = np.cumsum(starts)
        failures += int(failure[-1]) if len(failure) else 0
        hits = np.flatnonzero(values >= threshold)
        found, last = set(), -refractory - WEEK
        for index, at in enumerate(hits):
            votes = sum(time[at] - time[earlier] < of for earlier in hits[max(0, index - of + 1) : index + 1])
            if votes >= needed and time[at] - last >= refractory:
                last = time[at]
                if label[at]:
                    found.add(failure[at])
                else:
                    false += 1
        detected += len(found)
    return false, detected, failures


def recall_at(services, rate, policy):
    """Recall at the lowest threshold whose rate is no more than this one."""
    weeks = sum(len(time) for time, _, _ in services) / WEEK
    low, high = -10.0, 10.0
    for _ in range(18):
        middle = (low + high) / 2
        if counted(services, middle, policy)[0] > rate * weeks:
            low = middle
        else:
            high = middle
    _, detected, failures = counted(services, high, policy)
    return detected, failures


def main():
    path = sys.argv[1]
    services = read(path, sys.argv[2] if len(sys.argv) > 2 else "auto")
    middle = np.median(np.concatenate([time for time, _, _ in services]))
    print("| refractory | votes | running mean | " + " | ".join(RATES) + " |\n|---|---|---|" + "---|" * len(RATES))
    for policy in POLICIES:
        cells = []
        for rate in RATES.values():
            detected, failures = 0, 0
            for is_early in (True, False):
                half = []
                for time, label, values in services:
                    keep = (time < middle) == is_early
                    half.append((time[keep], label[keep], smoothed(time[keep], values[keep], policy[3])))
                found = recall_at(half, rate, policy)
                detected, failures = detected + found[0], failures + found[1]
            cells.append(f"{detected / failures:.3f}")
        refractory, needed, of, share = policy
        print(f"| {refractory} | {needed} of {of} | {share} | " + " | ".join(cells) + " |", flush=True)


main()
