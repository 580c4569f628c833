"""Whether resources that other projects add to Kubernetes have fields that these know, with values of the right type.

Models made from their definitions read a resource; what they do not know is lost on the way, and told.
"""

import hera.events.models as argo_events
import hera.workflows.models as argo_workflows
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus_operator

MODELS = {
    "argoproj.io": argo_events,
    "keda.sh": keda,
    "monitoring.coreos.com": prometheus_operator,
}


def unknown(given, known, path):
    """Fields of a resource that were lost, or became something else."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            if name in known:
                yield from unknown(value, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is no field"
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for place, (one, other) in enumerate(zip(given, known)):
            yield from unknown(one, other, f"{path}.{place}")
    elif given != known:
        yield f"{path} is {given!r}, which is taken as {known!r}"


def read(model, given):
    return model.model_validate(given).model_dump(mode="json", by_alias=True, exclude_unset=True)


def refusals(one):
    """What is wrong with a resource of one of these projects."""
    model = getattr(MODELS[one["apiVersion"].split("/")[0]], one["kind"])
    known = read(model, one)
    # Argo's definitions leave out what says which of them it is, what Go embeds, and what a sensor creates.
    if one["apiVersion"] == "argoproj.io/v1alpha1":
        known.update(apiVersion=one["apiVersion"], kind=one["kind"])
    if one["kind"] == "EventSource":
        for name, hook in one["spec"]["webhook"].items():
            known["spec"]["webhook"][name] = read(argo_events.WebhookContext, hook)
    if one["kind"] == "Sensor":
        for given, found in zip(one["spec"]["triggers"], known["spec"]["triggers"]):
            workflow = given["template"]["argoWorkflow"]["source"]["resource"]
            found["template"]["argoWorkflow"]["source"]["resource"] = read(argo_workflows.Workflow, workflow)
    yield from unknown(one, known, one["kind"])
