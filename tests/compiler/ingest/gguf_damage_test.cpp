// SPDX-License-Identifier: Apache-2.0
// Flips bits in and truncates a valid file, then opens it and reads all there is. Nothing may crash; sanitizers watch.
#include <algorithm>
#include <cstddef>
#include <random>

#include <gtest/gtest.h>

#include "compiler/ingest/gguf_reader.h"
#include "tests/compiler/ingest/gguf_builder.h"
#include "tests/nightly.h"

namespace llcuda::ingest {
namespace {

using enum GgufType;

const int kFiles = nightly() ? 1'000'000 : 10'000;

struct Sample {
  std::string bytes;
  size_t headerBytes; ///< everything before the tensor data
};

/// A file with every value type, arrays of numbers, bools and strings, and tensors of several encodings.
Sample sample() {
  GgufBuilder b(4, 15);
  b.string("general.architecture", "llama").u32("general.alignment", 32);
  b.key("u8", kU8).number<uint8_t>(1).key("i8", kI8).number<int8_t>(-1);
  b.key("u16", kU16).number<uint16_t>(2).key("i16", kI16).number<int16_t>(-2);
  b.key("i32", kI32).number<int32_t>(-3).key("f32", kF32).number(4.f).key("bool", kBool).number<uint8_t>(1);
  b.key("u64", kU64).number<uint64_t>(5).key("i64", kI64).number<int64_t>(-5).key("f64", kF64).number(6.0);
  b.array("tokens", kString, 40);
  for (int i = 0; i < 40; ++i) b.text("token" + std::to_string(i));
  b.array("scores", kF32, 40).zeros(160);
  b.array("flags", kBool, 5).zeros(5);
  b.tensor("norm", {64}, 0, 0).tensor("weight", {64, 8}, 3, 256).tensor("head", {256, 2}, 12, 576);
  b.tensor("bias", {6, 1, 2}, 1, 864).pad();
  const size_t header = b.bytes.size();
  b.zeros(864 + 24);
  return {std::move(b.bytes), header};
}

/// Reads everything a user of the reader can reach; the sum keeps the compiler from leaving it out.
uint64_t readAll(const GgufFile& gguf) {
  uint64_t sum = gguf.version() + gguf.alignment();
  auto add = [&sum](std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) sum += static_cast<uint64_t>(byte);
  };
  for (const GgufEntry& entry : gguf.metadata()) {
    const GgufValue& value = entry.value;
    add(value.payload());
    sum += entry.key.size() + value.asUnsigned().value_or(0) + static_cast<uint64_t>(value.asSigned().value_or(0));
    sum += value.asBool().value_or(false) + value.asString().value_or("").size() + value.asDouble().has_value();
    for (uint64_t i = 0; i < std::min<uint64_t>(value.count(), 1000); ++i)
      sum += value.signedAt(i).has_value() + value.doubleAt(i).has_value();
    for (const std::string_view text : value.asStrings().value_or(std::vector<std::string_view>{})) sum += text.size();
  }
  for (const GgufTensor& tensor : gguf.tensors()) {
    add(tensor.data);
    sum += tensor.name.size() + tensor.elements() + tensor.dims.size();
  }
  return sum;
}

/// One to four flips, half of the files with all of them in the header; every fourth file is also cut.
std::string damaged(const Sample& good, std::mt19937& random) {
  auto below = [&random](size_t limit) { return static_cast<size_t>(random() % limit); };
  std::string bytes = good.bytes;
  const size_t range = below(2) == 0 ? good.headerBytes : bytes.size();
  for (size_t flips = 1 + below(4); flips != 0; --flips) bytes[below(range)] ^= static_cast<char>(1 << below(8));
  if (below(4) == 0)
    bytes.resize(below(bytes.size() + 1));
  return bytes;
}

TEST(GgufDamage, AnErrorOrAResultNeverACrash) {
  const Sample good = sample();
  const TemporaryFile file(good.bytes);
  const auto whole = GgufFile::open(file.path());
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_EQ(whole->tensors().size(), 4u);

  std::mt19937 random(20240501);
  int refused = 0, read = 0;
  for (int i = 0; i < kFiles; ++i) {
    file.write(damaged(good, random));
    const auto gguf = GgufFile::open(file.path());
    if (gguf) {
      EXPECT_GT(readAll(*gguf), 0u);
      ++read;
      continue;
    }
    ++refused;
    ASSERT_EQ(gguf.error().message.find('\n'), std::string::npos) << gguf.error().message;
  }
  EXPECT_GT(refused, kFiles / 4) << "the damage hardly reaches the reader's checks";
  EXPECT_GT(read, kFiles / 20) << "nothing damaged is ever read to its end";
}

// Cut at every byte: only whole files open, and the padding after the last tensor may be missing.
TEST(GgufDamage, EveryTruncationIsRefused) {
  const Sample good = sample();
  const TemporaryFile file("");
  for (size_t length = 0; length < good.bytes.size(); ++length) {
    file.write(std::string_view(good.bytes).substr(0, length));
    ASSERT_FALSE(GgufFile::open(file.path())) << length << " of " << good.bytes.size() << " bytes";
  }
}

} // namespace
} // namespace llcuda::ingest
