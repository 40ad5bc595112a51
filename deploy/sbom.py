#!/usr/bin/env python3
"""The bill of materials of programs as they are linked here: SPDX 2.3, in JSON, on standard output.

    sbom.py VERSION PROGRAM...

What a program links is what the dynamic linker finds for it; the package of each is what dpkg says. SOURCE_DATE_EPOCH
dates it."""

import json
import os
import re
import subprocess
import sys
import time

# Compiled in, because they are headers only.
HEADERS = ("libcli11-dev", "libasio-dev")


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def libraries_of(program):
    return sorted(set(re.findall(r"=> (/\S+)", output("ldd", program))))


def names_of(library):
    """dpkg may know the file by the name that it had before /lib became a link."""
    names = {library, os.path.realpath(library)}
    names |= {name.removeprefix("/usr") for name in names} | {"/usr" + name for name in names if name.startswith("/lib")}
    return sorted(names)


def packages_of(libraries):
    """All are asked for at once: dpkg reads its lists anew each time."""
    asked = [name for library in libraries for name in names_of(library)]
    # It complains of the names that it does not know.
    said = subprocess.run(["dpkg-query", "-S", *asked], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    known = {path: owners.split(":")[0] for owners, path in (line.rsplit(": ", 1) for line in said.splitlines())}
    for library in libraries:
        package = next((known[name] for name in names_of(library) if name in known), None)
        yield package or sys.exit(f"sbom: {library} is of no package")


def describe(package):
    version, source, homepage = output(
        "dpkg-query", "-W", "-f", "${Version}\t${source:Package}\t${Homepage}\n", package).splitlines()[0].split("\t")
    described = {
        "SPDXID": spdx_id(package),
        "name": package,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "sourceInfo": f"built from the source package {source}",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package}@{version.replace('+', '%2B').replace('~', '%7E').replace(':', '%3A')}",
        }],
    }
    if homepage:
        described["homepage"] = homepage
    return described


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def own(program, version):
    return {
        "SPDXID": spdx_id(program),
        "name": program,
        "versionInfo": version,
        "supplier": "Organization: Tarn",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
    }


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def main():
    version, *programs = sys.argv[1:]
    packages, relations = {}, []
    for program in programs:
        name = os.path.basename(program)
        packages[name] = own(name, version)
        relations.append(relation("SPDXRef-DOCUMENT", "DESCRIBES", spdx_id(name)))
        linked = set(packages_of(libraries_of(program)))
        for package in sorted(linked) + list(HEADERS):
            packages[package] = describe(package)
            kind = "STATIC_LINK" if package in HEADERS else "DYNAMIC_LINK"
            relations.append(relation(spdx_id(name), kind, spdx_id(package)))
    created = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    json.dump({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"tarn-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/tarn-{version}-{'-'.join(map(os.path.basename, programs))}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", created), "creators": ["Tool: tarn-sbom"]},
        "packages": list(packages.values()),
        "relationships": relations,
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
