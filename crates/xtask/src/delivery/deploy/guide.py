"""Runs the commands of docs/how-to/deploy.md as they stand: `guide.py FOLDER FOREWARN`.

FOLDER is crates/forewarn-server/deploy. The unit is installed into a root of its own, read by systemd-analyze, and its
commands are run. What kubectl would create and what Helm would install is made without a cluster, and compared: the
chart has to mount what the page creates. The commands for containers are those that compose.py runs. What needs a
program or namespaces that are not here is passed over by name.
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

import helm_python as helm
import yaml

from compose import ALONE, SYSTEM, bind, mount

PAGE = pathlib.Path("docs/how-to/deploy.md")
CONFIG = """
[model]
path = "model.safetensors"
[source]
kind = "file"
path = "/work/week.csv"
[store]
path = "/var/lib/forewarn/store"
[events]
path = "/var/lib/forewarn/events.ndjson"
"""


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {PAGE}: {what}")


def block_of(heading):
    """The commands below a heading of the page."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    [block] = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return block


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(command, what, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    expect(done.returncode == 0, f"{what}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done


def install_unit(place, folder, forewarn):
    """In a namespace of its own: what the page installs, and what systemd would then start."""
    root = place / "root"
    for part in SYSTEM:
        source = pathlib.Path("/", part)
        if source.is_symlink():
            root.mkdir(exist_ok=True)
            (root / part).symlink_to(os.readlink(source))
        elif source.exists():
            bind(source, root / part)
    # Nothing of this machine is written to.
    mount("-t", "tmpfs", "tmpfs", root / "usr/local/bin")
    for made in ("etc/systemd/system", "var/lib/forewarn", "proc", "run", "tmp", "work"):
        (root / made).mkdir(parents=True)
    mount("-t", "proc", "proc", root / "proc")
    program(root / "stand-ins/systemctl", '#!/bin/sh\necho "$@" >> /systemctl\n')
    for source in (forewarn, folder / "systemd/forewarn.service", place / "model.safetensors", place / "week.csv"):
        shutil.copy(source, root / "work")
    (root / "work/forewarn.toml").write_text(CONFIG)

    def inside(*command):
        # Without the variables of whoever runs the tests.
        return run(["chroot", root, *command], shlex.join(command), env={"PATH": "/stand-ins:/usr/sbin:/usr/bin:/bin"})

    inside("bash", "-euo", "pipefail", "-c", "cd /work\n" + block_of("systemd"))
    expect((root / "systemctl").read_text() == "enable --now forewarn\n", "the unit is enabled and started")
    unit = root / "etc/systemd/system/forewarn.service"
    if (root / "usr/bin/systemd-analyze").exists():
        said = inside("systemd-analyze", "verify", "--man=no", "/etc/systemd/system/forewarn.service").stderr
        expect("forewarn.service" not in said, f"systemd-analyze verify: {said}")
    commands = re.findall(r"^Exec(?:StartPre|Start)=(.*)$", unit.read_text(), re.MULTILINE)
    expect(len(commands) == 2, f"the unit checks and starts: {commands}")
    for command in commands:
        inside(*shlex.split(command))
    expect((root / "var/lib/forewarn/events.ndjson").stat().st_size > 0, "the service writes its events")
    print(f"ok: {PAGE} installs the unit, and its commands run")


def check_unit(place, folder, forewarn):
    simulated = ["--output", place / "week.csv", "--truth", place / "failures.csv"]
    run([forewarn, "simulate", "--quiet", "--days", 7, *simulated], "simulate")
    fitted = ["--models", "logistic_snapshot", "--save", place / "model.safetensors"]
    run([forewarn, "train", "--quiet", "--input", place / "week.csv", *fitted], "train")
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0:
        print("skipped: this machine does not allow the namespace in which the unit is installed")
        return
    command = [*ALONE, sys.executable, __file__, "--inside", place, folder, forewarn]
    if subprocess.run(list(map(str, command))).returncode != 0:
        sys.exit(1)


def stand_in_for_helm(arguments):
    """What `helm install NAME CHART` would create, as JSON to the file that the environment names."""
    expect(arguments[0] == "install", f"helm {shlex.join(arguments)}")
    name, chart = arguments[1:3]
    options = dict(zip(arguments[3::2], arguments[4::2]))
    path, value = options.pop("--set").split("=", 1)
    namespace = options.pop("--namespace")
    expect(not options, f"helm install takes other options here: {options}")
    values = value
    for part in reversed(path.split(".")):
        values = {part: values}
    with helm.Chart.load(chart) as loaded:
        texts = loaded.render(values, name=name, namespace=namespace)
    made = [one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text) if one]
    pathlib.Path(os.environ["MADE"]).write_text(json.dumps({"namespace": namespace, "objects": made}))


def check_kubernetes(place):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        print("skipped: no kubectl is here to make what the page creates in Kubernetes")
        return
    there = place / "kubernetes"
    there.mkdir()
    (there / "crates").symlink_to(pathlib.Path("crates").resolve())
    shutil.copy(place / "model.safetensors", there)
    for name in ("viewer", "operator"):
        (there / name).write_text("a token\n")
    # As a cluster would, but that nothing is kept.
    program(place / "bin/kubectl",
            f'#!/bin/sh\n{kubectl} "$@" --dry-run=client --output=yaml >> created.yaml && echo --- >> created.yaml\n')
    program(place / "bin/helm", f'#!/bin/sh\nexec {sys.executable} {pathlib.Path(__file__).resolve()} --helm "$@"\n')
    environment = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "MADE": str(there / "made.json")}
    run(["bash", "-euo", "pipefail", "-c", block_of("Kubernetes")], "Kubernetes", cwd=there, env=environment)
    created = [one for one in yaml.safe_load_all((there / "created.yaml").read_text()) if one]
    installed = json.loads((there / "made.json").read_text())
    kinds = [one["kind"] for one in created]
    expect(kinds == ["Namespace", "ConfigMap", "Secret"], f"a namespace, the model and the tokens are made: {kinds}")
    namespaces = {created[0]["metadata"]["name"], installed["namespace"]}
    namespaces |= {one["metadata"]["namespace"] for one in created[1:]}
    expect(len(namespaces) == 1, f"all lie in one namespace: {namespaces}")

    keys = {}
    for one in [*created, *installed["objects"]]:
        held = {**(one.get("data") or {}), **(one.get("binaryData") or {}), **(one.get("stringData") or {})}
        keys[one["kind"], one["metadata"]["name"]] = set(held)
    [pods] = [one["spec"]["template"]["spec"] for one in installed["objects"] if one["kind"] == "StatefulSet"]
    mounted = []
    for volume in pods["volumes"]:
        for field, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            if field in volume:
                held = keys.get((kind, volume[field][name]))
                expect(held is not None, f"the chart mounts the {kind} {volume[field][name]}, which nothing creates")
                wanted = {item["key"] for item in volume[field].get("items", [])}
                expect(wanted <= held, f"the chart mounts {wanted} of {volume[field][name]}, which has {held}")
                mounted.append((kind, volume[field][name]))
    for kind, name in [("ConfigMap", "forewarn-model"), ("Secret", "forewarn-tokens")]:
        expect((kind, name) in mounted, f"the chart mounts {name}")
    [config] = [one["data"]["forewarn.toml"] for one in installed["objects"]
                if one["kind"] == "ConfigMap" and "forewarn.toml" in one["data"]]
    files = re.findall(r'^(?:path|file) = "(/[^"]+)"', config, re.MULTILINE)
    for file in map(pathlib.Path, files):
        held = keys["ConfigMap", "forewarn-model"] | keys["Secret", "forewarn-tokens"]
        is_state = file.is_relative_to("/var/lib/forewarn")
        expect(is_state or file.name in held, f"forewarn.toml names {file}, which the page does not make")
    print(f"ok: {PAGE} creates in Kubernetes what the chart mounts")


def main():
    if sys.argv[1] == "--inside":
        install_unit(*map(pathlib.Path, sys.argv[2:]))
    elif sys.argv[1] == "--helm":
        stand_in_for_helm(sys.argv[2:])
    else:
        folder, forewarn = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
        with tempfile.TemporaryDirectory() as name:
            check_unit(pathlib.Path(name), folder, forewarn)
            check_kubernetes(pathlib.Path(name))


if __name__ == "__main__":
    main()
