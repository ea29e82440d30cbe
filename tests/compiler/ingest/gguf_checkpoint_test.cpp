// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_checkpoint.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::ingest {
namespace {

using ::testing::HasSubstr;

// What a part says about itself, and its one tensor of one f32.
struct Part {
  uint16_t number = 0, count = 3;
  int32_t tensors = 3;
  std::string tensor = "t";
  float value = 0;
};

class SplitTest : public ::testing::Test {
protected:
  SplitTest() : folder(std::filesystem::path(::testing::TempDir()) / ("llcuda_split_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
    for (uint16_t i = 0; i < 3; ++i)
      write(i, {.number = i, .tensor = std::string(1, static_cast<char>('a' + i)), .value = static_cast<float>(i)});
  }
  ~SplitTest() override { std::filesystem::remove_all(folder); }

  std::string path(uint16_t index) const {
    return (folder / ("m-0000" + std::to_string(index + 1) + "-of-00003.gguf")).string();
  }

  void write(uint16_t index, const Part& part, const std::string& name = "") const {
    GgufBuilder builder(1, 3);
    builder.key("split.no", GgufType::kU16).number(part.number);
    builder.key("split.count", GgufType::kU16).number(part.count);
    builder.key("split.tensors.count", GgufType::kI32).number(part.tensors);
    builder.tensor(part.tensor, {1}, 0, 0).pad().number(part.value);
    std::ofstream(name.empty() ? path(index) : (folder / name).string(), std::ios::binary) << builder.bytes;
  }

  void expectError(const std::string& file, ErrorCode code, const std::string& text) const {
    const auto opened = GgufCheckpoint::open(file);
    ASSERT_FALSE(opened.ok()) << text;
    EXPECT_EQ(opened.error().code, code);
    EXPECT_THAT(opened.error().message, HasSubstr(text));
  }

  std::filesystem::path folder;
};

// Tensors of every part under one roof, each with the bytes of its own file.
TEST_F(SplitTest, PartsAreOneCheckpoint) {
  const auto opened = GgufCheckpoint::open(path(0));
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const GgufCheckpoint& model = **opened;
  ASSERT_EQ(model.tensors().size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const TensorInfo* tensor = model.find(std::string(1, static_cast<char>('a' + i)));
    ASSERT_NE(tensor, nullptr);
    float value = -1;
    std::memcpy(&value, model.read(*tensor)->bytes.data(), sizeof(value));
    EXPECT_EQ(value, static_cast<float>(i));
  }
  EXPECT_EQ(model.metadata().path(), path(0));
  EXPECT_EQ(model.title("b"), "b of " + path(1));
  EXPECT_EQ(model.title("absent"), "absent");
}

TEST_F(SplitTest, AnotherPartThanTheFirst) {
  expectError(path(1), ErrorCode::kBadInput, "is part 2 of 3; give the part that ends in -00001-of-00003.gguf");
}

TEST_F(SplitTest, MissingPart) {
  std::filesystem::remove(path(2));
  expectError(path(0), ErrorCode::kBadInput, "m-00003-of-00003.gguf: cannot be opened");
  expectError(path(0), ErrorCode::kBadInput, "part 3 of 3");
}

TEST_F(SplitTest, RenamedFirstPart) {
  write(0, {}, "model.gguf");
  expectError((folder / "model.gguf").string(), ErrorCode::kBadInput, "rename it to end in -00001-of-00003.gguf");
}

TEST_F(SplitTest, ForeignParts) {
  write(1, {.number = 1, .count = 4, .tensor = "b"});
  expectError(path(0), ErrorCode::kBadInput, "says that it is part 2 of 4, not part 2 of 3");
  write(1, {.number = 1, .tensors = 7, .tensor = "b"});
  expectError(path(0), ErrorCode::kBadInput, "belongs to a model of 7 tensors, the first part to one of 3");
  write(1, {.number = 1, .tensor = "a"});
  expectError(path(0), ErrorCode::kBadInput, "repeats tensor 'a' of another part");
}

TEST_F(SplitTest, PartsThatAreNotAllThereIs) {
  for (uint16_t i = 0; i < 3; ++i)
    write(i, {.number = i, .tensors = 5, .tensor = std::string(1, static_cast<char>('a' + i))});
  expectError(path(0), ErrorCode::kBadInput, "its parts have 3 tensors, split.tensors.count is 5");
}

// Files that were never split may say so.
TEST_F(SplitTest, OnePart) {
  for (const uint16_t count : {0, 1}) {
    write(0, {.count = count, .tensors = 1}, "whole.gguf");
    EXPECT_TRUE(GgufCheckpoint::open((folder / "whole.gguf").string()).ok()) << count;
  }
  write(0, {.count = 10'000}, "many.gguf");
  expectError((folder / "many.gguf").string(), ErrorCode::kBadInput, "split.count is 10000, outside 1 to 9999");
}

} // namespace
} // namespace llcuda::ingest
