"""docs/api.md, from the protos. They pass buf's lint, so every element stands behind its comment, each on a line of its
own or over several that end in `;` or `{`."""

import re
import textwrap

WIDTH = 120
INTRODUCTION = """\
# The API

Package `tarn.v1`, as [proto/tarn/v1](../proto/tarn/v1) has it: every service, call, message, field and reason of errors.
This page is made from those files by `make docs`.

"""

DECLARATION = re.compile(r"(service|rpc|message|enum|oneof) (\w+)")
FIELD = re.compile(r"((?:repeated |optional |map<[^>]*> ?)?[\w.]*)\s+(\w+) = (\d+)")
VALUE = re.compile(r"(\w+) = (\d+)")


class Element:
    def __init__(self, kind, name, comment, detail=""):
        self.kind, self.name, self.comment, self.detail = kind, name, comment, detail
        self.members = []


def statements(text):
    """(comment, statement) for each, where "{" opens and "}" closes."""
    comment, pending = [], ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("//") and not pending:
            comment.append(line[2:].removeprefix(" "))
            continue
        line = line.split(" //")[0].rstrip()
        pending = f"{pending} {line}".strip()
        if not line:
            if not pending:
                comment = []
            continue
        if pending[-1] in ";{}":
            yield comment, pending
            comment, pending = [], ""


def parse(text):
    root = Element("file", "", [])
    open_elements = [root]
    for comment, statement in statements(text):
        top = open_elements[-1]
        if statement == "}":
            open_elements.pop()
            continue
        element = element_of(statement, comment, top)
        if element is not None:
            top.members.append(element)
        if statement.endswith("{"):
            open_elements.append(element or Element("option", "", []))
    return root


def element_of(statement, comment, top):
    declared = DECLARATION.match(statement)
    if declared:
        return Element(*declared.groups(), comment, statement)
    if top.kind == "enum" and VALUE.match(statement):
        name, number = VALUE.match(statement).groups()
        return Element("value", name, comment, number)
    if top.kind in ("message", "oneof") and FIELD.match(statement):
        kind, name, number = FIELD.match(statement).groups()
        return Element("field", name, comment, kind.strip())
    return None


def paragraphs(comment):
    """Text filled to the width; lists and what is indented as it is."""
    for block in "\n".join(comment).strip("\n").split("\n\n"):
        if re.search(r"^( |- |\* )", block, re.M):
            yield block
        else:
            yield "\n".join(textwrap.wrap(block, WIDTH, break_long_words=False, break_on_hyphens=False))


def one_line(comment):
    return " ".join(" ".join(comment).split()).replace("|", "\\|")


def anchor(name):
    return re.sub(r"[^a-z0-9_ -]", "", name.lower()).replace(" ", "-")


def signature(rpc):
    request, answer = re.search(r"\(([^)]*)\) returns \(([^)]*)\)", rpc.detail).groups()
    return " -> ".join("stream of " + one[7:] if one.startswith("stream ") else one for one in (request, answer))


def render_service(service, lines):
    lines += [f"## {service.name}", "", *join(paragraphs(service.comment)), ""]
    for rpc in service.members:
        lines += [f"### {service.name}.{rpc.name}", "", f"`{signature(rpc)}`", "", *join(paragraphs(rpc.comment)), ""]


def join(blocks):
    lines = []
    for block in blocks:
        lines += ([""] if lines else []) + [block]
    return lines


def rows_of(message, oneof=""):
    for member in message.members:
        if member.kind == "oneof":
            yield from rows_of(member, member.name)
        elif member.kind == "field":
            yield f"| `{member.name}` | {member.detail} | {oneof} | {one_line(member.comment)} |"


def render_type(element, prefix, lines):
    name = prefix + element.name
    lines += [f"### {name}", "", *join(paragraphs(element.comment)), ""]
    if element.kind == "enum":
        lines += ["| value | number | meaning |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.detail} | {one_line(one.comment)} |" for one in element.members]
        lines += [""]
        return
    rows = list(rows_of(element))
    if rows:
        lines += ["| field | type | one of | meaning |", "|---|---|---|---|", *rows, ""]
    for member in element.members:
        if member.kind in ("message", "enum"):
            render_type(member, name + ".", lines)


def document(texts):
    """`texts`: the text of each proto, by its file name."""
    parsed = {name: parse(text) for name, text in sorted(texts.items())}
    services = [e for file in parsed.values() for e in file.members if e.kind == "service"]
    lines = [f"- [{s.name}](#{anchor(s.name)}): " +
             ", ".join(f"[{r.name}](#{anchor(s.name + '.' + r.name)})" for r in s.members) for s in services]
    lines += [f"- [Messages of {name}](#{anchor('Messages of ' + name)})" for name in parsed] + [""]
    for service in services:
        render_service(service, lines)
    for name, file in parsed.items():
        lines += [f"## Messages of {name}", ""]
        for element in file.members:
            if element.kind in ("message", "enum"):
                render_type(element, "", lines)
    return INTRODUCTION + "\n".join(lines).rstrip("\n") + "\n"
