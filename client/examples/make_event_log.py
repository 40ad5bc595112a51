#!/usr/bin/env python3
"""make_event_log.py temps|flights DIR: prints the events of the files in DIR as one log in time order, a line each:

    TIME KEY VALUE      seconds since 1970 (the files' local times taken as UTC), city or airport, integer

temps: hourly temperatures in tenths of a degree Fahrenheit; flights: departure delays in minutes."""

import csv
import datetime
import sys
from pathlib import Path


def seconds(text, form):
    return int(datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).timestamp())


def tenths(text):
    whole, _, rest = text.partition(".")
    if len(rest) > 1:
        raise ValueError(f"{text} is not in tenths")
    return int(whole + (rest or "0"))


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def temps(directory):
    for key, name, form in (("seattle", "seattle-temps.csv", "%Y/%m/%d %H:%M"),
                            ("sf", "sf-temps.csv", "%Y/%m/%d %H:%M:%S")):
        for row in rows(directory / name):
            yield seconds(row["date"], form), key, tenths(row["temp"])


def flights(directory):
    for row in rows(directory / "flights-3m.csv"):
        yield seconds("2001" + row["date"], "%Y%m%d%H%M"), row["origin"], int(row["delay"])


def main():
    events = {"temps": temps, "flights": flights}[sys.argv[1]](Path(sys.argv[2]))
    for event in sorted(events, key=lambda event: event[0]):
        print(*event)


if __name__ == "__main__":
    main()
