#!/usr/bin/env python3
"""Compiles (syntax only) every C++ block of a document: a whole program as it is, anything else inside a function.

    check_doc_snippets.py COMPILER DOCUMENT FLAG...
"""

import re
import subprocess
import sys

PREAMBLE = """
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include "tarn/admin.h"
#include "tarn/checkpoint.h"
#include "tarn/client.h"
#include "tarn/job.h"
#include "tarn/testing/fake_connection.h"
#include "tarn/testing/fake_lock_connection.h"
#include "tarn/testing/fake_store.h"
"""


def blocks_of(document, text):
    """(line, code) of each C++ block."""
    for block in re.finditer(r"^```cpp\n(.*?)^```", text, re.S | re.M):
        yield text.count("\n", 0, block.start(1)) + 1, block.group(1)


def programs(document, blocks):
    """Each whole program, and one with all that is none. Line directives make errors point into the document."""
    functions = ""
    for line, code in blocks:
        located = f'#line {line} "{document}"\n{code}'
        if "int main" in code:
            yield located
        else:
            # In a scope of its own, because some blocks make the client that the others are given.
            functions += f"void Block{line}([[maybe_unused]] tarn::Client& client) {{ {{\n{located}}} }}\n"
    if functions:
        yield PREAMBLE + functions


def main():
    compiler, document, *flags = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        blocks = list(blocks_of(document, file.read()))
    if not blocks:
        sys.exit(f"{document}: no C++ in it")
    failed = 0
    for program in programs(document, blocks):
        command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wno-unused", *flags, "-x", "c++", "-"]
        done = subprocess.run(command, input=program, capture_output=True, text=True)
        if done.returncode != 0:
            failed += 1
            print(done.stderr, file=sys.stderr)
    print(f"{len(blocks)} blocks, {failed} programs of them do not compile")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
