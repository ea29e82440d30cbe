// SPDX-License-Identifier: Apache-2.0
// Changes and truncates a valid file, then opens it and reads all there is. Nothing may crash; sanitizers watch.
#include <random>

#include <gtest/gtest.h>

#include "compiler/ingest/safetensors_reader.h"
#include "tests/compiler/ingest/safetensors_builder.h"
#include "tests/nightly.h"

namespace llcuda::ingest {
namespace {

const int kFiles = nightly() ? 1'000'000 : 10'000;

struct Sample {
  std::string bytes;
  size_t headerBytes; ///< everything before the data
};

Sample sample() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"model.embed_tokens.weight":{"dtype":"BF16","shape":[8,4],"data_offsets":[0,64]},)"
      R"("model.norm.weight":{"dtype":"F32","shape":[4],"data_offsets":[64,80]},)"
      R"("empty":{"dtype":"I64","shape":[0],"data_offsets":[80,80]},)"
      R"("absmax":{"dtype":"U8","shape":[5],"data_offsets":[80,85]},"scalar":{"dtype":"F16","shape":[],"data_offsets":[85,87]}}   )";
  return {safetensorsBytes(header, std::string(87, '\x3F')), 8 + header.size()};
}

/// Reads everything a user of the reader can reach; the sum keeps the compiler from leaving it out.
uint64_t readAll(const SafetensorsFile& file) {
  uint64_t sum = file.metadata().size();
  for (const SafetensorsTensor& tensor : file.tensors()) {
    EXPECT_EQ(file.find(tensor.name), &tensor);
    EXPECT_EQ(tensor.elements() * tensor.type->bits, tensor.data.size() * 8);
    sum += tensor.name.size() + tensor.shape.size();
    for (const std::byte byte : tensor.data) sum += static_cast<uint64_t>(byte);
  }
  return sum;
}

/// One to three changes of the header: a flipped bit, another digit or sign of JSON, a piece cut out or said twice.
std::string damaged(const Sample& good, std::mt19937& random) {
  constexpr std::string_view kSigns = "0123456789{}[]\",:-.eE \\";
  auto below = [&random](size_t limit) { return static_cast<size_t>(random() % limit); };
  std::string bytes = good.bytes;
  for (size_t changes = 1 + below(3); changes != 0; --changes) {
    const size_t place = below(good.headerBytes), length = 1 + below(12);
    switch (below(5)) {
    case 0:
      bytes[place] ^= static_cast<char>(1 << below(8));
      break;
    case 1:
    case 2:
      bytes[8 + below(good.headerBytes - 8)] = kSigns[below(kSigns.size())];
      break;
    case 3:
      bytes.erase(8 + place, length);
      bytes[0] = static_cast<char>(bytes[0] - static_cast<char>(length)); // the header's length follows
      break;
    case 4:
      bytes.insert(8 + place, bytes, 8 + place, length);
      bytes[0] = static_cast<char>(bytes[0] + static_cast<char>(length));
      break;
    }
    bytes.resize(std::max(bytes.size(), good.bytes.size()), ' ');
  }
  return bytes;
}

TEST(SafetensorsDamage, AnErrorOrAResultNeverACrash) {
  const Sample good = sample();
  const TemporaryFile file(good.bytes, ".safetensors");
  const auto whole = SafetensorsFile::open(file.path());
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_EQ(whole->tensors().size(), 5u);

  std::mt19937 random(20240501);
  int refused = 0, read = 0;
  for (int i = 0; i < kFiles; ++i) {
    file.write(damaged(good, random));
    const auto result = SafetensorsFile::open(file.path());
    if (result) {
      EXPECT_GT(readAll(*result), 0u);
      ++read;
      continue;
    }
    ++refused;
    ASSERT_EQ(result.error().message.find('\n'), std::string::npos) << result.error().message;
  }
  EXPECT_GT(refused, kFiles / 2) << "the damage hardly reaches the reader's checks";
  EXPECT_GT(read, kFiles / 50) << "nothing damaged is ever read to its end";
}

// Cut at every byte: only the whole file opens.
TEST(SafetensorsDamage, EveryTruncationIsRefused) {
  const Sample good = sample();
  const TemporaryFile file("", ".safetensors");
  for (size_t length = 0; length < good.bytes.size(); ++length) {
    file.write(std::string_view(good.bytes).substr(0, length));
    ASSERT_FALSE(SafetensorsFile::open(file.path())) << length << " of " << good.bytes.size() << " bytes";
  }
}

} // namespace
} // namespace llcuda::ingest
