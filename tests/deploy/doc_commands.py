#!/usr/bin/env python3
"""Executes every command of the documents: each line of their ```sh blocks, in order, as one session of bash for each
document, with a tarnd that serves and the programs on the path. What cannot be executed here is on the list below, with
the reason; and what is on the list without being in a document is an error."""

import glob
import os
import re
import subprocess
import sys
import tempfile

from daemon import Daemon, clean_environment

ROOT = os.environ["TARN_SOURCE_DIR"]
PATIENCE_SECONDS = 120

# What a command begins with, and why it is not executed.
NOT_EXECUTED = {
    "make run": "builds everything and does not end",
    "make test": "is what runs this",
    "make package": "builds everything once more; tests/deploy/package_test.sh does",
    "make demo": "needs the network for its events; tests/client/examples has the worker",
    "DATASET=flights make demo": "needs the network for its events",
    "client/examples/make_event_log.py": "needs the events that `make demo` fetches",
    "build/release/bin/window_worker": "needs these events; tests/client/examples runs it on its own",
    "build/release/bin/window_report": "needs what the worker made",
    "build/release/bin/tarnctl -n windows get": "needs what the worker made",
    "g++": "needs an installed libtarn; the tests of client/ build the example with one",
    "docker": "needs a container engine; tests/deploy/image_test.sh builds and runs the image without one",
    "kubectl": "needs a cluster, or kubectl; tests/deploy/check_kubernetes.py renders and checks all of it",
    "sudo": "changes the machine; tests/deploy/package_test.sh installs the packages in a Debian of their own",
    "systemctl": "needs a machine that systemd runs",
}
# Commands that are shown because they fail: how they end.
ENDS_WITH = {
    "tarnctl put greeting 'hi' --if-absent": 3,
    "tarnctl lock release nightly-report --force": 3,  # Nobody holds it here.
}
# Places of a real installation, and where they are here.
PLACES = ("/var/lib/tarn", "/var/tmp", "/backup", "/etc/tarn", "/tmp/events")


def blocks(text):
    return re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)


def is_complete(command):
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True).returncode == 0 and \
        not command.rstrip().endswith("\\")


def commands(block):
    """Lines, joined while bash wants more."""
    pending = ""
    for line in block.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        if pending.strip() and not pending.lstrip().startswith("#") and is_complete(pending):
            yield pending
        elif pending.strip() and not pending.lstrip().startswith("#"):
            continue
        pending = ""
    if pending.strip():
        yield pending


def without_comment(command):
    return re.sub(r"\s+#\s.*$", "", command.strip(), flags=re.M)


def beginning(command, table):
    return next((start for start in table if without_comment(command).startswith(start)), None)


class Session:
    """One document's commands, as a script that says which of them ended otherwise than it should."""

    def __init__(self, directory, daemon):
        self.directory = directory
        self.daemon = daemon
        self.lines = ["set -o pipefail", "failures=0"]
        self.count = 0

    def add(self, command):
        start = beginning(command, ENDS_WITH)
        expected = ENDS_WITH[start] if start else 0
        self.count += 1
        here = f"cat <<'COMMAND'\n+ {command}\nCOMMAND"
        self.lines += [here, self.moved(command), "status=$?",
                       f"if ((status != {expected})); then echo \"FAILED: ended with $status\"; failures=$((failures + 1)); fi"]

    def moved(self, command):
        """The command with its addresses and places replaced by those of the test."""
        command = command.replace("127.0.0.1:8276", self.daemon.grpc).replace("127.0.0.1:8277", self.daemon.http)
        command = command.replace("build/release/bin/", os.environ["TARN_BIN_DIR"] + "/")
        for place in PLACES:
            command = re.sub(rf"(?<![\w/]){place}(?![\w-])", self.directory + place, command)
        return command

    def prepare(self):
        for place in PLACES[:-1]:
            os.makedirs(self.directory + place)
        os.makedirs(self.directory + "/tmp")
        with open(os.path.join(ROOT, "deploy/tarnd.toml"), encoding="utf-8") as source:
            with open(self.directory + "/etc/tarn/tarnd.toml", "w", encoding="utf-8") as copy:
                copy.write(source.read())
        # What an example runs.
        with open(self.directory + "/make_report.sh", "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\necho report\n")
        os.chmod(self.directory + "/make_report.sh", 0o755)
        for name in ("client", "deploy", "docs", "proto", "tests"):
            os.symlink(os.path.join(ROOT, name), os.path.join(self.directory, name))

    def run(self):
        self.prepare()
        environment = clean_environment() | {
            "PATH": os.environ["TARN_BIN_DIR"] + ":" + os.environ["PATH"],
            "TARN_ENDPOINT": self.daemon.grpc,
        }
        script = "\n".join(self.lines + ["exit $((failures > 0))"])
        done = subprocess.run(["bash", "-c", script], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS)
        if done.returncode != 0:
            print(done.stdout)
        return done.returncode == 0


def documents():
    for path in sorted(glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "docs", "*.md"))):
        with open(path, encoding="utf-8") as file:
            found = [command for block in blocks(file.read()) for command in commands(block)]
        if found:
            yield os.path.relpath(path, ROOT), found


def run_document(name, found, used):
    """Whether all went as the document says."""
    executed = [command for command in found if not beginning(command, NOT_EXECUTED)]
    used |= {beginning(command, NOT_EXECUTED) for command in found}
    print(f"{name}: {len(executed)} of {len(found)} commands")
    if not executed:
        return True
    with tempfile.TemporaryDirectory(prefix="tarn-test-") as directory, Daemon("--checkpoint-interval", "1h") as daemon:
        session = Session(directory, daemon)
        for command in executed:
            session.add(command)
        return session.run()


def main():
    used = set()
    failed = [name for name, found in documents() if not run_document(name, found, used)]
    print("\n".join(f"{name}: a command does not do what it says" for name in failed))
    unused = sorted(set(NOT_EXECUTED) - used)
    print("\n".join(f'"{start}" is on the list of what is not executed, and in no document' for start in unused))
    return 1 if failed or unused else 0


if __name__ == "__main__":
    sys.exit(main())
