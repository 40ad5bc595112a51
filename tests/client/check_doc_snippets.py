#!/usr/bin/env python3
"""Compiles (syntax only) every C++ block of a document: a whole program as it is, anything else inside a function.

    check_doc_snippets.py COMPILER DOCUMENT FLAG...
"""

import re
import subprocess
import sys
import tempfile

PREAMBLE = """
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include "tarn/admin.h"
#include "tarn/client.h"
#include "tarn/testing/fake_connection.h"
#include "tarn/testing/fake_store.h"
"""


def program(block):
    if "int main" in block:
        return block
    # A block that makes its own client hides the one it could have used.
    return PREAMBLE + "void Example(tarn::Client& client) {\n(void)client;\n{\n" + block + "\n}\n}\n"


def main():
    compiler, document, *flags = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        text = file.read()
    blocks = list(re.finditer(r"^```cpp\n(.*?)^```", text, re.S | re.M))
    if not blocks:
        sys.exit(f"{document}: no C++ in it")
    failed = 0
    for block in blocks:
        line = text.count("\n", 0, block.start()) + 1
        with tempfile.NamedTemporaryFile("w", suffix=".cc") as source:
            source.write(program(block.group(1)))
            source.flush()
            command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wno-unused", *flags, source.name]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            failed += 1
            print(f"{document}:{line}: does not compile\n{done.stderr}", file=sys.stderr)
    print(f"{len(blocks) - failed} of {len(blocks)} blocks compile")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
