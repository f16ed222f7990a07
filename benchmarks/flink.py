"""A real Flink cluster on loopback: one JobManager, TaskManagers, Python workers beside each.

    python -m benchmarks.flink [--workers 2] [--folder .cache/flink/run]

Starts it, prints the options that run a job there, and stops it when interrupted.
Every process is one of its own, and each TaskManager has an address of its own
(127.0.0.1, 127.0.0.2, ...) with a worker pool that only it asks, as if it were
a machine. The workers' environment holds this project's wheel and nothing of
the working tree. Wants Java 17 and Maven; logs go into the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".cache/flink"
WORKERS_HOST = "workers"
"""What every TaskManager calls the machine it runs on; each is told another address."""

_POM = Path(__file__).with_name("flink-pom.xml")
_POOL = Path(__file__).with_name("worker_pool.py")
_START_MAX_S = 120.0
_OPENED = (  # https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/deployment/java_compatibility/
    "sun.net.util", "java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio",
    "sun.nio.ch", "java.text", "java.time", "java.util", "java.util.concurrent",
    "java.util.concurrent.atomic", "java.util.concurrent.locks",
)  # fmt: skip

_MEMORY = {  # Flink's own scripts work these out; without them all must be named
    "framework.heap.size": "128m",
    "framework.off-heap.size": "64m",
    "task.heap.size": "896m",
    "task.off-heap.size": "64m",
    "managed.size": "128m",
    "network.min": "512m",
    "network.max": "512m",
    "jvm-metaspace.size": "256m",
    "jvm-overhead.min": "128m",
    "jvm-overhead.max": "128m",
}


def missing() -> str | None:
    """What a cluster would want and this machine lacks; None if it has all."""
    lacking = [name for name in ("java", "mvn") if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not found" if lacking else None


def install() -> None:
    """Bring the jars and the workers' environment below ``.cache/flink`` up to date.

    Raises CalledProcessError if that fails.
    """
    jars, workers = PLACE / "jars", PLACE / "workers"
    if _is_stale(jars, _POM.read_text("utf8")):
        shutil.rmtree(jars, ignore_errors=True)
        _run(
            "mvn",
            "-q",
            "-B",
            "-f",
            _POM,
            "dependency:copy-dependencies",
            f"-DoutputDirectory={jars}",
        )
        _mark(jars, _POM.read_text("utf8"))
    constraints = ROOT / ".ci/constraints.txt"
    wanted = (ROOT / "pyproject.toml").read_text("utf8") + constraints.read_text("utf8")
    is_stale = _is_stale(workers, wanted)
    if is_stale:
        shutil.rmtree(workers, ignore_errors=True)
        _run(sys.executable, "-m", "venv", workers)
    # Isolated: what PYTHONPATH names would count as installed.
    pip = (workers / "bin/python", "-I", "-m", "pip", "-q", "--disable-pip-version-check")
    with tempfile.TemporaryDirectory() as folder:
        # Built from a copy, so that nothing of an earlier build gets into the wheel.
        for name in ("pipeline", "transforms", "schemas"):
            shutil.copytree(ROOT / name, Path(folder, name))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, folder)
        _run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, folder)
        (wheel,) = Path(folder).glob("*.whl")
        if is_stale:
            _run(*pip, "install", "--constraint", constraints, wheel)
        else:
            _run(*pip, "install", "--no-deps", "--force-reinstall", wheel)
    _mark(workers, wanted)


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True)


def _is_stale(folder: Path, wanted: str) -> bool:
    stamp = folder / "installed.txt"
    return not stamp.exists() or stamp.read_text("utf8") != wanted


def _mark(folder: Path, wanted: str) -> None:
    (folder / "installed.txt").write_text(wanted, "utf8")


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass
class FlinkCluster:
    """The running processes by name: jobmanager, jobserver, taskmanager-N, pool-N.

    folder: logs and whatever else it leaves.
    """

    folder: Path
    workers: int = 2
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start all processes and wait until a job can be sent.

        Raises RuntimeError, naming the logs, if that takes two minutes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "flink-conf.yaml").touch()
        self._rpc_port, self._rest_port, self._pool_port, self._job_port = (
            free_port() for _ in range(4)
        )
        self._java(
            "jobmanager",
            "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
            *("--configDir", str(self.folder)), *self._settings(), heap_mb=512,
        )  # fmt: skip
        for number in range(1, self.workers + 1):
            self.start_worker(number)
        self._java(
            "jobserver",
            "org.apache.beam.runners.flink.FlinkJobServerDriver",
            f"--flink-master=127.0.0.1:{self._rest_port}", "--job-host=127.0.0.1",
            f"--job-port={self._job_port}", "--artifact-port=0", "--expansion-port=0",
            f"--artifacts-dir={self.folder / 'artifacts'}", heap_mb=512,
        )  # fmt: skip
        self._wait_for("the TaskManagers", lambda: self.count_workers() == self.workers)
        self._wait_for("the job server", lambda: _listens("127.0.0.1", self._job_port))

    def start_worker(self, number: int) -> None:
        """Start a TaskManager and its worker pool; both as if on a machine of their own."""
        host = f"127.0.0.{number}"
        hosts = self.folder / f"hosts-{number}"
        hosts.write_text(
            f"{host} {WORKERS_HOST} {socket.gethostname()}\n127.0.0.1 localhost\n", "utf8"
        )
        environment = {**os.environ, "PATH": f"{PLACE / 'workers/bin'}:{os.environ['PATH']}"}
        python = str(PLACE / "workers/bin/python")
        self._start(
            f"pool-{number}",
            [python, "-P", str(_POOL), f"{host}:{self._pool_port}"],
            {name: value for name, value in environment.items() if name != "PYTHONPATH"},
        )
        self._java(
            f"taskmanager-{number}",
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            *("--configDir", str(self.folder)), *self._settings(),
            f"-Dtaskmanager.host={host}", f"-Dtaskmanager.bind-host={host}",
            "-Dtaskmanager.numberOfTaskSlots=2", "-Dtaskmanager.cpu.cores=1",
            *(f"-Dtaskmanager.memory.{name}={size}" for name, size in _MEMORY.items()),
            heap_mb=1024, properties=(f"-Djdk.net.hosts.file={hosts}",),
        )  # fmt: skip
        self._wait_for(f"pool {number}", lambda: _listens(host, self._pool_port))

    def kill_worker(self, number: int) -> None:
        """Kill a TaskManager and its Python workers at once, as if its machine went down."""
        for name in (f"taskmanager-{number}", f"pool-{number}"):
            process = self._processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """Kill whatever still runs; nothing of it is needed any more."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()

    @property
    def options(self) -> list[str]:
        """The words that make a command of ours run here."""
        return [
            "--runner=FlinkRunner",
            f"--job_endpoint=127.0.0.1:{self._job_port}",
            "--environment_type=EXTERNAL",
            f"--environment_config={WORKERS_HOST}:{self._pool_port}",
            f"--parallelism={self.workers}",
        ]

    def rest(self, path: str, post: Any = None) -> Any:
        """Flink's own word: https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/ops/rest_api/"""
        method = "GET" if post is None else "POST"
        address = f"http://127.0.0.1:{self._rest_port}/{path}"
        answer = requests.request(method, address, json=post, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def count_workers(self) -> int:
        """The TaskManagers that the JobManager knows; 0 while it does not answer."""
        try:
            return len(self.rest("taskmanagers")["taskmanagers"])
        except requests.RequestException:
            return 0

    def running_jobs(self) -> list[str]:
        """The ids of the jobs that run."""
        jobs = self.rest("jobs")["jobs"]
        return [job["id"] for job in jobs if job["status"] == "RUNNING"]

    def last_job(self) -> tuple[float, int]:
        """Of the job that was started last: its seconds, and the bytes its stages handed on."""
        last = max(self.rest("jobs/overview")["jobs"], key=lambda job: job["start-time"])
        stages = self.rest(f"jobs/{last['jid']}")["vertices"]
        return last["duration"] / 1000, sum(stage["metrics"]["write-bytes"] for stage in stages)

    def workers_cpu_s(self) -> float:
        """CPU time of TaskManagers and Python workers since they were started; on Linux only."""
        sessions = {
            process.pid
            for name, process in self._processes.items()
            if name.startswith(("taskmanager", "pool"))
        }
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # proc(5), behind the name: the session is the 4th, times the 12th to 15th.
                fields = path.read_text("utf8").rpartition(")")[2].split()
                if int(fields[3]) in sessions:
                    ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def cancel(self, job: str) -> None:
        """End a job at once, wherever it is."""
        address = f"http://127.0.0.1:{self._rest_port}/jobs/{job}"
        requests.patch(address, params={"mode": "cancel"}, timeout=30).raise_for_status()

    def _settings(self) -> list[str]:
        return [
            "-Djobmanager.rpc.address=127.0.0.1", f"-Djobmanager.rpc.port={self._rpc_port}",
            "-Drest.address=127.0.0.1", f"-Drest.port={self._rest_port}",
            f"-Dio.tmp.dirs={self.folder / 'tmp'}",
            # A job brings the jars that are here already.
            "-Dclassloader.resolve-order=parent-first",
            "-Dtaskmanager.load-balance.mode=SLOTS",
            "-Dheartbeat.interval=1000", "-Dheartbeat.timeout=6000",
            "-Drestart-strategy.type=fixed-delay",
            "-Drestart-strategy.fixed-delay.attempts=20",
            "-Drestart-strategy.fixed-delay.delay=1s",
        ]  # fmt: skip

    def _java(
        self, name: str, main: str, *words: str, heap_mb: int, properties: tuple[str, ...] = ()
    ) -> None:
        opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
        command = [
            "java", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", *opens, *properties,
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp", f"{PLACE / 'jars'}/*", main, *words,
        ]  # fmt: skip
        self._start(name, command, dict(os.environ))

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads yet
            )  # fmt: skip

    def _wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _START_MAX_S
        while not is_there():
            ended = [name for name, one in self._processes.items() if one.poll() is not None]
            if ended or time.monotonic() > deadline_s:
                detail = f"{', '.join(ended)} ended" if ended else "not there after two minutes"
                raise RuntimeError(f"{what}: {detail}; see the logs in {self.folder}")
            time.sleep(0.1)


def _die_with_parent() -> None:
    """Also when whoever started the cluster is killed; of Linux (prctl(2), PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def flink_cluster(folder: Path, workers: int = 2) -> Iterator[FlinkCluster]:
    """A cluster while the block runs; ``install`` comes first."""
    cluster = FlinkCluster(folder.absolute(), workers)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _main() -> int:
    parser = argparse.ArgumentParser(description="A Flink cluster on loopback.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=PLACE / "run")
    options = parser.parse_args()
    if lack := missing():
        print(f"{lack}: install Java 17 and Maven", file=sys.stderr)
        return 1
    install()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        flink_cluster(options.folder, options.workers) as cluster,
    ):
        print("\n".join(cluster.options), flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
