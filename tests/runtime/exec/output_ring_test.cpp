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
  OutputRing ring = *OutputRing::create(device->context, 2, 3);
  OnDevice<int32_t> sampled(device->context, stream, {1, 2});
  OnDevice<float> logits(device->context, stream, {0.f, 1.f, 2.f, 3.f, 4.f, 5.f});
  for (int round = 0; round < 3; ++round) {
    sampled.set(stream, {1, 2});
    ASSERT_TRUE(ring.queue(stream, 2, sampled.address(), 0).ok());
    sampled.set(stream, {3, 4});
    ASSERT_TRUE(ring.queue(stream, 1, sampled.address(), logits.address()).ok());
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

} // namespace
} // namespace llcuda
