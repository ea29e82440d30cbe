// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/safetensors_set.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

constexpr char kIndex[] = "model.safetensors.index.json";

std::string one(std::string_view name) {
  return SafetensorsBuilder().floats(name, {1}, {1.f}).bytes();
}

std::string index(std::string_view map) {
  return "{\"metadata\":{\"total_size\":8},\"weight_map\":{" + std::string(map) + "}}";
}

TEST(SafetensorsSet, OneFile) {
  const TemporaryFolder folder;
  folder.write("model.safetensors", one("a"));
  const auto set = SafetensorsSet::openFolder(folder.path());
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->tensors().size(), 1u);
  EXPECT_EQ(set->path(), folder.path());
}

// Files come in the order of their names, and tensors stay valid when the set moves.
TEST(SafetensorsSet, SeveralFiles) {
  const TemporaryFolder folder;
  folder.write("m-1.safetensors", one("a")).write("m-2.safetensors", one("b"));
  folder.write(kIndex, index(R"("b":"m-2.safetensors","a":"m-1.safetensors")"));
  auto opened = SafetensorsSet::openFolder(folder.path());
  ASSERT_TRUE(opened) << opened.error().message;
  const SafetensorsSet set = std::move(*opened);
  ASSERT_EQ(set.tensors().size(), 2u);
  EXPECT_EQ(set.tensors()[0]->name, "a");
  ASSERT_TRUE(set.find("b"));
  EXPECT_EQ(set.find("b")->data.size(), 4u);
  EXPECT_EQ(set.find("c"), nullptr);
}

struct BadFolder {
  std::vector<std::pair<std::string, std::string>> files;
  std::string place; ///< the file in the folder that the message names, empty for the folder itself
  std::string message;
  ErrorCode code = ErrorCode::kBadInput;
};

TEST(SafetensorsSet, RefusesByName) {
  const std::string again = "; it is damaged: download it again";
  const BadFolder kFolders[] = {
      {{}, "", "holds neither model.safetensors nor model.safetensors.index.json; it is not the folder of a model"},
      {{{"adapter_model.safetensors", one("a")}},
       "",
       "holds an adapter and no model; give the model it was trained on as --base"},
      {{{"pytorch_model.bin", "PK"}},
       "",
       "holds pytorch_model.bin, which is not read; save the model as safetensors",
       ErrorCode::kUnsupported},
      {{{"tiny.gguf", "GGUF"}}, "", "holds no safetensors; give its GGUF file tiny.gguf itself"},
      {{{kIndex, "{"}}, kIndex, "is not JSON at its byte 2" + again},
      {{{kIndex, "{}"}}, kIndex, "has no weight_map" + again},
      {{{kIndex, "[]"}}, kIndex, "has no weight_map" + again},
      {{{kIndex, index("")}}, kIndex, "has no weight_map" + again},
      {{{kIndex, index(R"("a":1)")}},
       kIndex,
       "places tensor 'a' in '1', which is not the name of a file in its folder"},
      {{{kIndex, index(R"("a":"../x.safetensors")")}},
       kIndex,
       "places tensor 'a' in '\"../x.safetensors\"', which is not the name of a file in its folder"},
      {{{kIndex, index(R"("a":"m\u0000.safetensors")")}},
       kIndex,
       "places tensor 'a' in '\"m\\u0000.safetensors\"', which is not the name of a file in its folder"},
      {{{kIndex, index(R"("a":"m-1.safetensors","b":"m-2.safetensors")")}, {"m-1.safetensors", one("a")}},
       kIndex,
       "names 'm-2.safetensors', which is missing; download that file too"},
      {{{kIndex, index(R"("a":"m-1.safetensors")")}, {"m-1.safetensors", one("b")}},
       "m-1.safetensors",
       "has no tensor 'a', which model.safetensors.index.json places there; the files are of different downloads"},
      {{{kIndex, index(R"("a":"m-1.safetensors","b":"m-2.safetensors")")},
        {"m-1.safetensors", one("a")},
        {"m-2.safetensors", SafetensorsBuilder().floats("a", {1}, {1}).floats("b", {1}, {1}).bytes()}},
       "m-2.safetensors",
       "tensor 'a' is in another file of the model too"},
      {{{"model.safetensors", one("a").substr(0, 40)}},
       "model.safetensors",
       "claims a header of 54 bytes and has 32 behind the length; it is truncated: download it again"},
  };
  for (const BadFolder& bad : kFolders) {
    const TemporaryFolder folder;
    for (const auto& [name, bytes] : bad.files) folder.write(name, bytes);
    const auto set = SafetensorsSet::openFolder(folder.path());
    ASSERT_FALSE(set) << bad.message;
    EXPECT_EQ(set.error().message, folder.path() + (bad.place.empty() ? "" : "/" + bad.place) + ": " + bad.message);
    EXPECT_EQ(set.error().code, bad.code);
  }
}

} // namespace
} // namespace llcuda::ingest
