// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/family_list.h"
#include "compiler/models/model_sizes.h"
#include "compiler/models/refused_families.h"

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::models {
namespace {

using ::testing::HasSubstr;

std::string joined(const FamilyNames& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "`" : ", `") + std::string(name) + "`";
  return text;
}

/// The table of families in docs/formats.md.
std::string table() {
  std::string text =
      "| `general.architecture` | `architectures` of config.json | models | besides the formula of llama |\n"
      "|---|---|---|---|\n";
  for (const Family* family : families())
    text += "| " + joined(family->gguf) + " | " + joined(family->huggingFace) + " | " + std::string(family->models) +
            " | " + std::string(family->formula) + " |\n";
  return text;
}

std::string page(const char* name) {
  std::ifstream file(std::string(LLCUDA_DOCS) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What fits, by family, of docs/models.md.
std::string sizesTable() {
  std::string text = "| family | model | weights in Q4_K_M | context that fits 15 GiB |\n|---|---|---|---|\n";
  for (const Family* family : families())
    for (const ModelSize& size : modelSizes()) {
      if (size.family != family)
        continue;
      const uint32_t fits = contextThatFits(size, uint64_t{15} << 30);
      char weights[32];
      std::snprintf(weights, sizeof(weights), "%.1f GB", static_cast<double>(weightBytes(size)) / 1e9);
      text += "| " + std::string(family->models) + " | " + std::string(size.name) + " | " + weights + " | " +
              (fits == 0              ? "none"
               : fits == size.context ? std::to_string(fits) + ", all that it is trained for"
                                      : std::to_string(fits) + " of " + std::to_string(size.context)) +
              " |\n";
    }
  return text;
}

std::string refusedTable() {
  std::string text = "| models | files | missing |\n|---|---|---|\n";
  for (const RefusedFamily& family : refusedFamilies()) {
    const std::string gguf = joined(family.gguf), folders = joined(family.huggingFace);
    text += "| " + std::string(family.models) + " | " + gguf + (gguf.empty() || folders.empty() ? "" : ", ") + folders +
            " | " + std::string(family.missing) + " |\n";
  }
  return text;
}

// The documentation has the records' words, and no family that there is not.
TEST(Families, AreThoseOfTheDocumentation) {
  EXPECT_THAT(page("formats.md"), HasSubstr("\n\n" + table() + "\n"));
  EXPECT_THAT(page("models.md"), HasSubstr("\n\n" + sizesTable() + "\n"));
  EXPECT_THAT(page("models.md"), HasSubstr("\n\n" + refusedTable()));
}

// What is refused by name is not taken, and every family has a size in the table of what fits.
TEST(Families, AreTakenOrRefused) {
  for (const RefusedFamily& refused : refusedFamilies()) {
    for (const std::string_view name : refused.gguf) {
      const auto family = familyOfGguf(name);
      ASSERT_FALSE(family) << name;
      EXPECT_THAT(family.error().message,
                  HasSubstr(std::string(refused.models) + " needs " + std::string(refused.missing) + "; supported: "));
    }
    for (const std::string_view name : refused.huggingFace) EXPECT_FALSE(familyOfHf(name, "")) << name;
  }
  std::set<const Family*> sized;
  for (const ModelSize& size : modelSizes()) sized.insert(size.family);
  EXPECT_EQ(sized.size(), families().size());
}

// A name is one family's, and each has files of some kind, a formula and, for folders, names of tensors.
TEST(Families, RecordsAreWhole) {
  std::set<std::string_view> names, types;
  for (const Family* family : families()) {
    SCOPED_TRACE(family->models);
    for (const std::string_view name : family->gguf) EXPECT_TRUE(names.insert(name).second) << name;
    for (const std::string_view name : family->huggingFace) EXPECT_TRUE(names.insert(name).second) << name;
    for (const std::string_view type : family->modelTypes) EXPECT_TRUE(types.insert(type).second) << type;
    EXPECT_TRUE(family->gguf.begin() != family->gguf.end() || family->huggingFace.begin() != family->huggingFace.end());
    EXPECT_NE(family->layer, nullptr);
    EXPECT_EQ(family->huggingFace.begin() != family->huggingFace.end(), !family->tensors.empty());
    EXPECT_FALSE(family->models.empty() || family->formula.empty());
  }
}

TEST(Families, UnknownOnesAreNamedBesideThoseThatThereAre) {
  const auto gguf = familyOfGguf("rwkv7");
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(gguf.error().message, HasSubstr("the architecture 'rwkv7' is not supported; supported: llama, "));
  const auto folder = familyOfHf("", "rwkv7");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("'rwkv7' is not supported; supported: LlamaForCausalLM, "));
  EXPECT_EQ(*familyOfHf("", "gemma3_text"), &kGemma3);
  EXPECT_EQ(*familyOfGguf("llama"), &kLlama);
}

} // namespace
} // namespace llcuda::models
