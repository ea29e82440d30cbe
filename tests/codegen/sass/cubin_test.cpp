// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/cubin.h"

#include <cstring>

#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

/// An ELF file of 64 bits of NVIDIA's machine with sections at `sections`, `count` of them.
std::vector<std::byte> header(uint64_t sections, uint16_t count) {
  std::vector<std::byte> file(64);
  const auto put = [&](size_t at, auto value) { std::memcpy(file.data() + at, &value, sizeof value); };
  std::memcpy(file.data(),
              "\x7f"
              "ELF\x02",
              5);
  put(18, uint16_t{190});
  put(40, sections);
  put(58, uint16_t{64});
  put(60, count);
  return file;
}

TEST(Cubin, OtherFilesAreRefused) {
  const std::vector<std::byte> zeros(64), few(8);
  for (const auto& file : {zeros, few}) {
    EXPECT_FALSE(isCubin(file));
    EXPECT_EQ(readCubin(file).error().message, "no cubin: not an ELF file of machine code for NVIDIA's GPUs");
  }
}

TEST(Cubin, TablesLieWithinTheFile) {
  ASSERT_TRUE(isCubin(header(0, 0)));
  EXPECT_TRUE(readCubin(header(0, 0)).value().empty());
  EXPECT_EQ(readCubin(header(64, 1)).error().message, "the cubin has a table that lies outside of the file");
  EXPECT_FALSE(readCubin(header(UINT64_MAX - 8, 2)).ok());
}

// Parameters of 8 bytes are addresses far apart; what else a kernel takes is not known.
TEST(Cubin, LaunchesOfPointers) {
  CubinKernel kernel;
  kernel.params = {{0, 8}, {8, 4}, {16, 8}};
  const SassLaunch launch = launchOf(kernel, 96);
  EXPECT_EQ(launch.block[0], 96u);
  EXPECT_EQ(launch.constants.at(0x0), 96u);
  EXPECT_EQ(launch.constants.at(0x164), 16u);
  EXPECT_FALSE(launch.constants.contains(0x168));
  EXPECT_EQ(launch.constants.at(0x174), 48u);
}

} // namespace
} // namespace llcuda::codegen
