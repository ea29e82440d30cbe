// SPDX-License-Identifier: Apache-2.0
// The wrappers over the driver, with hostsim behind them.
#include "runtime/cuda/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/hostsim/host_driver.h"

namespace llcuda::cuda {
namespace {

using hostsim::check;
using hostsim::HostDriver;
using hostsim::valueOf;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

std::string errorOf(const Result<void>& result) {
  return result.ok() ? "no error" : result.error().message;
}

TEST(Driver, AMissingLibraryIsNoDevice) {
  const auto driver = Driver::open(DriverKind::kHost, "/no/such/library.so");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, ErrorCode::kNoDevice);
  EXPECT_THAT(driver.error().message, AllOf(HasSubstr("hostsim was not found"), HasSubstr("/no/such/library.so")));
}

TEST(Driver, ALibraryThatLacksAFunctionIsNamed) {
  const auto driver = Driver::open(DriverKind::kCuda, "libm.so.6");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, ErrorCode::kNoDevice);
  EXPECT_THAT(driver.error().message, HasSubstr("libm.so.6 lacks cuInit"));
}

TEST(Driver, AnErrorNamesTheCallTheResultAndThePurpose) {
  const HostDriver host;
  const Error error = host.driver->failed("cuMemAlloc_v2", CUDA_ERROR_OUT_OF_MEMORY, "eating");
  EXPECT_EQ(error.code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(error.message, "cuMemAlloc_v2 gave CUDA_ERROR_OUT_OF_MEMORY (out of memory) while eating");
  EXPECT_THAT(host.driver->failed("cuX", static_cast<CUresult>(12345), "guessing").message,
              HasSubstr("cuX gave an unknown error"));
}

TEST(Context, ADeviceThatIsNotThere) {
  const auto driver = valueOf(Driver::open(DriverKind::kHost, LLCUDA_HOSTSIM_LIBRARY));
  const auto context = Context::create(driver, 1);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, ErrorCode::kNoDevice);
  EXPECT_EQ(context.error().message, "there is no device 1, the driver has 1");
}

TEST(Memory, NoBytesAreNoAllocation) {
  const HostDriver host;
  const auto memory = valueOf(DeviceMemory::allocate(host.context, 0, "nothing"));
  EXPECT_EQ(memory.address(), 0u);
  EXPECT_EQ(memory.bytes(), 0u);
}

// Moving must neither free the memory twice nor lose it.
TEST(Memory, MovesFreeOnce) {
  const HostDriver host;
  const uint64_t before = valueOf(host.context->memoryInfo()).freeBytes;
  {
    DeviceMemory a = host.allocate(1000), b = host.allocate(500);
    a = std::move(b);
    DeviceMemory c(std::move(a));
    EXPECT_EQ(c.bytes(), 500u);
  }
  EXPECT_EQ(valueOf(host.context->memoryInfo()).freeBytes, before);
}

// The last of them, in whatever order they go, gives the context back.
TEST(Memory, OutlivesTheContextsOwner) {
  DeviceMemory memory;
  {
    const HostDriver host;
    memory = host.allocate(64);
  }
  const auto stream = valueOf(
      Stream::create(valueOf(Context::create(valueOf(Driver::open(DriverKind::kHost, LLCUDA_HOSTSIM_LIBRARY))))));
  EXPECT_TRUE(stream.fill(memory.address(), 1, 64).ok()) << "the memory is still there";
}

TEST(Stream, CopiesAndFills) {
  const HostDriver host;
  const auto a = host.allocate(64), b = host.allocate(64);
  check(host.stream.fill(a.address(), 7, 64));
  check(host.stream.copyOnDevice(b.address(), a.address(), 64));
  EXPECT_THAT(host.download<uint8_t>(b), Each(7));
  EXPECT_TRUE(valueOf(host.stream.done()));
}

TEST(Stream, EventsOfOneStreamAreWaitedForInAnother) {
  const HostDriver host;
  const auto event = valueOf(Event::create(host.context));
  const auto other = valueOf(Stream::create(host.context));
  check(host.stream.record(event));
  check(other.wait(event));
  check(event.synchronize());
  EXPECT_TRUE(valueOf(event.done()));
}

TEST(Stream, TooManyParametersAreRefused) {
  const HostDriver host;
  EXPECT_THAT(errorOf(host.launch("count", {}, 32, std::vector<CUdeviceptr>(65))), HasSubstr("has 65 parameters, 64"));
}

TEST(Module, AMissingKernelIsNamed) {
  const HostDriver host;
  EXPECT_THAT(host.module.function("no_such_kernel").error().message,
              AllOf(HasSubstr("CUDA_ERROR_NOT_FOUND"), HasSubstr("no_such_kernel")));
}

// The capture must record and not run; each replay then runs all of it, in order.
TEST(Graph, IsCapturedAndReplayed) {
  const HostDriver host;
  const auto counter = host.allocate(4), copy = host.allocate(4);
  host.upload(counter, std::vector<uint32_t>{0});
  check(host.stream.beginCapture());
  check(host.launch("count", {.x = 2}, 32, {counter.address()}));
  check(host.stream.copyOnDevice(copy.address(), counter.address(), 4));
  check(host.launch("count", {}, 32, {counter.address()}));
  const Graph graph = valueOf(host.stream.endCapture());
  EXPECT_EQ(host.download<uint32_t>(counter), std::vector<uint32_t>{0});
  EXPECT_EQ(valueOf(graph.kernelNodes()), 2u);
  const ExecutableGraph executable = valueOf(graph.instantiate());
  for (int i = 0; i < 5; ++i) check(host.stream.launch(executable));
  EXPECT_EQ(host.download<uint32_t>(counter), std::vector<uint32_t>{5 * 96});
  EXPECT_EQ(host.download<uint32_t>(copy), std::vector<uint32_t>{4 * 96 + 64});
}

// On a GPU these spoil the capture; on hostsim they would pass unseen if it did not check.
TEST(Graph, WaitingAllocatingOrLoadingSpoilsACapture) {
  const HostDriver host;
  check(host.stream.beginCapture());
  EXPECT_THAT(errorOf(host.stream.synchronize()), HasSubstr("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"));
  const auto spoiled = host.stream.endCapture();
  ASSERT_FALSE(spoiled);
  EXPECT_THAT(spoiled.error().message, HasSubstr("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"));

  check(host.stream.beginCapture());
  EXPECT_THAT(DeviceMemory::allocate(host.context, 16, "a test").error().message,
              HasSubstr("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"));
  EXPECT_FALSE(host.stream.endCapture());
  check(host.stream.beginCapture());
  EXPECT_FALSE(Module::load(host.context, host.image.bytes(), "the test kernels"));
  EXPECT_FALSE(host.stream.endCapture());
  EXPECT_TRUE(host.stream.synchronize().ok()) << "the stream itself is sound";
}

} // namespace
} // namespace llcuda::cuda
