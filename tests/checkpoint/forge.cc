#include "tests/checkpoint/forge.h"

#include "absl/strings/str_cat.h"
#include "tests/checkpoint/world.h"

namespace tarn::testing {

std::string RawBlock(const checkpoint::EntryOrigin& origin,
                     const std::vector<storage::EntryView>& entries) {
  std::string raw;
  for (const storage::EntryView& entry : entries) checkpoint::AppendEntry(origin, entry, &raw);
  return raw;
}

Forgery::Forgery() {
  header.store_id = kStoreA;
  header.number = {1, 1};
  header.revision = storage::FirstRevision(1) + 100;
  header.create_time = kStart;
  header.as_of = kStart;
  header.engine = "memory";
  header.compression = {checkpoint::Codec::kNone, 0};
  header.system_digest = base::Sha256Of("");
}

Forgery::ForgedBlock& Forgery::AddBlock(const std::string& ns,
                                        const std::vector<storage::EntryView>& entries) {
  for (const storage::EntryView& entry : entries) {
    digest.Add(ns, entry);
    header.data_bytes += entry.key.size() + entry.value.size();
  }
  header.entries += entries.size();
  header.content_digest = digest.sum();
  return AddRaw(ns, std::string(entries.front().key), entries.size(),
                RawBlock({header.revision, header.as_of}, entries));
}

Forgery::ForgedBlock& Forgery::AddRaw(const std::string& ns, const std::string& first_key,
                                      uint64_t entries, const std::string& raw) {
  ForgedBlock block;
  block.stored = raw;
  block.info.section = ns.empty() ? checkpoint::Section::kSystem : checkpoint::Section::kEntries;
  block.info.ns = ns;
  block.info.first_key = first_key;
  block.info.entries = entries;
  block.info.raw_bytes = raw.size();
  return blocks.emplace_back(std::move(block));
}

std::string Forgery::Bytes() const {
  checkpoint::Header complete = header;
  std::string body;
  std::string own_index;
  for (const ForgedBlock& block : blocks) {
    checkpoint::BlockInfo info = block.info;
    info.offset += checkpoint::kHeaderBytes + body.size();
    info.stored_bytes += block.stored.size();
    info.hash = base::Sha256Of(block.stored);
    checkpoint::AppendBlockInfo(info, &own_index);
    body += block.stored;
  }
  const std::string& real_index = index.empty() ? own_index : index;
  complete.blocks += blocks.size();
  complete.index_offset += checkpoint::kHeaderBytes + body.size();
  complete.index_bytes += real_index.size();
  const std::string head = checkpoint::EncodeHeader(complete);
  const base::Sha256Digest root = base::Sha256Of(absl::StrCat(head, real_index));
  return absl::StrCat(head, base::BytesOf(root), body, real_index);
}

}  // namespace tarn::testing
