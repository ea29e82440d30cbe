// SPDX-License-Identifier: Apache-2.0
// Random damage: an engine that was changed by chance is refused, or is the same engine; it never crashes. To be run
// with sanitizers (the asan preset); elsewhere it checks the answers alone.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "runtime/engine/engine.h"
#include "tests/nightly.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

const int kRuns = nightly() ? 1'000'000 : 10'000;

/// A copy with the size of its allocation: the byte after a truncated file is out of bounds for a sanitizer.
class Copy {
public:
  explicit Copy(std::span<const std::byte> bytes) : data(new std::byte[bytes.size()]), size(bytes.size()) {
    std::ranges::copy(bytes, data.get());
  }
  std::span<std::byte> bytes() { return {data.get(), size}; }

private:
  std::unique_ptr<std::byte[]> data;
  std::size_t size;
};

/// Reads all that a session would read. Returns a sum, so that nothing is optimised away.
uint64_t readEverything(const Engine& engine) {
  const fb::Engine& metadata = engine.metadata();
  uint64_t sum = engine.maxPages() + engine.textConfig().size() + engine.tokenizerJson().size();
  for (const fb::Kernel* kernel : *metadata.kernels())
    for (const fb::Image* image : *kernel->images())
      for (std::byte byte : engine.image(*image)) sum += static_cast<uint64_t>(byte);
  for (const fb::Buffer* buffer : *metadata.buffers()) {
    std::span<const std::byte> space;
    if (buffer->kind() == fb::BufferKind::weight && !metadata.weight_sources())
      space = engine.segment(schema::SegmentKind::kWeights);
    if (buffer->kind() == fb::BufferKind::constant)
      space = engine.segment(schema::SegmentKind::kConstants);
    if (!space.empty())
      for (std::byte byte : space.subspan(buffer->offset(), buffer->bytes())) sum += static_cast<uint64_t>(byte);
  }
  // What a program allocates, and what packing writes into it.
  sum += engine.weightBytes();
  if (metadata.weight_sources())
    for (const fb::WeightSource* source : *metadata.weight_sources()) {
      const fb::Buffer& buffer = *metadata.buffers()->Get(source->buffer());
      EXPECT_LE(buffer.offset() + buffer.bytes(), engine.weightBytes());
      sum += metadata.source_files()->Get(source->file())->bytes() - source->offset();
    }
  for (const fb::Phase* phase : *metadata.phases())
    for (const fb::Launch* launch : *phase->launches())
      for (const fb::Argument* argument : *launch->arguments())
        sum += metadata.buffers()->Get(argument->buffer())->bytes() - argument->offset() +
               metadata.kernels()->Get(launch->kernel())->threads();
  return sum;
}

bool sameContent(const Engine& a, const Engine& b) {
  for (uint32_t i = 0; i < schema::kSegmentCount; ++i)
    if (!std::ranges::equal(a.segment(static_cast<schema::SegmentKind>(i)),
                            b.segment(static_cast<schema::SegmentKind>(i))))
      return false;
  return true;
}

class Damage : public testing::Test {
protected:
  std::vector<std::byte> sound = toy::fileBytes(toy::toyEngine());
  std::mt19937_64 random{20240607};

  uint64_t below(uint64_t limit) { return random() % limit; }
  /// One to four changed bytes, half of them single bits, somewhere in [first, last).
  void flip(std::span<std::byte> file, std::size_t first, std::size_t last) {
    for (uint64_t i = 0, count = 1 + below(4); i < count; ++i) {
      std::byte& byte = file[first + below(last - first)];
      byte = below(2) ? byte ^ static_cast<std::byte>(1u << below(8)) : static_cast<std::byte>(below(256));
    }
  }

  void flipUnderRightHashes(std::span<const std::byte> sound) {
    schema::EngineHeader header;
    std::memcpy(&header, sound.data(), sizeof(header));
    const schema::SegmentEntry metadata = header.segments[static_cast<size_t>(schema::SegmentKind::kMetadata)];
    int opened = 0;
    for (int run = 0; run < kRuns; ++run) {
      Copy copy{sound};
      if (below(4) == 0)
        flip(copy.bytes(), offsetof(schema::EngineHeader, segmentCount), offsetof(schema::EngineHeader, xxh3));
      else
        flip(copy.bytes(), metadata.offset, metadata.offset + metadata.bytes);
      toy::sealMetadata(copy.bytes());
      if (auto engine = Engine::view(copy.bytes(), "damaged")) {
        ++opened;
        EXPECT_NE(readEverything(*engine), 0u);
      }
    }
    // Names, goldens and counts without a meaning may change; an engine where nothing may would hide a broken test.
    EXPECT_GT(opened, kRuns / 100);
    EXPECT_LT(opened, kRuns * 9 / 10);
  }
};

TEST_F(Damage, FlipsAndTruncations) {
  auto original = Engine::view(sound, "sound");
  ASSERT_TRUE(original.ok());
  int same = 0;
  for (int run = 0; run < kRuns; ++run) {
    const bool truncate = below(4) == 0;
    Copy copy{std::span(sound).first(truncate ? below(sound.size()) : sound.size())};
    if (!truncate) // half of the flips in the header and the metadata, where they mean most
      flip(copy.bytes(), 0, below(2) ? sizeof(schema::EngineHeader) : sound.size());
    auto opened = Engine::view(copy.bytes(), "damaged");
    EXPECT_FALSE(truncate && opened.ok());
    if (!opened) {
      EXPECT_FALSE(opened.error().message.empty());
      continue;
    }
    ++same;
    EXPECT_TRUE(sameContent(*original, *opened)) << "run " << run;
  }
  RecordProperty("same", same);
}

TEST_F(Damage, FlipsUnderRightHashes) {
  flipUnderRightHashes(sound);
}

TEST_F(Damage, FlipsOfAnEngineWithItsWeightElsewhere) {
  toy::ToyEngine engine = toy::toyEngine();
  (void)toy::referWeights(engine, "/models/toy.gguf");
  flipUnderRightHashes(toy::fileBytes(engine));
}

} // namespace
} // namespace llcuda
