// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_reader.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::ingest {
namespace {

using enum GgufType;
using testing::ElementsAre;
using testing::Optional;

GgufFile opened(const TemporaryFile& file) {
  auto gguf = GgufFile::open(file.path());
  EXPECT_TRUE(gguf) << gguf.error().message;
  return gguf ? std::move(*gguf) : GgufFile();
}

template <typename T>
GgufBuilder& scalar(GgufBuilder& builder, const char* key, GgufType type, T value) {
  return builder.key(key, type).number(value);
}

TEST(GgufReader, ReadsEveryScalarType) {
  GgufBuilder b(0, 12);
  scalar<uint8_t>(b, "u8", kU8, 200);
  scalar<int8_t>(b, "i8", kI8, -100);
  scalar<uint16_t>(b, "u16", kU16, 60000);
  scalar<int16_t>(b, "i16", kI16, -30000);
  scalar<uint32_t>(b, "u32", kU32, 4'000'000'000);
  scalar<int32_t>(b, "i32", kI32, -2'000'000'000);
  scalar<float>(b, "f32", kF32, 1.5f);
  scalar<uint8_t>(b, "bool", kBool, 7);
  b.string("string", "caf\xc3\xa9");
  scalar<uint64_t>(b, "u64", kU64, std::numeric_limits<uint64_t>::max());
  scalar<int64_t>(b, "i64", kI64, std::numeric_limits<int64_t>::min());
  scalar<double>(b, "f64", kF64, -0.25);
  const TemporaryFile file(b.bytes);
  const GgufFile gguf = opened(file);

  ASSERT_EQ(gguf.metadata().size(), 12u);
  EXPECT_THAT(gguf.find("u8")->asUnsigned(), Optional(200u));
  EXPECT_THAT(gguf.find("i8")->asSigned(), Optional(-100));
  EXPECT_THAT(gguf.find("u16")->asDouble(), Optional(60000.0));
  EXPECT_THAT(gguf.find("i16")->asSigned(), Optional(-30000));
  EXPECT_THAT(gguf.find("u32")->asSigned(), Optional(4'000'000'000));
  EXPECT_THAT(gguf.find("i32")->asDouble(), Optional(-2e9));
  EXPECT_THAT(gguf.find("f32")->asDouble(), Optional(1.5));
  EXPECT_THAT(gguf.find("bool")->asBool(), Optional(true)) << "any byte but 0 is true";
  EXPECT_THAT(gguf.find("string")->asString(), Optional(std::string_view("caf\xc3\xa9")));
  EXPECT_THAT(gguf.find("u64")->asUnsigned(), Optional(std::numeric_limits<uint64_t>::max()));
  EXPECT_THAT(gguf.find("i64")->asSigned(), Optional(std::numeric_limits<int64_t>::min()));
  EXPECT_THAT(gguf.find("f64")->asDouble(), Optional(-0.25));
  EXPECT_EQ(gguf.find("absent"), nullptr);
}

// A conversion that would change the value, or guess at another type, answers nothing.
TEST(GgufReader, ConversionsThatDoNotFitAnswerNothing) {
  GgufBuilder b(0, 5);
  scalar<int8_t>(b, "negative", kI8, -1);
  scalar<uint64_t>(b, "huge", kU64, std::numeric_limits<uint64_t>::max());
  scalar<float>(b, "f32", kF32, 2.f);
  b.string("text", "3");
  scalar<uint8_t>(b, "bool", kBool, 1);
  const TemporaryFile file(b.bytes);
  const GgufFile gguf = opened(file);

  EXPECT_EQ(gguf.find("negative")->asUnsigned(), std::nullopt);
  EXPECT_EQ(gguf.find("huge")->asSigned(), std::nullopt);
  EXPECT_EQ(gguf.find("f32")->asUnsigned(), std::nullopt);
  EXPECT_EQ(gguf.find("f32")->asBool(), std::nullopt);
  EXPECT_EQ(gguf.find("text")->asSigned(), std::nullopt);
  EXPECT_EQ(gguf.find("text")->asDouble(), std::nullopt);
  EXPECT_EQ(gguf.find("bool")->asUnsigned(), std::nullopt);
  EXPECT_EQ(gguf.find("bool")->asString(), std::nullopt);
  EXPECT_EQ(gguf.find("text")->asStrings(), std::nullopt);
  EXPECT_EQ(gguf.find("text")->signedAt(0), std::nullopt);
}

TEST(GgufReader, ReadsArrays) {
  GgufBuilder b(0, 5);
  b.array("i16", kI16, 3).number<int16_t>(-1).number<int16_t>(0).number<int16_t>(7);
  b.array("f32", kF32, 2).number(0.5f).number(-2.f);
  b.array("bool", kBool, 2).number<uint8_t>(0).number<uint8_t>(255);
  b.array("text", kString, 3).text("").text("a").text(std::string_view("\0b", 2));
  b.array("none", kU64, 0);
  const TemporaryFile file(b.bytes);
  const GgufFile gguf = opened(file);

  const GgufValue& integers = *gguf.find("i16");
  EXPECT_EQ(integers.count(), 3u);
  EXPECT_EQ(integers.elementType(), kI16);
  EXPECT_THAT(integers.signedAt(0), Optional(-1));
  EXPECT_THAT(integers.doubleAt(2), Optional(7.0));
  EXPECT_EQ(integers.signedAt(3), std::nullopt);
  EXPECT_THAT(gguf.find("f32")->doubleAt(1), Optional(-2.0));
  EXPECT_EQ(gguf.find("f32")->signedAt(1), std::nullopt);
  EXPECT_THAT(gguf.find("bool")->signedAt(1), Optional(1));
  EXPECT_THAT(gguf.find("text")->asStrings(), Optional(ElementsAre("", "a", std::string_view("\0b", 2))));
  EXPECT_EQ(gguf.find("text")->signedAt(0), std::nullopt);
  EXPECT_EQ(gguf.find("none")->count(), 0u);
}

TEST(GgufReader, PlacesTensorsByAlignmentAndOrder) {
  GgufBuilder b(3, 1, 2);
  b.u32("general.alignment", 64);
  b.tensor("q", {64, 2}, 3, 0).tensor("empty", {0, 4}, 0, 128).tensor("v", {3}, 0, 128);
  b.pad(64);
  const size_t start = b.bytes.size();
  b.zeros(80).pad(64).raw("abcdefghijkl");
  const TemporaryFile file(b.bytes);
  const GgufFile gguf = opened(file);

  EXPECT_EQ(gguf.version(), 2u);
  EXPECT_EQ(gguf.alignment(), 64u);
  ASSERT_EQ(gguf.tensors().size(), 3u);
  const GgufTensor& q = *gguf.findTensor("q");
  EXPECT_EQ(q.type, formats::TensorType::kQ4_1);
  EXPECT_THAT(q.dims, ElementsAre(64, 2));
  EXPECT_EQ(q.data.size(), 80u);
  EXPECT_EQ(gguf.findTensor("empty")->data.size(), 0u);
  const GgufTensor& v = *gguf.findTensor("v");
  EXPECT_EQ(v.data.data() - q.data.data(), 128) << "start of the data is " << start;
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(v.data.data()), v.data.size()), "abcdefghijkl");
  EXPECT_EQ(gguf.findTensor("w"), nullptr);
}

TEST(GgufReader, ReadsWhatHasNoDataOrNoDimensions) {
  const TemporaryFile vocabulary(GgufBuilder(0, 1).string("a", "b").bytes);
  EXPECT_EQ(opened(vocabulary).tensors().size(), 0u);

  const TemporaryFile scalarFile(GgufBuilder(1, 0).tensor("s", {}, 0, 0).pad().zeros(4).bytes);
  const GgufFile gguf = opened(scalarFile);
  ASSERT_EQ(gguf.tensors().size(), 1u);
  EXPECT_THAT(gguf.tensors()[0].dims, ElementsAre(1));
}

// ggml's tensors have four dimensions each: those of 1 at the end say nothing.
TEST(GgufReader, DimensionsOfOneAtTheEndGo) {
  GgufBuilder b(4, 0);
  b.tensor("v", {4, 1}, 0, 0).tensor("m", {2, 2, 1, 1}, 0, 32).tensor("k", {1, 4}, 0, 64).tensor("s", {1, 1}, 0, 96);
  const TemporaryFile file(b.pad().zeros(100).bytes);
  const GgufFile gguf = opened(file);
  EXPECT_THAT(gguf.findTensor("v")->dims, ElementsAre(4));
  EXPECT_THAT(gguf.findTensor("m")->dims, ElementsAre(2, 2));
  EXPECT_THAT(gguf.findTensor("k")->dims, ElementsAre(1, 4));
  EXPECT_THAT(gguf.findTensor("s")->dims, ElementsAre(1));
}

// Moving the object must not move what its views point to.
TEST(GgufReader, ViewsSurviveAMove) {
  const TemporaryFile file(GgufBuilder(0, 1).string("key", "value").bytes);
  GgufFile first = opened(file);
  const GgufFile second = std::move(first);
  ASSERT_NE(second.find("key"), nullptr);
  EXPECT_THAT(second.find("key")->asString(), Optional(std::string_view("value")));
}

} // namespace
} // namespace llcuda::ingest
