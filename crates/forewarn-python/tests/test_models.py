"""Experiments, models, scores and judgements, beside those of the program."""

from __future__ import annotations

import csv
import io
import json
import pickle
import threading
import time
from pathlib import Path

import forewarn
import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from conftest import RULE
from conftest import forewarn as program
from sklearn.metrics import average_precision_score

MODELS = ["logistic_snapshot", "static_threshold"]


def without_seconds(figures: object) -> object:
    """A report without what a clock or a file's name says."""
    if isinstance(figures, dict):
        left_out = {"input", "fit_seconds", "score_seconds", "training"}
        return {name: without_seconds(value) for name, value in figures.items() if name not in left_out}
    return [without_seconds(value) for value in figures] if isinstance(figures, list) else figures


@pytest.fixture(scope="session")
def evaluated(metrics: pa.Table) -> forewarn.Results:
    return forewarn.evaluate(metrics, RULE, MODELS)


@pytest.fixture(scope="session")
def saved(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the program finds on the same metrics."""
    folder = tmp_path_factory.mktemp("saved")
    asked = ["--models", ",".join(MODELS), "--output", folder, "--save", folder / "model.safetensors"]
    program("evaluate", "--quiet", "--input", shop, *asked)
    return folder


def test_an_experiment_gives_the_figures_of_the_program(
    evaluated: forewarn.Results, saved: Path, tmp_path: Path
) -> None:
    expected = json.loads((saved / "report.json").read_text())
    assert without_seconds(evaluated.report) == without_seconds(expected)
    assert expected["models"][0]["name"] == MODELS[0] and evaluated.chosen in MODELS
    evaluated.write(tmp_path)
    assert (tmp_path / "predictions.csv").read_bytes() == (saved / "predictions.csv").read_bytes()
    assert "no skill" in str(evaluated)


def test_pr_auc_is_that_of_scikit_learn(evaluated: forewarn.Results, tmp_path: Path) -> None:
    evaluated.write(tmp_path)
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    for model in evaluated.report["models"]:
        of = [row for row in rows if row["model"] == model["name"]]
        positive = [row["label"] == "1" for row in of]
        scores = [np.float32(row["score"]) for row in of]
        expected = average_precision_score(positive, scores)
        assert model["pr_auc"] == pytest.approx(expected, rel=1e-9)
        assert forewarn.average_precision(scores, positive) == pytest.approx(expected, rel=1e-9)


def test_a_model_serves_the_scores_of_the_program(
    evaluated: forewarn.Results, saved: Path, shop: Path, metrics: pa.Table, tmp_path: Path
) -> None:
    ours, theirs = evaluated.model(), forewarn.Model.read(saved / "model.safetensors")
    for model in [ours, theirs, pickle.loads(pickle.dumps(ours))]:
        assert model.fingerprint == forewarn.fingerprint(metrics) and model.window == forewarn.Window()
        assert str(model.rule) == "error_rate >= 0.05 for 2 consecutive steps" and model.step_millis == 60_000
    ours.save(tmp_path / "ours.safetensors")
    asked = ["--model", tmp_path / "ours.safetensors", "--input", shop, "--events", "scores"]
    replayed = csv.DictReader(io.StringIO(program("replay", "--quiet", *asked)))
    expected = {(row["service"], row["timestamp"]): np.float32(row["score"]) for row in replayed}
    scored = ours.score(metrics)
    assert scored.equals(theirs.score(metrics))
    rows = scored.to_pylist()
    told = {(row["service"], row["timestamp"].strftime("%Y-%m-%dT%H:%M:%SZ")): np.float32(row["probability"])
            for row in rows if row["probability"] is not None}
    assert told == expected and len(told) > 100_000
    untold = [row["cannot_tell"] for row in rows if row["probability"] is None]
    assert None not in untold and "too_few_rows" in untold


def test_a_table_that_a_model_cannot_read_is_refused(evaluated: forewarn.Results, metrics: pa.Table) -> None:
    model = evaluated.model()
    with pytest.raises(forewarn.ForewarnError, match="cpu_usage"):
        model.score(metrics.drop_columns(["cpu_usage"]))
    with pytest.raises(forewarn.ForewarnError, match="apart"):
        model.score(metrics, forewarn.Reading(step="5m", duplicates="last"))
    with pytest.raises(forewarn.ForewarnError):
        forewarn.Model.from_bytes(b"no model")


def test_training_keeps_no_test_span(metrics: pa.Table, shop: Path, tmp_path: Path) -> None:
    program("train", "--quiet", "--input", shop, "--models", "logistic_snapshot", "--save", tmp_path / "theirs")
    trained = forewarn.train(metrics, RULE, ["logistic_snapshot"], name="metrics.csv")
    assert trained.model().to_bytes() == (tmp_path / "theirs").read_bytes()
    assert trained.summary["models"][0]["name"] == trained.chosen == "logistic_snapshot"


def test_scores_are_judged_as_by_the_program(
    evaluated: forewarn.Results, metrics: pa.Table, shop: Path, tmp_path: Path
) -> None:
    scored = evaluated.model().score(metrics)
    told = scored.filter(pa.compute.is_valid(scored["probability"]))
    path = tmp_path / "scores.csv"
    with path.open("w") as file:
        file.write("service,timestamp,score\n")
        for row in told.to_pylist():
            file.write(f"{row['service']},{row['timestamp']:%Y-%m-%dT%H:%M:%SZ},{np.float32(row['probability'])!s}\n")
    program("judge", "--quiet", "--scores", path, "--metrics", shop, "--output", tmp_path)
    expected = json.loads((tmp_path / "report.json").read_text())
    report = forewarn.judge(scored, table=metrics, rule=RULE)
    compared = [without_seconds(found) for found in (dict(report), expected)]
    for figures in compared:
        figures.pop("notes")
    assert compared[0] == compared[1]
    assert any("cannot tell" in note for note in report["notes"])
    listed = forewarn.judge({"ours": scored}, episodes=forewarn.episodes(metrics, RULE))
    assert listed["models"][0]["name"] == "ours" and "PR-AUC" in str(listed)
    with pytest.raises(forewarn.ForewarnError, match="episodes"):
        forewarn.judge(scored)


def test_windows_are_what_models_are_fitted_on(metrics: pa.Table) -> None:
    few = metrics.slice(0, 8 * 1440)
    found, names = forewarn.windows(few, RULE)
    labels = forewarn.labels(few, RULE)["label"].to_pylist()
    features = forewarn.features(few)
    assert features.column_names[2:] == names
    positives = sum(found["positive"].to_pylist())
    assert positives == labels.count("positive") > 0
    shape = (found.num_rows, 10, len(names))
    cells = found["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(shape)
    first = (found["service"][0], found["timestamp"][0])
    row = next(row for row in range(features.num_rows)
               if (features["service"][row], features["timestamp"][row]) == first)
    last = [features[name][row].as_py() for name in names]
    expected = np.array([np.nan if value is None else value for value in last], dtype=np.float32)
    assert np.array_equal(cells[0, -1], expected, equal_nan=True)
    in_period = [steps for steps in found["steps_to_failure"].to_pylist() if steps is not None]
    assert len(in_period) == positives and set(in_period) <= set(range(1, 6))


def test_a_model_of_a_sample_gives_the_probabilities_of_all(metrics: pa.Table, tmp_path: Path) -> None:
    sample = forewarn.label_and_sample(metrics, RULE, keep_negatives=0.1)
    weights = sample.rows["forewarn_weight"].to_numpy()
    labels = sample.rows["forewarn_label"].to_numpy()
    assert set(weights[labels == 1]) == {1.0} and set(weights[labels == 0]) == {0.0, 10.0}
    assert sample.rows.num_rows == metrics.num_rows, "rows that are left out as windows are there for others"
    kept = int((weights == 10.0).sum())
    assert kept == sum(service["negatives_kept"] for service in sample.about["services"])
    sample.write(tmp_path / "sample")
    asked = ["--models", "logistic_snapshot", "--save", tmp_path / "model.safetensors"]
    printed = program("train", "--quiet", "--sample", tmp_path / "sample", *asked)
    assert "weighted by what each stands for" in printed
    of_sample = forewarn.Model.read(tmp_path / "model.safetensors").score(metrics)["probability"]
    of_all = forewarn.train(metrics, RULE, ["logistic_snapshot"]).model().score(metrics)["probability"]
    mean, expected = (pa.compute.mean(scores).as_py() for scores in (of_sample, of_all))
    # One over the root of the negatives that are kept is the deviation of such an intercept.
    assert mean == pytest.approx(expected, rel=4 / kept**0.5)


def test_other_threads_run_meanwhile(metrics: pa.Table) -> None:
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    other = threading.Thread(target=tick)
    other.start()
    model = forewarn.train(metrics, RULE, ["logistic_snapshot"]).model()
    before = ticks[0]
    model.score(metrics)
    after = ticks[0]
    done.set()
    other.join()
    assert after > before
