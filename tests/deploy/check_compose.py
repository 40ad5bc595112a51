#!/usr/bin/env python3
"""docker-compose.yml is what the Compose specification allows, and names only what is there."""

import importlib.util
import json
import os
import sys

import jsonschema

import compose_file

ROOT = os.environ["TARN_SOURCE_DIR"]


def schema():
    """The specification's, which docker-compose brings along. The package itself is not imported."""
    package = importlib.util.find_spec("compose").submodule_search_locations[0]
    with open(os.path.join(package, "config/compose_spec.json"), encoding="utf-8") as file:
        return json.load(file)


def problems_of(name, service, whole):
    if "healthcheck" not in service:
        yield f"{name} has no health check"
    if service.get("restart") is None:
        yield f"{name} says nothing of restarts"
    for other in service.get("depends_on", {}):
        if whole["services"][other]["healthcheck"].get("disable"):
            yield f"{name} waits for {other}, which has no health check"
    for network in service.get("networks", []):
        if network not in whole["networks"]:
            yield f"{name} is in the network {network}, which is not declared"
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./") and not os.path.exists(os.path.join(ROOT, source)):
            yield f"{name} mounts {source}, which is not there"
        if not source.startswith("./") and source not in whole["volumes"]:
            yield f"{name} mounts the volume {source}, which is not declared"
    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            yield f"{name} opens {port} to more than this machine"
    if ":" not in service["image"]:
        yield f"the image of {name} has no version"
    target = service.get("build", {}).get("target")
    if target and f" AS {target}\n" not in dockerfile():
        yield f"{name} is built from {target}, which the Dockerfile lacks"


def dockerfile():
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        return file.read()


def options_of_tarnd():
    with open(os.path.join(ROOT, "docs/configuration.md"), encoding="utf-8") as file:
        rows = [line for line in file if line.startswith("| `--")]
    return {"TARN_" + row[5:].split("`")[0].split(" ")[0].upper().replace("-", "_") for row in rows}


def unknown_options(environment):
    """Variables that tarnd would refuse."""
    return sorted(set(environment) - options_of_tarnd())


def main():
    whole = compose_file.read()
    jsonschema.validate(whole, schema())
    problems = [problem for name, service in whole["services"].items() for problem in problems_of(name, service, whole)]
    problems += [f"tarnd has no option {name}" for name in unknown_options(whole["services"]["tarnd"]["environment"])]
    print("\n".join(problems) or f"{len(whole['services'])} services are well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
