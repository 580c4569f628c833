"""A real cluster: the bytes of one process, whatever fails on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Callable

import forewarn
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest
from conftest import RULE
from conftest import forewarn as program

pytest.importorskip("pyspark", reason="there is no pyspark")
if shutil.which("java") is None:
    pytest.skip("there is no java", allow_module_level=True)

import forewarn.spark  # noqa: E402
from cluster import QUICK, Cluster, cluster, until  # noqa: E402

MINUTES = forewarn.Reading(step="1m")
ORDER = [("service", "ascending"), ("timestamp", "ascending")]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory):
    yield from cluster(tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="module")
def fleet(metrics: pa.Table) -> pa.Table:
    """Eight days of twelve services, the shop's, each three times, and of one that never fails."""
    times = metrics["timestamp"]
    end = pa.scalar(pc.min(times).as_py() + timedelta(days=8), times.type)
    metrics = metrics.filter(pc.less(times, end))
    copies = []
    for copy in range(3):
        names = pc.binary_join_element_wise(metrics["service"], str(copy), "-")
        copies.append(metrics.set_column(metrics.column_names.index("service"), "service", names))
    quiet = copies[0].filter(pc.equal(copies[0]["service"], copies[0]["service"][0]))
    zero = pa.array([0.0] * quiet.num_rows)
    quiet = quiet.set_column(quiet.column_names.index("error_rate"), "error_rate", zero)
    names = pa.array(["quiet"] * quiet.num_rows)
    quiet = quiet.set_column(quiet.column_names.index("service"), "service", names)
    return pa.concat_tables([*copies, quiet.cast(copies[0].schema)])


