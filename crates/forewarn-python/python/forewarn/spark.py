"""forewarn on Spark: each service's rows go to one executor and through the same code as on one machine.

Results are those of one process, byte for byte: services share nothing, and what is counted over all of them is joined
in the order of their names.

No function here is annotated in part: ``applyInArrow`` of pyspark 4 fails on functions of which only some parameters
have types.
"""

from __future__ import annotations

import json
from typing import Any, Union

import pyarrow as pa
import pyarrow.compute as pc

import forewarn
from forewarn import _forewarn
from forewarn._reading import Reading, Window
from forewarn._sample import ABOUT, ROWS

__all__ = ["SparkSample", "evaluate", "label_and_sample", "score"]

_MINUTES = Reading(step="1m")
_WINDOW = Window()
_PART = "forewarn_part"
_ABOUT_COLUMN = "forewarn_about"
_LABEL = "forewarn_label"
_WEIGHT = "forewarn_weight"
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "boolean", "decimal")


def _checked(reading: Reading) -> None:
    """Refuses what each service would find out for itself, and perhaps otherwise than another."""
    if reading.step is None:
        raise forewarn.ForewarnError("on Spark, rows of one service do not show the step of all: give reading.step")
    if reading.shape not in ("auto", "records"):
        raise forewarn.ForewarnError(
            f"on Spark, tables of shape {reading.shape!r} cannot be read: a row must be a service at a time"
        )


def _service_column(df: Any, reading: Reading) -> str:
    """The column by which rows are brought together."""
    if len(reading.service) == 1:
        return reading.service[0]
    if reading.service:
        raise forewarn.ForewarnError("on Spark, a service has one column: join several before")
    if "service" in df.columns:
        return "service"
    raise forewarn.ForewarnError(
        f"the table has no column \"service\": the columns are {', '.join(df.columns)}; name it by reading.service"
    )


def _time_column(df: Any, reading: Reading) -> str:
    if len(reading.time) == 1:
        return reading.time[0]
    if "timestamp" in df.columns:
        return "timestamp"
    raise forewarn.ForewarnError("on Spark, the column of times has to be called timestamp, or named by reading.time")


def _metrics(df: Any, reading: Reading) -> list[str]:
    """The metrics of a table of Spark, by the names and types of its columns."""
    known = {*reading.time, *reading.service, _service_column(df, reading), _time_column(df, reading)}
    found = []
    for name, kind in df.dtypes:
        if name in known or name in reading.drop or not kind.startswith(_NUMBERS):
            continue
        renamed = reading.rename.get(name, name)
        if reading.columns and renamed not in reading.columns:
            continue
        is_said = renamed in reading.counters or any(metric.get("name") == renamed for metric in reading.metrics)
        if renamed.endswith("_total") and not is_said:
            raise forewarn.ForewarnError(
                f"{renamed}: by its name this is a counter, but rows of one service may not show it: name it in "
                "reading.counters, or define it in reading.metrics"
            )
        found.append(renamed)
    return found


def _read_alike(df: Any, reading: Reading) -> Reading:
    """A reading that takes the same columns of every service."""
    _checked(reading)
    return Reading(
        time=[_time_column(df, reading)],
        service=[_service_column(df, reading)],
        columns=[*_metrics(df, reading), *([reading.failure_column] if reading.failure_column else [])],
        rename=reading.rename,
        units=reading.units,
        counters=reading.counters,
        metrics=reading.metrics,
        failure_column=reading.failure_column,
        failure_value=reading.failure_value,
        step=reading.step,
        timezone=reading.timezone,
        shape="records",
        duplicates=reading.duplicates,
    )


def score(df: Any, model: forewarn.Model, reading: Reading = _MINUTES) -> Any:
    """The probability after each row, as :meth:`forewarn.Model.score` gives it: a DataFrame with ``service``,
    ``timestamp``, ``probability`` and ``cannot_tell``.

    :raises forewarn.ForewarnError: for a model with columns of a service graph, which needs all services at once.
    """
    if model.reads_other_services:
        raise forewarn.ForewarnError(
            "this model sees the services that a service calls, and Spark brings the rows of one service together: "
            "score it by forewarn.Model.score, or fit a model without a service graph"
        )
    alike, file = _read_alike(df, reading).to_json(), model.to_bytes()

    time = _time_column(df, reading)

    def scores(table):
        served = _served(file)
        return pa.table(served._native.score(table.sort_by(time), alike))

    schema = "service string, timestamp timestamp, probability float, cannot_tell string"
    return df.groupBy(_service_column(df, reading)).applyInArrow(_in_utc(scores), schema)


_SERVED: dict[bytes, forewarn.Model] = {}


def _served(file: bytes) -> forewarn.Model:
    """A model, read once in each process."""
    if file not in _SERVED:
        _SERVED.clear()
        _SERVED[file] = forewarn.Model.from_bytes(file)
    return _SERVED[file]


def _in_utc(function: Any) -> Any:
    """A function on tables whose times have, going out, the unit that Spark has."""

    def call(table):
        return _for_spark(function(table))

    return call


