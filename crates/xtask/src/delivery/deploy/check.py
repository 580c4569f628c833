"""Checks the files of deployment: `check.py FOLDER COMPONENTS`, or `check.py FOLDER --write`.

FOLDER is crates/forewarn-server/deploy, COMPONENTS the list of what the binary is made of. With --write the plain
manifests are written from the chart. What needs a program that is not here is passed over by name.
"""

import copy
import hashlib
import hmac
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
import urllib.error
import urllib.request

import check_jsonschema
import helm_python as helm
import jsonschema
import kubernetes_validate
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import custom

VERSIONS = ["1.27", "1.31", "1.34"]
HAND_OVER = pathlib.Path("docs/how-to/hand-over.md")
HEADER = "# Made from the chart by `cargo xtask manifests`: edit ../helm/forewarn, and make it again.\n"
NAMESPACE = "forewarn"

folder = pathlib.Path(sys.argv[1])
chart_folder = folder / "helm/forewarn"
kubernetes = folder / "kubernetes"
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def ok(what):
    print("ok:", what)


def render(values):
    """Text by template."""
    with helm.Chart.load(str(chart_folder)) as chart:
        return chart.render(values, name="forewarn", namespace=NAMESPACE)


def objects(texts):
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def manifests(values):
    return objects(text for name, text in sorted(render(values).items()) if name.endswith(".yaml"))


def of_kind(found, kind):
    return [one for one in found if one["kind"] == kind]


def matches(selector, labels):
    return all(labels.get(name) == value for name, value in selector["matchLabels"].items())


def refusals(found):
    for one in found:
        if one["apiVersion"].split("/")[0] in custom.MODELS:
            yield from custom.refusals(one)
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except Exception as error:  # noqa: BLE001: any refusal is one
                yield f"{one['kind']} by Kubernetes {version}: {str(error).splitlines()[0]}"


def validate(found, what):
    for refused in refusals(found):
        expect(False, f"{what}: {refused}")


def check_sense(found, what, shards):
    """What no schema says."""
    sets = of_kind(found, "StatefulSet")
    expect(len(sets) == shards, f"{what}: a StatefulSet for each shard")
    expect(not of_kind(found, "HorizontalPodAutoscaler"), f"{what}: no autoscaler")
    [service] = of_kind(found, "Service")
    budgets = of_kind(found, "PodDisruptionBudget")
    for one in sets:
        pod = one["spec"]["template"]
        labels, [container] = pod["metadata"]["labels"], pod["spec"]["containers"]
        expect(matches(one["spec"]["selector"], labels), f"{what}: the set selects its pods")
        expect(matches({"matchLabels": service["spec"]["selector"]}, labels), f"{what}: the service selects the pods")
        others = [other for other in sets if other is not one]
        expect(not any(matches(other["spec"]["selector"], labels) for other in others), f"{what}: shards are apart")
        mine = [budget for budget in budgets if matches(budget["spec"]["selector"], labels)]
        expect(len(mine) == 1 and mine[0]["spec"]["maxUnavailable"] == 1, f"{what}: one budget for each set")
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            expect(container[probe]["httpGet"]["port"] in ports, f"{what}: {probe} has a port")
        security = {**pod["spec"]["securityContext"], **container["securityContext"]}
        expect(security["runAsNonRoot"] and security["runAsUser"] > 0, f"{what}: not root")
        expect(security["readOnlyRootFilesystem"], f"{what}: the root is read-only")
        expect(security["allowPrivilegeEscalation"] is False, f"{what}: no escalation")
        expect(security["capabilities"]["drop"] == ["ALL"], f"{what}: no capabilities")
        expect(pod["spec"]["automountServiceAccountToken"] is False, f"{what}: no token of the API server")
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        expect(mounted == volumes, f"{what}: every volume is mounted, and every mount is a volume")
        arguments = container["args"]
        expect(("--shard" in arguments) == (shards > 1), f"{what}: a shard is told which it is")
    for policy in of_kind(found, "NetworkPolicy"):
        expect(set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}, f"{what}: both directions are limited")
        for one in sets:
            labels = one["spec"]["template"]["metadata"]["labels"]
            expect(matches(policy["spec"]["podSelector"], labels), f"{what}: the policy selects the pods")
    for monitor in of_kind(found, "ServiceMonitor"):
        expect(matches(monitor["spec"]["selector"], service["metadata"]["labels"]), f"{what}: the service is scraped")
        names = {port["name"] for port in service["spec"]["ports"]}
        expect(all(end["port"] in names for end in monitor["spec"]["endpoints"]), f"{what}: by a port that it has")


