"""A real cluster: the bytes of one process, whatever fails on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

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
from cluster import Cluster, cluster, until  # noqa: E402

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


def test_scores_are_those_of_one_process(rows, fleet: pa.Table, model: forewarn.Model) -> None:
    found = forewarn.spark.score(rows, model).toArrow()
    assert ordered(found).equals(ordered(model.score(fleet, MINUTES)))
    expect_no_row_twice(found)


def test_a_report_is_that_of_one_process(rows, fleet: pa.Table, model: forewarn.Model) -> None:
    expected = forewarn.judge(model.score(fleet, MINUTES), table=fleet, rule=RULE, reading=MINUTES)
    assert dict(forewarn.spark.evaluate(rows, model)) == dict(expected)


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
    refused(changed(folder, tmp_path / "format", '"format":1', '"format":2'), "format 2")
    shutil.copytree(folder, tmp_path / "part")
    files = sorted((tmp_path / "part" / "forewarn_part=rows").glob("*.parquet"))
    files[0].unlink()
    refused(tmp_path / "part", "is missing")


def test_a_machine_that_fails_in_the_middle_changes_nothing(
    spark: Cluster, rows, fleet: pa.Table, model: forewarn.Model
) -> None:
    found: list[pa.Table] = []
    job = threading.Thread(target=lambda: found.append(forewarn.spark.score(rows.repartition(24), model).toArrow()))
    job.start()
    until("a first task", 120, lambda: spark.done_tasks() > 0)
    before = len(spark.executors())
    spark.kill_a_worker()
    assert job.is_alive(), "the job was over before the worker was ended"
    job.join(timeout=300)
    assert len(found) == 1 and before == 3 and len(spark.executors()) == 2
    assert ordered(found[0]).equals(ordered(model.score(fleet, MINUTES)))
    expect_no_row_twice(found[0])


def test_the_page_about_spark_runs(tmp_path: Path) -> None:
    import pages

    pages.prepare(tmp_path)
    # In a process of its own: a Java that runs already stays in the folder where it began.
    script = f"import pages; assert pages.run('docs/how-to/run-on-spark.md', {str(tmp_path)!r}) == 4"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "SPARK_LOCAL_IP": "127.0.0.1"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
