// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/kernel_log.h"

#include <gtest/gtest.h>

#include "codegen/nvrtc/ptx_version.h"

namespace llcuda::codegen {
namespace {

constexpr char kLog[] = "ptxas info    : 0 bytes gmem\n"
                        "ptxas info    : Compiling entry function 'k' for 'sm_75'\n"
                        "ptxas info    : Function properties for k\n"
                        "ptxas         .     40 bytes stack frame, 44 bytes spill stores, 48 bytes spill loads\n"
                        "ptxas info    : Used 32 registers, used 1 barriers, 4096 bytes smem, 368 bytes cmem[0]\n"
                        "ptxas info    : Compile time = 5.041 ms\n";

TEST(KernelLog, ReadsRegistersSharedBytesAndSpills) {
  const auto resources = parseResources(kLog);
  ASSERT_TRUE(resources);
  EXPECT_EQ(resources->registers, 32u);
  EXPECT_EQ(resources->staticSharedBytes, 4096u);
  EXPECT_EQ(resources->spillBytes, 92u);
}

// A function that was not inlined has a report of its own; its spills are the kernel's too.
TEST(KernelLog, AddsTheSpillsOfCalledFunctions) {
  const std::string log = std::string(kLog) + "ptxas info    : Function properties for f\n"
                                              "    0 bytes stack frame, 8 bytes spill stores, 0 bytes spill loads\n";
  EXPECT_EQ(parseResources(log)->spillBytes, 100u);
}

TEST(KernelLog, RefusesALogOfNoneOrTwoEntries) {
  EXPECT_FALSE(parseResources(""));
  EXPECT_FALSE(parseResources("ptxas info    : Used 32 registers\n"));
  EXPECT_FALSE(parseResources(std::string(kLog) + kLog));
}

// The time would make two compilations of one kernel differ.
TEST(KernelLog, MessagesLeaveTheReportOut) {
  EXPECT_EQ(messagesOf(kLog), "");
  EXPECT_EQ(messagesOf(std::string(kLog) + "k.cu(3): warning #177-D: unused\n"), "k.cu(3): warning #177-D: unused\n");
}

// A driver refuses PTX of a later version than its own, whatever is in it.
TEST(PtxVersion, IsLoweredNeverRaised) {
  EXPECT_EQ(withPlainPtxVersion("// a\n.version 8.8\n.target sm_75\n"), "// a\n.version 7.8\n.target sm_75\n");
  EXPECT_EQ(withPlainPtxVersion("//\n.version 10.12\n"), "//\n.version 7.8\n");
  EXPECT_EQ(withPlainPtxVersion("//\n.version 9.0\nld;\n\t.pragma \"used_bytes_mask 0xf\";\nst;"),
            "//\n.version 7.8\nld;\nst;");
  for (const char* kept : {"\n.version 7.8\n", "\n.version 6.5\n", "\n.version x\n", "no version", ""})
    EXPECT_EQ(withPlainPtxVersion(kept), kept);
}

} // namespace
} // namespace llcuda::codegen
