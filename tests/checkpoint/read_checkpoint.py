#!/usr/bin/env python3
"""Reads a checkpoint by docs/checkpoint-format.md alone, with nothing but Python's standard library.

    read_checkpoint.py FILE            lists the entries: namespace, key, value, revision, deadline
    read_checkpoint.py FILE LISTING    compares them with a listing

Root, hashes of blocks, places, order, counts and the system digest are checked. Python has neither XXH3, which the content
digest needs, nor Zstandard: the first is not recomputed, and blocks of the second are only hashed.
"""

import hashlib
import struct
import sys

HEADER = struct.Struct(">8sII16sQQQQQqqQQ16sQQQIi16sQ32s16s32s")
NONE, LZ4, ZSTD, SNAPPY = range(4)
ENTRIES, SYSTEM = range(2)


class Damaged(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Damaged(what)


class Reader:
    """Takes fields off the front of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        check(self.at + size <= len(self.data), "cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                check(value < 1 << 64 and (byte or shift == 7), "a varint is malformed")
                return value

    def text(self):
        return self.take(self.varint())

    def done(self):
        return self.at == len(self.data)


def copy_back(out, distance, size):
    check(0 < distance <= len(out), "a match points before the block")
    for _ in range(size):
        out.append(out[-distance])


def unlz4(data):
    """The LZ4 block format."""
    reader, out = Reader(data), bytearray()

    def length(nibble):
        total = nibble
        while nibble == 15:
            more = reader.take(1)[0]
            total += more
            if more < 255:
                break
        return total

    while not reader.done():
        token = reader.take(1)[0]
        out += reader.take(length(token >> 4))
        if reader.done():
            break
        distance = int.from_bytes(reader.take(2), "little")
        copy_back(out, distance, length(token & 15) + 4)
    return bytes(out)


def unsnappy(data):
    """The Snappy raw format."""
    reader, out = Reader(data), bytearray()
    size = reader.varint()
    while not reader.done():
        tag = reader.take(1)[0]
        kind, high = tag & 3, tag >> 2
        if kind == 0:
            extra = high - 59
            out += reader.take(1 + (high if extra <= 0 else int.from_bytes(reader.take(extra), "little")))
        elif kind == 1:
            copy_back(out, (tag >> 5) << 8 | reader.take(1)[0], (high & 7) + 4)
        else:
            copy_back(out, int.from_bytes(reader.take(2 if kind == 2 else 4), "little"), high + 1)
    check(len(out) == size, "a snappy block has another size")
    return bytes(out)


DECOMPRESS = {NONE: bytes, LZ4: unlz4, SNAPPY: unsnappy}


def read_header(data):
    check(len(data) >= HEADER.size, "too short")
    names = ("magic version size store incarnation sequence parent_incarnation parent_sequence revision created as_of"
             " entries data_bytes content_digest blocks index_offset index_bytes codec level engine system_entries"
             " system_digest reserved root")
    header = dict(zip(names.split(), HEADER.unpack_from(data)))
    check(header["magic"] == b"TARNCKPT", "no checkpoint")
    check(header["version"] == 1, "format version %d" % header["version"])
    check(header["size"] == HEADER.size, "another size of the header")
    check(header["index_offset"] + header["index_bytes"] == len(data), "the file ends elsewhere")
    return header


def read_index(index, count):
    reader, blocks = Reader(index), []
    for _ in range(count):
        block = {"section": reader.take(1)[0], "codec": reader.take(1)[0], "hash": reader.take(32)}
        for name in ("offset", "stored_bytes", "raw_bytes", "entries"):
            block[name] = reader.varint()
        block["namespace"], block["first_key"] = reader.text(), reader.text()
        blocks.append(block)
    check(reader.done(), "bytes behind the index")
    return blocks


def check_places(blocks, header):
    at = HEADER.size
    for block in sorted(blocks, key=lambda b: b["offset"]):
        check(block["offset"] == at, "blocks overlap or leave a gap")
        at += block["stored_bytes"]
    check(at == header["index_offset"], "a gap before the index")


def read_block(data, block, header):
    """The entries (key, value, revision, deadline), or None when Python cannot decompress it."""
    stored = data[block["offset"]:block["offset"] + block["stored_bytes"]]
    check(hashlib.sha256(stored).digest() == block["hash"], "a block's hash at byte %d" % block["offset"])
    if block["codec"] not in DECOMPRESS:
        return None
    raw = DECOMPRESS[block["codec"]](stored)
    check(len(raw) == block["raw_bytes"], "a block's size at byte %d" % block["offset"])
    reader, entries = Reader(raw), []
    for _ in range(block["entries"]):
        revision = header["revision"] - reader.varint()
        lifetime = reader.varint()
        key, value = reader.text(), reader.text()
        entries.append((key, value, revision, header["as_of"] + lifetime if lifetime else 0))
    check(reader.done() and entries, "bytes behind the entries")
    check(entries[0][0] == block["first_key"], "the first key")
    return entries


def length_prefixed(data):
    size, out = len(data), bytearray()
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(out) + bytes([size]) + data


def check_totals(header, found):
    """found: {(section, namespace): entries}."""
    for entries in found.values():
        keys = [entry[0] for entry in entries]
        check(all(a < b for a, b in zip(keys, keys[1:])), "keys out of order")
    stored = [entry for (section, _), entries in found.items() if section == ENTRIES for entry in entries]
    check(len(stored) == header["entries"], "the number of entries")
    check(sum(len(e[0]) + len(e[1]) for e in stored) == header["data_bytes"], "the number of bytes")
    system = [entry for (section, _), entries in found.items() if section == SYSTEM for entry in entries]
    digest = hashlib.sha256(b"".join(length_prefixed(e[0]) + length_prefixed(e[1]) for e in system))
    check(len(system) == header["system_entries"] and digest.digest() == header["system_digest"], "the system section")


def read(data):
    header = read_header(data)
    index = data[header["index_offset"]:]
    check(hashlib.sha256(data[:HEADER.size - 32] + index).digest() == header["root"], "the root")
    blocks = read_index(index, header["blocks"])
    check_places(blocks, header)
    found, complete = {}, True
    for block in blocks:
        entries = read_block(data, block, header)
        complete = complete and entries is not None
        found.setdefault((block["section"], block["namespace"]), []).extend(entries or [])
    if complete:
        check_totals(header, found)
    return header, found, complete


def listing(found):
    lines = []
    for (_, namespace), entries in sorted(found.items(), key=lambda item: item[0][1]):
        for key, value, revision, deadline in entries:
            lines.append("%s %s %s %d %d\n" % (namespace.decode() or "-", key.hex(), value.hex(), revision, deadline))
    return "".join(lines)


def main():
    with open(sys.argv[1], "rb") as file:
        header, found, complete = read(file.read())
    print("root", header["root"].hex(), "content digest", header["content_digest"].hex(), file=sys.stderr)
    if not complete:
        print("its hashes are right; some blocks are of a codec that Python does not have", file=sys.stderr)
        return 0
    if len(sys.argv) == 2:
        sys.stdout.write(listing(found))
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        check(file.read() == listing(found), "the entries differ from the listing")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Damaged as damage:
        print(sys.argv[1], "is damaged:", damage, file=sys.stderr)
        sys.exit(1)
