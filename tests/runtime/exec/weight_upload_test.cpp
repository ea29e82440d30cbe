// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/exec/program.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// More than are in memory at a time, and a last piece that is not whole.
constexpr uint64_t kBytes = (60 << 20) + 4096;
constexpr uint32_t kBuffers = 9;

class WeightUpload : public testing::Test {
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
    toy::writeFile(path(), toy::fileBytes(toy));
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string path() const { return (folder / "toy.engine").string(); }

  Result<std::shared_ptr<const Program>> load(bool guard = false) const {
    LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path()));
    auto engine = std::make_shared<const Engine>(std::move(opened));
    LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
    return Program::load(std::move(engine), std::move(device), guard);
  }

  fs::path folder;
  std::vector<std::byte> weights;
};

TEST_F(WeightUpload, EveryBufferHasItsBytes) {
  for (const bool guard : {false, true}) {
    const auto program = load(guard);
    ASSERT_TRUE(program.ok()) << program.error().message;
    auto stream = cuda::Stream::create((*program)->device().context);
    ASSERT_TRUE(stream.ok());
    const auto& buffers = *(*program)->engine().metadata().buffers();
    uint32_t compared = 0;
    for (uint32_t b = 0; b < buffers.size(); ++b) {
      if (buffers[b]->kind() != fb::BufferKind::weight)
        continue;
      std::vector<std::byte> found(buffers[b]->bytes());
      ASSERT_TRUE(stream->copyToHost(found, (*program)->address(b)).ok());
      ASSERT_TRUE(stream->synchronize().ok());
      EXPECT_EQ(std::memcmp(found.data(), &weights[buffers[b]->offset()], found.size()), 0) << b;
      ++compared;
    }
    EXPECT_GE(compared, kBuffers);
  }
}

TEST_F(WeightUpload, DamagedWeightsAreRefused) {
  std::vector<std::byte> file = toy::readFile(path());
  schema::EngineHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  const auto& segment = header.segments[static_cast<std::size_t>(schema::SegmentKind::kWeights)];
  // The first byte, one of a later piece, and the last.
  for (const uint64_t at : {uint64_t(0), segment.bytes / 2, segment.bytes - 1}) {
    file[segment.offset + at] ^= std::byte{4};
    toy::writeFile(path(), file);
    file[segment.offset + at] ^= std::byte{4};
    const auto program = load();
    ASSERT_FALSE(program.ok()) << at;
    EXPECT_EQ(program.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(program.error().message,
                HasSubstr("toy.engine: segment weights is damaged (hash differs); copy it again"));
  }
}

} // namespace
} // namespace llcuda
