#include "storage/memory/entry_pool.h"

#include <cstring>
#include <random>
#include <vector>

#include "storage/memory/page_source.h"
#include "tests/catch.h"

namespace tarn::storage::memory {
namespace {

struct Block {
  char* bytes = nullptr;
  size_t size = 0;
  char content = 0;

  bool IsIntact() const {
    for (size_t i = 0; i < size; ++i) {
      if (bytes[i] != content) return false;
    }
    return true;
  }
};

Block NewBlock(EntryPool& pool, size_t size, char content) {
  Block block{static_cast<char*>(pool.Allocate(size)), size, content};
  std::memset(block.bytes, content, size);
  return block;
}

TEST_CASE("Blocks of all sizes do not overlap, and are aligned") {
  PageSource source;
  EntryPool pool(source);
  std::mt19937 random(tarn::testing::Seed());
  std::vector<Block> blocks;
  for (int i = 0; i < 100'000; ++i) {
    if (blocks.empty() || random() % 5 < 3) {
      blocks.push_back(NewBlock(pool, 1 + random() % 1'500, static_cast<char>(i)));
      REQUIRE(reinterpret_cast<uintptr_t>(blocks.back().bytes) % 16 == 0);
      continue;
    }
    std::swap(blocks[random() % blocks.size()], blocks.back());
    REQUIRE(blocks.back().IsIntact());
    pool.Free(blocks.back().bytes, blocks.back().size);
    blocks.pop_back();
  }
  for (const Block& block : blocks) {
    REQUIRE(block.IsIntact());
    pool.Free(block.bytes, block.size);
  }
}

TEST_CASE("Memory that is not needed any more goes back") {
  PageSource source;
  EntryPool pool(source);
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100'000; ++i) blocks.push_back(pool.Allocate(160));
    for (void* const block : blocks) pool.Free(block, 160);
    source.Tidy();
    CHECK(source.chunks() <= 2);
  }
}

TEST_CASE("Spans of one source do not overlap and can be taken again") {
  PageSource source;
  std::vector<char*> spans;
  for (size_t i = 0; i < 300; ++i) {
    spans.push_back(source.Take());
    REQUIRE(reinterpret_cast<uintptr_t>(spans.back()) % PageSource::kSpanBytes == 0);
    std::memset(spans.back(), static_cast<int>(i), PageSource::kSpanBytes);
  }
  CHECK(source.chunks() == 3);
  for (size_t i = 0; i < spans.size(); ++i) {
    REQUIRE(spans[i][0] == static_cast<char>(i));
    REQUIRE(spans[i][PageSource::kSpanBytes - 1] == static_cast<char>(i));
    source.Give(spans[i]);
  }
  source.Tidy();
  CHECK(source.chunks() == 1);
}

TEST_CASE("A source that is tidied has spans at hand, and only so many") {
  PageSource source;
  CHECK(source.chunks() == 0);
  for (int i = 0; i < 3; ++i) source.Tidy();
  CHECK(source.chunks() == 1);
  std::vector<char*> spans;
  for (size_t i = 0; i < 100; ++i) spans.push_back(source.Take());
  CHECK(source.chunks() == 1);
  source.Tidy();
  CHECK(source.chunks() == 2);
}

}  // namespace
}  // namespace tarn::storage::memory
