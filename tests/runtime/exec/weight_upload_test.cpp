// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/exec/program.h"
#include "runtime/exec/weight_reader.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// More than are in memory at a time, and a last piece that is not whole.
constexpr uint64_t kBytes = (60 << 20) + 4096;
constexpr uint32_t kBuffers = 9;

/// Whether the engine has hashes of pieces of its weights, and of which size.
class WeightUpload : public testing::TestWithParam<uint32_t> {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / ("llcuda_weight_upload_" + std::to_string(::getpid()));
    fs::create_directories(folder);
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
    const uint64_t before = (toy.weights.size() + 255) / 256 * 256;
    toy.weights.resize(before + kBytes);
    std::mt19937 random(1);
    for (uint64_t i = before; i + 4 <= toy.weights.size(); i += 4) {
      const uint32_t word = random();
      std::memcpy(&toy.weights[i], &word, 4);
    }
    // Buffers of odd sizes that begin at multiples of 256: none of their ends is the next one's begin.
    for (uint32_t b = 0; b < kBuffers; ++b) {
      auto buffer = std::make_unique<fb::BufferT>();
      buffer->name = "filling." + std::to_string(b);
      buffer->kind = fb::BufferKind::weight;
      buffer->offset = before + kBytes / kBuffers / 256 * 256 * b;
      buffer->bytes = kBytes / kBuffers / 256 * 256 - 16 * b;
      toy.metadata.buffers.push_back(std::move(buffer));
    }
    weights = toy.weights;
    toy.metadata.weight_piece_bytes = GetParam();
    for (std::size_t at = 0; GetParam() != 0 && at < weights.size(); at += GetParam())
      toy.metadata.weight_pieces.push_back(
          schema::hashBytes(std::span(weights).subspan(at, std::min<std::size_t>(GetParam(), weights.size() - at))));
    toy::writeFile(path(), toy::fileBytes(toy));
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string path() const { return (folder / "toy.engine").string(); }

  static Result<std::shared_ptr<const Program>> load(Engine opened, bool guard = false) {
    auto engine = std::make_shared<const Engine>(std::move(opened));
    LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
    return Program::load(std::move(engine), std::move(device), guard);
  }
  Result<std::shared_ptr<const Program>> load(Verify verify = Verify::kFull, bool guard = false) const {
    LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path(), verify));
    return load(std::move(opened), guard);
  }
  /// Whether the program has the weights as they were written.
  void expectWeights(const Program& program) const {
    auto stream = cuda::Stream::create(program.device().context);
    ASSERT_TRUE(stream.ok());
    const auto& buffers = *program.engine().metadata().buffers();
    uint32_t compared = 0;
    for (uint32_t b = 0; b < buffers.size(); ++b) {
      if (buffers[b]->kind() != fb::BufferKind::weight)
        continue;
      std::vector<std::byte> found(buffers[b]->bytes());
      ASSERT_TRUE(stream->copyToHost(found, program.address(b)).ok());
      ASSERT_TRUE(stream->synchronize().ok());
      EXPECT_EQ(std::memcmp(found.data(), &weights[buffers[b]->offset()], found.size()), 0) << b;
      ++compared;
    }
    EXPECT_GE(compared, kBuffers);
  }
  /// Flips a bit of the file in place.
  void damage(schema::SegmentKind kind, uint64_t at) const {
    std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
    schema::EngineHeader header;
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    const uint64_t offset = header.segments[static_cast<std::size_t>(kind)].offset + at;
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 4));
    ASSERT_TRUE(file.flush().good());
  }

  fs::path folder;
  std::vector<std::byte> weights;
};

TEST_P(WeightUpload, EveryBufferHasItsBytes) {
  for (const Verify verify : {Verify::kFull, Verify::kLazy})
    for (const bool guard : {false, true}) {
      const auto program = load(verify, guard);
      ASSERT_TRUE(program.ok()) << program.error().message;
      expectWeights(**program);
    }
}

TEST_P(WeightUpload, DamagedWeightsAreRefused) {
  // The first byte, one of a later piece, and the last.
  for (const uint64_t at : {std::size_t(0), weights.size() / 2, weights.size() - 1}) {
    damage(schema::SegmentKind::kWeights, at);
    for (const Verify verify : {Verify::kFull, Verify::kLazy}) {
      const auto program = load(verify);
      ASSERT_FALSE(program.ok()) << at;
      EXPECT_EQ(program.error().code, ErrorCode::kBadInput);
      EXPECT_THAT(program.error().message,
                  HasSubstr("toy.engine: segment weights is damaged (hash differs); copy it again"));
    }
    damage(schema::SegmentKind::kWeights, at);
  }
}

