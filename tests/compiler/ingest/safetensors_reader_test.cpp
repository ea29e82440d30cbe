// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/safetensors_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr char kAgain[] = ": download it again";

std::string entry(std::string_view shape, std::string_view offsets, std::string_view type = "F32") {
  return "{\"dtype\":\"" + std::string(type) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + "}";
}

Result<SafetensorsFile> openBytes(std::string_view bytes) {
  const TemporaryFile file(bytes, ".safetensors");
  return SafetensorsFile::open(file.path());
}

TEST(SafetensorsReader, ReadsTensorsInTheOrderOfTheirData) {
  const auto file = openBytes(
      safetensorsBytes("{\"__metadata__\":{\"format\":\"pt\"},\"b\":" + entry("[3]", "[4,10]", "BF16") +
                           ",\"empty\":" + entry("[0,7]", "[4,4]") + ",\"a\":" + entry("[]", "[0,4]") + "}   ",
                       "0123456789"));
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->tensors()[0].name, "a");
  EXPECT_EQ(file->tensors()[0].elements(), 1u);
  EXPECT_EQ(file->tensors()[1].name, "empty");
  EXPECT_TRUE(file->tensors()[1].data.empty());
  const SafetensorsTensor* b = file->find("b");
  ASSERT_TRUE(b);
  EXPECT_TRUE(b->is("BF16"));
  EXPECT_EQ(b->type->type, formats::TensorType::kBF16);
  EXPECT_THAT(b->shape, ElementsAre(3));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(b->data.data()), b->data.size()), "456789");
  EXPECT_THAT(file->metadata(), ElementsAre(Pair("format", "pt")));
  EXPECT_EQ(file->find("c"), nullptr);
}

// Values are not the reader's business, and neither is their alignment.
TEST(SafetensorsReader, NotANumberIsAValue) {
  const std::string nan("\xFF\xFF\xFF\xFF", 4);
  EXPECT_TRUE(openBytes(safetensorsBytes("{\"a\":" + entry("[1]", "[0,4]") + "}", nan)));
  EXPECT_TRUE(openBytes(safetensorsBytes("{\"a\":" + entry("[1]", "[0,4]") + "} ", nan)));
}

TEST(SafetensorsReader, TypesOfHalfABytePackInPairs) {
  EXPECT_TRUE(openBytes(safetensorsBytes("{\"a\":" + entry("[2,3]", "[0,3]", "F4") + "}", "abc")));
  EXPECT_FALSE(openBytes(safetensorsBytes("{\"a\":" + entry("[3]", "[0,1]", "F4") + "}", "a")));
}

struct BadFile {
  const char* name;
  std::string bytes;
  std::string message; ///< without the path
  ErrorCode code = ErrorCode::kBadInput;
};

void PrintTo(const BadFile& file, std::ostream* out) {
  *out << file.name;
}

/// A file of one tensor, `a`, whose entry is `text`.
std::string oneEntry(const std::string& text, std::string_view data = "0123") {
  return safetensorsBytes("{\"a\":" + text + "}", data);
}

std::vector<BadFile> otherKinds() {
  return {
      {"Empty", "", "is empty; download it again"},
      {"Short", "1234567", "ends inside the header; it is truncated: download it again"},
      {"Html", "<!DOCTYPE html>",
       "is an HTML page, not a safetensors file; download the file itself, not the page about it"},
      {"Lfs", "version https://git-lfs.github.com/spec/v1\noid",
       "is a git-LFS pointer, not a safetensors file; fetch the content with `git lfs pull`"},
      {"Json", "{\"error\": \"no such file\"}",
       "is a JSON text, not a safetensors file; the server answered with an error: download it again"},
      {"Gguf", std::string("GGUF\3\0\0\0", 8),
       "is a GGUF file, not a safetensors file; give it a name that ends in .gguf"},
      {"Pickle", std::string("PK\x03\x04\x14\0\0\0", 8),
       "is a ZIP archive or a PyTorch checkpoint, not a safetensors file; unpack or convert it first"},
      {"HugeHeader", std::string("\0\0\0\x06\0\0\0\0{}", 10),
       "claims a header of 100663296 bytes, at most 100000000; it is not a safetensors file"},
      {"HeaderCut", safetensorsBytes("{\"a\":1}", "").substr(0, 12),
       "claims a header of 7 bytes and has 4 behind the length; it is truncated: download it again"},
      {"NoHeader", safetensorsBytes("", ""), "its header does not start with '{'; it is not a safetensors file"},
      {"Spaces", safetensorsBytes(" {}", ""), "its header does not start with '{'; it is not a safetensors file"},
  };
}