@pytest.fixture(scope="module")
def rows(spark: Cluster, fleet: pa.Table, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("fleet") / "fleet.parquet"
    # In no order of rows.
    shuffled = fleet.take(pa.array([(row * 7919) % fleet.num_rows for row in range(fleet.num_rows)]))
    pyarrow.parquet.write_table(shuffled, path, coerce_timestamps="us", compression="zstd")
    return spark.spark.read.parquet(str(path))


@pytest.fixture(scope="module")
def model(fleet: pa.Table) -> forewarn.Model:
    return forewarn.train(fleet, RULE, ["logistic_snapshot"], reading=MINUTES).model()


def ordered(table: pa.Table) -> pa.Table:
    """A table in the order of services and times, in one piece, with times as Spark has them."""
    table = table.sort_by(ORDER)
    fields = [pa.field(field.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(field.type)
              else pa.field(field.name, field.type) for field in table.schema]
    return table.cast(pa.schema(fields)).combine_chunks()


def expect_no_row_twice(table: pa.Table) -> None:
    assert table.group_by(["service", "timestamp"]).aggregate([]).num_rows == table.num_rows


@pytest.fixture(scope="module")
def written(rows, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, "forewarn.spark.WrittenSample"]:
    folder = tmp_path_factory.mktemp("samples") / "cluster"
    sample = forewarn.spark.label_and_sample(rows, RULE, keep_quiet=0.0)
    return folder, sample.write(str(folder))


def test_a_sample_is_that_of_one_process(fleet: pa.Table, written, tmp_path: Path) -> None:
    folder, sample = written
    alone = forewarn.label_and_sample(fleet, RULE, keep_quiet=0.0, reading=MINUTES)
    assert sample.to_json() == alone.to_json()
    found = sample.rows.toArrow()
    assert ordered(found).equals(ordered(alone.rows))
    expect_no_row_twice(found)
    services = {service["service"]: service["kept"] for service in sample.about["services"]}
    assert len(services) == 13 and not services["quiet"] and sum(services.values()) == 12
    alone.write(tmp_path / "alone")
    for name, of in [("cluster", folder), ("alone", tmp_path / "alone")]:
        asked = ["--models", "logistic_snapshot", "--save", tmp_path / f"{name}.safetensors"]
        shutil.copytree(of, tmp_path / name / "sample")
        program("train", "--quiet", "--sample", tmp_path / name / "sample", *asked)
    models = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("cluster", "alone")]
    assert models[0] == models[1]
    fitted = forewarn.Model.from_bytes(models[0])
    assert fitted.fingerprint == sample.about["fingerprint"] == forewarn.fingerprint(fleet, MINUTES)
    assert fitted.metadata["sample"]["whole"]["services"] == 13
    # What the cluster labelled is what the program trains on without it.
    kept = fleet.filter(pc.not_equal(fleet["service"], "quiet"))
    direct = forewarn.train(kept, RULE, ["logistic_snapshot"], reading=MINUTES, name="sample").model()
    assert direct.score(kept, MINUTES).equals(fitted.score(kept, MINUTES))


def test_windows_are_sampled_alike_however_rows_are_parted(rows, fleet: pa.Table, tmp_path: Path) -> None:
    choice = {"keep_quiet": 0.9, "keep_negatives": 0.2, "seed": 5}
    alone = forewarn.label_and_sample(fleet, RULE, reading=MINUTES, **choice)
    alone.write(tmp_path / "alone")
    for partitions in (1, 5):
        parted = rows.repartition(partitions, "cpu_usage")
        folder = tmp_path / f"in-{partitions}"
        sample = forewarn.spark.label_and_sample(parted, RULE, **choice).write(str(folder))
        assert sample.to_json() == alone.to_json()
        assert ordered(sample.rows.toArrow()).equals(ordered(alone.rows))
    labels = alone.rows["forewarn_label"]
    weights = {label: set(alone.rows.filter(pc.equal(labels, label))["forewarn_weight"].to_pylist())
               for label in range(5)}
    assert weights[0] >= {0.0, 5.0} and weights[1] == {1.0}
    assert weights[2] | weights[3] | weights[4] == {0.0}, "what is excluded"
    models = []
    for name in ("alone", "in-5"):
        asked = ["--models", "logistic_snapshot", "--save", tmp_path / f"{name}.safetensors"]
        shutil.copytree(tmp_path / name, tmp_path / "as" / name / "sample")
        printed = program("train", "--quiet", "--sample", tmp_path / "as" / name / "sample", *asked)
        assert "weighted by what each stands for" in printed
        models.append((tmp_path / f"{name}.safetensors").read_bytes())
    assert models[0] == models[1]
    about = forewarn.Model.from_bytes(models[0]).metadata["sample"]
    assert about["keep_negatives"] == 0.2 and 0 < about["negatives_kept"] < 0.25 * about["kept"]["negative"]


def test_scores_are_those_of_one_process(rows, fleet: pa.Table, model: forewarn.Model) -> None:
    found = forewarn.spark.score(rows, model).toArrow()
    assert ordered(found).equals(ordered(model.score(fleet, MINUTES)))
    expect_no_row_twice(found)


def test_a_report_is_that_of_one_process(rows, fleet: pa.Table, model: forewarn.Model) -> None:
    expected = forewarn.judge(model.score(fleet, MINUTES), table=fleet, rule=RULE, reading=MINUTES)
    assert dict(forewarn.spark.evaluate(rows, model)) == dict(expected)


def test_memory_of_executors_does_not_grow_with_the_number_of_services(
    spark: Cluster, fleet: pa.Table, model: forewarn.Model, tmp_path: Path
) -> None:
    peaks = []
    # The first run loads what every run needs.
    for run, times in enumerate((1, 1, 4)):
        path = tmp_path / str(run)
        path.mkdir()
        for copy in range(times):
            names = pc.binary_join_element_wise(fleet["service"], str(copy), "-")
            renamed = fleet.set_column(fleet.column_names.index("service"), "service", names)
            pyarrow.parquet.write_table(renamed, path / f"{copy}.parquet", coerce_timestamps="us", compression="zstd")
        rows = spark.spark.read.parquet(str(path))
        if run > 0:
            spark.forget_peaks()
        forewarn.spark.score(rows, model).write.format("noop").mode("overwrite").save()
        peaks.append(spark.peaks())
    (_, one, four) = peaks
    # Each of three executors gets as many more rows as the fleet has.
    more = fleet.nbytes / 2**20
    print(f"peak of a JVM and of its Python processes in MiB, once and four times the services: {one}, {four}; "
          f"the rows that come to an executor beside: {more:.0f}")
    assert all(later < 1.15 * before for before, later in zip(one, four)), f"memory grows with services: {peaks}"
    assert four[1] - one[1] < 0.75 * more, f"rows stay in memory: {peaks}"


def test_what_services_would_read_differently_is_refused(rows, model: forewarn.Model) -> None:
    with pytest.raises(forewarn.ForewarnError, match="reading.step"):
        forewarn.spark.score(rows, model, forewarn.Reading())
    with pytest.raises(forewarn.ForewarnError, match="counter"):
        forewarn.spark.score(rows.withColumnRenamed("cpu_usage", "cpu_total"), model)
    with pytest.raises(forewarn.ForewarnError, match="service"):
        forewarn.spark.score(rows.drop("service"), model)


def changed(folder: Path, to: Path, old: str, new: str) -> Path:
    """A copy of a sample in which what is about it says something else."""
    shutil.copytree(folder, to)
    file = next((to / "about").glob("*.txt"))
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    for checksum in (to / "about").glob(".*.crc"):
        checksum.unlink()
    return to


def refused(folder: Path, words: str) -> None:
    with pytest.raises(Exception) as raised:
        program("train", "--quiet", "--sample", folder, "--save", folder / "model")
    assert words in raised.value.stderr, raised.value.stderr


def test_a_sample_that_was_changed_is_refused(written, tmp_path: Path) -> None:
    folder, _ = written
    refused(changed(folder, tmp_path / "rule", "0.05", "0.9"), "label")
    refused(changed(folder, tmp_path / "window", '"period":5', '"period":9'), "label")
    refused(changed(folder, tmp_path / "metrics", '"milliseconds"', '"ratio"'), "fingerprint")
    refused(changed(folder, tmp_path / "format", '"format":2', '"format":3'), "format 3")
    refused(changed(folder, tmp_path / "share", '"keep_negatives":1.0', '"keep_negatives":0.5'), "weight")
    shutil.copytree(folder, tmp_path / "part")
    files = sorted((tmp_path / "part" / "forewarn_part=rows").glob("*.parquet"))
    files[0].unlink()
    refused(tmp_path / "part", "is missing")


def in_the_middle(spark: Cluster, work: Callable[[], pa.Table], fail: Callable[[], None]) -> pa.Table:
    """What a job gives of which something is ended after its first task."""
    found: list[pa.Table] = []
    job = threading.Thread(target=lambda: found.append(work()))
    job.start()
    until("a first task", 120, lambda: spark.done_tasks() > 0)
    fail()
    assert job.is_alive(), "the job was over before something failed"
    job.join(timeout=300)
    assert len(found) == 1, "the job did not end well"
    expect_no_row_twice(found[0])
    return ordered(found[0])


# One after another on one cluster: the second and the third end a worker each, of three.
@pytest.mark.parametrize("failing", ["an executor", "a machine"])
def test_scores_are_the_same_when_something_fails_in_the_middle(
    spark: Cluster, rows, fleet: pa.Table, model: forewarn.Model, failing: str
) -> None:
    fail = {"an executor": spark.kill_an_executor, "a machine": spark.kill_a_worker}[failing]
    found = in_the_middle(spark, lambda: forewarn.spark.score(rows.repartition(24), model).toArrow(), fail)
    assert found.equals(ordered(model.score(fleet, MINUTES)))
    left = {"an executor": 3, "a machine": 2}[failing]
    until(f"{left} executors", 60, lambda: len(spark.executors()) == left)


def test_a_sample_is_the_same_when_a_machine_fails_while_it_is_written(
    spark: Cluster, rows, fleet: pa.Table, tmp_path: Path
) -> None:
    choice = {"keep_quiet": 0.0, "keep_negatives": 0.5}
    told: list[str] = []

    def work() -> pa.Table:
        sample = forewarn.spark.label_and_sample(rows.repartition(24), RULE, **choice).write(str(tmp_path / "sample"))
        told.append(sample.to_json())
        return sample.rows.toArrow()

    found = in_the_middle(spark, work, spark.kill_a_worker)
    alone = forewarn.label_and_sample(fleet, RULE, reading=MINUTES, **choice)
    assert found.equals(ordered(alone.rows)) and told == [alone.to_json()]
    assert len(spark.executors()) == 1


def test_the_page_about_spark_runs(tmp_path: Path) -> None:
    # In a process of its own: a Java that runs already stays in the folder where it began.
    script = Path(__file__).with_name("pages.py")
    command = [sys.executable, script, "docs/how-to/run-on-spark.md", "4", tmp_path / "page"]
    subprocess.run(command, env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "JDK_JAVA_OPTIONS": QUICK}, check=True)
