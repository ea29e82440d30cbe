// SPDX-License-Identifier: Apache-2.0
// Files that must be refused, each with its own sentence.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/ingest/gguf_reader.h"
#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::ingest {
namespace {

using enum GgufType;
using B = GgufBuilder;

constexpr uint32_t kF32Type = 0, kQ4_1Type = 3, kF64Type = 28;
constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
constexpr char kDamaged[] = "; the file is damaged: download it again";
constexpr char kTruncated[] = "; it is truncated: download it again";

struct BadFile {
  const char* name;
  std::string bytes;
  ErrorCode code;
  std::string message; ///< without the path
};

/// One metadata entry of an array of `count` u8 that is not there.
std::string arrayClaim(GgufType element, uint64_t count, size_t present) {
  return B(0, 1).array("a", element, count).zeros(present).bytes;
}

/// A valid beginning for tests of the tensor list.
B oneTensor(int64_t tensors = 1) {
  return B(tensors, 0);
}

/// How a failing test shows its parameter.
void PrintTo(const BadFile& file, std::ostream* out) {
  *out << file.name;
}

std::vector<BadFile> otherKinds() {
  constexpr ErrorCode bad = ErrorCode::kBadInput, unsupported = ErrorCode::kUnsupported;
  return {
      {"Empty", "", bad, "is empty; download it again"},
      {"HtmlPage", "\n<!DOCTYPE html>\n<html lang=\"en\">", bad,
       "is an HTML page, not a GGUF file; download the file itself, not the page about it"},
      {"HtmlUpperCase", "<HTML><HEAD>", bad,
       "is an HTML page, not a GGUF file; download the file itself, not the page about it"},
      {"XmlError", "<?xml version='1.0'?><Error>", bad,
       "is an XML document, not a GGUF file; the server answered with an error: download it again"},
      {"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 98362432\n", bad,
       "is a git-LFS pointer, not a GGUF file; fetch the content with `git lfs pull`"},
      {"Json", "{\"error\":\"Repository not found\"}", bad,
       "is a JSON text, not a GGUF file; the server answered with an error: download it again"},
      {"Safetensors", std::string("\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\"", 22), bad,
       "looks like safetensors, not a GGUF file; give the folder that holds it"},
      {"Zip", "PK\x03\x04 and more", bad,
       "is a ZIP archive or a PyTorch checkpoint, not a GGUF file; unpack or convert it first"},
      {"Gzip", "\x1f\x8b\x08 and more", bad, "is compressed; decompress it first"},
      {"Engine", "LLCUDAE\n and more", bad, "is an llcuda engine, not a GGUF file; give it to llcuda-run"},
      {"Noise", "no magic at all", bad, "does not start with the magic GGUF; it is not a GGUF file"},
      {"OldGgml", "tjgg\3\0\0\0", unsupported,
       "is a GGML file from before GGUF; convert the model again with a current converter"},
      {"ReversedMagic", "FUGG\0\0\0\3", unsupported,
       "has its magic in reversed byte order; convert it to a little-endian GGUF"},
      {"MagicAlone", "GGUF", bad, std::string("ends inside the header") + kTruncated},
      {"HeaderCut", B(0, 0).bytes.substr(0, 23), bad, std::string("ends inside the header") + kTruncated},
      {"BigEndian", B(0, 0, 0x03000000).bytes, unsupported, "is a big-endian GGUF; convert it to little-endian first"},
      {"Version0", B(0, 0, 0).bytes, bad, "has version 0, which no GGUF has; it is damaged: download it again"},
      {"Version1", B(0, 0, 1).bytes, unsupported,
       "is a GGUF of version 1, whose lengths have 32 bits; convert the model again"},
      {"Version4", B(0, 0, 4).bytes, unsupported,
       "is a GGUF of version 4, and this program reads 2 and 3; a newer one may read it"},
  };
}

std::vector<BadFile> badCounts() {
  constexpr ErrorCode bad = ErrorCode::kBadInput, unsupported = ErrorCode::kUnsupported;
  return {
      {"NegativeTensors", B(-1, 0).zeros(64).bytes, bad, std::string("claims -1 tensors") + kDamaged},
      {"NegativeEntries", B(0, -5).zeros(64).bytes, bad, std::string("claims -5 metadata entries") + kDamaged},
      {"TensorsBeyondTheFile", B(kHuge, 0).zeros(64).bytes, bad,
       std::string("claims 9223372036854775807 tensors and has 64 bytes for them") + kDamaged},
      {"EntriesBeyondTheFile", B(0, kHuge).zeros(64).bytes, bad,
       std::string("claims 9223372036854775807 metadata entries and has 64 bytes for them") + kDamaged},
      {"TooManyTensors", B(65537, 0).zeros(65537 * 24).bytes, unsupported, "has 65537 tensors; at most 65536 are read"},
      {"TooManyEntries", B(0, 65537).zeros(65537 * 14).bytes, unsupported,
       "has 65537 metadata entries; at most 65536 are read"},
      {"TensorsWithoutRoom", B(2, 1).string("s", std::string(60, 's')).bytes, bad,
       std::string("claims 2 tensors and has 0 bytes left for them") + kDamaged},
  };
}

std::vector<BadFile> badMetadata() {
  constexpr ErrorCode bad = ErrorCode::kBadInput, unsupported = ErrorCode::kUnsupported;
  const std::string longKey(65536, 'k');
  return {
      {"KeyBeyondTheFile", B(0, 1).number<uint64_t>(1000).zeros(20).bytes, bad,
       std::string("metadata entry 0 has a key of 1000 bytes and 20 are left") + kDamaged},
      {"KeyLengthWraps", B(0, 1).number<uint64_t>(-1).zeros(20).bytes, bad,
       std::string("metadata entry 0 has a key of 18446744073709551615 bytes and 20 are left") + kDamaged},
      {"EmptyKey", B(0, 1).u32("", 1).bytes, bad, std::string("metadata entry 0 has an empty key") + kDamaged},
      {"LongKey", B(0, 1).u32(longKey, 1).bytes, unsupported,
       "metadata entry 0 has a key of 65536 bytes; at most 65535 are read"},
      {"RepeatedKey", B(0, 2).u32("k", 1).u32("k", 2).bytes, bad,
       std::string("metadata entry 1 ('k') repeats a key") + kDamaged},
      {"UnknownValueType", B(0, 1).key("k", static_cast<GgufType>(13)).zeros(8).bytes, bad,
       std::string("metadata entry 0 ('k') has the value type 13, which GGUF does not define") + kDamaged},
      {"NegativeValueType", B(0, 1).key("k", static_cast<GgufType>(-1)).zeros(8).bytes, bad,
       std::string("metadata entry 0 ('k') has the value type -1, which GGUF does not define") + kDamaged},
      {"ValueCut", B(0, 1).key("some.key", kU64).zeros(7).bytes, bad,
       std::string("ends inside metadata entry 0 ('some.key')") + kTruncated},
      {"TypeCut", B(0, 1).text("some.key").zeros(3).bytes, bad,
       std::string("ends inside metadata entry 0 ('some.key')") + kTruncated},
      {"StringBeyondTheFile", B(0, 1).key("k", kString).number<uint64_t>(9).raw("12345678").bytes, bad,
       std::string("metadata entry 0 ('k') has a string of 9 bytes and 8 are left") + kDamaged},
      {"KeyIsMadePrintable", B(0, 2).u32("a\n\x01\xff", 1).u32("a\n\x01\xff", 2).bytes, bad,
       std::string("metadata entry 1 ('a?\?\?') repeats a key") + kDamaged},
      {"NestedArray", B(0, 1).array("k", kArray, 1).number<uint32_t>(0).number<uint64_t>(0).bytes, unsupported,
       "metadata entry 0 ('k') is an array of arrays, which is not read; write it flat"},
      {"UnknownElementType", arrayClaim(static_cast<GgufType>(99), 1, 8), bad,
       std::string("metadata entry 0 ('a') has the element type 99, which GGUF does not define") + kDamaged},
      {"ArrayBeyondTheFile", arrayClaim(kU32, 5, 19), bad,
       std::string("metadata entry 0 ('a') has 5 elements of type u32 and 19 bytes are left") + kDamaged},
      {"ArrayCountWraps", arrayClaim(kU64, uint64_t{1} << 61, 64), bad,
       std::string("metadata entry 0 ('a') has 2305843009213693952 elements of type u64 and 64 bytes are left") +
           kDamaged},
      {"ArrayCountIs2To63", arrayClaim(kU8, uint64_t{1} << 63, 1), bad,
       std::string("metadata entry 0 ('a') has 9223372036854775808 elements of type u8 and 1 bytes are left") +
           kDamaged},
      {"ArrayCountCut", B(0, 1).key("k", kArray).number<uint32_t>(4).zeros(7).bytes, bad,
       std::string("ends inside metadata entry 0 ('k')") + kTruncated},
      {"StringsBeyondTheFile", arrayClaim(kString, 3, 23), bad,
       std::string("metadata entry 0 ('a') has 3 elements of type string and 23 bytes are left") + kDamaged},
      {"ElementBeyondTheFile", B(0, 1).array("a", kString, 2).text("ok").number<uint64_t>(7).raw("123456").bytes, bad,
       std::string("metadata entry 0 ('a') has an element of 7 bytes and 6 are left") + kDamaged},
      {"AlignmentOfAnotherType", B(0, 1).key("general.alignment", kU64).number<uint64_t>(32).bytes, bad,
       std::string("general.alignment is of type u64 and must be u32") + kDamaged},
      {"AlignmentZero", B(0, 1).u32("general.alignment", 0).bytes, bad,
       std::string("general.alignment is 0 and must be a power of two") + kDamaged},
      {"AlignmentThree", B(0, 1).u32("general.alignment", 3).bytes, bad,
       std::string("general.alignment is 3 and must be a power of two") + kDamaged},
      {"AlignmentHuge", B(0, 1).u32("general.alignment", 1u << 31).bytes, unsupported,
       "general.alignment is 2147483648; at most 1048576 is read"},
  };
}

std::vector<BadFile> badTensors() {
  constexpr ErrorCode bad = ErrorCode::kBadInput, unsupported = ErrorCode::kUnsupported;
  const std::string name64(64, 'n');
  auto typed = [](uint32_t type) { return oneTensor().tensor("t", {256}, type, 0).pad().zeros(4096).bytes; };
  return {
      {"NameBeyondTheFile", oneTensor().number<uint64_t>(60).zeros(59).bytes, bad,
       std::string("tensor 0 has a name of 60 bytes and 59 are left") + kDamaged},
      {"NameTooLong", oneTensor().tensor(name64, {1}, kF32Type, 0).pad().zeros(4).bytes, unsupported,
       "tensor 0 has a name of 64 bytes; at most 63 are read"},
      {"NameRepeated", oneTensor(2).tensor("t", {1}, kF32Type, 0).tensor("t", {1}, kF32Type, 32).pad().zeros(64).bytes,
       bad, std::string("tensor 1 ('t') repeats a name") + kDamaged},
      {"FiveDimensions", oneTensor().tensor("t", {1, 1, 1, 1, 1}, kF32Type, 0).pad().zeros(4).bytes, bad,
       std::string("tensor 0 ('t') has 5 dimensions; at most 4 are possible") + kDamaged},
      {"HugeDimensionCount", oneTensor().text("t").number<uint32_t>(-1).zeros(64).bytes, bad,
       std::string("tensor 0 ('t') has 4294967295 dimensions; at most 4 are possible") + kDamaged},
      {"NegativeDimension", oneTensor().tensor("t", {-32}, kF32Type, 0).pad().zeros(4).bytes, bad,
       std::string("tensor 0 ('t') has a dimension of -32") + kDamaged},
      {"ElementsWrap", oneTensor().tensor("t", {1 << 30, 1 << 30, 1 << 30}, kF32Type, 0).pad().zeros(4).bytes, bad,
       std::string("tensor 0 ('t') has more elements than 63 bits count") + kDamaged},
      {"ElementsReach63Bits", oneTensor().tensor("t", {int64_t{1} << 32, int64_t{1} << 31}, 0, 0).pad().bytes, bad,
       std::string("tensor 0 ('t') has more elements than 63 bits count") + kDamaged},
      {"ZeroHidesAnImpossibleShape", oneTensor().tensor("t", {0, kHuge, kHuge}, kF32Type, 0).pad().bytes, bad,
       std::string("tensor 0 ('t') has more elements than 63 bits count") + kDamaged},
      {"BytesWrap", oneTensor().tensor("t", {kHuge}, kF64Type, 0).pad().zeros(4).bytes, bad,
       std::string("tensor 0 ('t') needs more bytes than 64 bits count") + kDamaged},
      {"TypeRetired", typed(4), unsupported, "tensor 0 ('t') has the encoding 4, which this version does not know"},
      {"TypeOfNoBytes", typed(36), unsupported, "tensor 0 ('t') has the encoding 36, which this version does not know"},
      {"TypeUnknown", typed(43), unsupported, "tensor 0 ('t') has the encoding 43, which this version does not know"},
      {"TypeNegative", typed(static_cast<uint32_t>(-1)), unsupported,
       "tensor 0 ('t') has the encoding -1, which this version does not know"},
      {"RowIsNoMultipleOfTheBlock", oneTensor().tensor("t", {33}, kQ4_1Type, 0).pad().zeros(64).bytes, bad,
       std::string("tensor 0 ('t') has rows of 33 elements, not a multiple of the 32 that a block of q4_1 holds") +
           kDamaged},
      {"TensorCut", oneTensor().text("name").number<uint32_t>(1).number<int64_t>(4).zeros(11).bytes, bad,
       std::string("ends inside tensor 0 ('name')") + kTruncated},
      {"DimensionsCut", oneTensor().text("name").number<uint32_t>(4).number<int64_t>(4).zeros(15).bytes, bad,
       std::string("ends inside tensor 0 ('name')") + kTruncated},
      {"OffsetNotTheRunningSum",
       oneTensor(2).tensor("a", {1}, kF32Type, 0).tensor("b", {1}, kF32Type, 64).pad().zeros(128).bytes, bad,
       std::string("tensor 1 ('b') lies at offset 64 of the data and must lie at 32") + kDamaged},
      {"OffsetsOverlap",
       oneTensor(2).tensor("a", {16}, kF32Type, 0).tensor("b", {1}, kF32Type, 0).pad().zeros(128).bytes, bad,
       std::string("tensor 1 ('b') lies at offset 0 of the data and must lie at 64") + kDamaged},
      {"FirstOffsetBeyondTheFile", oneTensor().tensor("a", {1}, kF32Type, uint64_t{1} << 63).pad().zeros(4).bytes, bad,
       std::string("tensor 0 ('a') lies at offset 9223372036854775808 of the data and must lie at 0") + kDamaged},
      {"DataMissing", oneTensor().tensor("a", {16}, kF32Type, 0).pad().bytes, bad,
       std::string("tensor 0 ('a') needs 64 bytes and 0 are left") + kTruncated},
      {"DataCut", oneTensor().tensor("a", {16}, kF32Type, 0).pad().zeros(63).bytes, bad,
       std::string("tensor 0 ('a') needs 64 bytes and 63 are left") + kTruncated},
      {"SecondTensorMissing",
       oneTensor(2).tensor("a", {1}, kF32Type, 0).tensor("b", {1}, kF32Type, 32).pad().zeros(4).bytes, bad,
       std::string("tensor 1 ('b') needs 4 bytes and 0 are left") + kTruncated},
      {"PaddingBeforeTheDataMissing", oneTensor().tensor("abc", {1}, kF32Type, 0).bytes, bad,
       std::string("ends before the tensor data") + kTruncated},
  };
}

class GgufErrors : public testing::TestWithParam<BadFile> {};

TEST_P(GgufErrors, AreOneLineOfTheirOwn) {
  const BadFile& bad = GetParam();
  const TemporaryFile file(bad.bytes);
  const auto gguf = GgufFile::open(file.path());
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().message, file.path() + ": " + bad.message);
  EXPECT_EQ(gguf.error().code, bad.code);
}

