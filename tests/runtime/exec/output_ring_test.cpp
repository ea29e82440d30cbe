// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/output_ring.h"

#include <gmock/gmock.h>

#include "runtime/cuda/memory.h"
#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

using testing::ElementsAre;

/// Device memory with these values.
template <typename T>
class OnDevice {
public:
  OnDevice(const std::shared_ptr<const cuda::Context>& context, const cuda::Stream& stream, std::vector<T> values)
      : memory(*cuda::DeviceMemory::allocate(context, values.size() * sizeof(T), "a test")) {
    set(stream, values);
  }
  void set(const cuda::Stream& stream, const std::vector<T>& values) {
    EXPECT_TRUE(stream.copyToDevice(memory.address(), std::as_bytes(std::span(values))).ok());
    EXPECT_TRUE(stream.synchronize().ok());
  }
  cuda::CUdeviceptr address() const { return memory.address(); }

private:
  cuda::DeviceMemory memory;
};

// Two outputs are on their way; what the device writes after the second was queued belongs to neither.
TEST(OutputRing, OutputsComeInOrder) {
  auto device = openDevice(*toy::openToy(), DeviceChoice::kHost, 0, {});
  ASSERT_TRUE(device.ok()) << device.error().message;
  const cuda::Stream stream = *cuda::Stream::create(device->context);
  OutputRing ring =
      *OutputRing::create(device->context, {.outputs = 2, .rows = 3, .blocks = 2, .vocabulary = 3, .embedding = 2});
  OnDevice<int32_t> sampled(device->context, stream, {1, 2});
  OnDevice<float> logits(device->context, stream, {0.f, 1.f, 2.f, 3.f, 4.f, 5.f});
  for (int round = 0; round < 3; ++round) {
    sampled.set(stream, {1, 2});
    ring.open();
    ASSERT_TRUE(ring.copySampled(stream, 2, sampled.address()).ok());
    ASSERT_TRUE(ring.close(stream).ok());
    sampled.set(stream, {3, 4});
    ring.open();
    ASSERT_TRUE(ring.copySampled(stream, 1, sampled.address()).ok());
    ASSERT_TRUE(ring.copyLogits(stream, 1, logits.address()).ok());
    ASSERT_TRUE(ring.close(stream).ok());
    sampled.set(stream, {5, 6});
    EXPECT_EQ(ring.waiting(), 2u);

    const auto first = ring.take();
    ASSERT_TRUE(first.ok());
    EXPECT_THAT(first->sampled, ElementsAre(1, 2));
    EXPECT_TRUE(first->logits.empty());
    const auto second = ring.take();
    ASSERT_TRUE(second.ok());
    EXPECT_THAT(second->sampled, ElementsAre(3));
    EXPECT_THAT(second->logits, ElementsAre(0.f, 1.f, 2.f));
    EXPECT_THAT(first->sampled, ElementsAre(1, 2));
    EXPECT_EQ(ring.waiting(), 0u);
  }
}

// Scores of a prompt come in several copies; what an output was not asked for is empty, whatever lay there before.
TEST(OutputRing, PartsOfAnOutput) {
  auto device = openDevice(*toy::openToy(), DeviceChoice::kHost, 0, {});
  ASSERT_TRUE(device.ok()) << device.error().message;
  const cuda::Stream stream = *cuda::Stream::create(device->context);
  OutputRing ring = *OutputRing::create(device->context, {.outputs = 2, .rows = 3, .blocks = 2, .embedding = 2});
  const auto scored = [](int32_t token) {
    TokenScore score = {};
    score.token = token;
    return score;
  };
  OnDevice<TokenScore> scores(device->context, stream, {scored(1), scored(2)});
  OnDevice<float> pooled(device->context, stream, {1.f, 2.f, 3.f, 4.f});
  for (uint32_t round = 0; round < 2 * OutputRing::kDepth; ++round) {
    ring.open();
    if (round % 3 == 0) {
      ASSERT_TRUE(ring.copyPromptScores(stream, 2, scores.address()).ok());
      ASSERT_TRUE(ring.copyPromptScores(stream, 1, scores.address()).ok());
    } else {
      ASSERT_TRUE(ring.copyScores(stream, 1, scores.address()).ok());
      ASSERT_TRUE(ring.copyPooled(stream, 2, pooled.address()).ok());
    }
    ASSERT_TRUE(ring.close(stream).ok());
    const auto output = ring.take();
    ASSERT_TRUE(output.ok());
    EXPECT_TRUE(output->sampled.empty() && output->logits.empty());
    std::vector<int32_t> tokens;
    for (const TokenScore& score : output->promptScores) tokens.push_back(score.token);
    EXPECT_EQ(tokens, round % 3 == 0 ? (std::vector<int32_t>{1, 2, 1}) : std::vector<int32_t>());
    EXPECT_EQ(output->scores.size(), round % 3 == 0 ? 0u : 1u);
    EXPECT_EQ(std::vector<float>(output->pooled.begin(), output->pooled.end()),
              round % 3 == 0 ? std::vector<float>() : (std::vector<float>{1.f, 2.f, 3.f, 4.f}));
  }
}

} // namespace
} // namespace llcuda
