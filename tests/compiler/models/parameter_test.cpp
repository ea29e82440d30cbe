// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ParameterTest : public ::testing::Test {
protected:
  ParameterTest() { context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect>(); }

  // The parameter of a line of IR, over a tensor "t" of the floats 0, 1, 2, ...
  Result<Parameter> find(const std::string& line, size_t elements = 16) {
    std::vector<float> values(elements);
    for (size_t i = 0; i < elements; ++i) values[i] = static_cast<float>(i);
    checkpoint.emplace(std::vector{ingest::storedTensor("t", formats::TensorType::kF32, {elements}, values)});
    module = mlir::parseSourceString<mlir::ModuleOp>(line, &context);
    const auto op = *module->getOps<llm::ParameterOp>().begin();
    return Parameter::find(op, *checkpoint);
  }

  std::vector<float> row(const Parameter& parameter, size_t r) {
    std::vector<float> out(parameter.cols());
    parameter.dequantize(r, out.data());
    return out;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<ingest::MemoryCheckpoint> checkpoint;
};

TEST_F(ParameterTest, RowsFromTheMiddle) {
  const auto parameter = find(R"(%0 = llm.parameter "t" first_row 2 : !llm.weight<2x4, f32>)");
  ASSERT_TRUE(parameter.ok()) << parameter.error().message;
  EXPECT_THAT(row(*parameter, 0), ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(row(*parameter, 1), ElementsAre(12, 13, 14, 15));
}

// Halves of each group of four become neighbours; a second group has an order of its own.
TEST_F(ParameterTest, PairedRows) {
  const auto parameter = find(R"(%0 = llm.parameter "t" pair_rows 4 : !llm.weight<8x2, f32>)");
  ASSERT_TRUE(parameter.ok()) << parameter.error().message;
  std::vector<float> first;
  for (size_t r = 0; r < 8; ++r) first.push_back(row(*parameter, r)[0]);
  EXPECT_THAT(first, ElementsAre(0, 4, 2, 6, 8, 12, 10, 14));
}

// Of each group of six only the first four turn.
TEST_F(ParameterTest, PairedRowsOfLargerGroups) {
  const auto parameter = find(R"(%0 = llm.parameter "t" pair_rows 4 of 6 : !llm.weight<12x2, f32>)", 24);
  ASSERT_TRUE(parameter.ok()) << parameter.error().message;
  std::vector<float> first;
  for (size_t r = 0; r < 12; ++r) first.push_back(row(*parameter, r)[0]);
  EXPECT_THAT(first, ElementsAre(0, 4, 2, 6, 8, 10, 12, 16, 14, 18, 20, 22));
}

// A slice begins at a multiple of its own length; another encoding than the checkpoint's is an error.
TEST_F(ParameterTest, EncodedVectorsAndSlices) {
  const auto other = find(R"(%0 = llm.parameter "t" encoded "f16" : tensor<4xf32>)");
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message, HasSubstr("t is f32 and not f16"));
  const auto slice = find(R"(%0 = llm.parameter "t" first_row 2 : tensor<4xf32>)");
  ASSERT_TRUE(slice.ok()) << slice.error().message;
  EXPECT_THAT(slice->vector(), ElementsAre(8, 9, 10, 11));
}

TEST_F(ParameterTest, VectorsArePairedAndCompleted) {
  const auto parameter = find(R"(%0 = llm.parameter "t" pair_rows 4 plus 1.0 : tensor<4xf32>)");
  ASSERT_TRUE(parameter.ok()) << parameter.error().message;
  EXPECT_THAT(parameter->vector(), ElementsAre(1, 3, 2, 4));
}

TEST_F(ParameterTest, ErrorsNameTheTensor) {
  const auto missing = find(R"(%0 = llm.parameter "other" : !llm.weight<2x4, f32>)");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("no tensor other"));
  const auto encoding = find(R"(%0 = llm.parameter "t" : !llm.weight<2x4, f16>)");
  ASSERT_FALSE(encoding.ok());
  EXPECT_THAT(encoding.error().message, HasSubstr("t is f32 and not f16"));
  const auto rows = find(R"(%0 = llm.parameter "t" first_row 3 : !llm.weight<2x4, f32>)");
  ASSERT_FALSE(rows.ok());
  EXPECT_THAT(rows.error().message, HasSubstr("fewer than its shape needs"));
}

} // namespace
} // namespace llcuda::models
