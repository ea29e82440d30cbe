// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "compiler/transforms/FuseGlu/FuseGlu.h"
#include "compiler/transforms/FuseQkv/FuseQkv.h"
#include "compiler/transforms/FuseResidualNorm/FuseResidualNorm.h"
#include "compiler/transforms/FuseRopeCache/FuseRopeCache.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::reference {
namespace {

using ::testing::HasSubstr;

constexpr char kModel[] = R"(
func.func @forward(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %slots: tensor<?xi32>,
                   %output_rows: tensor<?xi32>, %sampling: tensor<?x!llm.sampling>) -> (tensor<?x50xf32>, tensor<?xi32>) {
  %embd = llm.parameter "embd" : !llm.weight<50x32, f32>
  %table = llm.rope_table [1.0, 0.5, 0.25, 0.125] magnitude 1.0 : tensor<64x4x2xf32>
  %s = llm.parameter "norm" : tensor<32xf32>
  %wq = llm.parameter "q" : !llm.weight<32x32, f32>
  %wk = llm.parameter "k" : !llm.weight<16x32, f32>
  %wv = llm.parameter "v" : !llm.weight<16x32, f32>
  %wo = llm.parameter "o" : !llm.weight<32x32, f32>
  %wg = llm.parameter "gate" : !llm.weight<48x32, f32>
  %wu = llm.parameter "up" : !llm.weight<48x32, f32>
  %wd = llm.parameter "down" : !llm.weight<32x48, f32>
  %x = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<50x32, f32>) -> tensor<?x32xf32>
  %n = llm.rms_norm %x, %s eps 1.0e-05 : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
  %q0 = llm.linear %n, %wq : (tensor<?x32xf32>, !llm.weight<32x32, f32>) -> tensor<?x32xf32>
  %k0 = llm.linear %n, %wk : (tensor<?x32xf32>, !llm.weight<16x32, f32>) -> tensor<?x16xf32>
  %v = llm.linear %n, %wv : (tensor<?x32xf32>, !llm.weight<16x32, f32>) -> tensor<?x16xf32>
  %q = llm.rope %q0, %table, %positions head_size 8 pairs adjacent : tensor<?x32xf32>, tensor<64x4x2xf32>, tensor<?xi32>
  %k = llm.rope %k0, %table, %positions head_size 8 pairs adjacent : tensor<?x16xf32>, tensor<64x4x2xf32>, tensor<?xi32>
  %c = llm.cache_write %k, %v, %positions, %slots
      : (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x8, f16, f16>
  %a = llm.attention %q, %c, %positions, %slots heads 4 scale 3.5e-01 window 5
      : (tensor<?x32xf32>, !llm.cache<layer 0, 2x8, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  %o = llm.linear %a, %wo : (tensor<?x32xf32>, !llm.weight<32x32, f32>) -> tensor<?x32xf32>
  %x1 = llm.add %x, %o : tensor<?x32xf32>
  %n1 = llm.rms_norm %x1, %s eps 1.0e-05 : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
  %g = llm.linear %n1, %wg : (tensor<?x32xf32>, !llm.weight<48x32, f32>) -> tensor<?x48xf32>
  %u = llm.linear %n1, %wu : (tensor<?x32xf32>, !llm.weight<48x32, f32>) -> tensor<?x48xf32>
  %y = llm.glu silu %g, %u : (tensor<?x48xf32>, tensor<?x48xf32>) -> tensor<?x48xf32>
  %d = llm.linear %y, %wd : (tensor<?x48xf32>, !llm.weight<32x48, f32>) -> tensor<?x32xf32>
  %x2 = llm.add %x1, %d : tensor<?x32xf32>
  %n2 = llm.rms_norm %x2, %s eps 1.0e-05 : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
  %l = llm.head %n2, %embd, %output_rows softcap 1.0e+01
      : (tensor<?x32xf32>, !llm.weight<50x32, f32>, tensor<?xi32>) -> tensor<?x50xf32>
  %t = llm.sample %l, %sampling : (tensor<?x50xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %l, %t : tensor<?x50xf32>, tensor<?xi32>
}
)";

class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest() {
    context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(kModel, &context);
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0, 0.4f);
    std::vector<ingest::MemoryCheckpoint::Entry> tensors;
    for (const auto& [name, elements] : std::map<std::string, size_t>{{"embd", 1600},
                                                                      {"norm", 32},
                                                                      {"q", 1024},
                                                                      {"k", 512},
                                                                      {"v", 512},
                                                                      {"o", 1024},
                                                                      {"gate", 1536},
                                                                      {"up", 1536},
                                                                      {"down", 1536}}) {
      std::vector<float> values(elements);
      for (float& value : values) value = normal(random);
      tensors.push_back(ingest::storedTensor(name, formats::TensorType::kF32, {elements}, values));
    }
    checkpoint.emplace(std::move(tensors));
  }

