// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <numeric>
#include <vector>

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "runtime/hostsim/fiber.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

using hostsim::Executor;
using hostsim::launch;
using hostsim::tryLaunch;
using testing::AllOf;
using testing::HasSubstr;

std::string errorOf(const Result<void>& result) {
  return result.ok() ? "no error" : result.error().message;
}

// A wrong order of the block index, or a thread that runs twice or never, leaves a count other than 1.
TEST(Executor, RunsEveryThreadOfEveryBlockOnce) {
  std::vector<int> counts(3 * 5 * 2 * 70);
  launch({.grid = {3, 5, 2}, .block = 70}, [&] {
    ASSERT_EQ(gridDim.x * 100 + gridDim.y * 10 + gridDim.z, 352u);
    ASSERT_EQ(blockDim.x, 70u);
    ++counts[((blockIdx.z * 5 + blockIdx.y) * 3 + blockIdx.x) * 70 + threadIdx.x];
  });
  EXPECT_EQ(counts, std::vector<int>(counts.size(), 1));
}

// A thread that goes on before the others have written would read the poison of the shared array.
TEST(Executor, BarrierOrdersSharedMemory) {
  std::vector<int> sums(40);
  launch({.grid = 40, .block = 256}, [&] {
    LLCUDA_SHARED(int, values, 256);
    LLCUDA_SHARED(int, mirrored, 256);
    values[threadIdx.x] = static_cast<int>(threadIdx.x * blockIdx.x);
    syncThreads();
    mirrored[threadIdx.x] = values[255 - threadIdx.x];
    syncThreads();
    if (threadIdx.x == 0)
      sums[blockIdx.x] = std::accumulate(mirrored, mirrored + 256, 0);
  });
  for (int block = 0; block < 40; ++block) EXPECT_EQ(sums[block], block * 255 * 128);
}

// Two barriers in a row with different answers: a result that is read after the next barrier began would be the
// other's.
TEST(Executor, BarrierWithPredicateAnswersEveryThread) {
  std::vector<int> answers(96);
  launch({.grid = 1, .block = 96}, [&] {
    int answer = 0;
    for (int round = 0; round < 4; ++round) answer = 2 * answer + syncThreadsOr(round % 2 == 1 && threadIdx.x == 77);
    answers[threadIdx.x] = answer;
  });
  EXPECT_EQ(answers, std::vector<int>(96, 5));
}

TEST(Executor, PoisonsSharedMemoryOfEveryBlock) {
  std::vector<uint32_t> seen(6);
  Executor executor(1); // one runner gets all blocks, and with them the memory that the block before has written
  ASSERT_TRUE(tryLaunch(executor, {.grid = 3, .block = 1, .dynamicSharedBytes = 64}, [&] {
                LLCUDA_SHARED(uint32_t, array, 4);
                LLCUDA_DYNAMIC_SHARED(uint32_t, dynamic);
                seen[2 * blockIdx.x] = array[3];
                seen[2 * blockIdx.x + 1] = dynamic[15];
                array[3] = dynamic[15] = blockIdx.x;
              }).ok());
  EXPECT_EQ(seen, std::vector<uint32_t>(6, 0xffffffffu));
}

TEST(Executor, ReportsWritesPastASharedArray) {
  const auto result = tryLaunch({.grid = 1, .block = 32}, [] {
    LLCUDA_SHARED(char, array, 20);
    volatile char* p = array;
    p[21] = 1;
  });
  EXPECT_THAT(errorOf(result), HasSubstr("wrote 1 bytes past the end of a shared array of 20 bytes"));
}

TEST(Executor, RefusesMoreSharedMemoryThanABlockHas) {
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 1},
                                [] {
                                  LLCUDA_SHARED(char, array, 49153);
                                  (void)array;
                                })),
              HasSubstr("no room for a shared array of 49153 bytes"));
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 1, .dynamicSharedBytes = 65537}, [] {})),
              HasSubstr("65537 bytes of dynamic shared memory, a block has 65536"));
}

TEST(Executor, RefusesEmptyAndOversizedShapes) {
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 0}, [] {})), HasSubstr("blocks of 0 threads"));
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 1025}, [] {})), HasSubstr("blocks of 1025 threads"));
  EXPECT_THAT(errorOf(tryLaunch({.grid = {1, 0}, .block = 1}, [] {})), HasSubstr("has no blocks"));
  EXPECT_THAT(errorOf(tryLaunch({.grid = {1, 65536}, .block = 1}, [] {})), HasSubstr("is larger than"));
}

// On the GPU these hang or give undefined values; here each is an error that says who waits where.
TEST(Divergence, SomeThreadsEnded) {
  const auto result = tryLaunch({.grid = 2, .block = 64}, [] {
    if (blockIdx.x == 1 && threadIdx.x >= 40)
      return;
    syncThreads();
  });
  EXPECT_THAT(errorOf(result),
              AllOf(HasSubstr("block (1, 0, 0)"), HasSubstr("0-39 wait in syncThreads, 40-63 have ended")));
}

