// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/regular_file.h"

#include <array>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/mapped_file.h"
#include "runtime/base/output_file.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;

class RegularFileTest : public testing::Test {
protected:
  RegularFileTest() { fs::create_directory(folder); }
  ~RegularFileTest() override { fs::remove_all(folder); }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  fs::path folder = fs::temp_directory_path() / ("llcuda_regular_" + std::to_string(::getpid()));
};

TEST_F(RegularFileTest, AllBytesAndTheFirst) {
  const std::string text("GGUF\0\n", 6);
  ASSERT_TRUE(writeOutput(at("file"), text).ok() && writeOutput(at("empty"), "").ok());
  EXPECT_EQ(*readFile(at("file")), text);
  EXPECT_EQ(*readFile(at("empty")), "");
  EXPECT_EQ(fileStart(at("file"), 4), "GGUF");
  EXPECT_EQ(fileStart(at("file"), 100), text);
  EXPECT_EQ(fileStart(at("none"), 4), "");
}

// Nobody writes into the pipe: whoever waited for it would wait for ever.
TEST_F(RegularFileTest, PiecesOfAMappedFile) {
  ASSERT_TRUE(writeOutput(at("file"), "0123456789").ok());
  const auto mapped = MappedFile::open(at("file"));
  ASSERT_TRUE(mapped.ok());
  std::array<char, 4> piece = {};
  const auto bytes = std::as_writable_bytes(std::span(piece));
  ASSERT_TRUE(mapped->read(6, bytes).ok());
  EXPECT_EQ(std::string_view(piece.data(), piece.size()), "6789");
  EXPECT_THAT(mapped->read(7, bytes).error().message, testing::HasSubstr("file: has become shorter"));
}

TEST_F(RegularFileTest, WhatIsNoFileIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const std::pair<std::string, std::string> cases[] = {{at("pipe"), "is not a regular file"},
                                                       {"/dev/zero", "is not a regular file"},
                                                       {at(""), "is a folder, not a file"},
                                                       {at("none"), "cannot be opened: No such file or directory"}};
  for (const auto& [path, message] : cases) {
    EXPECT_EQ(readFile(path).error().message, path + ": " + message);
    EXPECT_EQ(MappedFile::open(path).error().message, path + ": " + message);
    EXPECT_EQ(readFile(path).error().code, ErrorCode::kBadInput);
    EXPECT_EQ(fileStart(path, 4), "");
  }
}

} // namespace
} // namespace llcuda
