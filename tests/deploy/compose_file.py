"""What docker-compose.yml and the Dockerfile say of each service."""

import json
import os
import re

import yaml

ROOT = os.environ["TARN_SOURCE_DIR"]


def read():
    with open(os.path.join(ROOT, "docker-compose.yml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def seconds(text):
    """Of a duration such as 1m30s."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def entrypoint(target):
    """Of a stage of the Dockerfile."""
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        stage = re.search(rf"^FROM \S+ AS {target}$(.*?)(?=^FROM |\Z)", file.read(), re.S | re.M).group(1)
    return json.loads(re.search(r"^ENTRYPOINT (.*)$", stage, re.M).group(1))


def environment_of_image(target):
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        stage = re.search(rf"^FROM \S+ AS {target}$(.*?)(?=^FROM |\Z)", file.read(), re.S | re.M).group(1)
    return dict(re.findall(r"^ENV (\w+)=(\S+)$", stage, re.M))


class Service:
    """One service: what it is started with, and where."""

    def __init__(self, name, said):
        self.name = name
        self.said = said
        self.target = said.get("build", {}).get("target")
        self.environment = said.get("environment", {})
        if self.target:
            self.environment = environment_of_image(self.target) | self.environment

    def command(self):
        return (entrypoint(self.target) if self.target else []) + self.said.get("command", [])

    def health_command(self):
        assert self.said["healthcheck"]["test"][0] == "CMD", self.name
        return self.said["healthcheck"]["test"][1:]

    def mounts(self):
        """(source, place in the container), the deepest places first."""
        pairs = [volume.split(":")[:2] for volume in self.said.get("volumes", [])]
        return sorted(pairs, key=lambda pair: -len(pair[1]))

    def patience_seconds(self):
        return seconds(self.said["stop_grace_period"])


def services():
    return {name: Service(name, said) for name, said in read()["services"].items()}