def check_chart():
    lint = helm.lint(str(chart_folder))
    said = [one for one in lint["messages"] if one["severity"] > 1]
    expect(not said and not lint["errors"], f"the chart has no lint: {said} {lint['errors']}")
    rules = (folder / "prometheus-rules.yml").read_bytes()
    copied = (chart_folder / "files/prometheus-rules.yml").read_bytes()
    expect(rules == copied, "the chart's rules are those beside it")
    variants = {
        "defaults": {},
        "one replica": {"replicas": 1, "monitoring": {"enabled": False}, "networkPolicy": {"enabled": False}},
        "five shards": {"shards": 5, "shardGraph": "client,server\nshop/web,shop/cart\n"},
        "everything": {
            "image": {"repository": "registry.example/forewarn", "tag": "1.2.3", "pullPolicy": "Always"},
            "imagePullSecrets": [{"name": "pull"}],
            "model": {"volume": {"persistentVolumeClaim": {"claimName": "models", "readOnly": True}}},
            "source": {"url": "https://metrics.example/prometheus", "recipes": ["istio", "kubernetes"]},
            "alertmanagers": ["http://a:9093", "http://b:9093"],
            "alertLabels": {"cluster": "eu-1"},
            "externalUrl": "https://forewarn.example",
            "budgetPerServiceWeek": 0.5,
            "extraConfig": "[metrics]\nservices = true\n",
            "storage": {"size": "1Ti", "storageClassName": "fast"},
            "monitoring": {"labels": {"release": "monitoring"}, "interval": "1m"},
            "networkPolicy": {"ingressFrom": [{"podSelector": {}}], "extraEgress": [{"ports": [{"port": 443}]}]},
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"operator": "Exists"}],
        },
    }
    for what, values in variants.items():
        found = manifests(values)
        validate(found, what)
        check_sense(found, what, values.get("shards", 1))
        kinds = {one["kind"] for one in found}
        has_monitoring = {"ServiceMonitor", "PrometheusRule"} <= kinds
        expect(has_monitoring == values.get("monitoring", {}).get("enabled", True), f"{what}: monitoring as asked")
    broken = manifests({})
    of_kind(broken, "StatefulSet")[0]["spec"]["replica"] = 2
    expect(len(list(refusals(broken))) == len(VERSIONS), "every version refuses a misspelt field")
    broken = manifests({})
    of_kind(broken, "ServiceMonitor")[0]["spec"]["endpoints"][0]["intervall"] = "1m"
    expect(len(list(refusals(broken))) == 1, "the Prometheus operator refuses a misspelt field")
    ok(f"the chart renders {len(variants)} ways, and Kubernetes {', '.join(VERSIONS)} would take all of them")


