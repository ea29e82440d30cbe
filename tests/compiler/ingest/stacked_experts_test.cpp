// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/stacked_experts.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// f32 tensors, each filled with a number of its own.
class Listed final : public Checkpoint {
public:
  explicit Listed(const std::vector<TensorInfo>& list) { setTensors(list); }
  Result<TensorBytes> read(const TensorInfo& tensor) const override {
    const auto values = std::make_shared<std::vector<float>>();
    size_t count = 1, place = 0;
    for (const uint64_t dim : tensor.dims) count *= dim;
    while (tensors()[place].name != tensor.name) ++place;
    values->resize(count, static_cast<float>(place));
    return TensorBytes{tensor.type, std::as_bytes(std::span(*values)), values};
  }
  std::string title(std::string_view name) const override { return "file's " + std::string(name); }
};

TensorInfo expert(const std::string& name, std::vector<uint64_t> dims = {2, 3}) {
  return {name, TensorType::kF32, std::move(dims)};
}

Result<std::unique_ptr<const Checkpoint>> stacked(const std::vector<TensorInfo>& list) {
  return StackedExperts::over(std::make_unique<Listed>(list));
}

std::string errorOf(const std::vector<TensorInfo>& list) {
  const auto made = stacked(list);
  return made ? "no error" : made.error().message;
}

// Files list experts in the order of their names as text.
TEST(StackedExperts, StandInTheOrderOfTheirNumbers) {
  std::vector<TensorInfo> list = {expert("token_embd.weight"), expert("blk.1.attn_norm.weight", {2})};
  for (const char* number : {"0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"})
    list.push_back(expert("blk.1.ffn_up." + std::string(number) + ".weight", {1}));
  const auto made = stacked(list);
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_EQ((*made)->tensors().size(), 3u);
  const TensorInfo* stack = (*made)->find("blk.1.ffn_up_exps.weight");
  ASSERT_NE(stack, nullptr);
  EXPECT_THAT(stack->dims, ElementsAre(1, 12));
  const Result<TensorBytes> bytes = (*made)->read(*stack);
  ASSERT_TRUE(bytes.ok());
  std::vector<float> values(12);
  ASSERT_EQ(bytes->bytes.size(), sizeof(float) * values.size());
  std::memcpy(values.data(), bytes->bytes.data(), bytes->bytes.size());
  EXPECT_THAT(values, ElementsAre(2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 4, 5));
  EXPECT_EQ((*made)->title("blk.1.ffn_up_exps.weight"), "file's blk.1.ffn_up.0.weight");
  EXPECT_EQ((*made)->read(*(*made)->find("blk.1.attn_norm.weight"))->bytes.size(), 8u);
}

TEST(StackedExperts, NameWhatIsMissingOrDiffers) {
  EXPECT_THAT(errorOf({expert("blk.0.ffn_up.0.weight"), expert("blk.0.ffn_up.2.weight")}),
              HasSubstr("has file's blk.0.ffn_up.2.weight, but no expert 1 before it"));
  EXPECT_THAT(errorOf({expert("blk.0.ffn_up.1.weight")}), HasSubstr("but no expert 0 before it"));
  EXPECT_THAT(errorOf({expert("blk.0.ffn_up.0.weight"), expert("blk.0.ffn_up.1.weight", {3, 2})}),
              HasSubstr("file's blk.0.ffn_up.1.weight has another type or shape than file's blk.0.ffn_up.0.weight"));
  EXPECT_THAT(errorOf({expert("blk.0.ffn_up.0.weight"), expert("blk.0.ffn_up.00.weight")}),
              HasSubstr("are the same expert"));
  EXPECT_THAT(errorOf({expert("blk.0.ffn_up.0.weight"), expert("blk.0.ffn_up_exps.weight")}),
              HasSubstr("stands beside file's blk.0.ffn_up_exps.weight"));
}

// Of a layer's number, of names without a module, and of numbers past those that there are.
TEST(StackedExperts, LeaveOtherNames) {
  const std::vector<TensorInfo> list = {expert("blk.0.weight"),      expert("blk.0.x.weight"),
                                        expert("a.0.weight"),        expert("blk.0.x.99999999999999999999.weight"),
                                        expert("blk.0.x.1a.weight"), expert(".weight"),
                                        expert("blk.0..weight"),     expert("weight")};
  const auto made = stacked(list);
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_EQ((*made)->tensors().size(), list.size());
  for (size_t i = 0; i < list.size(); ++i) EXPECT_EQ((*made)->tensors()[i].name, list[i].name);
}

} // namespace
} // namespace llcuda::ingest
