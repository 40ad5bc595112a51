"""Manual pages, in the macros of man(7)."""

from commands import can_run, first_line, walk


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def option_lines(option):
    argument = f" \\fI{escape(option['argument'])}\\fR" if option["argument"] else ""
    names = ", ".join(f"\\fB{escape(name)}\\fR" for name in option["names"])
    notes = []
    if option["default"]:
        notes.append(f"default: {option['default']}")
    if option["variable"]:
        notes.append(f"environment: {option['variable']}")
    about = option["about"] + (f" [{'; '.join(notes)}]" if notes else "")
    return [".TP", names + argument, escape(about)]


def synopsis(path, command):
    words = [f"\\fB{escape(' '.join(path))}\\fR"]
    if any(option["names"] != ["--help", "-h"] for option in command["options"]):
        words.append("[\\fIOPTION\\fR...]")
    for one in command["positionals"]:
        words.append(f"\\fI{one['name']}\\fR" if one["required"] else f"[\\fI{one['name']}\\fR]")
    return " ".join(words)


def command_lines(name, path, command):
    lines = [f".SS \"{name} {' '.join(path)}\"", synopsis((name, *path), command), ".PP", escape(command["about"])]
    for one in command["positionals"]:
        lines += [".TP", f"\\fI{one['name']}\\fR", escape(one["about"])]
    for option in command["options"]:
        if "--help" not in option["names"]:
            lines += option_lines(option)
    return lines


def header(program, section, version, about):
    return [f'.TH {program.upper()} {section} "" "tarn {version}" "Tarn"', ".SH NAME",
            f"{program} \\- {escape(first_line(about).rstrip('.').lower() if section == 8 else first_line(about).rstrip('.'))}"]


def exit_lines(codes):
    lines = [".SH EXIT STATUS"]
    for one in codes:
        lines += [".TP", str(one["code"]), escape(one["meaning"])]
    return lines


def tarnctl(tree, codes, version):
    lines = header("tarnctl", 1, version, tree["about"])
    lines += [".SH SYNOPSIS", "\\fBtarnctl\\fR [\\fIOPTION\\fR...] \\fICOMMAND\\fR ...", ".SH DESCRIPTION",
              "Reads and writes what a", ".BR tarnd (8)", "keeps, and looks after it.",
              "The options of the next section may stand before or behind the command.", ".SH OPTIONS"]
    for option in tree["options"]:
        lines += option_lines(option)
    lines += [".SH COMMANDS"]
    for path, command in walk(tree):
        if path and can_run(command):
            lines += command_lines("tarnctl", path, command)
    lines += exit_lines(codes) + [".SH SEE ALSO", ".BR tarnd (8)"]
    return "\n".join(lines) + "\n"


def tarnd(tree, codes, version):
    lines = header("tarnd", 8, version, tree["about"])
    lines += [".SH SYNOPSIS", "\\fBtarnd\\fR [\\fIOPTION\\fR...]", ".SH DESCRIPTION",
              "Keeps the state of stream workers, serves it over gRPC, and makes a checksummed checkpoint of all of it",
              "every few seconds.",
              ".PP",
              "An option is taken from the first of these that has it: the flag, the environment variable, the",
              "configuration file (lines of \\fIkey\\fR = \"\\fIvalue\\fR\", keys as the flags without dashes), the default.",
              ".SH OPTIONS"]
    group = ""
    for option in tree["options"]:
        if option["group"] != group:
            group = option["group"]
            lines += [f".SS {group}"]
        lines += option_lines(option)
    lines += [".SH SIGNALS", ".TP", "SIGTERM, SIGINT", "Drain, make a final checkpoint, stop. A second one: stop at once.",
              ".TP", "SIGHUP", "Read the configuration file again.", ".SH FILES", ".TP", "/etc/tarn/tarnd.toml",
              "The configuration of the service.", ".TP", "/var/lib/tarn", "The state and its checkpoints."]
    lines += exit_lines(codes) + [".SH SEE ALSO", ".BR tarnctl (1)"]
    return "\n".join(lines) + "\n"
