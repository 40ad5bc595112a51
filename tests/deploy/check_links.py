#!/usr/bin/env python3
"""Every link of the documents within the repository leads somewhere: to a file that is there, and a heading that it has."""

import glob
import os
import re
import sys

ROOT = os.environ["TARN_SOURCE_DIR"]
FOLDERS = ("", "docs", "docs/decisions", "tests/data", "client/examples/quickstart")


def read(path):
    """Without blocks of code."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"^```.*?^```", "", file.read(), flags=re.S | re.M)


def anchor(heading):
    """As GitHub makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path):
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", read(path), re.M)}


def problems_of(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if re.match(r"https?:|mailto:", link):
            continue
        place, _, heading = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), place)) if place else path
        name = os.path.relpath(path, ROOT)
        if not os.path.exists(target):
            yield f"{name}: {link} is not there"
        elif heading and target.endswith(".md") and heading not in anchors(target):
            yield f"{name}: {link}: there is no such heading"


def main():
    documents = [path for folder in FOLDERS for path in sorted(glob.glob(os.path.join(ROOT, folder, "*.md")))]
    problems = [problem for path in documents for problem in problems_of(path)]
    print("\n".join(problems) or f"the links of {len(documents)} documents lead somewhere")
    return 1 if problems or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