std::string nameOf(const testing::TestParamInfo<BadFile>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(OtherKinds, GgufErrors, testing::ValuesIn(otherKinds()), nameOf);
INSTANTIATE_TEST_SUITE_P(Counts, GgufErrors, testing::ValuesIn(badCounts()), nameOf);
INSTANTIATE_TEST_SUITE_P(Metadata, GgufErrors, testing::ValuesIn(badMetadata()), nameOf);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufErrors, testing::ValuesIn(badTensors()), nameOf);

TEST(GgufErrors, AMissingFileAndAFolderSaySo) {
  EXPECT_EQ(GgufFile::open("/nonexistent.gguf").error().message,
            "/nonexistent.gguf: cannot be opened: No such file or directory");
  EXPECT_THAT(GgufFile::open("/tmp").error().message, testing::EndsWith("/tmp: is a folder, not a file"));
}

/// A file of `pieces`, each followed by a hole of `hole` bytes that take no room on the disk.
std::string errorOfSparse(const std::vector<std::string>& pieces, std::streamoff hole) {
  const TemporaryFile file("");
  {
    std::ofstream out(file.path(), std::ios::binary);
    for (const std::string& piece : pieces) out.write(piece.data(), std::ssize(piece)).seekp(hole, std::ios::cur);
    out.put('\0');
  }
  const auto gguf = GgufFile::open(file.path());
  return gguf ? "opened" : gguf.error().message.substr(file.path().size());
}

TEST(GgufErrors, LongValuesAreRefused) {
  const std::streamoff hole = 70 << 20;
  EXPECT_EQ(errorOfSparse({B(0, 1).key("k", kString).number<uint64_t>((64 << 20) + 1).bytes}, hole),
            ": metadata entry 0 ('k') has a string of 67108865 bytes; at most 67108864 are read");
  EXPECT_EQ(errorOfSparse({B(0, 1).array("k", kU8, (1 << 26) + 1).bytes}, hole),
            ": metadata entry 0 ('k') has 67108865 elements; at most 67108864 are read");
}

// Strings of 63 MiB pass one by one; their sum must not.
TEST(GgufErrors, TheMetadataHasALimitAsAWhole) {
  constexpr uint64_t kBytes = 63 << 20;
  std::vector<std::string> pieces;
  for (int i = 0; i < 9; ++i) {
    B builder(0, 9);
    if (i > 0)
      builder.bytes.clear();
    pieces.push_back(builder.key("k" + std::to_string(i), kString).number(kBytes).bytes);
  }
  EXPECT_EQ(errorOfSparse(pieces, kBytes),
            ": has more than 536870912 bytes of metadata, reached in metadata entry 8 ('k8')");
}

} // namespace
} // namespace llcuda::ingest
