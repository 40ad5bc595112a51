#!/usr/bin/env python3
"""What deploy/kubernetes renders to is what Kubernetes takes, is confined as the restricted pod security standard says,
and means only options that tarnd has. Without a kustomize that knows components, the files are checked as they are."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

from check_compose import unknown_options
from daemon import clean_environment, program

ROOT = os.environ["TARN_SOURCE_DIR"]
KUBERNETES = os.path.join(ROOT, "deploy/kubernetes")
VERSION = "1.32"
# Of the Prometheus operator: no schema of Kubernetes' own.
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
SKIPPED = 77


def kustomize():
    """The command, or None. That of Debian 12 knows no components."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]) is None:
            continue
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "kustomization.yaml"), "w", encoding="utf-8") as file:
                file.write("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                           "configMapGenerator: [{name: a, literals: [b=c]}]\n")
            if subprocess.run(command + [directory], capture_output=True).returncode == 0:
                return command
    return None


def render(command, overlay, components):
    """The overlay, with these components, through a directory of its own beside the others."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(KUBERNETES, os.path.join(directory, "kubernetes"))
        target = os.path.join(directory, "kubernetes/overlays", overlay)
        with open(os.path.join(target, "kustomization.yaml"), "a", encoding="utf-8") as file:
            file.write("components:\n" + "".join(f"  - ../../components/{one}\n" for one in components)
                       if components else "")
        done = subprocess.run(command + [target], check=True, stdout=subprocess.PIPE, text=True)
        return list(yaml.safe_load_all(done.stdout))


def validate(resource):
    if resource["kind"] in CUSTOM:
        assert resource["apiVersion"] == "monitoring.coreos.com/v1" and resource["spec"], resource
    else:
        kubernetes_validate.validate(resource, VERSION, strict=True)


def pod_of(resources):
    return next(one for one in resources if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]


def check_restricted(pod):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards: restricted."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert not any(key in pod for key in ("hostNetwork", "hostPID", "hostIPC"))
    for volume in pod.get("volumes", []):
        assert set(volume) - {"name"} <= {"secret", "configMap", "emptyDir"}, volume
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"]["drop"] == ["ALL"] and "add" not in context["capabilities"]
        assert context["readOnlyRootFilesystem"] is True
        assert "privileged" not in context


def check_daemon(resources, components):
    pod = pod_of(resources)
    container = pod["containers"][0]
    environment = {one["name"]: one for one in container["env"]}
    assert not unknown_options(environment), unknown_options(environment)
    assert ("TARN_INSECURE_LISTEN" in environment) == ("tls" not in components)
    assert ("TARN_TLS_CERT" in environment) == ("tls" in components)
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    claims = next(one for one in resources if one["kind"] == "StatefulSet")["spec"]["volumeClaimTemplates"]
    volumes = {one["metadata"]["name"] for one in claims} | {one["name"] for one in pod.get("volumes", [])}
    assert mounts == volumes, (mounts, volumes)
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"
    assert pod["terminationGracePeriodSeconds"] > 60


def value_of(variable, resources):
    """As the pod would have it."""
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["configMapKeyRef"]
    (config_map,) = (one for one in resources if one["kind"] == "ConfigMap" and one["metadata"]["name"] == reference["name"])
    return config_map["data"][reference["key"]]


def check_configuration(resources):
    """That tarnd takes the pod's environment."""
    environment = {one["name"]: value_of(one, resources) for one in pod_of(resources)["containers"][0]["env"]}
    done = subprocess.run([program("tarnd"), "--check-config"], env=clean_environment() | environment, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def check_parts(resources):
    kinds = [one["kind"] for one in resources]
    for kind in ("StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"):
        assert kinds.count(kind) == 1, kinds
    assert kinds.count("Service") == 2


def check_rendered(command):
    count = 0
    for overlay in ("embedded", "redis"):
        for components in ([], ["monitoring"], ["tls"], ["monitoring", "tls"]):
            resources = render(command, overlay, components)
            for resource in resources:
                validate(resource)
            check_parts(resources)
            check_restricted(pod_of(resources))
            check_daemon(resources, components)
            check_configuration(resources)
            assert ("PrometheusRule" in [one["kind"] for one in resources]) == ("monitoring" in components)
            count += len(resources)
    return count


def check_files():
    for path in glob.glob(os.path.join(KUBERNETES, "base/*.yaml")):
        if not path.endswith("kustomization.yaml"):
            with open(path, encoding="utf-8") as file:
                for resource in yaml.safe_load_all(file):
                    validate(resource)


def main():
    check_files()
    command = kustomize()
    if command is None:
        print("SKIPPED: the overlays, for want of a kustomize that knows components; the base is what Kubernetes takes")
        return SKIPPED
    print(f"{check_rendered(command)} resources of 8 renderings are what Kubernetes {VERSION} takes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
