"""Rules, episodes, labels, verdicts."""

from __future__ import annotations

import pickle

import forewarn
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

MINUTE = 60_000
START = 1_704_067_200_000


def table(rates: list, service: str = "shop") -> dict:
    times = np.array([START + MINUTE * minute for minute in range(len(rates))], dtype="datetime64[ms]")
    return {"timestamp": times, "service": [service] * len(rates), "error_rate": np.array(rates, dtype=float)}


def test_a_rule_is_a_value() -> None:
    rule = forewarn.Rule.parse("error_rate >= 0.05 for 2 steps")
    assert rule == forewarn.Rule.v1() == forewarn.Rule.from_json(rule.to_json()) == pickle.loads(pickle.dumps(rule))
    assert hash(rule) == hash(forewarn.Rule.v1())
    assert str(rule) == "error_rate >= 0.05 for 2 consecutive steps"
    assert rule.metrics == ["error_rate"]
    toml = '[when]\nall = ["error_rate >= 0.05", "p99_latency > 300"]\n'
    assert forewarn.Rule.from_toml(toml).metrics == ["error_rate", "p99_latency"]
    with pytest.raises(forewarn.ForewarnError, match="error_rate"):
        forewarn.Rule.parse("error_rate is bad")


def test_labels_by_hand() -> None:
    #         0  1  2  3  4    5    6  7  8  9
    rates = [0, 0, 0, 0, 0.1, 0.1, 0, 0, 0, 0]
    window = forewarn.Window(observation=1, lead=0, period=2)
    found = forewarn.labels(table(rates), "error_rate >= 0.05 for 2 steps", window)
    words = {"positive": "+", "negative": "-", "ongoing": "o", "censored": "c", "missing": "m"}
    assert "".join(words[word] for word in found["label"].to_pylist()) == "--++oo-ccc"
    episodes = forewarn.episodes(table(rates), "error_rate >= 0.05 for 2 steps").to_pylist()
    minutes = [[(row[name].timestamp() * 1000 - START) / MINUTE for name in ("onset", "confirmed_at", "end")]
               for row in episodes]
    assert minutes == [[4, 5, 6]]
    assert found["timestamp"].type == pa.timestamp("ms", tz="UTC")


def test_unknown_is_not_negative() -> None:
    rates = [0, 0, 0, np.nan, 0.1, 0, 0, 0, 0]
    window = forewarn.Window(observation=1, lead=0, period=2)
    found = forewarn.labels(table(rates), "error_rate >= 0.05 for 2 steps", window)["label"].to_pylist()
    assert found == ["negative", *["missing"] * 4, "negative", *["censored"] * 3]
    verdicts = forewarn.verdicts(table(rates), "error_rate >= 0.05 for 2 steps")
    assert verdicts[verdicts.column_names[2]].to_pylist()[3:6] == [None, True, False]


def test_every_kind_of_table_gives_the_same(metrics: pa.Table) -> None:
    few = metrics.slice(0, 4 * 1440)
    expected = forewarn.labels(few, "error_rate >= 0.05 for 2 steps")
    frame = few.to_pandas()
    chunked = pa.concat_tables([few.slice(0, 1000), few.slice(1000)])
    encoded = few.set_column(few.column_names.index("service"), "service", few["service"].dictionary_encode())
    numpy = {name: frame[name].to_numpy() for name in frame}
    polars = pl.from_arrow(few)
    categorical = frame.assign(service=pd.Categorical(frame["service"]))
    for other in [chunked, encoded, frame, categorical, polars, numpy, few.to_reader()]:
        assert forewarn.labels(other, "error_rate >= 0.05 for 2 steps").equals(expected)


def test_errors_have_the_words_of_the_library() -> None:
    wrong = table([0.1, 7.0])
    with pytest.raises(forewarn.ForewarnError, match="the table, row 2, column \"error_rate\""):
        forewarn.check(wrong)
    with pytest.raises(forewarn.ForewarnError, match="no rows"):
        forewarn.check(table([]))
    with pytest.raises(forewarn.ForewarnError, match="timestamp"):
        forewarn.check({"x": [1.0]})
    with pytest.raises(forewarn.ForewarnError, match="type int"):
        forewarn.check(7)
    with pytest.raises(forewarn.ForewarnError, match="p99_latency"):
        forewarn.labels(table([0.1, 0.1]), "p99_latency > 5")
    with pytest.raises(forewarn.ForewarnError, match="15s"):
        forewarn.Reading(step="soon").to_json()
    with pytest.raises(forewarn.ForewarnError, match="shape"):
        forewarn.check(table([0.1]), forewarn.Reading(shape="round"))


def test_what_was_understood_is_told() -> None:
    found = forewarn.check(table([0.1, np.inf, 0.2]))
    assert found["format"] == "memory" and found["rows"] == 3 and found["missing_cells"] == 1
    assert [metric["name"] for metric in found["metrics"]] == ["error_rate"]
    naive = pd.DataFrame(table([0.1, 0.2]))
    assert any("no zone" in note for note in forewarn.check(naive)["notes"])
    berlin = forewarn.Reading(timezone="Europe/Berlin")
    assert forewarn.check(naive, berlin)["services"][0]["start"] == "2023-12-31T23:00:00Z"


def test_the_fingerprint_is_that_of_metrics_and_step() -> None:
    one, other = forewarn.fingerprint(table([0.1, 0.2])), forewarn.fingerprint(table([0.3, 0.4], "x"))
    assert one == other and len(one) == 16
    assert one != forewarn.fingerprint(table([0.1, 0.2]), forewarn.Reading(step="15s", rename={}))
    renamed = forewarn.Reading(rename={"error_rate": "errors"})
    assert one != forewarn.fingerprint(table([0.1, 0.2]), renamed)
