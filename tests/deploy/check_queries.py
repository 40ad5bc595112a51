#!/usr/bin/env python3
"""Every query of the Grafana dashboard and of the Prometheus rules asks for what a real tarnd exports: metrics, labels,
and values of labels. And every alert is in the guide that says what to do about it."""

import json
import os
import re
import sys

import yaml

import queries
from daemon import Daemon, Redis

ROOT = os.environ["TARN_SOURCE_DIR"]
# Added by Prometheus.
SCRAPE_LABELS = {"job", "instance", "le"}
SCRAPE_METRICS = {"up"}
# Their values depend on what has happened; errors.proto and gRPC list them.
OPEN_LABELS = {"code", "reason", "namespace", "engine"}
LOCAL_ENGINES = ("memory", "rocksdb")


class Exported:
    """The metrics of every engine, with their labels and the values of these."""

    def __init__(self):
        self.labels = {}
        self.values = {}

    def add(self, text):
        for line in text.splitlines():
            declared = re.match(r"# TYPE (\S+) (\S+)", line)
            if declared:
                self.declare(*declared.groups())
                continue
            sample = re.match(r"(\w+)\{(.*)\} ", line)
            if sample:
                for label, _, value in queries.MATCHER.findall(sample.group(2)):
                    self.labels[sample.group(1)].add(label)
                    self.values.setdefault(label, set()).add(value)

    def declare(self, name, kind):
        parts = [name + end for end in ("_bucket", "_sum", "_count")] if kind == "histogram" else [name]
        for part in parts:
            self.labels.setdefault(part, set())


def exercise(daemon):
    """So that what appears only once it happened has happened."""
    daemon.tarnctl("put", "key", "value")
    daemon.tarnctl("get", "key")
    daemon.tarnctl("get", "other", check=False)
    daemon.tarnctl("ns", "create", "limited", "--quota-entries", "1", "--quota-bytes", "1MiB")
    daemon.tarnctl("-n", "limited", "put", "a", "1")
    daemon.tarnctl("-n", "limited", "put", "b", "2", check=False)
    daemon.tarnctl("scan")
    daemon.tarnctl("checkpoint", "create", "--force")


def exported():
    found = Exported()
    for engine in LOCAL_ENGINES:
        with Daemon("--engine", engine) as daemon:
            exercise(daemon)
            found.add(daemon.page("/metrics"))
    with Redis() as redis, Daemon("--engine", "redis", "--redis-url", redis.url) as daemon:
        exercise(daemon)
        redis.tell("SCRIPT FLUSH")  # So that a command is answered with an error.
        daemon.tarnctl("incr", "counter")
        found.add(daemon.page("/metrics"))
    return found


def dashboard_expressions():
    with open(os.path.join(ROOT, "deploy/grafana/tarn.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], re.search(r"\((.*), \w+\)", variable["definition"]).group(1)


def rules():
    for name in ("tarn.rules.yml", "tarn.alerts.yml"):
        with open(os.path.join(ROOT, "deploy/prometheus", name), encoding="utf-8") as file:
            for group in yaml.safe_load(file)["groups"]:
                yield from group["rules"]


def problems_of(expression, found, recorded):
    asked = queries.metrics(expression)
    if not asked:
        yield "asks for nothing"
    for name in sorted(asked - recorded - SCRAPE_METRICS - set(found.labels)):
        yield f"{name} is not exported"
    known = SCRAPE_LABELS.union(*(found.labels.get(name, set()) for name in asked))
    if not asked & recorded:
        for label in sorted(queries.grouped_labels(expression) - known):
            yield f"no metric of it has the label {label}"
    for metric, label, operator, value in queries.matchers(expression):
        if metric in found.labels and label not in SCRAPE_LABELS | found.labels[metric]:
            if found.labels[metric]:
                yield f"{metric} has no label {label}"
        if label in SCRAPE_LABELS | OPEN_LABELS or "$" in value:
            continue
        for one in value.split("|") if "~" in operator else [value]:
            if one not in found.values.get(label, set()):
                yield f'{label} is never "{one}"'


def undocumented_alerts(all_rules):
    with open(os.path.join(ROOT, "docs/operations.md"), encoding="utf-8") as file:
        guide = file.read()
    for rule in all_rules:
        if "alert" in rule and f"| {rule['alert']} |" not in guide:
            yield f"{rule['alert']} is not in docs/operations.md"


def main():
    queries.self_test()
    all_rules = list(rules())
    recorded = {rule["record"] for rule in all_rules if "record" in rule}
    expressions = list(dashboard_expressions()) + [(r.get("record") or r.get("alert"), r["expr"]) for r in all_rules]
    found = exported()
    problems = [f"{title}: {problem}" for title, expression in expressions
                for problem in problems_of(expression, found, recorded)]
    problems += undocumented_alerts(all_rules)
    print("\n".join(problems) or f"{len(expressions)} queries ask for what {len(found.labels)} series have")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
