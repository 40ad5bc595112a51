#!/usr/bin/env python3
"""The services of docker-compose.yml, run without a container engine: each with the command, the environment and the
mounted files that it has there, and judged by the health check that it has there. Only addresses and places are others,
because here all share one machine. Of Grafana, which no package has, the mounted files are checked."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

import compose_file
from daemon import clean_environment

ROOT = os.environ["TARN_SOURCE_DIR"]
TOOLS = os.environ["TARN_TOOLS_DIR"]
# Everything here ends as soon as it can: this is for machines that are slow.
PATIENCE_SECONDS = 60
# A port that was free may be taken when the program comes to it.
ATTEMPTS = 5
# What the image of Prometheus runs when compose names no command.
PROMETHEUS_COMMAND = ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
# Grafana fills these in.
VARIABLES = {"$job": "tarn", "$instance": ".*", "$__rate_interval": "1m"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    """Ours, or one of .ci/tools, or the machine's."""
    for directory in (os.environ["TARN_BIN_DIR"], TOOLS):
        if os.path.exists(os.path.join(directory, name)):
            return os.path.join(directory, name)
    found = shutil.which(name)
    if not found:
        print(f"SKIPPED: needs {name}: .ci/setup build, .ci/tools prometheus")
        sys.exit(77)
    return found


def until(what, condition, running=None):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (got := condition()):
        if running is not None and running.process.poll() is not None:
            raise AssertionError(f"{running.name} ended with {running.process.returncode}:\n{running.output()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {PATIENCE_SECONDS} s: {what}\n{running.output() if running else ''}")
        time.sleep(0.02)
    return got


class Running:
    def __init__(self, name, argv, directory, environment):
        self.name = name
        self.log_path = os.path.join(directory, f"{name}.log")
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([program(argv[0]), *argv[1:]], cwd=directory, stdout=log, stderr=log,
                                            env=clean_environment() | environment)

    def output(self):
        with open(self.log_path, encoding="utf-8") as log:
            return "\n".join(log.read().splitlines()[-20:])

    def stop(self, patience_seconds):
        """As compose does. Answers with the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience_seconds)


class Machine:
    """Stands in for the network and the volumes: what is where of that which the file names."""

    def __init__(self, directory):
        self.directory = directory
        self.services = compose_file.services()
        self.addresses = {}
        self.running = []

    def place(self, source):
        """A volume's directory, made when missing; or what is mounted of the repository."""
        if source.startswith("./"):
            return os.path.join(ROOT, source[2:])
        path = os.path.join(self.directory, source)
        os.makedirs(path, exist_ok=True)
        return path

    def here(self, text, service):
        """With the addresses and places of this machine."""
        for theirs, ours in self.addresses.items():
            text = re.sub(rf"(?<![\w.]){re.escape(theirs)}(?!\d)", ours, text)
        for source, place in service.mounts():
            text = re.sub(rf"(?<!\w){re.escape(place)}(?=/|$)", self.place(source), text)
        return text

    def start(self, name, argv, environment=None):
        service = self.services[name]
        values = {key: self.here(value, service) for key, value in (environment or {}).items()}
        started = Running(name, [self.here(word, service) for word in argv], self.directory, values)
        self.running.append(started)
        return started

    def healthy(self, name, more, environment=None):
        """Runs the health check of the file; `more` follows the program's name."""
        argv = self.services[name].health_command()
        argv = [program(argv[0]), *more, *(self.here(word, self.services[name]) for word in argv[1:])]
        return subprocess.run(argv, env=clean_environment() | (environment or {}), capture_output=True).returncode == 0

    def stop_all(self):
        for one in self.running:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()


# --- redis --------------------------------------------------------------------------------------------------------


def start_redis(machine):
    service = machine.services["redis"]
    data = machine.place(service.mounts()[0][0])
    for _ in range(ATTEMPTS):
        port = str(free_port())
        redis = machine.start("redis", service.command() + ["--port", port, "--bind", "127.0.0.1", "--dir", data])
        until("redis runs", lambda: redis.process.poll() is not None or machine.healthy("redis", ["-p", port]))
        if redis.process.poll() is None:
            machine.addresses["redis:6379"] = f"127.0.0.1:{port}"
            return redis, port
    raise AssertionError(redis.output())


