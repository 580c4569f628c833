"""Starts what compose.yaml starts, without its images: `compose.py FOLDER FOREWARN PROMETHEUS ALERTMANAGER PROMTOOL`.

FOLDER is crates/forewarn-server/deploy. Each service gets a root of its own with the files and secrets that
compose.yaml mounts, as they are, and the command that it gives; all share a network in which their names are this
machine. The tokens are made by the commands of the page "Deploy", the model by those of the page "Connect Prometheus",
as they stand. The queries by which others scale are asked where the probability is. Grafana is not here: what it is
given is compared with what the others listen on. Needs a Linux that lets users make namespaces.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml

DAY, INTERVAL, DAYS = 86_400, 15, 4
SYSTEM = ["usr", "lib", "lib64", "bin", "sbin", "dev"]
NAME, OWN = "http_server_request_duration_seconds", "shop_http_request_duration_seconds"
PAGE = pathlib.Path("docs/how-to/connect-prometheus.md")
DEPLOY_PAGE = pathlib.Path("docs/how-to/deploy.md")
HAND_OVER_PAGE = pathlib.Path("docs/how-to/hand-over.md")
ALONE = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def bind(source, target):
    """Shows a file or folder at another place too."""
    source = pathlib.Path(source)
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount("--rbind", source, target)


def failed_requests(time_from_now, cycle):
    """Failed requests of a hundred: a rise of four minutes before each failure, and one that has just begun."""
    if -180 <= time_from_now:
        return 4
    if time_from_now > -3600:
        return 0
    minute = cycle // 60
    return {0: 1, 1: 2, 2: 3, 3: 4}.get(minute, 30 if 4 <= minute < 8 else 0)


def write_history(path, now):
    """Four days of a shop as OpenMetrics text, and twenty minutes to come."""
    begin = now - DAYS * DAY
    counts = {"200": 0, "503": 0}
    lines = {(status, bound): [] for status in counts for bound in ("0.25", "1", "+Inf", None)}
    for number, at in enumerate(range(begin, now + 1200, INTERVAL)):
        failed = failed_requests(at - now, (at - begin) % 5400) or (1 if number % 20 == 0 else 0)
        counts["200"] += 100 - failed + number * 7 % 11
        counts["503"] += failed
        for (status, bound), text in lines.items():
            count = counts[status] if bound != "0.25" else counts[status] * 9 // 10
            suffix, label = ("_count", "") if bound is None else ("_bucket", f',le="{bound}"')
            text.append(f'{NAME}{suffix}{{job="shop/web",http_response_status_code="{status}"{label}}} {count} {at}')
    standard = "\n".join(line for text in lines.values() for line in text)
    # The same under the names of a shop's own, for which the page has a recipe.
    own = standard.replace(NAME, OWN).replace("job=", "app=").replace("http_response_status_code", "code")
    types = [f"# TYPE {name} histogram" for name in (NAME, OWN)]
    path.write_text("\n".join([types[0], standard, types[1], own, "# EOF", ""]))


class Services:
    """The services of a compose file, started one by one."""

    def __init__(self, place, folder, hosts):
        self.place, self.folder, self.hosts = place, folder, hosts
        self.compose = yaml.safe_load((folder / "compose/compose.yaml").read_text())
        self.started = {}

    def start(self, name, program, command=None):
        service, root = self.compose["services"][name], self.place / "roots" / name
        for part in SYSTEM:
            source = pathlib.Path("/", part)
            if source.is_symlink():
                root.mkdir(parents=True, exist_ok=True)
                (root / part).symlink_to(os.readlink(source))
            elif source.exists():
                bind(source, root / part)
        bind(program, root / "program")
        bind(self.hosts, root / "etc/hosts")
        (root / "etc/nsswitch.conf").write_text("hosts: files\n")
        for folder in ("proc", "tmp"):
            (root / folder).mkdir()
        mount("-t", "proc", "proc", root / "proc")
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            if source in self.compose["volumes"]:
                source = self.place / "volumes" / source
                source.mkdir(parents=True, exist_ok=True)
            else:
                source = self.folder / "compose" / source
            bind(source, root / target.lstrip("/"))
        for secret in service.get("secrets", []):
            bind(self.folder / "compose" / self.compose["secrets"][secret]["file"], root / "run/secrets" / secret)
        log = self.place / f"{name}.log"
        command = ["chroot", str(root), "/program", *(command or service["command"])]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **service.get("environment", {})}
        with log.open("wb") as out:
            self.started[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)

    def logs(self):
        return "\n".join(f"{name}:\n" + "\n".join((self.place / f"{name}.log").read_text().splitlines()[-15:])
                         for name in self.started)


def ask(url, path):
    request = urllib.request.Request(url + path)
    with urllib.request.urlopen(request, timeout=5) as answer:
        text = answer.read().decode()
    return json.loads(text) if text[:1] in "[{" else text


def until(services, what, seconds, found):
    end = time.monotonic() + seconds
    while True:
        try:
            value = found()
        except (OSError, KeyError, IndexError):
            value = None
        if value:
            print("ok:", what)
            return value
        over = [name for name, process in services.started.items() if process.poll() is not None]
        if over or time.monotonic() > end:
            print(services.logs())
            sys.exit(f"FAILED: {what}: " + (f"{', '.join(over)} ended" if over else f"not within {seconds} s"))
        time.sleep(0.5)


def image_command(folder):
    """What the image runs: its entry point is the program."""
    text = (folder / "container/Containerfile").read_text()
    entry, command = (json.loads(re.search(rf"^{word} (.*)$", text, re.MULTILINE)[1]) for word in ("ENTRYPOINT", "CMD"))
    return entry[1:] + command


def run_page(place, forewarn):
    """The commands of the page about Prometheus but the live service, with the quickest model."""
    place.mkdir()
    count = 0
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        if language == "toml" and block.startswith('name = "shop"'):
            (place / "shop.toml").write_text(block)
        commands = [shlex.split(line) for line in block.splitlines()] if block.startswith("forewarn ") else []
        for command in commands:
            if command[1] == "watch":
                continue
            more = ["--models", "logistic_snapshot"] if command[1] == "train" else []
            done = subprocess.run([forewarn, *command[1:], *more], cwd=place, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"FAILED: {shlex.join(command)}: {done.stdout}{done.stderr}")
            count += 1
    if count < 6:
        sys.exit(f"FAILED: {PAGE} has its commands: {count} found")
    print(f"ok: the {count} commands of {PAGE} run as they stand")


def make_tokens(place, compose, forewarn):
    """What the page has a user type before everything is started, and that it is then started."""
    [block] = [block for block in re.findall(r"^```text\n(.*?)^```$", DEPLOY_PAGE.read_text(), re.MULTILINE | re.DOTALL)
               if "docker compose" in block]
    programs = place / "programs"
    programs.mkdir()
    (programs / "forewarn").symlink_to(forewarn)
    (programs / "docker").write_text(f'#!/bin/sh\necho "$@" > {place / "docker"}\n')
    (programs / "docker").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=compose, env=environment, check=True)
    if (place / "docker").read_text() != "compose up\n":
        sys.exit(f"FAILED: {DEPLOY_PAGE} starts the services")


def check_scaling(services, folder, metrics):
    """The queries of KEDA and of the adapter give the probability of the service."""
    [keda] = [one["metadata"]["query"]
              for one in yaml.safe_load((folder / "handover/keda.yaml").read_text())["spec"]["triggers"]
              if one["type"] == "prometheus"]
    [rule] = yaml.safe_load((folder / "handover/prometheus-adapter.yaml").read_text())["rules"]["external"]
    series = re.match(r'\{__name__="(\w+)"', rule["seriesQuery"])[1]
    adapter = rule["metricsQuery"].replace("<<.Series>>", series)
    adapter = adapter.replace("<<.LabelMatchers>>", 'namespace="shop",service="checkout"')
    for what, query in (("KEDA", keda), ("the adapter", adapter)):
        asked = urllib.parse.urlencode({"query": query.replace('"checkout"', '"web"')})
        found = until(services, f"the query of {what} gives a probability", 90, lambda: [
            float(one["value"][1]) for one in ask(metrics, f"/api/v1/query?{asked}")["data"]["result"]
            if float(one["value"][1]) > 0])
        if len(found) != 1 or found[0] > 1:
            sys.exit(f"FAILED: {what} scales by one probability: {found}")


def inside(place, folder, forewarn, prometheus, alertmanager, promtool):
    """In a namespace of its own, which ends everything with this process."""
    # A private address with a way out, which Alertmanager looks for and every container has.
    for command in (["link", "set", "lo", "up"], ["address", "add", "172.30.0.2/16", "dev", "lo"],
                    ["route", "add", "default", "via", "172.30.0.1", "dev", "lo"]):
        subprocess.run(["ip", *command], check=True)
    names = yaml.safe_load((folder / "compose/compose.yaml").read_text())["services"]
    hosts = place / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {' '.join(names)}\n")
    mount("--bind", hosts, "/etc/hosts")
    services = Services(place, folder, hosts)
    make_tokens(place, folder / "compose", forewarn)
    # As the page about handing over has it.
    [setting] = re.findall(r"^```toml\n(\[metrics\]\n.*?)^```$", HAND_OVER_PAGE.read_text(), re.MULTILINE | re.DOTALL)
    with (folder / "compose/forewarn.toml").open("a") as config:
        config.write("\n" + setting)
    # The history that is made goes on into the time to come, and what is scraped comes before that.
    with (folder / "compose/prometheus.yml").open("a") as config:
        config.write("\nstorage: {tsdb: {out_of_order_time_window: 1h}}\n")
    now = int(time.time()) // 60 * 60
    write_history(place / "history", now)
    blocks = place / "volumes/prometheus"
    blocks.mkdir(parents=True)
    subprocess.run([promtool, "tsdb", "create-blocks-from", "--max-block-duration=744h", "-q", "openmetrics",
                    place / "history", blocks], check=True, stdout=subprocess.DEVNULL)

    services.start("prometheus", prometheus)
    metrics = "http://prometheus:9090"
    until(services, "Prometheus is ready", 60, lambda: ask(metrics, "/-/ready"))
    run_page(place / "page", forewarn)
    shutil.copy(place / "page/model.safetensors", folder / "compose")
    services.start("alertmanager", alertmanager)
    alerts = "http://alertmanager:9093"
    until(services, "Alertmanager is ready", 60, lambda: ask(alerts, "/-/ready"))
    services.start("forewarn", forewarn, image_command(folder))
    until(services, "forewarn is ready", 90, lambda: ask("http://forewarn:8080", "/-/ready"))
    until(services, "Prometheus scrapes forewarn by the viewer's token", 60, lambda: [
        one for one in ask(metrics, "/api/v1/targets")["data"]["activeTargets"]
        if one["labels"]["job"] == "forewarn" and one["health"] == "up"])
    until(services, "Prometheus has found Alertmanager", 60, lambda: [
        one for one in ask(metrics, "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        if one["url"].startswith(alerts)])
    groups = [group["name"] for group in ask(metrics, "/api/v1/rules")["data"]["groups"]]
    if "forewarn" not in groups:
        sys.exit(f"FAILED: Prometheus has the rules about forewarn: it has {groups}")
    alert = until(services, "an alert of forewarn is in Alertmanager", 240, lambda: [
        one for one in ask(alerts, "/api/v2/alerts") if one["labels"]["alertname"] == "ForewarnFailurePredicted"])[0]
    expected = {"namespace": "shop", "service": "web"}
    if {name: alert["labels"].get(name) for name in expected} != expected:
        sys.exit(f"FAILED: the alert is about shop/web: its labels are {alert['labels']}")
    if alert["receivers"] != [{"name": "page"}] or not alert["generatorURL"].startswith("http://127.0.0.1:8080/"):
        sys.exit(f"FAILED: the alert is routed, and leads to the page of the service: {alert}")
    check_scaling(services, folder, metrics)
    grafana(folder, names["grafana"], metrics)
    print("ok: the services of the compose file work together, but for Grafana, which is not here")


def grafana(folder, service, metrics):
    """What Grafana would ask, and where it would look for dashboards."""
    if service["environment"]["PROMETHEUS_URL"] != metrics:
        sys.exit("FAILED: Grafana is given the URL of Prometheus")
    [provider] = yaml.safe_load((folder / "grafana/provisioning/dashboards/forewarn.yml").read_text())["providers"]
    targets = {volume.split(":")[1]: volume.split(":")[0] for volume in service["volumes"]}
    dashboards = folder / "compose" / targets.get(provider["options"]["path"], "nowhere")
    [source] = yaml.safe_load((folder / "grafana/provisioning/datasources/forewarn.yml").read_text())["datasources"]
    found = [json.loads(path.read_text()) for path in dashboards.glob("*.json")]
    if len(found) < 3 or not all(source["uid"] in json.dumps(one) for one in found):
        sys.exit(f"FAILED: the dashboards are mounted where the provider looks, and ask {source['uid']}")


def main():
    if sys.argv[1] == "--inside":
        inside(*map(pathlib.Path, sys.argv[2:4]), *sys.argv[4:])
        return 0
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0:
        print("skipped: this machine does not allow the namespaces in which the compose file's services are started")
        return 0
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        # What users make, model and secrets, lies beside the files of the repository.
        shutil.copytree(sys.argv[1], place / "deploy")
        command = [*ALONE, sys.executable, __file__, "--inside", place, place / "deploy"]
        return subprocess.run([*command, *map(os.path.abspath, sys.argv[2:])]).returncode


if __name__ == "__main__":
    sys.exit(main())
