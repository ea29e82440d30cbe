// SPDX-License-Identifier: Apache-2.0
// What hostsim adds to a driver: stray accesses, divergence and mistakes of the caller become errors that say where.
#include "runtime/hostsim/control.h"

#include <cstring>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/hostsim/host_driver.h"

namespace llcuda::hostsim {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

std::string errorOf(const Result<void>& result) {
  return result.ok() ? "no error" : result.error().message;
}

class HostsimDriver : public testing::Test {
protected:
  void TearDown() override { LLCUDA_CONTROL(llcudaHostsimSetMemory)(uint64_t{16} << 30); }

  /// What a launch of write_at gives that writes byte `index` of an allocation of `bytes` bytes.
  std::string writeError(uint64_t bytes, int64_t index) {
    HostDriver host;
    const auto buffer = host.allocate(bytes), at = host.allocate(8);
    host.upload(at, std::vector<int64_t>{index});
    return errorOf(host.launch("write_at", {.x = 3}, 32, {buffer.address(), at.address()}));
  }
};

TEST_F(HostsimDriver, IsADeviceOfCapabilityZero) {
  const HostDriver host;
  EXPECT_EQ(host.context->device().major, 0);
  EXPECT_EQ(host.context->device().minor, 0);
  EXPECT_EQ(host.context->device().totalBytes, uint64_t{16} << 30);
  EXPECT_EQ(host.context->device().sharedBytes, 65536u);
}

TEST_F(HostsimDriver, RunsKernelsOverAllBlocks) {
  const HostDriver host;
  const auto x = host.allocate(40 * 64 * 4), y = host.allocate(40 * 64 * 4);
  host.upload(x, std::vector<float>(40 * 64, 1.5f));
  check(host.launch("double_values", {.x = 40}, 64, {x.address(), y.address()}));
  EXPECT_THAT(host.download<float>(y), Each(3.f));
}

// The first byte past the end is already an inaccessible one when the size is a multiple of 16.
TEST_F(HostsimDriver, AWritePastTheEndNamesKernelBlockThreadAndAllocation) {
  EXPECT_EQ(writeError(4096, 4095), "no error");
  EXPECT_THAT(writeError(4096, 4096),
              AllOf(HasSubstr("CUDA_ERROR_LAUNCH_FAILED"), HasSubstr("write_at, block (2, 0, 0), thread 3"),
                    HasSubstr("0 bytes past the end of an allocation of 4096 bytes")));
  EXPECT_THAT(writeError(48, 50), HasSubstr("2 bytes past the end of an allocation of 48 bytes"));
}

TEST_F(HostsimDriver, AWriteBeforeTheStartIsCaught) {
  EXPECT_THAT(writeError(4096, -1), HasSubstr("1 bytes before an allocation of 4096 bytes"));
}

// Fewer than 16 bytes past the end are found when the memory is given back.
TEST_F(HostsimDriver, ASmallOverrunIsFoundWhenTheMemoryIsFreed) {
  const HostDriver host;
  const auto& functions = host.driver->functions();
  check(host.context->makeCurrent());
  cuda::CUdeviceptr address = 0;
  ASSERT_EQ(functions.cuMemAlloc_v2.call(&address, 20), cuda::CUDA_SUCCESS);
  const auto at = host.allocate(8);
  host.upload(at, std::vector<int64_t>{22});
  check(host.launch("write_at", {}, 32, {address, at.address()}));
  EXPECT_EQ(functions.cuMemFree_v2.call(address), cuda::CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(functions.cuMemFree_v2.call(address), cuda::CUDA_ERROR_INVALID_VALUE) << "it is freed all the same";
}

TEST_F(HostsimDriver, DivergenceIsAnError) {
  const HostDriver host;
  EXPECT_THAT(errorOf(host.launch("diverge", {}, 32, {})),
              AllOf(HasSubstr("diverge, block (0, 0, 0)"), HasSubstr("0-15 wait in syncThreads, 16-31 have ended")));
}

// As on a GPU: after a kernel failed nothing works until the context is gone.
TEST_F(HostsimDriver, AFailedKernelBreaksTheContext) {
  {
    const HostDriver host;
    ASSERT_FALSE(host.launch("diverge", {}, 32, {}).ok());
    EXPECT_THAT(errorOf(host.stream.synchronize()), HasSubstr("diverge, block (0, 0, 0)"));
    const auto memory = cuda::DeviceMemory::allocate(host.context, 16, "a test");
    ASSERT_FALSE(memory);
    EXPECT_THAT(memory.error().message, HasSubstr("CUDA_ERROR_LAUNCH_FAILED"));
  }
  EXPECT_EQ(LLCUDA_CONTROL(llcudaHostsimLiveObjects)(), 0u);
  const HostDriver again;
  const auto counter = again.allocate(4);
  EXPECT_TRUE(again.launch("count", {}, 32, {counter.address()}).ok());
}

// Works on the processor and faults on a GPU, so it must not pass here.
TEST_F(HostsimDriver, AHostPointerIsNoArgument) {
  const HostDriver host;
  uint32_t counter = 0;
  EXPECT_THAT(errorOf(host.launch("count", {}, 32, {reinterpret_cast<cuda::CUdeviceptr>(&counter)})),
              HasSubstr("count: argument 0"));
  const auto pinned = valueOf(cuda::PinnedMemory::allocate(host.context, 4, "a counter"));
  std::memset(pinned.bytes().data(), 0, 4);
  check(host.launch("count", {}, 32, {reinterpret_cast<cuda::CUdeviceptr>(pinned.bytes().data())}));
  uint32_t counted = 0;
  std::memcpy(&counted, pinned.bytes().data(), 4);
  EXPECT_EQ(counted, 32u);
}

TEST_F(HostsimDriver, CopiesStayInOneAllocation) {
  const HostDriver host;
  const auto buffer = host.allocate(64);
  std::vector<std::byte> bytes(65);
  EXPECT_THAT(errorOf(host.stream.copyToDevice(buffer.address(), bytes)), HasSubstr("CUDA_ERROR_INVALID_VALUE"));
  EXPECT_THAT(errorOf(host.stream.copyToHost(bytes, buffer.address())), HasSubstr("are not in one allocation"));
  EXPECT_THAT(errorOf(host.stream.fill(buffer.address() + 60, 0, 5)), HasSubstr("CUDA_ERROR_INVALID_VALUE"));
  EXPECT_TRUE(host.stream.fill(buffer.address() + 60, 0, 4).ok());
}

// A kernel that reads what nobody wrote must not find convenient zeros.
TEST_F(HostsimDriver, NewMemoryIsFilledWithOnes) {
  const HostDriver host;
  EXPECT_THAT(host.download<uint8_t>(host.allocate(100)), Each(0xFF));
}

TEST_F(HostsimDriver, LaunchesAboveTheKernelsLimitsAreRefused) {
  const HostDriver host;
  const auto y = host.allocate(16);
  EXPECT_THAT(errorOf(host.launch("count", {}, 512, {y.address()})),
              HasSubstr("blocks of 512 threads, 256 are allowed"));
  EXPECT_THAT(errorOf(host.launch("count", {.x = 0}, 32, {y.address()})), HasSubstr("has no blocks"));
  const auto function = valueOf(host.module.function("dynamic_shared"));
  EXPECT_THAT(errorOf(host.stream.launch(function, {}, 32, 60 << 10, std::vector{y.address()})),
              HasSubstr("61440 bytes of dynamic shared memory, 49152 are allowed"));
  EXPECT_TRUE(host.launch("dynamic_shared", {}, 32, {y.address()}, 60 << 10).ok());
  EXPECT_THAT(errorOf(host.launch("dynamic_shared", {}, 32, {y.address()}, 65 << 10)), HasSubstr("up to 65536 bytes"));
}

TEST_F(HostsimDriver, MemoryHasTheSizeThatWasSet) {
  LLCUDA_CONTROL(llcudaHostsimSetMemory)(1 << 20);
  const HostDriver host;
  const auto half = host.allocate(1 << 19);
  EXPECT_EQ(valueOf(host.context->memoryInfo()).freeBytes, uint64_t{1} << 19);
  const auto more = cuda::DeviceMemory::allocate(host.context, (1 << 19) + 1, "the KV cache");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(more.error().message,
            "524289 bytes of device memory are needed for the KV cache, 524288 of 1048576 are free");
}

// Every thread of the pool, and none more, or a launch that is under way would be lost.
TEST_F(HostsimDriver, TheNumberOfThreadsMayChangeBetweenLaunches) {
  const HostDriver host;
  const auto counter = host.allocate(4);
  host.upload(counter, std::vector<uint32_t>{0});
  for (const unsigned threads : {1u, 5u, 2u, 0u}) {
    LLCUDA_CONTROL(llcudaHostsimSetThreads)(threads);
    check(host.launch("count", {.x = 100}, 256, {counter.address()}));
  }
  EXPECT_EQ(host.download<uint32_t>(counter), std::vector<uint32_t>{4 * 100 * 256});
}

TEST_F(HostsimDriver, SeveralHostThreadsLaunchAtOnce) {
  const HostDriver host;
  const auto counter = host.allocate(4);
  host.upload(counter, std::vector<uint32_t>{0});
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const auto stream = valueOf(cuda::Stream::create(host.context));
      const auto function = valueOf(host.module.function("count"));
      const cuda::CUdeviceptr arguments[] = {counter.address()};
      for (int i = 0; i < 50; ++i) failures += !stream.launch(function, {.x = 3}, 64, 0, arguments).ok();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(host.download<uint32_t>(counter), std::vector<uint32_t>{4 * 50 * 3 * 64});
}

class Images : public HostsimDriver {
protected:
  std::string loadError(std::string image) {
    const HostDriver host;
    const auto module = cuda::Module::load(host.context, std::as_bytes(std::span(image)), "an image");
    return module ? "no error" : module.error().message;
  }
};

TEST_F(Images, WhatIsNoHostImageIsRefused) {
  const auto file = valueOf(MappedFile::open(LLCUDA_TEST_KERNELS));
  const std::string sound(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  EXPECT_EQ(loadError(sound), "no error");
  EXPECT_THAT(loadError(".version 7.0\n.target sm_75\n"), HasSubstr("CUDA_ERROR_NO_BINARY_FOR_GPU"));
  std::string cubin = sound;
  cubin[18] = static_cast<char>(190); // the ELF machine of CUDA
  EXPECT_THAT(loadError(cubin), AllOf(HasSubstr("CUDA_ERROR_NO_BINARY_FOR_GPU"), HasSubstr("ELF machine 190")));
  std::string headless = sound;
  std::memset(&headless[40], 0, 8);
  EXPECT_THAT(loadError(headless), HasSubstr("CUDA_ERROR_INVALID_IMAGE"));
}

// The driver library is a shared library too, but it holds no kernels.
TEST_F(Images, ALibraryWithoutKernelsIsRefused) {
  const auto file = valueOf(MappedFile::open(LLCUDA_HOSTSIM_LIBRARY));
  EXPECT_THAT(loadError({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}),
              HasSubstr("has no symbol llcudaHostImage"));
}

TEST_F(Images, AreUnloadedAndLoadedAgain) {
  const HostDriver host;
  for (int i = 0; i < 200; ++i) {
    const auto module = cuda::Module::load(host.context, host.image.bytes(), "the test kernels");
    ASSERT_TRUE(module) << i << ": " << module.error().message; // thread-local storage must not run out
  }
}

} // namespace
} // namespace llcuda::hostsim
