// SPDX-License-Identifier: Apache-2.0
// Addresses of lanes by a kernel's integer instructions, and what their accesses take of the path.
#include "codegen/sass/block_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

/// One warp with an address of its own at c[0x0][0x160].
SassLaunch oneWarp() {
  SassLaunch launch;
  launch.constants = {{0x28, 0xfffdc0}, {0x160, 0}, {0x164, 16}};
  return launch;
}

struct Ran {
  SassListing listing;
  BlockRun run;

  const SassInstruction& of(std::string_view opcode) const {
    return *std::ranges::find_if(listing.instructions, [&](const auto& i) { return i.name() == opcode; });
  }
  double executionsOf(std::string_view opcode) const {
    return run.executions[&of(opcode) - listing.instructions.data()];
  }
};

/// Runs lines of code: instructions as nvdisasm writes them, and labels.
Ran ran(const std::vector<std::string>& lines, const SassLaunch& launch = oneWarp()) {
  std::string text = ".text.kernel:\n";
  uint32_t address = 0;
  for (const std::string& line : lines) {
    char at[16];
    std::snprintf(at, sizeof at, "/*%04x*/ ", address);
    const bool isLabel = line.ends_with(":");
    text += (isLabel ? "" : at) + line + (isLabel ? "\n" : " ;\n");
    address += isLabel ? 0 : 16;
  }
  Ran result{parseSass(text).value(), {}};
  result.run = runBlock(result.listing, launch);
  return result;
}

double bytesOf(const Ran& ran, std::string_view opcode, uint32_t path = 64) {
  const auto& access = ran.of(opcode).access;
  return !access ? -1 : path == 64 ? access->bytes64 : access->bytes128;
}

// Lane t loads 16 bytes at 16 t: four lines for 32 lanes, 512 bytes by any path.
TEST(BlockRun, OneRunTakesItsBytes) {
  const Ran one = ran({"S2R R0, SR_TID.X", "MOV R3, 0x10", "IMAD.WIDE R4, R0, R3, c[0x0][0x160]",
                       "LDG.E.128.CONSTANT.SYS R8, [R4]", "EXIT"});
  EXPECT_EQ(bytesOf(one, "LDG", 64), 512);
  EXPECT_EQ(bytesOf(one, "LDG", 128), 512);
}

// Of two warps that load the same 512 bytes the block reads half of what lanes load; of one whose lanes load one word,
// a sector of 128 bytes.
TEST(BlockRun, WarpsShareSectors) {
  SassLaunch two = oneWarp();
  two.block = {64, 1, 1};
  const std::vector<std::string> own = {"S2R R0, SR_LANEID", "MOV R3, 0x10", "IMAD.WIDE R4, R0, R3, c[0x0][0x160]",
                                        "LDG.E.128.CONSTANT.SYS R8, [R4]", "EXIT"};
  EXPECT_EQ(ran(own).run.loadShare, 1);
  EXPECT_EQ(ran(own, two).run.loadShare, 0.5);
  EXPECT_EQ(
      ran({"MOV R4, c[0x0][0x160]", "MOV R5, c[0x0][0x164]", "LDG.E.CONSTANT.SYS R8, [R4]", "EXIT"}).run.loadShare,
      32. / 128);
}

// Rows of 4,096 bytes, four lanes each: a quarter of a warp has 64 bytes of each of two lines. A path of 64 bytes takes
// them at once, one of 128 the two lines for themselves.
TEST(BlockRun, RowsApartTakePieces) {
  const Ran rows = ran({"S2R R0, SR_TID.X", "SHF.R.U32.HI R1, RZ, 0x2, R0", "SHF.L.U32 R2, R0, 0x4, RZ",
                        "LOP3.LUT R2, R2, 0x30, RZ, 0xc0, !PT", "LEA R2, R1, R2, 0xc", "MOV R3, RZ",
                        "IADD3 R4, P0, R2, c[0x0][0x160], RZ", "IADD3.X R5, R3, c[0x0][0x164], RZ, P0, !PT",
                        "LDG.E.128.SYS R8, [R4+0x20000]", "EXIT"});
  EXPECT_EQ(bytesOf(rows, "LDG", 64), 512);
  EXPECT_EQ(bytesOf(rows, "LDG", 128), 8 * 128);
  // A row for each lane: 32 pieces.
  const Ran lanes = ran({"S2R R0, SR_TID.X", "SHF.L.U32 R2, R0, 0xc, RZ", "ULDC.64 UR4, c[0x0][0x160]",
                         "LDG.E.128.SYS R8, [R2.U32+UR4]", "LDS.U R9, [R0.X4+UR4]", "EXIT"});
  EXPECT_EQ(bytesOf(lanes, "LDG", 64), 32 * 64);
  EXPECT_EQ(bytesOf(lanes, "LDG", 128), 32 * 128);
}

// All lanes load the same 4 bytes: no less than 128 are charged, as for a register of the warp.
TEST(BlockRun, ABroadcastIsNotFree) {
  const Ran same = ran({"ULDC.64 UR4, c[0x0][0x160]", "LDG.E.SYS R0, [UR4]", "EXIT"});
  EXPECT_EQ(bytesOf(same, "LDG"), 128);
}