// What was opened sound and is written over before it is read, or while it is.
TEST_P(WeightUpload, WeightsThatChangeLaterAreRefused) {
  auto opened = Engine::open(path());
  ASSERT_TRUE(opened.ok());
  damage(schema::SegmentKind::kWeights, weights.size() / 3);
  const auto program = load(std::move(*opened));
  ASSERT_FALSE(program.ok());
  EXPECT_THAT(program.error().message, HasSubstr("segment weights is damaged"));
}

// A name that leads to another file by then: what was opened is what is loaded.
TEST_P(WeightUpload, AFileThatIsReplacedIsReadToItsEnd) {
  auto opened = Engine::open(path());
  ASSERT_TRUE(opened.ok());
  toy::writeFile(path() + ".other", std::vector<std::byte>(1 << 20));
  fs::rename(path() + ".other", path());
  const auto program = load(std::move(*opened));
  ASSERT_TRUE(program.ok()) << program.error().message;
  expectWeights(**program);
}

TEST_P(WeightUpload, TruncatedFilesAreRefused) {
  const uint64_t whole = fs::file_size(path());
  for (const uint64_t bytes : {whole - 1, whole / 2, uint64_t{4096}}) {
    fs::resize_file(path(), bytes);
    for (const Verify verify : {Verify::kFull, Verify::kLazy})
      EXPECT_THAT(load(verify).error().message, HasSubstr(detail::concat("is truncated: ", bytes, " of ", whole)));
  }
}

// Lazily each part is compared when it is used: the metadata when the file is opened, constants with the weights,
// images when a kernel is loaded. Never later than anything runs by them.
TEST_P(WeightUpload, EachDamagedPartIsFoundWhenItIsUsed) {
  using schema::SegmentKind;
  struct Part {
    SegmentKind kind;
    uint64_t at; // behind what an image begins with, which is looked at with the metadata
    const char* sentence;
  };
  for (const auto& [kind, at, sentence] : {Part{SegmentKind::kConstants, 1, "segment constants is damaged"},
                                           Part{SegmentKind::kImages, 33, "segment kernel images is damaged"},
                                           Part{SegmentKind::kMetadata, 1, "segment metadata is damaged"}}) {
    damage(kind, at);
    const auto full = Engine::open(path());
    ASSERT_FALSE(full.ok()) << sentence;
    EXPECT_THAT(full.error().message, HasSubstr(sentence));
    auto lazy = Engine::open(path(), Verify::kLazy);
    if (kind == SegmentKind::kMetadata) {
      ASSERT_FALSE(lazy.ok());
      EXPECT_THAT(lazy.error().message, HasSubstr(sentence));
    } else {
      ASSERT_TRUE(lazy.ok()) << sentence;
      EXPECT_THAT(lazy->check(kind).error().message, HasSubstr(sentence));
      EXPECT_TRUE(lazy->check(SegmentKind::kText).ok());
      const auto program = load(std::move(*lazy));
      EXPECT_EQ(program.ok(), kind == SegmentKind::kImages) << sentence;
      const Error error = program ? (*program)->kernels().function(0).error() : program.error();
      EXPECT_EQ(error.code, ErrorCode::kBadInput);
      EXPECT_THAT(error.message, HasSubstr(sentence));
    }
    damage(kind, at);
  }
  EXPECT_TRUE(load(Verify::kLazy).ok());
}

// 100 KiB: pieces of a size that the compiler does not write, and that no buffer's end is a multiple of.
INSTANTIATE_TEST_SUITE_P(Pieces, WeightUpload, testing::Values(0u, schema::kWeightPieceBytes, 100u << 10));

// Threads that still read, or wait for a place, when the reader goes.
TEST(WeightReader, EndsAtAnyPiece) {
  toy::ToyEngine toy = toy::toyEngine();
  toy.weights.resize(40 * (64 << 10) + 1);
  toy.metadata.weight_piece_bytes = 64 << 10;
  for (std::size_t at = 0; at < toy.weights.size(); at += 64 << 10)
    toy.metadata.weight_pieces.push_back(schema::hashBytes(
        std::span(toy.weights).subspan(at, std::min<std::size_t>(64 << 10, toy.weights.size() - at))));
  const std::vector<std::byte> file = toy::fileBytes(toy);
  auto engine = Engine::view(file, "toy.engine");
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  std::vector<std::byte> memory(6 * (64 << 10));
  for (std::size_t taken = 0; taken <= 41; ++taken) {
    WeightReader reader(*engine, memory, 4);
    ASSERT_EQ(reader.pieces(), 41u);
    uint64_t bytes = 0;
    for (std::size_t piece = 0; piece < taken; ++piece) {
      const auto read = reader.next();
      ASSERT_TRUE(read.ok()) << read.error().message;
      bytes += read->size();
      reader.release();
    }
    EXPECT_EQ(bytes, std::min<uint64_t>(taken * (64 << 10), toy.weights.size()));
  }
}

} // namespace
} // namespace llcuda
