// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/sass_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

constexpr std::string_view kTwoLoops = R"(
	.section	.text.linear__q4_1__b1_k64_n32__l8_r2_w4,"ax",@progbits
.text.linear__q4_1__b1_k64_n32__l8_r2_w4:
        /*0000*/                   S2R R0, SR_CTAID.X ;
.L_x_0:
        /*0010*/                   MOV R1, RZ ;
.L_x_1:
        /*0020*/                   LDG.E.128.CONSTANT.SYS R4, [R2] ;
        /*0030*/                   IDP.4A.S8.S8 R0, R4, R5, R0 ;
        /*0040*/               @P0 BRA `(.L_x_1) ;
        /*0050*/              @!P1 BRA `(.L_x_0) ;
        /*0060*/               @P2 BRA `(.L_x_2) ;
        /*0070*/                   STG.E.SYS [R2], R0 ;
.L_x_2:
        /*0080*/                   EXIT ;
.L_x_3:
        /*0090*/                   BRA `(.L_x_3);
        /*00a0*/                   NOP;
        /*00b0*/                   NOP;
)";

TEST(SassListing, InnermostLoopsAndNoPadding) {
  const auto listing = parseSass(kTwoLoops);
  ASSERT_TRUE(listing.ok()) << listing.error().message;
  EXPECT_EQ(listing->kernel, "linear__q4_1__b1_k64_n32__l8_r2_w4");
  EXPECT_EQ(listing->instructions.size(), 9u);
  EXPECT_EQ(listing->instructions[2].opcode, "LDG.E.128.CONSTANT.SYS");
  EXPECT_EQ(listing->instructions[4].name(), "BRA");
  ASSERT_EQ(listing->loops.size(), 1u) << "the outer loop holds another one";
  EXPECT_EQ(listing->loops[0].first, 2u);
  EXPECT_EQ(listing->loops[0].last, 4u);
}

// The text tells other code from equal code: operands and labels count, the kernel's name and addresses do not.
TEST(SassListing, TextOfRenamedCodeIsEqual) {
  const std::string code = "/*0000*/ MOV R1, c[0x0][0x28] ;\n.L_x_0:\n/*0010*/ CALL.REL.NOINC `($one$__internal_0) ;\n";
  auto textOf = [](const std::string& name, std::string code) {
    if (const size_t at = code.find("one"); at != std::string::npos)
      code.replace(at, 3, name);
    return parseSass(".text." + name + ":\n" + code)->text;
  };
  EXPECT_EQ(textOf("one", code), "MOV R1, c[0x0][0x28] ;\n.L_x_0:\nCALL.REL.NOINC `($@$__internal_0) ;\n");
  EXPECT_EQ(textOf("one", code), textOf("longer", code));
  EXPECT_EQ(textOf("two", "/*0010*/ CALL.REL.NOINC `($one$f) ;\n"), "CALL.REL.NOINC `($@$f) ;\n")
      << "a kernel that was renamed in its cubin";
  EXPECT_NE(textOf("one", code), textOf("one", "/*0000*/ MOV R2, c[0x0][0x28] ;\n" + code.substr(code.find('\n') + 1)));
}

// `nvdisasm -c -hex`: what the scheduler is told stands in the upper half of an encoding; the text is the same as
// without.
TEST(SassListing, ControlCodes) {
  const auto listing = parseSass(".text.k:\n"
                                 "/*0000*/  LDG.E.SYS R2, [R2] ;   /* 0x0000000002027381 */\n"
                                 "                                 /* 0x001ea200001ee900 */\n"
                                 "/*0010*/  FFMA R0, R2, R2, R0 ;  /* 0x0000000202007223 */\n"
                                 "                                 /* 0x004fc80000000000 */\n");
  ASSERT_TRUE(listing.ok()) << listing.error().message;
  ASSERT_EQ(listing->instructions.size(), 2u);
  EXPECT_EQ(listing->text, "LDG.E.SYS R2, [R2] ;\nFFMA R0, R2, R2, R0 ;\n");
  const SassControl load = listing->instructions[0].control, product = listing->instructions[1].control;
  EXPECT_EQ(load.stall, 1);
  EXPECT_EQ(load.writeBarrier, 2);
  EXPECT_EQ(load.readBarrier, SassControl::kNone);
  EXPECT_EQ(load.waits, 1);
  EXPECT_EQ(product.stall, 4);
  EXPECT_EQ(product.writeBarrier, SassControl::kNone);
  EXPECT_EQ(product.waits, 4);
}

TEST(SassListing, TextWithoutCodeIsRefused) {
  const auto listing = parseSass("nvdisasm fatal   : no such file\n");
  ASSERT_FALSE(listing.ok());
  EXPECT_EQ(listing.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(listing.error().message, testing::HasSubstr("no instructions"));
}

TEST(SassListing, AMissingDisassemblerIsNamed) {
  const auto listing = disassemble("/nowhere/nvdisasm", {});
  ASSERT_FALSE(listing.ok());
  EXPECT_THAT(listing.error().message, testing::HasSubstr("/nowhere/nvdisasm"));
}

} // namespace
} // namespace llcuda::codegen
