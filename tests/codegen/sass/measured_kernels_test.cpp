// SPDX-License-Identifier: Apache-2.0
// Prompt linears of commit 9ce7154, which were measured on an H200 (ncu's wavefronts of the L1 data pipe, times of
// tiles): the path's bytes by addresses, and the order of tiles in a simulated multiprocessor with that chip's numbers.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "codegen/sass/block_run.h"
#include "codegen/sass/multiprocessor.h"

namespace llcuda::codegen {
namespace {

constexpr double kUnitOfWork = 524'288; ///< multiply-adds

struct Kernel {
  SassListing listing;
  BlockRun run;
};

/// Weight, codes, scales, positions and y, each somewhere else; blocks of 128 threads.
Kernel kernelOf(const std::string& name) {
  std::ifstream file(std::string(LLCUDA_TEST_INPUTS "/") + name + ".sass");
  Kernel kernel{parseSass(std::string(std::istreambuf_iterator<char>(file), {})).value(), {}};
  SassLaunch launch = {.block = {128, 1, 1}, .constants = {{0x28, 0xfffdc0}}};
  for (uint32_t i = 0; i < 5; ++i) launch.constants[0x160 + 8 * i] = 0, launch.constants[0x164 + 8 * i] = 16 * (i + 1);
  kernel.run = runBlock(kernel.listing, launch);
  return kernel;
}

/// Wavefronts of 128 bytes that an H200's path takes for 524,288 multiply-adds of `tile` outputs and `inputs` inputs.
double wavefronts(const Kernel& kernel, std::initializer_list<std::string_view> names, double multiplyAdds) {
  double sum = 0;
  for (size_t i = 0; i < kernel.listing.instructions.size(); ++i)
    if (const auto& of = kernel.listing.instructions[i]; std::ranges::find(names, of.name()) != names.end())
      sum += kernel.run.executions[i] * pathBytesOf(of, 128) / 128;
  return sum * 4 / (multiplyAdds / kUnitOfWork); // of four warps
}

// Gate and up, 4,096 inputs: ncu counted 401 of global loads and 528 of shared memory.
TEST(MeasuredKernels, WavefrontsOfQ4K) {
  const Kernel kernel = kernelOf("q4_k_128x64");
  const double work = 128. * 64 * 4096;
  EXPECT_NEAR(wavefronts(kernel, {"LDG"}, work), 401, 401 * 0.1);
  EXPECT_NEAR(wavefronts(kernel, {"LDS", "STS", "LDSM"}, work), 528, 528 * 0.1);
  EXPECT_NEAR(wavefronts(kernel, {"LDG", "LDS", "STS", "LDSM"}, work), 929, 929 * 0.02);
  const SassLoop& loop = kernel.listing.loops.back();
  double loads = 0, taken = 0;
  for (size_t i = loop.first; i <= loop.last; ++i)
    if (const auto& of = kernel.listing.instructions[i]; of.opcode.starts_with("LDG.E.") && of.access)
      ++loads, taken += of.access->bytes128 / 128;
  EXPECT_EQ(loads, 7);
  EXPECT_NEAR(taken / loads, 14, 0.5) << "where one run of 512 bytes would take 4";
}

// Down, 14,336 inputs: 625 and 505.
TEST(MeasuredKernels, WavefrontsOfQ6K) {
  const Kernel kernel = kernelOf("q6_k_128x64");
  const double work = 128. * 64 * 14336;
  EXPECT_NEAR(wavefronts(kernel, {"LDG"}, work), 625, 625 * 0.1);
  EXPECT_NEAR(wavefronts(kernel, {"LDS", "STS", "LDSM"}, work), 505, 505 * 0.1);
  EXPECT_NEAR(wavefronts(kernel, {"LDG", "LDS", "STS", "LDSM"}, work), 1130, 1130 * 0.03);
}

double cyclesOf(const std::string& name, uint32_t blocks, double tile, const Multiprocessor& machine) {
  const Kernel kernel = kernelOf(name);
  const LoopRun run = runLoopOften(turnOf(kernel.listing, kernel.listing.loops.back(), kernel.run), blocks, 4, machine);
  return run.cycles / tile * 128 * 64;
}

// 28,672 outputs of 512 rows took 613 us with tiles of 128 x 64, two blocks to a multiprocessor, 658 with 128 x 128,
// also two, and 763 with 64 x 64, three.
TEST(MeasuredKernels, OrderOfTilesOnAnH200) {
  const double first = cyclesOf("q4_k_128x64", 2, 128 * 64, kLikeH200);
  const double large = cyclesOf("q4_k_128x128", 2, 128 * 128, kLikeH200);
  const double small = cyclesOf("q4_k_64x64", 3, 64 * 64, kLikeH200);
  EXPECT_LT(first, large);
  EXPECT_LT(large, small);
  EXPECT_NEAR(large / first, 658. / 613, 0.07);
  EXPECT_NEAR(small / first, 763. / 613, 0.09);
}

// A T4 holds one block of 128 x 128 (its stages are more than 32 KB): there the tile is far behind, which an H200 does
// not show.
TEST(MeasuredKernels, TilesOnAT4) {
  const double first = cyclesOf("q4_k_128x64", 2, 128 * 64, {});
  EXPECT_NEAR(first, 1587, 16);
  EXPECT_GT(cyclesOf("q4_k_128x128", 1, 128 * 128, {}), first * 1.2);
  EXPECT_GT(cyclesOf("q4_k_64x64", 3, 64 * 64, {}), first * 1.3);
}

} // namespace
} // namespace llcuda::codegen
