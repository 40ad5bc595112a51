#!/usr/bin/env python3
"""What is made from the programs and protos themselves, so that it cannot say something else.

    reference.py docs BIN_DIR [--check]      the tables of docs/{configuration,metrics}.md, docs/api.md, and Prometheus'
                                             rules for Kubernetes, in place; --check only says what is out of date
    reference.py pages BIN_DIR DIR VERSION   manual pages and completions of tarnd and tarnctl, into DIR

BIN_DIR has tarnctl and tarnd-reference."""

import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import api  # noqa: E402
import commands  # noqa: E402
import completion  # noqa: E402
import manual  # noqa: E402
import rules  # noqa: E402
import tables  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def reference_of(bin_dir):
    return json.loads(commands.output(os.path.join(bin_dir, "tarnd-reference")))


def documents(bin_dir):
    reference = reference_of(bin_dir)
    protos = {os.path.basename(path): read(path) for path in glob.glob(os.path.join(ROOT, "proto/tarn/v1/*.proto"))}
    docs = os.path.join(ROOT, "docs")
    deploy = os.path.join(ROOT, "deploy")
    rule_files = [read(os.path.join(deploy, "prometheus", name)) for name in ("tarn.rules.yml", "tarn.alerts.yml")]
    return {
        os.path.join(docs, "configuration.md"): lambda old: tables.configuration(old, reference),
        os.path.join(docs, "metrics.md"): lambda old: tables.metrics(old, reference),
        os.path.join(docs, "api.md"): lambda old: api.document(protos),
        os.path.join(deploy, "kubernetes/components/monitoring/prometheus-rule.yaml"):
            lambda old: rules.prometheus_rule(rule_files),
    }


def make_docs(bin_dir, *flags):
    stale = []
    for path, make in documents(bin_dir).items():
        old = read(path) if os.path.exists(path) else ""
        new = make(old)
        if new == old:
            continue
        stale.append(os.path.relpath(path, ROOT))
        if "--check" not in flags:
            write(path, new)
    if "--check" not in flags:
        print("\n".join(f"brought up to date: {path}" for path in stale) or "all is up to date")
        return 0
    print("\n".join(f"{path} is out of date: make docs" for path in stale) or "all is up to date")
    return 1 if stale else 0


def make_pages(bin_dir, directory, version):
    reference = reference_of(bin_dir)
    program = os.path.join(bin_dir, "tarnctl")
    tarnctl, tarnd = commands.of_tarnctl(program), commands.of_tarnd(reference)
    codes = commands.exit_codes_of_tarnctl(program)
    write(os.path.join(directory, "tarnctl.1"), manual.tarnctl(tarnctl, codes, version))
    write(os.path.join(directory, "tarnd.8"), manual.tarnd(tarnd, reference["exit_codes"], version))
    for tree in (tarnctl, tarnd):
        for shell, make in completion.SHELLS.items():
            write(os.path.join(directory, f"{tree['name']}.{shell}"), make(tree))
    return 0


def main():
    commands_of = {"docs": make_docs, "pages": make_pages}
    if len(sys.argv) < 3 or sys.argv[1] not in commands_of:
        sys.exit(__doc__)
    return commands_of[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
