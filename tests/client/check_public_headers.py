#!/usr/bin/env python3
"""Each public header compiles by itself, and names nothing that users must not see.

    check_public_headers.py COMPILER INCLUDE_DIR
"""

import pathlib
import re
import subprocess
import sys

# Debian's absl has string_view and optional types of its own, which other builds of absl do not.
FORBIDDEN = re.compile(r"absl::(string_view|optional|variant|any)\b|\bgrpc::|google::protobuf|\.pb\.h")


def problems(compiler, root, header):
    text = header.read_text(encoding="utf-8")
    code = re.sub(r"//[^\n]*", "", text)
    for match in FORBIDDEN.finditer(code):
        yield f"{header}: uses {match.group()}"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", root, "-x", "c++", "-"]
    source = f'#include "{header.relative_to(root)}"\n'
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    if done.returncode != 0:
        yield f"{header}: does not compile by itself\n{done.stderr}"


def main():
    compiler, root = sys.argv[1:]
    headers = sorted(pathlib.Path(root).rglob("*.h"))
    found = [problem for header in headers for problem in problems(compiler, root, header)]
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{len(headers)} headers, {len(found)} problems")
    return 1 if found or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