def check_values():
    schema = json.loads((chart_folder / "values.schema.json").read_text())
    values = yaml.safe_load((chart_folder / "values.yaml").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(values, schema)

    def undescribed(value, described, path):
        for name, inner in value.items():
            known = described.get("properties")
            if known is None:
                return
            expect(name in known, f"values.schema.json describes {path}{name}")
            if isinstance(inner, dict):
                undescribed(inner, known.get(name, {}), f"{path}{name}.")

    undescribed(values, schema, "")
    wrong = [
        {"replica": 2}, {"replicas": 0}, {"replicas": "two"}, {"shards": 0}, {"source": {"url": "prometheus:9090"}},
        {"source": {"url": "http://a\"\n[http]"}}, {"alertLabels": {"a-b": "c"}}, {"alertLabels": {"a": "\"x"}},
        {"storage": {"size": "ten"}}, {"image": {"pullPolicy": "Sometimes"}}, {"budgetPerServiceWeek": 0},
        {"tokenSecret": ""}, {"monitoring": {"interval": "often"}},
    ]
    for values in wrong:
        try:
            manifests(values)
            expect(False, f"the chart refuses {values}")
        except helm.HelmError:
            pass
    ok(f"values are described, and {len(wrong)} wrong ones refused")


def plain():
    """The manifests that need no Helm: what every cluster has, and what the Prometheus operator adds."""
    rendered = {name.split("/")[-1]: text for name, text in render({}).items() if name.endswith(".yaml")}
    monitoring = rendered.pop("monitoring.yaml")
    order = ["service.yaml", "configmap.yaml", "networkpolicy.yaml", "statefulset.yaml"]
    expect(sorted(order) == sorted(rendered), "the order of manifests names every template")

    def joined(texts):
        texts = [text.strip().removeprefix("---").strip() for text in texts]
        lines = "\n---\n".join(texts).splitlines()
        # Without Helm nothing is managed by it.
        lines = [line.rstrip() for line in lines if "app.kubernetes.io/managed-by: Helm" not in line]
        return HEADER + "\n".join(lines) + "\n"

    return {"forewarn.yaml": joined(rendered[name] for name in order), "monitoring.yaml": joined([monitoring])}


def check_plain():
    for name, text in plain().items():
        expect((kubernetes / name).read_text() == text, f"kubernetes/{name} is the chart's: cargo xtask manifests")
    found = objects((kubernetes / name).read_text() for name in plain())
    validate(found, "plain manifests")
    check_sense(found, "plain manifests", 1)
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        print("skipped: no kubectl is here to build the kustomization")
    else:
        built = subprocess.run([kubectl, "kustomize", str(kubernetes)], capture_output=True, text=True)
        expect(built.returncode == 0, f"kubectl kustomize: {built.stderr}")
        key = lambda one: (one["kind"], one["metadata"]["name"])  # noqa: E731
        placed = copy.deepcopy(found)
        for one in placed:
            one["metadata"]["namespace"] = NAMESPACE
        made = [one for one in objects([built.stdout]) if one["kind"] != "Namespace"]
        expect(sorted(made, key=key) == sorted(placed, key=key), "the kustomization has all manifests")
        validate(objects([built.stdout]), "kustomization")
    promtool = os.environ.get("FOREWARN_PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        print("skipped: no promtool is here to read the PrometheusRule")
    else:
        [rule] = of_kind(found, "PrometheusRule")
        run([promtool, "check", "rules"], yaml.safe_dump(rule["spec"]), "the PrometheusRule")
    ok("the plain manifests are the chart's")


def run(command, text, what):
    """Runs a program over a file with this text."""
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "file.yml"
        path.write_text(text)
        done = subprocess.run([*command, str(path)], capture_output=True, text=True)
        expect(done.returncode == 0, f"{what}: {done.stdout}{done.stderr}")


def vendored(name):
    place = pathlib.Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor" / name
    return json.loads(place.read_text())


def check_compose():
    compose = yaml.safe_load((folder / "compose/compose.yaml").read_text())
    jsonschema.validate(compose, vendored("compose-spec.json"))
    made_by_users = {"./model.safetensors", "secrets/viewer", "secrets/operator"}
    named = [volume.split(":")[0] for one in compose["services"].values() for volume in one.get("volumes", [])]
    named += [secret["file"] for secret in compose["secrets"].values()]
    for path in named:
        if path in compose["volumes"] or path in made_by_users:
            continue
        expect((folder / "compose" / path).exists(), f"compose.yaml: {path} is there")
    own = compose["services"]["forewarn"]
    expect(own["read_only"] and own["cap_drop"] == ["ALL"], "compose.yaml: the root is read-only, no capabilities")
    expect(not own["user"].startswith("0"), "compose.yaml: not root")
    promtool = os.environ.get("FOREWARN_PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        print("skipped: no promtool is here to read compose/prometheus.yml")
    else:
        text = (folder / "compose/prometheus.yml").read_text()
        text = text.replace("/etc/prometheus/prometheus-rules.yml", str((folder / "prometheus-rules.yml").resolve()))
        with tempfile.NamedTemporaryFile() as token:
            run([promtool, "check", "config"], text.replace("/run/secrets/viewer", token.name), "prometheus.yml")
    amtool = os.environ.get("FOREWARN_AMTOOL") or shutil.which("amtool")
    if amtool is None:
        print("skipped: no amtool is here to read compose/alertmanager.yml")
    else:
        run([amtool, "check-config"], (folder / "compose/alertmanager.yml").read_text(), "alertmanager.yml")
    ok("the compose file is one, and the files that it names are there")


def check_unit():
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        print("skipped: no systemd-analyze is here to read the unit")
        return
    unit = folder / "systemd/forewarn.service"
    with tempfile.TemporaryDirectory() as place:
        # The program may not be installed here.
        path = pathlib.Path(place) / "forewarn.service"
        path.write_text(unit.read_text().replace("/usr/local/bin/forewarn", "/bin/true"))
        done = subprocess.run([analyze, "verify", "--man=no", str(path)], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if "forewarn.service" in line]
        expect(done.returncode == 0 and not said, f"systemd-analyze verify: {said}")
        command = [analyze, "security", "--offline=true", "--no-pager", "--threshold=20", str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        expect(done.returncode == 0 and level, f"systemd-analyze security: {done.stdout[-200:]}{done.stderr}")
        ok(f"the unit is sound: exposure {level and level[1]} of 10")


def check_workflow():
    workflow = yaml.safe_load((folder / "release/release.yml").read_text())
    # In YAML 1.1 the key `on` is a truth value.
    workflow["on"] = workflow.pop(True, None)
    jsonschema.validate(workflow, vendored("github-workflows.json"))
    expect(workflow["permissions"] == {"contents": "read"}, "release.yml: little is permitted unless a job asks")
    ok("the release workflow is one")


def check_components():
    said = JsonStrictValidator(SchemaVersion.V1_5).validate_str(pathlib.Path(sys.argv[2]).read_text())
    expect(said is None, f"the list of components is CycloneDX 1.5: {said}")
    ok("the list of components is one")


def check_handover():
    files = {name: objects([(folder / "handover" / name).read_text()])
             for name in ["hpa.yaml", "keda.yaml", "argo-events.yaml"]}
    for name, resources in files.items():
        validate(resources, f"handover/{name}")
    found, [keda], [source, sensor] = files.values()
    broken = copy.deepcopy(keda)
    broken["spec"]["triggers"][0]["metricTyp"] = "Utilization"
    expect(len(list(refusals([broken]))) == 1, "KEDA refuses a misspelt field")
    broken = copy.deepcopy(sensor)
    broken["spec"]["dependencies"][0]["eventNam"] = "warnings"
    expect(len(list(refusals([broken]))) == 1, "Argo refuses a misspelt field")
    adapter = yaml.safe_load((folder / "handover/prometheus-adapter.yaml").read_text())
    [rule] = adapter["rules"]["external"]
    external = [one["external"]["metric"]["name"] for one in found[0]["spec"]["metrics"] if one["type"] == "External"]
    expect(external == [rule["name"]["as"]], "the autoscaler asks for the metric that the adapter makes")
    queries = [one["metadata"]["query"] for one in keda["spec"]["triggers"] if one["type"] == "prometheus"]
    metric = "forewarn_failure_probability_ratio"
    expect(all(metric in query for query in [*queries, rule["seriesQuery"]]), f"scaling is by {metric}")
    promtool = os.environ.get("FOREWARN_PROMTOOL") or shutil.which("promtool")
    if promtool is not None:
        # As the adapter fills it in.
        asked = rule["metricsQuery"].replace("<<.Series>>", metric)
        asked = asked.replace("<<.LabelMatchers>>", 'namespace="shop", service="checkout"')
        expect("<<" not in asked, f"the adapter fills in all of {asked}")
        rules = [{"record": "a", "expr": query} for query in [*queries, asked, rule["seriesQuery"]]]
        run([promtool, "check", "rules"], yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]}), "keda.yaml")
    [dependency] = sensor["spec"]["dependencies"]
    expect(dependency["eventSourceName"] == source["metadata"]["name"], "the sensor hears of its event source")
    expect(dependency["eventName"] in source["spec"]["webhook"], "by an event that it has")
    alerts = [one["on_prometheus_alert"]["alert_name"]
              for play in yaml.safe_load((folder / "handover/robusta.yaml").read_text())["customPlaybooks"]
              for one in play["triggers"]]
    expect(alerts == ["ForewarnFailurePredicted"], "the playbook is for warnings")
    check_receiver()
    ok("warnings can be handed over")


def check_receiver():
    """A signed notification runs its command once; one that is not, or that came before, runs nothing."""
    secret = b"open sesame"
    page = HAND_OVER.read_text()
    [line] = re.findall(r"^receiver\.py .*$", page, re.MULTILINE)
    [rule] = json.loads(re.search(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1])
    cart = rule["service"]
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        (place / "secret").write_bytes(secret + b"\n")
        did = place / "did"
        command = [sys.executable, "-c", f"import os; open({str(did)!r}, 'a').write(os.environ['FOREWARN_SERVICE'])"]
        # The page's, but for what is run and how often.
        (place / "rules.json").write_text(json.dumps([{**rule, "command": command, "cooldown": 0}]))
        # As it stands, on a port that is free.
        arguments = re.sub(r":9099$", ":0", line)
        expect(arguments != line, f"{HAND_OVER} starts the receiver on its usual port")
        receiver = subprocess.Popen(
            [sys.executable, str((folder / "handover/receiver.py").resolve()), *shlex.split(arguments)[1:]],
            cwd=place, stdout=subprocess.PIPE, text=True)
        try:
            url = "http://" + receiver.stdout.readline().strip().removeprefix("listening on ")

            def send(number, key=secret, age=0, service=cart, status="firing"):
                alert = {"status": status, "labels": {"severity": "critical"},
                         "annotations": {"service_name": service, "warning": "w:1"}}
                body = json.dumps({"alerts": [alert]}).encode()
                stamp = str(int(time.time()) - age)
                signed = f"{number}.{stamp}.".encode() + body
                headers = {"X-Forewarn-Id": number, "X-Forewarn-Timestamp": stamp,
                           "X-Forewarn-Signature": "v1=" + hmac.new(key, signed, hashlib.sha256).hexdigest()}
                request = urllib.request.Request(url, body, headers)
                try:
                    return urllib.request.urlopen(request, timeout=10).status
                except urllib.error.HTTPError as error:
                    return error.code

            expect(send("1", key=b"guessed") == 401 and send("2", age=1000) == 401, "the receiver refuses others")
            expect(send("3", service="web") == 204 and send("4", status="resolved") == 204, "it takes what is genuine")
            expect(send("5") == 204 and send("5") == 204, "it takes repetitions")
            end = time.monotonic() + 20
            while not did.exists() and time.monotonic() < end:
                time.sleep(0.05)
            expect(send("6", service="web") == 204, "it goes on")
            time.sleep(0.5)
            expect(did.exists() and did.read_text() == cart, "the command ran once")
        finally:
            receiver.kill()
            receiver.wait()


if "--write" in sys.argv:
    shutil.copyfile(folder / "prometheus-rules.yml", chart_folder / "files/prometheus-rules.yml")
    for name, text in plain().items():
        (kubernetes / name).write_text(text)
        print("wrote", kubernetes / name)
else:
    for check in (check_chart, check_values, check_plain, check_compose, check_unit, check_workflow, check_components,
                  check_handover):
        check()
sys.exit(1 if failures else 0)
