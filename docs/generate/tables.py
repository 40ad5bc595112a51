"""Brings the tables of docs/configuration.md and docs/metrics.md up to date with what tarnd has.

Where a row stands is decided by whoever writes the document; what it says is not. A row that is missing goes behind the
one that precedes it in tarnd's own order, and a row of something that is gone goes."""

import re

from commands import DEPENDING

# The document explains them.
EXPLAINED = tuple(DEPENDING)


def cell(text):
    return text.replace("|", "\\|")


def option_row(option):
    argument = f" {cell(option['argument'])}" if option["argument"] else ""
    default = f"`{option['default']}`" if option["default"] else "none"
    if option["name"] in EXPLAINED:
        default = "see below"
    reload = "yes" if option["reload"] else ""
    return f"| `--{option['name']}{argument}` | {default} | {reload} | {cell(option['help'])} |"


def metric_row(metric):
    return f"| `{metric['name']}` | {metric['type']} | {metric['help']} |"


def exit_code_row(one):
    return f"| {one['code']} | {one['meaning']} |"


def refresh(document, rows, pattern):
    """`rows`: text by name, in order. `pattern` finds the name in a line that is such a row."""
    lines = []
    for line in document.split("\n"):
        found = re.match(pattern, line)
        if not found:
            lines.append((None, line))
        elif found.group(1) in rows:
            lines.append((found.group(1), rows[found.group(1)]))
    previous = None
    for name, row in rows.items():
        if name not in [known for known, _ in lines]:
            places = [i for i, (known, _) in enumerate(lines) if known == previous]
            if previous is None or not places:
                raise SystemExit(f"no place for {name}: make a table with its row")
            lines.insert(places[0] + 1, (name, row))
        previous = name
    return "\n".join(line for _, line in lines)


def configuration(document, reference):
    options = {option["name"]: option_row(option) for option in reference["options"]}
    codes = {str(one["code"]): exit_code_row(one) for one in reference["exit_codes"]}
    document = refresh(document, options, r"\| `--([a-z0-9-]+)[ `]")
    return refresh(document, codes, r"\| (\d+) \| ")


def metrics(document, reference):
    rows = {metric["name"]: metric_row(metric) for metric in reference["metrics"]}
    return refresh(document, rows, r"\| `([a-z0-9_]+)` \| (?:counter|gauge|histogram|summary) \|")
