#!/usr/bin/env python3
"""check_windows.py temps|flights DIR THRESHOLD GAP_SECONDS < (output of window_report --show all)

Computes every window and session anew, straight from the data files and another way: all values of a key in memory,
grouped by their day's text, sessions split where sorted times lie far apart. Compares all of it. Exit status 1 if
anything differs."""

import calendar
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

FILES = {
    # pattern of a line (after the head line) with date, value and, if the file is not of one key, key
    "temps": [("seattle-temps.csv", "seattle", r"(?P<date>[^,]+),(?P<value>[^,]+)"),
              ("sf-temps.csv", "sf", r"(?P<value>[^,]+),(?P<date>[^,]+)")],
    "flights": [("flights-3m.csv", None, r"(?P<date>\d+),(?P<value>-?\d+),\d+,(?P<key>\w+),\w+")],
}


def instant(dataset, text):
    digits = re.sub(r"\D", "", text)[:12]
    if dataset == "flights":
        digits = "2001" + digits
    return calendar.timegm(time.strptime(digits, "%Y%m%d%H%M"))


def events_by_key(dataset, directory):
    """{key: [(time, value)]}"""
    scale = 10 if dataset == "temps" else 1
    found = defaultdict(list)
    for name, key, pattern in FILES[dataset]:
        for line in Path(directory, name).read_text(encoding="utf-8").split("\n")[1:]:
            if line:
                match = re.fullmatch(pattern, line.strip())
                value = round(float(match["value"]) * scale)
                found[key or match["key"]].append((instant(dataset, match["date"]), value))
    return found


def summary(events):
    values = [value for _, value in events]
    return max(t for t, _ in events), len(values), sum(values), min(values), max(values)


def days(events):
    groups = defaultdict(list)
    for event in events:
        groups[time.strftime("%Y-%m-%d", time.gmtime(event[0]))].append(event)
    for day, group in groups.items():
        yield calendar.timegm(time.strptime(day, "%Y-%m-%d")), summary(group)


def sessions(events, threshold, gap):
    chosen = sorted(event for event in events if event[1] >= threshold)
    cuts = [i for i in range(1, len(chosen)) if chosen[i][0] - chosen[i - 1][0] > gap]
    for begin, end in zip([0] + cuts, cuts + [len(chosen)]):
        if begin < end:
            yield chosen[begin][0], summary(chosen[begin:end])


def expected(dataset, directory, threshold, gap):
    """{(what, key, start): numbers}"""
    result = {}
    for key, events in events_by_key(dataset, directory).items():
        result["events", key, 0] = (len(events),)
        result.update({("window", key, start): numbers for start, numbers in days(events)})
        result.update({("session", key, start): numbers for start, numbers in sessions(events, threshold, gap)})
    return result


def reported(lines):
    result = {}
    for line in lines:
        what, key, *numbers = line.rstrip("\n").split("\t")
        numbers = [int(number) for number in numbers]
        start = 0 if what == "events" else numbers.pop(0)
        result[what, key, start] = tuple(numbers)
    return result


def totals(windows, what):
    """How many, and how many events in them. Counters: how many, and their sum."""
    chosen = [numbers for (kind, _, _), numbers in windows.items() if kind == what]
    return len(chosen), sum(numbers[0 if what == "events" else 1] for numbers in chosen)


def main():
    dataset, directory, threshold, gap = sys.argv[1:]
    wanted = expected(dataset, directory, int(threshold), int(gap))
    found = reported(sys.stdin)
    different = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    print(f"    {'':12} {'in tarnd':>20} {'from the files':>20}")
    for what, title in (("events", "keys"), ("window", "windows"), ("session", "sessions")):
        ours, theirs = totals(found, what), totals(wanted, what)
        for place, label in ((0, title), (1, "  events")):
            print(f"    {label:12} {ours[place]:20,} {theirs[place]:20,}")
    for key in different[:10]:
        print(f"    {key}: {found.get(key)} in tarnd, {wanted.get(key)} from the files")
    print(f"    {len(different)} of {len(wanted)} windows, sessions and counters differ in count, sum, min, max or time")
    return 1 if different or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