def _for_spark(table: pa.Table) -> pa.Table:
    fields = [
        pa.field(field.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


class SparkSample:
    """A sample that is still on the cluster; :meth:`write` computes and keeps it."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def write(self, folder: str) -> "WrittenSample":
        """Writes the sample where all executors can write, in one pass: a new folder for
        ``forewarn train --sample FOLDER``."""
        self._parts.write.partitionBy(_PART).option("compression", "zstd").parquet(folder)
        spark = self._parts.sparkSession
        found = spark.read.parquet(f"{folder}/{_PART}=about").select(_ABOUT_COLUMN).collect()
        about = _forewarn.join_samples([row[0] for row in found])
        spark.createDataFrame([(about,)], "value string").coalesce(1).write.text(f"{folder}/{ABOUT}")
        return WrittenSample(spark, folder, about)


class WrittenSample:
    """A sample in a folder."""

    def __init__(self, spark: Any, folder: str, about: str) -> None:
        self._spark, self._folder, self._about = spark, folder, about

    @property
    def about(self) -> dict[str, Any]:
        """What is about it; see :attr:`forewarn.Sample.about`."""
        return json.loads(self._about)

    def to_json(self) -> str:
        """:attr:`about` as text, byte for byte that of one process."""
        return self._about

    @property
    def rows(self) -> Any:
        """Its rows, as a DataFrame."""
        return self._spark.read.parquet(f"{self._folder}/{ROWS}").drop(_ABOUT_COLUMN)


def label_and_sample(
    df: Any,
    rule: Union[forewarn.Rule, str],
    window: Window = _WINDOW,
    target: str = "onset",
    keep_quiet: float = 1.0,
    keep_negatives: float = 1.0,
    seed: int = 7,
    reading: Reading = _MINUTES,
) -> SparkSample:
    """Labels every service and keeps the rows of some, with weights; see :func:`forewarn.label_and_sample`."""
    found = forewarn.Rule.parse(rule) if isinstance(rule, str) else rule
    alike = _read_alike(df, reading)
    text, rule_text, steps = alike.to_json(), found.to_json(), window.steps()
    choice = (keep_quiet, keep_negatives, seed)
    metrics, time = list(alike.columns), _time_column(df, reading)

    def sample(table):
        asked = (forewarn.Rule.from_json(rule_text), steps, target, choice)
        native, about = _forewarn.label_and_sample(table.sort_by(time), text, *asked)
        rows = _for_spark(pa.table(native))
        service = json.loads(about)["services"][0]["service"]
        schema = pa.schema([*rows.schema, (_ABOUT_COLUMN, pa.string()), (_PART, pa.string())])
        part = pa.Table.from_pylist([{"service": service, _ABOUT_COLUMN: about, _PART: "about"}], schema=schema)
        count = rows.num_rows
        rows = rows.append_column(_ABOUT_COLUMN, pa.nulls(count, pa.string()))
        rows = rows.append_column(_PART, pa.array(["rows"] * count, pa.string()))
        return pa.concat_tables([part, rows])

    columns = ", ".join(f"`{name}` float" for name in metrics)
    schema = f"service string, timestamp timestamp, {columns}, {_LABEL} tinyint, {_WEIGHT} float"
    schema += f", {_ABOUT_COLUMN} string, {_PART} string"
    return SparkSample(df.groupBy(_service_column(df, reading)).applyInArrow(sample, schema))


def evaluate(
    df: Any,
    model: forewarn.Model,
    rule: Union[forewarn.Rule, str, None] = None,
    validation: float = 0.5,
    reading: Reading = _MINUTES,
    name: str = "scores",
) -> forewarn.Report:
    """Scores every row by a model and judges the scores by a rule, the model's own unless given.

    The executors score, label and find failures; the driver judges, and holds for it the score and the label of every
    row. :func:`forewarn.judge` of the same rows gives the same report.
    """
    asked = model.rule if rule is None else forewarn.Rule.parse(rule) if isinstance(rule, str) else rule
    if asked is None:
        raise forewarn.ForewarnError("the model file has no failure rule: give one")
    alike = _read_alike(df, reading)
    text, rule_text, file, steps = alike.to_json(), asked.to_json(), model.to_bytes(), model.window.steps()

    time = _time_column(df, reading)

    def judged(table):
        # Rows come as the shuffle brings them.
        table = table.sort_by(time)
        served, known = _served(file), forewarn.Rule.from_json(rule_text)
        scored = pa.table(served._native.score(table, text))
        labels = pa.table(_forewarn.labels(table, text, known, steps, "onset"))
        episodes = pa.table(_forewarn.episodes(table, text, known))
        return _for_spark(_together(scored, labels, episodes))

    schema = ", ".join(f"{column} {kind}" for column, kind in _JUDGED.items())
    found = df.groupBy(_service_column(df, reading)).applyInArrow(judged, schema).toArrow()
    kinds = [pc.is_valid(found["label"]), pc.is_valid(found["onset"])]
    scored = found.filter(pc.invert(pc.or_(*kinds))).sort_by([("service", "ascending"), ("timestamp", "ascending")])
    labels = found.filter(kinds[0]).sort_by([("service", "ascending"), ("timestamp", "ascending")])
    episodes = found.filter(kinds[1]).sort_by([("service", "ascending"), ("onset", "ascending")])
    return forewarn.judge(
        {name: scored},
        labels=labels,
        episodes=episodes,
        rule=asked,
        window=model.window,
        step=reading.step,
        validation=validation,
    )


_JUDGED = {
    "service": "string",
    "timestamp": "timestamp",
    "probability": "float",
    "cannot_tell": "string",
    "label": "string",
    "onset": "timestamp",
    "confirmed_at": "timestamp",
    "end": "timestamp",
}


def _together(*tables: pa.Table) -> pa.Table:
    """Tables of some of the columns, one below another, null where one has no such column."""
    return pa.concat_tables(tables, promote_options="default").select(list(_JUDGED))
