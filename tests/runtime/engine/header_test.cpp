// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <string_view>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/engine/engine.h"
#include "runtime/schema/engine_writer.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

using schema::EngineHeader;
using schema::SegmentKind;
using testing::HasSubstr;

Error viewError(std::span<const std::byte> file) {
  auto opened = Engine::view(file, "a.engine");
  return opened ? Error{} : opened.error();
}

std::string viewMessage(std::span<const std::byte> file) {
  return viewError(file).message;
}

std::string textMessage(std::string_view text) {
  return viewMessage({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

/// A sound file with a changed header, sealed again unless the hash is what is damaged.
template <typename Change>
std::vector<std::byte> withHeader(Change change) {
  std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  EngineHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  change(header);
  std::memcpy(file.data(), &header, sizeof(header));
  toy::sealHeader(file);
  return file;
}

TEST(Header, OtherFilesAreToldApart) {
  EXPECT_THAT(textMessage(""), HasSubstr("a.engine: is empty"));
  EXPECT_THAT(textMessage(std::string_view("GGUF\3\0\0\0", 8)),
              HasSubstr("is a GGUF model, not an engine; compile it"));
  EXPECT_THAT(textMessage("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("Git LFS pointer"));
  EXPECT_THAT(textMessage("<!DOCTYPE html>"), HasSubstr("is a web page"));
  EXPECT_THAT(textMessage("hello"), HasSubstr("wrong magic number"));
  EXPECT_THAT(textMessage("LLCUDAE\nabc"), HasSubstr("is truncated inside its first page (11 bytes)"));
}

TEST(Header, AnotherVersionIsUnsupported) {
  const auto file = withHeader([](EngineHeader& header) { header.version = 1; });
  EXPECT_EQ(viewError(file).code, ErrorCode::kUnsupported);
  EXPECT_THAT(viewMessage(file), HasSubstr("has engine version 1, this program reads version 6; compile its model "
                                           "again: llcuda-compile MODEL -o a.engine"));
  const auto later = withHeader([](EngineHeader& header) { header.version = 999; });
  EXPECT_EQ(viewError(later).code, ErrorCode::kUnsupported);
  EXPECT_THAT(viewMessage(later), HasSubstr("reads version 6; use a newer llcuda, or compile its model again"));
}

TEST(Header, TruncationNamesTheBytes) {
  std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  const std::size_t whole = file.size();
  file.resize(whole - 1);
  EXPECT_THAT(viewMessage(file), HasSubstr(detail::concat("is truncated: ", whole - 1, " of ", whole, " bytes")));
  file.resize(whole + 1);
  EXPECT_THAT(viewMessage(file), HasSubstr("has 1 bytes too many"));
}

TEST(Header, SegmentsLieInOrderInsideTheFile) {
  EXPECT_THAT(viewMessage(withHeader([](EngineHeader& h) { h.segments[3].offset += 1; })),
              HasSubstr("segment kernel images starts at"));
  EXPECT_THAT(viewMessage(withHeader([](EngineHeader& h) { h.segments[0].offset = 0; })),
              HasSubstr("segment constants starts inside what comes before it"));
  EXPECT_THAT(viewMessage(withHeader([](EngineHeader& h) { h.segments[3].offset = h.segments[1].offset; })),
              HasSubstr("segment kernel images starts inside"));
  EXPECT_THAT(viewMessage(withHeader([](EngineHeader& h) { h.segments[4].bytes = UINT64_MAX - 1; })),
              HasSubstr("segment metadata ends past the file"));
  EXPECT_THAT(viewMessage(withHeader([](EngineHeader& h) { h.segmentCount = 4; })), HasSubstr("names 4 segments"));
}

TEST(Header, HashesAreChecked) {
  std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  file[100] ^= std::byte{1};
  EXPECT_THAT(viewMessage(file), HasSubstr("its first page is damaged"));

  const char* names[] = {"constants", "weights", "kernel images", "metadata"};
  const uint32_t segments[] = {0, 1, 3, 4};
  for (int i = 0; i < 4; ++i) {
    file = toy::fileBytes(toy::toyEngine());
    EngineHeader header;
    std::memcpy(&header, file.data(), sizeof(header));
    file[header.segments[segments[i]].offset + header.segments[segments[i]].bytes - 1] ^= std::byte{0x80};
    EXPECT_THAT(viewMessage(file), HasSubstr(detail::concat("segment ", names[i], " is damaged (hash differs)")));
  }
}

class WriterTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) / ("llcuda_engine_writer_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string path() const { return (folder / "toy.engine").string(); }
  std::size_t fileCount() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  std::filesystem::path folder;
};

// The writer and the test's own assembly agree to the byte, and what it writes opens.
TEST_F(WriterTest, WritesTheLayout) {
  const toy::ToyEngine toy = toy::toyEngine();
  const std::vector<std::byte> metadata = toy::metadataBytes(toy.metadata);
  auto writer = schema::EngineWriter::create(path());
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->begin(SegmentKind::kConstants).ok());
  ASSERT_TRUE(writer->append(toy.constants).ok());
  ASSERT_TRUE(writer->begin(SegmentKind::kWeights).ok());
  ASSERT_TRUE(writer->append(toy.weights).ok());
  ASSERT_TRUE(writer->begin(SegmentKind::kImages).ok());
  ASSERT_TRUE(writer->append(toy.images).ok());
  ASSERT_TRUE(writer->begin(SegmentKind::kMetadata).ok());
  ASSERT_TRUE(writer->append(std::span(metadata).first(100)).ok());
  ASSERT_TRUE(writer->append(std::span(metadata).subspan(100)).ok());
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_TRUE(writer->finish().ok());
  EXPECT_EQ(fileCount(), 1u);
  EXPECT_EQ(toy::readFile(path()), toy::fileBytes(toy));
  auto opened = Engine::open(path());
  EXPECT_TRUE(opened.ok()) << opened.error().message;
}

// However the weights arrive, and none of another segment.
TEST_F(WriterTest, HashesPiecesOfTheWeights) {
  std::vector<std::byte> weights(2 * schema::kWeightPieceBytes + 5);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::byte>(i * i >> 7);
  const auto piece = [&](std::size_t number) {
    const auto rest = std::span(weights).subspan(number * schema::kWeightPieceBytes);
    return schema::hashBytes(rest.first(std::min<std::size_t>(rest.size(), schema::kWeightPieceBytes)));
  };
  for (const std::size_t part : {weights.size(), std::size_t{1} << 20, std::size_t{999'983}}) {
    auto writer = schema::EngineWriter::create(path());
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->begin(SegmentKind::kConstants).ok());
    ASSERT_TRUE(writer->append(std::span(weights).first(100)).ok());
    ASSERT_TRUE(writer->begin(SegmentKind::kWeights).ok());
    for (std::size_t at = 0; at < weights.size(); at += part)
      ASSERT_TRUE(writer->append(std::span(weights).subspan(at, std::min(part, weights.size() - at))).ok());
    ASSERT_TRUE(writer->begin(SegmentKind::kText).ok());
    ASSERT_TRUE(writer->append(std::span(weights).first(100)).ok());
    EXPECT_EQ(writer->weightPieces(), (std::vector<uint64_t>{piece(0), piece(1), piece(2)}));
  }
}

TEST_F(WriterTest, NothingIsLeftWhenItIsNotFinished) {
  {
    auto writer = schema::EngineWriter::create(path());
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->begin(SegmentKind::kMetadata).ok());
    EXPECT_EQ(fileCount(), 1u);
  }
  EXPECT_EQ(fileCount(), 0u);
}

TEST_F(WriterTest, MissingFolderIsNamed) {
  auto writer = schema::EngineWriter::create((folder / "no" / "toy.engine").string());
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ErrorCode::kUsage);
  EXPECT_THAT(writer.error().message, HasSubstr("cannot be written: there is no folder"));
}

TEST(Open, MissingFileAndFolder) {
  EXPECT_THAT(Engine::open("/does/not/exist.engine").error().message, HasSubstr("cannot be opened"));
  EXPECT_THAT(Engine::open("/").error().message, HasSubstr("is a folder, not a file"));
}

} // namespace
} // namespace llcuda