std::vector<BadFile> headers() {
  const std::string four = entry("[1]", "[0,4]");
  return {
      {"NotJson", safetensorsBytes("{\"a\":", ""), "the header is not JSON at its byte 6"},
      {"TextBehind", safetensorsBytes("{}{}", ""), "the header is not JSON at its byte 3"},
      {"NotUtf8", safetensorsBytes("{\"\xFF\":1}", ""), "the header is not JSON at its byte 3"},
      {"NoObject", oneEntry("[]"), "a list stands in tensor 'a'"},
      {"Number", oneEntry("1"), "a number stands in tensor 'a'"},
      {"Nested", oneEntry("{\"dtype\":{}}"), "an object stands in tensor 'a'"},
      {"Deep", oneEntry("{\"shape\":[[1]]}"), "a list stands in tensor 'a'"},
      {"NoType", oneEntry("{\"shape\":[1],\"data_offsets\":[0,4]}"), "tensor 'a' has no dtype"},
      {"NoShape", oneEntry("{\"dtype\":\"F32\",\"data_offsets\":[0,4]}"), "tensor 'a' has no shape"},
      {"NoOffsets", oneEntry("{\"dtype\":\"F32\",\"shape\":[1]}"), "tensor 'a' has no data_offsets"},
      {"ThreeOffsets", oneEntry(entry("[1]", "[0,4,4]")), "tensor 'a' has 3 data_offsets, not 2"},
      {"NegativeDim", oneEntry(entry("[-1]", "[0,4]")), "a negative number stands in tensor 'a'"},
      {"Fraction", oneEntry(entry("[1.5]", "[0,4]")), "a fraction stands in tensor 'a'"},
      {"Beyond64Bits", oneEntry(entry("[99999999999999999999]", "[0,4]")), "a fraction stands in tensor 'a'"},
      {"NineDims", oneEntry(entry("[1,1,1,1,1,1,1,1,1]", "[0,4]")), "tensor 'a' has more than 8 dimensions"},
      {"UnknownKey", oneEntry("{\"strides\":1}"), "tensor 'a' has an unknown key 'strides'"},
      {"KeyTwice", oneEntry("{\"dtype\":\"F32\",\"dtype\":\"F32\"}"), "tensor 'a' has dtype twice"},
      {"TensorTwice", safetensorsBytes("{\"a\":" + four + ",\"a\":" + four + "}", "0123"), "tensor 'a' comes twice"},
      {"MetadataTwice", safetensorsBytes("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", ""),
       "__metadata__ has 'k' twice"},
      {"MetadataNumber", safetensorsBytes("{\"__metadata__\":{\"k\":1}}", ""),
       "a number stands in tensor '__metadata__'"},
  };
}

std::vector<BadFile> places() {
  const std::string first = "{\"a\":" + entry("[1]", "[0,4]") + ",\"b\":";
  return {
      {"UnknownType", oneEntry(entry("[1]", "[0,4]", "F3")),
       "tensor 'a' has the type 'F3', which this version does not know", ErrorCode::kUnsupported},
      {"PastTheEnd", oneEntry(entry("[2]", "[0,8]")),
       std::string("tensor 'a' has data_offsets 0 to 8, the file has 4 bytes of data; it is damaged or truncated") +
           kAgain},
      {"Backwards", oneEntry(entry("[1]", "[4,0]")),
       std::string("tensor 'a' has data_offsets 4 to 0, the file has 4 bytes of data; it is damaged or truncated") +
           kAgain},
      {"WrongShape", oneEntry(entry("[2]", "[0,4]")), "tensor 'a' has 4 bytes of data, its shape and type need 8"},
      {"ProductWraps", oneEntry(entry("[4294967296,4294967296]", "[0,4]")),
       "tensor 'a' has 4 bytes of data, its shape and type need more than can be counted"},
      {"Hole", safetensorsBytes(first + entry("[1]", "[5,9]") + "}", "012345678"),
       "tensor 'b' starts at byte 5 of the data, the one before it ends at 4; offsets must leave no holes and not "
       "overlap"},
      {"Overlap", safetensorsBytes(first + entry("[1]", "[3,7]") + "}", "0123456"),
       "tensor 'b' starts at byte 3 of the data, the one before it ends at 4; offsets must leave no holes and not "
       "overlap"},
      {"SamePlace", safetensorsBytes(first + entry("[1]", "[0,4]") + "}", "0123"),
       "tensor 'b' starts at byte 0 of the data, the one before it ends at 4; offsets must leave no holes and not "
       "overlap"},
      {"StartsLate", oneEntry(entry("[1]", "[1,5]"), "01234"),
       "tensor 'a' starts at byte 1 of the data, the one before it ends at 0; offsets must leave no holes and not "
       "overlap"},
      {"DataBehind", oneEntry(entry("[1]", "[0,4]"), "01234"), "its tensors end at byte 4 of the data, the file has 5"},
  };
}

class Refused : public testing::TestWithParam<BadFile> {};

TEST_P(Refused, WithItsOwnSentence) {
  const TemporaryFile file(GetParam().bytes, ".safetensors");
  const auto result = SafetensorsFile::open(file.path());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, file.path() + ": " + GetParam().message);
  EXPECT_EQ(result.error().code, GetParam().code);
}

std::string nameOf(const testing::TestParamInfo<BadFile>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(OtherKind, Refused, testing::ValuesIn(otherKinds()), nameOf);
INSTANTIATE_TEST_SUITE_P(Header, Refused, testing::ValuesIn(headers()), nameOf);
INSTANTIATE_TEST_SUITE_P(Place, Refused, testing::ValuesIn(places()), nameOf);

} // namespace
} // namespace llcuda::ingest