// Words 2 t lie in 16 banks, two in each; eight lines of 128 bytes that ldmatrix reads, at chunk 0, all in one.
TEST(BlockRun, BanksOfSharedMemory) {
  const Ran words = ran({"S2R R0, SR_TID.X", "LDS.U R1, [R0.X8]", "STS [R0.X4+0x80], R1", "SHF.L.U32 R2, R0, 0x7, RZ",
                         "LDSM.16.M88.4 R4, [R2]", "EXIT"});
  EXPECT_EQ(bytesOf(words, "LDS"), 2 * 128);
  EXPECT_EQ(bytesOf(words, "STS"), 128);
  EXPECT_EQ(bytesOf(words, "LDSM"), 4 * 8 * 128);
}

// What a load gives is not known, nor an address made of it; what is independent of it is.
TEST(BlockRun, LoadedAddressesAreNotKnown) {
  const Ran page = ran({"S2R R0, SR_TID.X", "ULDC.64 UR4, c[0x0][0x160]", "LDG.E.64.SYS R2, [UR4]",
                        "STG.E.SYS [R2], R0", "STS [R0.X4], R2", "EXIT"});
  EXPECT_EQ(bytesOf(page, "STG"), -1);
  EXPECT_EQ(bytesOf(page, "STS"), 128);
}

// A guard holds for its lanes: 8 lanes of 16 bytes are one group of four.
TEST(BlockRun, GuardsAndLanesApart) {
  const Ran guarded =
      ran({"S2R R0, SR_TID.X", "ISETP.GE.AND P0, PT, R0, 0x8, PT", "@!P0 STS.128 [R0.X16], R4", "EXIT"});
  EXPECT_EQ(bytesOf(guarded, "STS"), 128);
  // Lanes of the upper half skip the store and meet the others behind it.
  const Ran apart = ran({"S2R R0, SR_TID.X", "ISETP.GE.AND P0, PT, R0, 0x10, PT", "@P0 BRA `(.L_x_0)",
                         "STS.128 [R0.X16], R4", ".L_x_0:", "LDS.U R1, [R0.X4]", "EXIT"});
  EXPECT_EQ(bytesOf(apart, "STS"), 256);
  EXPECT_EQ(apart.executionsOf("LDS"), 1);
  EXPECT_EQ(bytesOf(apart, "LDS"), 128);
}

// 64-bit comparisons carry: 2^32 - 1 + 1 is 2^32, whose upper half is 1 and whose lower one is 0.
TEST(BlockRun, CarriesAndLoops) {
  const Ran carry = ran({"MOV R0, 0xffffffff", "IADD3 R2, P1, R0, 0x1, RZ", "IADD3.X R3, RZ, RZ, RZ, P1, !PT",
                         "ISETP.NE.U32.AND P0, PT, R2, RZ, PT", "ISETP.NE.AND.EX P0, PT, R3, 0x1, PT, P0", "@P0 EXIT",
                         "YIELD", "EXIT"});
  EXPECT_EQ(carry.executionsOf("YIELD"), 1);
  const Ran loop = ran({"MOV R0, RZ", ".L_x_1:", "IADD3 R0, R0, 0x3, RZ", "ISETP.LT.AND P0, PT, R0, 0x1e, PT",
                        "@P0 BRA `(.L_x_1)", "EXIT"});
  EXPECT_EQ(loop.executionsOf("IADD3"), 10);
}

// The turn of an outer loop has three turns of the inner one in it, and none of what a guard skips.
TEST(BlockRun, TurnsOfOuterLoops) {
  const Ran loops = ran({"MOV R0, RZ", ".L_x_2:", "MOV R1, RZ", ".L_x_3:", "IADD3 R1, R1, 0x1, RZ",
                         "ISETP.LT.AND P0, PT, R1, 0x3, PT", "@P0 BRA `(.L_x_3)", "IADD3 R0, R0, 0x1, RZ",
                         "ISETP.LT.AND P1, PT, R0, 0x5, PT", "@P1 BRA `(.L_x_2)", "EXIT"});
  ASSERT_EQ(loops.listing.outerLoops.size(), 1u);
  EXPECT_EQ(turnOf(loops.listing, loops.listing.outerLoops[0], loops.run).size(), 1 + 3 * 3 + 3u);
  EXPECT_EQ(turnOf(loops.listing, loops.listing.loops[0], loops.run).size(), 3u);
}

// Division by a number that is no constant, as compilers write it.
TEST(BlockRun, DivisionByParameters) {
  SassLaunch launch = oneWarp();
  launch.constants[0x168] = 7;
  const Ran divided =
      ran({"MOV R2, 0x3e8", "I2F.U32.RP R3, c[0x0][0x168]", "MUFU.RCP R3, R3", "IADD3 R4, R3, 0xffffffe, RZ",
           "F2I.FTZ.U32.TRUNC.NTZ R5, R4", "MOV R4, RZ", "IADD3 R7, RZ, -R5, RZ", "IMAD R7, R7, c[0x0][0x168], RZ",
           "IMAD.HI.U32 R5, R5, R7, R4", "IMAD.HI.U32 R4, R5, R2, RZ", "IADD3 R5, -R4, RZ, RZ",
           "IMAD R2, R5, c[0x0][0x168], R2", "ISETP.GE.U32.AND P0, PT, R2, c[0x0][0x168], PT",
           "@P0 IADD3 R2, R2, -c[0x0][0x168], RZ", "@P0 IADD3 R4, R4, 0x1, RZ", "ISETP.NE.AND P1, PT, R4, 0x8e, PT",
           "@P1 EXIT", "YIELD", "EXIT"},
          launch);
  EXPECT_EQ(divided.executionsOf("YIELD"), 1) << "1000 / 7 is 142";
}

} // namespace
} // namespace llcuda::codegen
