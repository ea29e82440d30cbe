// SPDX-License-Identifier: Apache-2.0
// The passes change IR, not answers: the interpreter runs whole models before and after them.
#include <cmath>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "compiler/reference/interpreter.h"
#include "compiler/transforms/AssignLayout/AssignLayout.h"
#include "compiler/transforms/FuseGlu/FuseGlu.h"
#include "compiler/transforms/FuseQkv/FuseQkv.h"
#include "compiler/transforms/FuseResidualNorm/FuseResidualNorm.h"
#include "compiler/transforms/FuseRopeCache/FuseRopeCache.h"
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace llcuda {
namespace {

using formats::TensorType;
using reference::Matrix;

/// Tensors of random numbers, made when they are asked for; the same for the same name.
class RandomCheckpoint final : public ingest::Checkpoint {
public:
  explicit RandomCheckpoint(mlir::ModuleOp module) {
    std::map<std::string, std::pair<TensorType, size_t>> elements; // some parameters are rows of one tensor
    module.walk([&](llm::ParameterOp op) {
      const auto weight = mlir::dyn_cast<llm::WeightType>(op.getType());
      const size_t rows = op.getFirstRow().value_or(0) +
                          (weight ? weight.getRows() : mlir::cast<mlir::ShapedType>(op.getType()).getNumElements());
      auto& [type, count] = elements[op.getName().str()];
      type = weight ? weight.getEncoding() : TensorType::kF32;
      count = std::max(count, weight ? rows * weight.getCols() : rows);
    });
    std::vector<ingest::TensorInfo> infos;
    for (const auto& [name, tensor] : elements) {
      bytes.emplace(name, bytesOf(tensor.first, tensor.second));
      infos.push_back({name, tensor.first, {tensor.second}});
    }
    setTensors(std::move(infos));
  }

  Result<ingest::TensorBytes> read(const ingest::TensorInfo& tensor) const override {
    return ingest::TensorBytes{tensor.type, std::as_bytes(std::span(bytes.at(tensor.name)))};
  }

private:
  std::vector<uint8_t> bytesOf(TensorType type, size_t count) {
    const auto& info = formats::tensorTypeInfo(type);
    std::vector<uint8_t> bytes(count / info.blockElements * info.blockBytes);
    if (type == TensorType::kF32) {
      std::uniform_real_distribution<float> numbers(-0.5f, 0.5f);
      for (size_t i = 0; i < count; ++i) {
        const float number = numbers(generator);
        memcpy(&bytes[4 * i], &number, 4);
      }
      return bytes;
    }
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(generator());
    for (size_t at = 0; at < bytes.size(); at += info.blockBytes) setScales(type, &bytes[at]);
    return bytes;
  }

  /// Scales that keep values between -1 and 1, as f16: 0x2000 is 2^-7, 0x2c00 is 2^-4, 0xb800 is -0.5.
  static void setScales(TensorType type, uint8_t* block) {
    if (type == TensorType::kF16) // sign and fraction stay random, the exponent is that of 0.125 ... 0.25
      block[1] = (block[1] & 0x83) | 0x30;
    else
      block[0] = 0, block[1] = type == TensorType::kQ8_0 ? 0x20 : 0x2c;
    if (type == TensorType::kQ4_1)
      block[2] = 0, block[3] = 0xb8;
  }

  std::mt19937 generator{7};
  std::map<std::string, std::vector<uint8_t>> bytes;
};

class Equivalence : public testing::TestWithParam<const char*> {
protected:
  Equivalence() {
    context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect>();
    context.disableMultithreading();
  }

  mlir::OwningOpRef<mlir::ModuleOp> load() {
    return mlir::parseSourceFile<mlir::ModuleOp>(std::string(LLCUDA_TEST_FOLDER "/") + GetParam(), &context);
  }

  /// Five tokens at once, then one more that reads the cache of the five: logits of three rows of the first step and
  /// of the second.
  static std::vector<float> answers(mlir::ModuleOp module, const RandomCheckpoint& checkpoint) {
    auto interpreter = reference::Interpreter::create(*module.getOps<mlir::func::FuncOp>().begin(), checkpoint, 1);
    EXPECT_TRUE(interpreter) << interpreter.error().message;
    const std::vector<int32_t> tokens{3, 500, 77, 3, 12}, rows{0, 2, 4}, next{9}, only{0};
    std::vector<float> all;
    for (const auto& step : {reference::Step{tokens, 0, rows}, reference::Step{next, 5, only}}) {
      auto logits = interpreter->run(step);
      EXPECT_TRUE(logits) << logits.error().message;
      all.insert(all.end(), logits->values.begin(), logits->values.end());
    }
    return all;
  }

  /// Opens the model, runs the passes, and answers before and after.
  template <typename AddPasses>
  std::pair<std::vector<float>, std::vector<float>> beforeAndAfter(AddPasses&& addPasses) {
    mlir::OwningOpRef<mlir::ModuleOp> module = load();
    EXPECT_TRUE(module);
    const RandomCheckpoint checkpoint(*module);
    std::vector<float> before = answers(*module, checkpoint);
    mlir::PassManager passes(&context);
    addPasses(passes.nest<mlir::func::FuncOp>());
    EXPECT_TRUE(mlir::succeeded(passes.run(*module)));
    return {before, answers(*module, checkpoint)};
  }

  mlir::MLIRContext context;
};

/// Normalised mean squared error.
double nmse(const std::vector<float>& truth, const std::vector<float>& other) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    error += std::pow(double(other[i]) - truth[i], 2);
    norm += std::pow(double(truth[i]), 2);
  }
  return error / norm;
}

// A fusion that dropped a bias, swapped gate and up, or read the wrong residual would change a bit.
TEST_P(Equivalence, FusionsChangeNoBit) {
  const auto [before, after] = beforeAndAfter([](mlir::OpPassManager& passes) {
    passes.addPass(mlir::createCanonicalizerPass());
    passes.addPass(mlir::createCSEPass());
    passes.addPass(createFuseQkv());
    passes.addPass(createFuseGlu());
    passes.addPass(createFuseResidualNorm());
    passes.addPass(createFuseRopeCache());
    passes.addPass(createAssignLayout());
  });
  ASSERT_EQ(before.size(), 4 * 512u);
  EXPECT_TRUE(std::ranges::all_of(before, [](float x) { return std::isfinite(x); }));
  EXPECT_EQ(before, after);
}

// Int8 rows round, and no more than that: rows that lost their scale would be far off, rows that were never rounded
// would not differ at all.
TEST_P(Equivalence, Int8RowsRoundALittle) {
  const auto [before, after] = beforeAndAfter([](mlir::OpPassManager& passes) {
    passes.addPass(createFuseQkv());
    passes.addPass(createFuseGlu());
    passes.addPass(createFuseResidualNorm());
    passes.addPass(createQuantizeActivations());
    passes.addPass(createFuseRopeCache());
  });
  EXPECT_LT(nmse(before, after), 1e-3);
  EXPECT_NE(before, after);
}

INSTANTIATE_TEST_SUITE_P(Models, Equivalence,
                         testing::Values("llama_layer.mlir", "gemma_layer.mlir", "qwen_layer.mlir", "phi_layer.mlir",
                                         "smollm3_layers.mlir"),
                         [](const auto& info) { return std::string(info.param).substr(0, strcspn(info.param, "_")); });

} // namespace
} // namespace llcuda
