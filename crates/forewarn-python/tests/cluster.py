"""A Spark cluster on loopback: one master, some workers, as small as they go."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterator, Optional

import pyspark
from pyspark.sql import SparkSession

HOST = "127.0.0.1"
# The smallest heap that Spark takes is 450 MiB.
HEAP_MIB = 512
# Nine JVMs that live for a minute: to compile their code less well takes less time than it gains.
QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def until(what: str, seconds: float, found: Any) -> Any:
    """Waits for ``found`` to give something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError(f"{what}: nothing within {seconds:.0f} s")


def process_text(pid: int, name: str) -> str:
    """What the system says of a process, or nothing where the process, or a thread of it, ended while it was asked."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Processes that a process started, whichever of its threads did."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for thread in threads for child in process_text(pid, f"task/{thread}/children").split()]


def is_executor(pid: int) -> bool:
    """Whether a process is one that runs tasks, not one that has ended or that a worker runs for a moment."""
    return "CoarseGrainedExecutorBackend" in process_text(pid, "cmdline")


def peak_kib(pid: int) -> int:
    """The peak of a process's memory, which is nothing where the process has ended."""
    lines = process_text(pid, "status").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


class Cluster:
    """Master, workers and a session; every process is ended by its id."""

    def __init__(self, folder: Path, workers: int = 3, partitions: int = 12) -> None:
        self.folder, self._started, self.spark = folder, [], None
        try:
            log = self._start("master", "org.apache.spark.deploy.master.Master", "--host", HOST)
            address = re.compile(r"Starting Spark master at (spark://\S+)")
            self.url = until("master", 120, lambda: address.search(log.read_text()))[1]
            self.workers = []
            for number in range(workers):
                arguments = ["--host", HOST, "--cores", "1", "--memory", f"{HEAP_MIB}m"]
                arguments += ["--work-dir", folder / f"work-{number}"]
                log = self._start(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", *arguments, self.url)
                self.workers.append(self._started[-1])
            for number in range(workers):
                log = folder / f"worker-{number}.log"
                until(f"worker {number}", 120, lambda: "Successfully registered with master" in log.read_text())
            self.spark = self._session(partitions)
        except BaseException:
            self.stop()
            raise

    def _start(self, name: str, main: str, *arguments: object) -> Path:
        home, log = Path(pyspark.__file__).parent, self.folder / f"{name}.log"
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": HOST,
            "SPARK_DAEMON_MEMORY": "128m",
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
            # What makes up the command of each of them is a JVM as well.
            "SPARK_LAUNCHER_OPTS": QUICK,
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "PYSPARK_PYTHON": sys.executable,
        }
        ports = ["--port", "0", "--webui-port", "0"]
        command = [str(home / "bin/spark-class"), main, *ports, *map(str, arguments)]
        with log.open("wb") as out:
            started = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment)
        self._started.append(started)
        return log

    def _session(self, partitions: int) -> SparkSession:
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        os.environ["SPARK_LOCAL_IP"] = HOST
        settings = {
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.driver.memory": "512m",
            "spark.executor.memory": f"{HEAP_MIB}m",
            # A JVM takes memory for its heap until it looks for what is garbage. Here all of the heap is taken at its
            # start, so that what grows shows.
            "spark.executor.extraJavaOptions": f"{QUICK} -Xms{HEAP_MIB}m -XX:+AlwaysPreTouch",
            "spark.driver.extraJavaOptions": QUICK,
            "spark.executor.cores": "1",
            "spark.ui.enabled": "false",
            "spark.local.dir": str(self.folder / "local"),
            "spark.sql.shuffle.partitions": str(partitions),
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }
        builder = SparkSession.builder.master(self.url).appName("forewarn")
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        until("executors", 120, lambda: len(self.executors()) == len(self.workers))
        return spark

    def executors(self) -> dict[int, int]:
        """The executor of each worker that lives, by the worker's id."""
        found = {}
        for worker in self.workers:
            if worker.poll() is None:
                found.update({worker.pid: child for child in children(worker.pid) if is_executor(child)})
        return found

    def _processes(self) -> dict[int, list[int]]:
        """The Python processes of each executor, by the id of its JVM."""
        found = {}
        for executor in self.executors().values():
            # A daemon, and the workers that it starts.
            daemons = children(executor)
            found[executor] = [*daemons, *(worker for daemon in daemons for worker in children(daemon))]
        return found

    def forget_peaks(self) -> None:
        """Peaks of memory are those from now on."""
        for executor, others in self._processes().items():
            for pid in (executor, *others):
                # One that has ended has no peak.
                with suppress(OSError):
                    Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peaks(self) -> tuple[float, float]:
        """The largest peak of memory of an executor's JVM, and of the Python processes of one, in MiB."""
        found = self._processes()
        assert all(found.values()), f"an executor has no Python process: {found}"
        jvms = [peak_kib(pid) for pid in found]
        assert all(jvms), f"an executor ended while it was measured: {found}"
        pythons = [sum(peak_kib(pid) for pid in others) for others in found.values()]
        return max(jvms) / 1024, max(pythons) / 1024

    def kill_a_worker(self) -> None:
        """Ends a worker and its executor at once, as a machine that fails would."""
        worker, executor = next(iter(self.executors().items()))
        os.kill(worker, signal.SIGKILL)
        os.kill(executor, signal.SIGKILL)
        next(started for started in self.workers if started.pid == worker).wait()

    def kill_an_executor(self) -> None:
        """Ends an executor, which its worker starts again."""
        os.kill(next(iter(self.executors().values())), signal.SIGKILL)

    def done_tasks(self) -> int:
        """Tasks of running jobs that are done."""
        tracker = self.spark.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return sum(stage.numCompletedTasks for stage in stages if stage is not None)

    def stop(self) -> None:
        """Ends the session and every process that was started."""
        if self.spark is not None:
            self.spark.stop()
        for started in reversed(self._started):
            if started.poll() is None:
                started.terminate()
        for started in self._started:
            try:
                started.wait(timeout=20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def cluster(folder: Path, **settings: int) -> Iterator[Cluster]:
    """A cluster that is ended whatever happens, for a fixture."""
    made: Optional[Cluster] = None
    try:
        made = Cluster(folder, **settings)
        yield made
    finally:
        if made is not None:
            made.stop()
