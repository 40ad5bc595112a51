#!/usr/bin/env python3
"""Manual pages and completions, as they are made from the programs: whole, without complaints of the programs that read
them, and with the words that belong there."""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ["TARN_SOURCE_DIR"]
BIN = os.environ["TARN_BIN_DIR"]
GENERATE = os.path.join(ROOT, "docs/generate")

sys.path.insert(0, GENERATE)
import commands  # noqa: E402

# What is typed, the last word unfinished; and some of what bash should offer, and what it should not.
COMPLETIONS = (
    ("tarnctl", ["tarnctl", "che"], {"checkpoint"}, {"get"}),
    ("tarnctl", ["tarnctl", "checkpoint", ""], {"create", "restore", "--endpoint"}, {"get", "checkpoint"}),
    ("tarnctl", ["tarnctl", "-n", "get", "checkpoint", "restore", "--no"], {"--no-safety-checkpoint", "--no-wait"}, {"--ttl"}),
    ("tarnctl", ["tarnctl", "--write-out", ""], {"simple", "table", "json"}, {"get"}),
    ("tarnd", ["tarnd", "--check"], {"--check-config", "--checkpoint-dir"}, {"--data-dir"}),
    ("tarnd", ["tarnd", "--durability", ""], {"os", "disk"}, {"--engine"}),
)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def offered(script, words):
    """What bash would offer."""
    program = words[0]
    line = " ".join(f"'{word}'" for word in words)
    code = f"source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _{program}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return set(subprocess.run(["bash", "-ec", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split())


def check_completions(directory):
    for program, words, wanted, unwanted in COMPLETIONS:
        got = offered(os.path.join(directory, f"{program}.bash"), words)
        assert wanted <= got, (words, wanted - got)
        assert not unwanted & got, (words, unwanted & got)
    for shell in ("bash", "zsh", "fish"):
        for program in ("tarnctl", "tarnd"):
            if shutil.which(shell):
                subprocess.run([shell, "-n", os.path.join(directory, f"{program}.{shell}")], check=True)


def check_manuals(directory):
    tree = commands.of_tarnctl(os.path.join(BIN, "tarnctl"))
    page = read(os.path.join(directory, "tarnctl.1")).replace("\\-", "-")
    for path, command in commands.walk(tree):
        assert not path or not commands.can_run(command) or f'.SS "tarnctl {" ".join(path)}"' in page, path
        for option in command["options"]:
            assert option["names"][0] in page, option
    for name in ("--data-dir", "TARN_DATA_DIR", "EXIT STATUS", "SIGHUP"):
        assert name in read(os.path.join(directory, "tarnd.8")).replace("\\-", "-"), name
    if shutil.which("groff"):
        for name in ("tarnctl.1", "tarnd.8"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", os.path.join(directory, name)], check=True,
                                  stderr=subprocess.PIPE, text=True)
            assert not done.stderr, done.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="tarn-test-") as directory:
        subprocess.run([sys.executable, "-B", os.path.join(GENERATE, "reference.py"), "pages", BIN, directory, "0"], check=True)
        check_manuals(directory)
        check_completions(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
