#!/usr/bin/env python3
"""check_images.py DIR: docker-compose.yml's tarnd and worker in the images that image_test.sh built into DIR/storage: with
the command, the environment, the volumes and the health check of that file, at the addresses of that file. To be run on a
network of its own, where every service's name is this machine's."""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

import compose_file
from check_services import until
from daemon import clean_environment

WORK = sys.argv[1]
USER = "8276:8276"


def buildah(*words):
    return ["buildah", "--root", os.path.join(WORK, "storage"), "--runroot", os.path.join(WORK, "run"), *words]


def output(argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Process:
    """What `until` asks for, and an end."""

    def __init__(self, name, argv):
        self.name = name
        self.log = open(os.path.join(WORK, f"compose-{name}.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log, env=clean_environment(), cwd=WORK,
                                        start_new_session=True)

    def output(self):
        self.log.seek(0)
        return "\n".join(self.log.read().splitlines()[-20:])

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Container:
    """A service in its image."""

    def __init__(self, service, hosts):
        self.service = service
        named = [word for host in hosts for word in ("--add-host", f"{host}:127.0.0.1")]
        self.name = output(buildah("from", "--pull-never", *named, f"localhost/tarn-test/{service.target}"))
        self.volumes = [word for pair in service.mounts()[::-1] for word in ("--volume", self.volume(*pair))]

    @staticmethod
    def volume(source, place):
        """A new volume belongs to the owner of the place that it covers."""
        path = os.path.join(WORK, "volumes", source)
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, *map(int, USER.split(":")))
        return f"{path}:{place}"

    def run(self, *argv):
        environment = [word for pair in self.service.environment.items() for word in ("--env", "=".join(pair))]
        return buildah("run", "--user", USER, *environment, *self.volumes, self.name, "--", *argv)

    def healthy(self):
        return subprocess.run(self.run(*self.service.health_command()), capture_output=True).returncode == 0


def windows(tarnd):
    return int(output(tarnd.run("tarnctl", "-n", "windows", "count")))


def play(services, processes):
    redis = Process("redis", services["redis"].command())
    processes.append(redis)
    until("redis is well", lambda: subprocess.run(services["redis"].health_command(), capture_output=True).returncode == 0,
          redis)
    tarnd = Container(services["tarnd"], ["redis"])
    processes.append(Process("tarnd", tarnd.run(*services["tarnd"].command())))
    until("tarnd is healthy", tarnd.healthy, processes[-1])
    worker = Container(services["worker"], ["tarnd"])
    processes.append(Process("worker", worker.run(*services["worker"].command())))
    until("the worker keeps windows", lambda: windows(tarnd) > 0, processes[-1])
    until("a checkpoint is on its volume", lambda: has_checkpoint(tarnd), processes[1])
    assert tarnd.healthy() and redis.process.poll() is None


def has_checkpoint(tarnd):
    return bool(output(tarnd.run("tarnctl", "checkpoint", "list")))


def bring_loopback_up():
    """A new network has it, but down. As `ip link set lo up`, which not every machine has."""
    set_flags, up = 0x8914, 1
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def main():
    bring_loopback_up()
    processes = []
    try:
        play(compose_file.services(), processes)
    finally:
        for process in processes[::-1]:
            process.end()
    print("redis, tarnd and worker are well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