  Interpreter interpreter(unsigned threads) {
    auto made = Interpreter::create(module->lookupSymbol<mlir::func::FuncOp>("forward"), *checkpoint, threads);
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  std::vector<float> logits(unsigned threads = 1) {
    auto result = interpreter(threads).run({.tokens = tokens, .firstPosition = 0, .outputRows = outputRows});
    EXPECT_TRUE(result.ok());
    return result->values;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<ingest::MemoryCheckpoint> checkpoint;
  const std::vector<int32_t> tokens = {3, 14, 15, 9, 2, 6, 5, 35, 8, 9};
  const std::vector<int32_t> outputRows = {9, 0, 4};
};

TEST_F(InterpreterTest, ThreadsDoNotChangeABit) {
  EXPECT_EQ(logits(1), logits(3));
}

// One token after another, with the cache between them, is the same pass: a cache or a window that is off by one shows.
TEST_F(InterpreterTest, TokenByTokenIsTheSamePass) {
  const std::vector<float> whole = logits();
  Interpreter stepwise = interpreter(2);
  const std::vector<int32_t> first = {0};
  for (int32_t i = 0; i < 10; ++i) {
    const auto step = stepwise.run(
        {.tokens = std::span(tokens).subspan(static_cast<size_t>(i), 1), .firstPosition = i, .outputRows = first});
    ASSERT_TRUE(step.ok());
    for (size_t o = 0; o < outputRows.size(); ++o)
      if (outputRows[o] == i) {
        EXPECT_EQ(step->values, std::vector<float>(whole.begin() + static_cast<long>(o * 50),
                                                   whole.begin() + static_cast<long>(o * 50 + 50)));
      }
  }
}

// Fused ops are defined by the ops they stand for, so the passes before int8 rows change nothing at all.
TEST_F(InterpreterTest, FusionsChangeNothing) {
  const std::vector<float> before = logits();
  mlir::PassManager passes(&context);
  auto& forward = passes.nest<mlir::func::FuncOp>();
  forward.addPass(createFuseQkv());
  forward.addPass(createFuseGlu());
  forward.addPass(createFuseResidualNorm());
  forward.addPass(createFuseRopeCache());
  ASSERT_TRUE(mlir::succeeded(passes.run(*module)));
  bool fused = false;
  module->walk([&](llm::QkvRopeCacheOp) { fused = true; });
  ASSERT_TRUE(fused);
  EXPECT_EQ(before, logits());
}

// Sinks far below every score take nothing, to the bit; those among them do.
TEST_F(InterpreterTest, SinksTakeWeight) {
  const std::vector<float> before = logits();
  const auto withSinks = [&](const std::string& parameter) {
    std::string text = kModel;
    const auto replace = [&](std::string_view from, const std::string& to) {
      text.replace(text.find(from), from.size(), to);
    };
    replace("  %a = llm.attention", "  %sinks = llm.parameter " + parameter + " : tensor<4xf32>\n  %a = llm.attention");
    replace("window 5", "window 5 sinks %sinks");
    replace("!llm.cache<layer 0, 2x8, f16, f16>, tensor<?xi32>, tensor<?xi32>)",
            "!llm.cache<layer 0, 2x8, f16, f16>, tensor<?xi32>, tensor<?xi32>, tensor<4xf32>)");
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    return logits();
  };
  EXPECT_EQ(before, withSinks("\"norm\" first_row 0 plus -1.0e+03"));
  EXPECT_NE(before, withSinks("\"norm\" first_row 0"));
}

TEST_F(InterpreterTest, RefusesTokensAndPositionsThatDoNotExist) {
  Interpreter model = interpreter(1);
  const std::vector<int32_t> outside = {50}, one = {1}, first = {0};
  const auto token = model.run({.tokens = outside, .firstPosition = 0, .outputRows = first});
  ASSERT_FALSE(token.ok());
  EXPECT_THAT(token.error().message, HasSubstr("token 50 is not in the vocabulary of 50"));
  const auto position = model.run({.tokens = one, .firstPosition = 64, .outputRows = first});
  ASSERT_FALSE(position.ok());
  EXPECT_THAT(position.error().message, HasSubstr("position 64 is past the maximum context of 64"));
}

} // namespace
} // namespace llcuda::reference
