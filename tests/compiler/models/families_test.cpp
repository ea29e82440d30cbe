// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/family_list.h"

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

// The documentation has the records' words, and no family that there is not.
TEST(Families, AreThoseOfTheDocumentation) {
  std::ifstream file(LLCUDA_FORMATS_PAGE);
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("\n\n" + table() + "\n"));
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
  const auto gguf = familyOfGguf("mamba");
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(gguf.error().message, HasSubstr("the architecture 'mamba' is not supported; supported: llama, "));
  const auto folder = familyOfHf("", "mamba2");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("'mamba2' is not supported; supported: LlamaForCausalLM, "));
  EXPECT_EQ(*familyOfHf("", "gemma3_text"), &kGemma3);
  EXPECT_EQ(*familyOfGguf("llama"), &kLlama);
}

} // namespace
} // namespace llcuda::models