TEST(Divergence, OneWarpAtTheBarrierOneInAReduction) {
  const auto result = tryLaunch({.grid = 1, .block = 64}, [] {
    if (threadIdx.x < 32)
      syncThreads();
    else if (threadIdx.x < 63)
      warpSum(1.f);
    else
      syncThreads();
  });
  EXPECT_THAT(errorOf(result), HasSubstr("0-31 wait in syncThreads, 32-62 wait in groupSum, 63 wait in syncThreads"));
}

TEST(Divergence, LanesOfOneWarpInTwoOperations) {
  const auto result = tryLaunch({.grid = 1, .block = 32}, [] {
    if (threadIdx.x < 16)
      shuffle(1, 0);
    else
      ballot(true);
  });
  EXPECT_THAT(errorOf(result), HasSubstr("thread 16 calls ballot where other lanes of its warp wait in shuffle"));
}

TEST(Divergence, AnIncompleteWarp) {
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 48}, [] { syncWarp(); })), HasSubstr("32-47 wait in syncWarp"));
}

// The stacks of a failed block must be as good as new.
TEST(Executor, RunsOnAfterAFailure) {
  Executor executor(2);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(tryLaunch(executor, {.grid = 8, .block = 128}, [] {
                   if (threadIdx.x % 2 == 0)
                     syncThreads();
                 }).ok());
    EXPECT_TRUE(tryLaunch(executor, {.grid = 8, .block = 128}, [&] {
                  syncThreads();
                  ++ran;
                }).ok());
  }
  EXPECT_EQ(ran, 20 * 8 * 128);
}

// Without the barrier a thread reads what its neighbour wrote only where the neighbour happens to run first.
TEST(Executor, AMissingBarrierShowsInOneOfTwoBlocks) {
  for (const int neighbour : {-1, 1}) {
    std::vector<int> wrong(2);
    launch({.grid = 2, .block = 64}, [&] {
      LLCUDA_SHARED(int, values, 64);
      values[threadIdx.x] = static_cast<int>(threadIdx.x);
      const int other = (static_cast<int>(threadIdx.x) + neighbour + 64) % 64;
      wrong[blockIdx.x] += values[other] != other;
    });
    EXPECT_GT(wrong[0] + wrong[1], 32) << neighbour;
  }
}

TEST(Faults, UnalignedVectors) {
  alignas(32) static char bytes[64];
  char* volatile unaligned = bytes + 1;
  const auto result = tryLaunch({.grid = 1, .block = 1}, [&] {
    asm volatile("vmovaps %%xmm0, (%0)" : : "r"(unaligned) : "memory");
  });
  EXPECT_THAT(errorOf(result), HasSubstr("not aligned to the size of its type"));
}

TEST(Faults, UnalignedLoads) {
  alignas(16) static uint4 words[2];
  const auto* unaligned = reinterpret_cast<const uint4*>(reinterpret_cast<const char*>(words) + 8);
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 1}, [&] { loadStream(unaligned); })),
              HasSubstr("thread 0: a load at an address that is no multiple of its size"));
}

TEST(Faults, StrayAddressNamesBlockAndThread) {
  int* volatile nowhere = reinterpret_cast<int*>(0x1000);
  const auto result = tryLaunch({.grid = 2, .block = 64}, [&] {
    if (blockIdx.x == 1 && threadIdx.x == 5)
      *nowhere = 1;
  });
  EXPECT_THAT(errorOf(result), HasSubstr("block (1, 0, 0), thread 5: no access to address 0x1000"));
}

__attribute__((no_sanitize("integer-divide-by-zero"))) int divide(int a, int b) {
  return a / b;
}

TEST(Faults, DivisionByZero) {
  volatile int zero = 0, quotient = 1;
  EXPECT_THAT(errorOf(tryLaunch({.grid = 1, .block = 32}, [&] { quotient = divide(quotient, zero); })),
              HasSubstr("division by zero"));
}

TEST(Faults, StackOverflow) {
  const auto result = tryLaunch({.grid = 1, .block = 2}, [] {
    volatile char large[hostsim::Fiber::kStackBytes];
    for (size_t i = sizeof large; i-- > 0;) large[i] = 1;
  });
  EXPECT_THAT(errorOf(result), HasSubstr("local variables need more than"));
}

// Lost updates between blocks on different operating system threads would leave the counter short.
TEST(Executor, AtomicsCountAcrossBlocks) {
  uint32_t count = 0;
  uint64_t largest = 0;
  Executor executor(8);
  ASSERT_TRUE(tryLaunch(executor, {.grid = 500, .block = 32}, [&] {
                atomicAddU32(&count, 1);
                atomicMaxU64(&largest, (uint64_t{blockIdx.x} << 32) + threadIdx.x);
              }).ok());
  EXPECT_EQ(count, 16000u);
  EXPECT_EQ(largest, (uint64_t{499} << 32) + 31);
}

// Many short launches: a helper that missed one would make the next wait for ever.
TEST(Executor, ManyShortLaunches) {
  Executor executor(4);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(tryLaunch(executor, {.grid = 3, .block = 1}, [&] { ++ran; }).ok());
  EXPECT_EQ(ran, 9000);
}

} // namespace
} // namespace llcuda