def check_redis(machine, port):
    flags = machine.services["redis"].command()[1:]
    for flag, value in zip(flags[::2], flags[1::2]):
        said = subprocess.run([program("redis-cli"), "-p", port, "CONFIG", "GET", flag.removeprefix("--")], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split()
        assert said[1:] == [value], (flag, said)
    volume = machine.place(machine.services["redis"].mounts()[0][0])
    assert os.listdir(volume) == ["appendonlydir"], "the append-only file is not on the volume"


# --- tarnd --------------------------------------------------------------------------------------------------------


def check_configuration(machine):
    """That tarnd takes the file's environment as it stands."""
    service = machine.services["tarnd"]
    done = subprocess.run([program("tarnd"), *service.command()[1:], "--check-config"],
                          env=clean_environment() | service.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def start_tarnd(machine):
    service = machine.services["tarnd"]
    address_file = os.path.join(machine.directory, "addresses")
    with contextlib.suppress(FileNotFoundError):
        os.remove(address_file)
    environment = service.environment | {
        "TARN_ADDRESS_FILE": address_file,
        "TARN_LISTEN": machine.addresses.get("tarnd:8276", "127.0.0.1:0"),
        "TARN_HTTP_LISTEN": machine.addresses.get("tarnd:8277", "127.0.0.1:0"),
    }
    tarnd = machine.start("tarnd", service.command(), environment)
    until("tarnd serves", lambda: os.path.exists(address_file), tarnd)
    with open(address_file, encoding="utf-8") as file:
        found = dict(line.strip().split("=", 1) for line in file)
    machine.addresses |= {"tarnd:8276": found["grpc"], "tarnd:8277": found["http"]}
    until("tarnd is healthy", lambda: machine.healthy("tarnd", [], {"TARN_ENDPOINT": found["grpc"]}), tarnd)
    return tarnd


def tarnctl(machine, *words):
    return subprocess.run([program("tarnctl"), "--endpoint", machine.addresses["tarnd:8276"], *words], check=True,
                          env=clean_environment(), stdout=subprocess.PIPE, text=True).stdout.strip()


def check_restart(machine, tarnd):
    """`docker compose restart tarnd`: drains, makes a final checkpoint, comes back with what it had."""
    tarnctl(machine, "put", "greeting", "hello")
    assert tarnd.stop(machine.services["tarnd"].patience_seconds()) == 0, tarnd.output()
    environment = {"TARN_ENDPOINT": machine.addresses["tarnd:8276"]}
    assert not machine.healthy("tarnd", [], environment), "the health check says that a stopped tarnd is well"
    assert any(name.endswith(".ckpt") for name in os.listdir(machine.place("tarn-checkpoints"))), "no checkpoint"
    start_tarnd(machine)
    assert tarnctl(machine, "get", "greeting") == "hello"


# --- worker -------------------------------------------------------------------------------------------------------


def check_worker(machine):
    """It opens its windows, and a report of them can be had."""
    service = machine.services["worker"]
    events = os.path.join(machine.directory, "events")
    make = os.path.join(ROOT, "client/examples/make_event_log.py")
    with open(events, "w", encoding="utf-8") as log:
        subprocess.run([make, "temps", os.path.join(ROOT, "tests/data/temps")], check=True, stdout=log)
    command = [events if word == "/usr/local/share/tarn/events" else word for word in service.command()]
    assert events in command, "the worker reads another log than the image has"
    worker = machine.start("worker", command)
    until("the worker keeps windows", lambda: int(tarnctl(machine, "-n", "windows", "count")) > 0, worker)
    report = subprocess.run([program("window_report"), "--endpoint", machine.addresses["tarnd:8276"], "--divide", "10"],
                            env=clean_environment(), capture_output=True, text=True)
    assert report.returncode == 0, report.stderr


# --- prometheus ---------------------------------------------------------------------------------------------------


def mounted_configuration(machine):
    """Prometheus' file, and its rules, where it finds them."""
    service = machine.services["prometheus"]
    path = "/etc/prometheus/prometheus.yml"
    with open(dict((place, machine.place(source)) for source, place in service.mounts())[path], encoding="utf-8") as file:
        text = machine.here(file.read(), service)
    mine = os.path.join(machine.directory, "prometheus.yml")
    with open(mine, "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([program("promtool"), "check", "config", mine], check=True, stdout=subprocess.DEVNULL)
    return mine


def start_prometheus(machine):
    configuration = mounted_configuration(machine)
    command = machine.services["prometheus"].said.get("command")
    command = ["prometheus", *command] if command else PROMETHEUS_COMMAND
    command = [word.replace("/etc/prometheus/prometheus.yml", configuration) for word in command]
    for _ in range(ATTEMPTS):
        address = f"127.0.0.1:{free_port()}"
        machine.addresses |= {"127.0.0.1:9090": address, "prometheus:9090": address}
        prometheus = machine.start("prometheus", command + [f"--web.listen-address={address}"])
        until("prometheus runs", lambda: prometheus.process.poll() is not None or machine.healthy("prometheus", []))
        if prometheus.process.poll() is None:
            until("prometheus is ready", lambda: is_ready(machine), prometheus)
            return prometheus
    raise AssertionError(prometheus.output())


def is_ready(machine):
    """It is healthy from the beginning, and answers once it has read its files."""
    try:
        with urllib.request.urlopen(f"http://{machine.addresses['prometheus:9090']}/-/ready", timeout=PATIENCE_SECONDS):
            return True
    except urllib.error.URLError:
        return False


def ask(machine, path, **parameters):
    url = f"http://{machine.addresses['prometheus:9090']}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)["data"]


def check_prometheus(machine, prometheus):
    until("tarnd is scraped", lambda: [t["health"] for t in ask(machine, "targets")["activeTargets"]] == ["up"], prometheus)
    rules = until("all rules were evaluated", lambda: evaluated(ask(machine, "rules")), prometheus)
    bad = [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"]
    assert not bad, bad
    alerts = ask(machine, "alerts")["alerts"]
    assert not [alert for alert in alerts if alert["state"] == "firing"], alerts


def evaluated(answer):
    """The rules, once none is unknown."""
    rules = [rule for group in answer["groups"] for rule in group["rules"]]
    return rules if rules and all(rule["health"] != "unknown" for rule in rules) else []


# --- grafana ------------------------------------------------------------------------------------------------------


def provisioned(machine, kind):
    source = dict((place, machine.place(source)) for source, place in machine.services["grafana"].mounts())
    directory = os.path.join(source["/etc/grafana/provisioning"], kind)
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            yield from yaml.safe_load(file)[{"datasources": "datasources", "dashboards": "providers"}[kind]]


def dashboards(machine):
    """(where Grafana finds it, the dashboard)."""
    places = {place: machine.place(source) for source, place in machine.services["grafana"].mounts()}
    for provider in provisioned(machine, "dashboards"):
        place = provider["options"]["path"]
        for name in os.listdir(places[place]):
            with open(os.path.join(places[place], name), encoding="utf-8") as file:
                yield f"{place}/{name}", json.load(file)


def check_grafana(machine):
    (source,) = provisioned(machine, "datasources")
    assert source["url"] == "http://prometheus:9090" and source["isDefault"], source
    found = dict(dashboards(machine))
    home = machine.services["grafana"].environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert found[home]["title"] == "Tarn" and found[home]["uid"], sorted(found)
    for dashboard in found.values():
        for variable in dashboard["templating"]["list"]:
            assert variable["type"] != "datasource" or variable["query"] == source["type"], variable


def check_panels(machine):
    """Prometheus, with what it scraped, answers what the panels ask."""
    until("a rate can be told", lambda: ask(machine, "query", query="count_over_time(up[1m]) > 1")["result"])
    answered = asked = 0
    for _, dashboard in dashboards(machine):
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"]
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                asked += 1
                answered += bool(ask(machine, "query", query=expression)["result"])
    # Some have nothing to show: no restore, no limit, no scan.
    assert answered > asked / 2, f"only {answered} of {asked} queries have an answer"
    print(f"{answered} of {asked} queries of the dashboard have an answer")


def check_ports(machine):
    """What listens inside is what is opened, and what the health checks ask."""
    for name, own in (("prometheus", "9090"), ("grafana", "3000")):
        said = machine.services[name].said
        assert [port.split(":")[-1] for port in said["ports"]] == [own], said["ports"]
        assert f":{own}/" in " ".join(machine.services[name].health_command())


def play(machine):
    check_configuration(machine)
    check_grafana(machine)
    check_ports(machine)
    redis, port = start_redis(machine)
    tarnd = start_tarnd(machine)
    check_redis(machine, port)
    check_restart(machine, tarnd)
    check_worker(machine)
    prometheus = start_prometheus(machine)
    check_prometheus(machine, prometheus)
    check_panels(machine)
    assert redis.process.poll() is None, redis.output()


def main():
    for needed in ("redis-server", "redis-cli", "wget", "prometheus", "promtool"):
        program(needed)
    with tempfile.TemporaryDirectory(prefix="tarn-test-") as directory:
        machine = Machine(directory)
        try:
            play(machine)
        finally:
            machine.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
