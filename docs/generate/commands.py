"""The command trees of tarnctl and tarnd, in one shape, as the programs themselves tell them.

A command: name, about, options, positionals, commands. An option: names, argument ("" for a switch), default,
variable, about."""

import json
import subprocess

ACTIONS = (  # Of tarnd, beside its table of options.
    ("--config", "FILE", "TARN_CONFIG", "The configuration file."),
    ("--check-config", "", "", "Check the configuration and exit."),
    ("--print-redis-acl", "", "", "Print what the daemon's user must be allowed in Redis, as ACL SETUSER reads it, and exit."),
    ("--print-config", "", "", "Print the configuration with each value's origin, as a configuration file, and exit."),
    ("--version", "", "", "Print the version and exit."),
    ("--help", "", "", "Print a summary and exit."),
)


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def of_tarnctl(program):
    return json.loads(output(program, "--describe-commands"))


def exit_codes_of_tarnctl(program):
    table = output(program, "--help").split("Exit codes:\n")[1]
    rows = [line.strip().split("\t", 1) for line in table.splitlines() if "\t" in line]
    return [{"code": int(code), "meaning": meaning} for code, meaning in rows]


# Defaults that depend on where tarnd runs, for people; "" where the option's text tells.
DEPENDING = {"data-dir": "/var/lib/tarn for root, else ~/.local/state/tarn", "memory-limit": "", "checkpoint-dir": ""}


def of_tarnd(reference):
    options = [{"names": [name], "argument": argument, "default": "", "variable": variable, "about": about, "group": ""}
               for name, argument, variable, about in ACTIONS]
    for one in reference["options"]:
        argument = "{" + one["argument"].replace("|", ",") + "}" if is_choice(one["argument"]) else one["argument"]
        options.append({"names": ["--" + one["name"]], "argument": argument,
                        "default": DEPENDING.get(one["name"], one["default"]),
                        "variable": one["variable"], "about": one["help"], "group": one["group"]})
    return {"name": "tarnd", "about": "A state store for stream processing.", "options": options, "positionals": [],
            "commands": []}


def is_choice(argument):
    """Words of which one is to be given, as opposed to HOST:PORT|unix:PATH."""
    return "|" in argument and argument == argument.lower()


def choices(option):
    argument = option["argument"]
    return argument[1:-1].split(",") if argument.startswith("{") else []


def walk(command, path=()):
    """(path, command) for every command, the program itself first, with the path ()."""
    yield path, command
    for one in command["commands"]:
        yield from walk(one, path + (one["name"],))


def can_run(command):
    """Whether it does something itself, and is not only a group of others."""
    own = [option for option in command["options"] if "--help" not in option["names"]]
    return bool(not command["commands"] or command["positionals"] or own)


def first_line(text):
    return text.split("\n")[0]
