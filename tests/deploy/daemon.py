"""A real tarnd for a test: a directory and ports of its own, gone with the test."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.request

PATIENCE_SECONDS = 60


def program(name):
    return os.path.join(os.environ["TARN_BIN_DIR"], name)


def clean_environment():
    """Without the variables that tarnd and tarnctl would take for options."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TARN_")}


class Redis:
    """A real redis-server that keeps nothing, on a Unix socket of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="tarn-test-")
        self.socket = os.path.join(self.directory.name, "redis.sock")
        self.url = f"unix://{self.socket}"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.directory.name, "--save", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server does not serve")
            time.sleep(0.01)
        return self

    def listens(self):
        # The socket is there a moment before anybody listens.
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(self.socket) == 0

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            connection.sendall(f"{command}\r\n".encode())
            answer = connection.recv(1024)
        if not answer.startswith(b"+OK"):
            raise RuntimeError(f"{command}: {answer}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        self.directory.cleanup()


class Daemon:
    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory(prefix="tarn-test-")
        self.addresses = os.path.join(self.directory.name, "addresses")
        self.log = open(os.path.join(self.directory.name, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program("tarnd"), "--data-dir", os.path.join(self.directory.name, "data"), "--listen", "127.0.0.1:0",
             "--http-listen", "127.0.0.1:0", "--address-file", self.addresses, *arguments],
            stdout=self.log, stderr=self.log, env=clean_environment())

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not os.path.exists(self.addresses):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise RuntimeError("tarnd does not serve:\n" + self.log.read())
            time.sleep(0.01)
        with open(self.addresses, encoding="utf-8") as file:
            pairs = dict(line.strip().split("=", 1) for line in file)
        self.grpc, self.http = pairs["grpc"], pairs["http"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        self.log.close()
        self.directory.cleanup()

    def tarnctl(self, *arguments, check=True):
        done = subprocess.run([program("tarnctl"), "--endpoint", self.grpc, *arguments], check=check,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        return done.stdout

    def page(self, path):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=PATIENCE_SECONDS) as answer:
            return answer.read().decode()
