// SPDX-License-Identifier: Apache-2.0
// What may be written to, and that nothing is lost or left when it may not.
#include "runtime/base/output_file.h"

#include <csignal>
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/regular_file.h"

namespace llcuda {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class OutputFileTest : public testing::Test {
protected:
  OutputFileTest() { fs::create_directory(folder); }
  ~OutputFileTest() override { fs::remove_all(folder); }

  std::string at(const std::string& name) const { return (folder / name).string(); }
  void write(const std::string& name, std::string_view text) { ASSERT_TRUE(writeOutput(at(name), text).ok()); }
  std::string contentOf(const std::string& name) const {
    const Result<std::string> text = readFile(at(name));
    return text ? *text : text.error().message;
  }
  size_t fileCount() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {})); }

  /// That `output` is refused where `input` is read, and the input stays as it is.
  void expectRefused(const std::string& output, const std::string& message) {
    const std::string path = at("model");
    const auto refused = writeOutput(output, "engine", identified({&path, 1}));
    ASSERT_FALSE(refused.ok()) << output;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_THAT(refused.error().message, AllOf(StartsWith(output + ": "), HasSubstr(message)));
  }

  fs::path folder = fs::temp_directory_path() / ("llcuda_output_" + std::to_string(::getpid()));
};

TEST_F(OutputFileTest, AnInputIsRefusedUnderEveryName) {
  write("model", "weights");
  fs::create_hard_link(at("model"), at("hard"));
  fs::create_symlink("model", at("soft"));
  fs::create_symlink(at("soft"), at("softer"));
  fs::create_directory(at("sub"));
  const std::string same = " is the input " + at("model");
  for (const std::string& name : {at("model"), at("hard"), at("soft"), at("softer"), at("sub/../model"), at("./model")})
    expectRefused(name, same);
  EXPECT_EQ(contentOf("model"), "weights");
  EXPECT_EQ(fs::hard_link_count(at("model")), 2u);
}

TEST_F(OutputFileTest, OnlyARegularFileOrANewName) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  fs::create_symlink("loop", at("loop"));
  fs::create_directory(at("sub"));
  expectRefused("/dev/null", "is a device; an output is a regular file");
  expectRefused(at("pipe"), "is a pipe");
  expectRefused(at("sub"), "is a folder");
  expectRefused(at("sub/"), "is a folder");
  expectRefused(at("new/"), "is the name of a folder");
  expectRefused(at("loop"), "is a link that leads nowhere");
  expectRefused(at("no/engine"), "cannot be written: there is no folder " + at("no"));
  expectRefused(at("pipe/engine"), "cannot be written: there is no folder " + at("pipe"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_fifo(at("pipe")));
}

// A link is kept, and what it leads to is replaced or made.
TEST_F(OutputFileTest, LinksAreFollowed) {
  write("old", "old");
  fs::create_symlink("old", at("link"));
  fs::create_symlink("new", at("dangling"));
  write("link", "engine");
  write("dangling", "other");
  EXPECT_TRUE(fs::is_symlink(at("link")) && fs::is_symlink(at("dangling")));
  EXPECT_EQ(contentOf("old"), "engine");
  EXPECT_EQ(contentOf("new"), "other");
}

// The name may come to lead to an input while the file is written.
TEST_F(OutputFileTest, TheNameIsCheckedAgainAtTheEnd) {
  write("model", "weights");
  const std::string model = at("model");
  {
    auto file = OutputFile::create(at("engine"), identified({&model, 1}));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->append(std::as_bytes(std::span("bytes"))).ok());
    fs::create_hard_link(model, at("engine"));
    const auto refused = file->commit();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message, at("engine") + ": is the input " + model +
                                           " under another name, which would be lost; an output is a file of its own");
  }
  EXPECT_EQ(contentOf("engine"), "weights");
  EXPECT_EQ(fileCount(), 2u);
}

TEST_F(OutputFileTest, TheOldFileStaysUntilTheNewOneIsWhole) {
  write("engine", "old");
  {
    auto file = OutputFile::create(at("engine"));
    ASSERT_TRUE(file.ok() && file->append(std::as_bytes(std::span("bytes"))).ok());
    EXPECT_EQ(contentOf("engine"), "old");
    EXPECT_EQ(fileCount(), 2u);
  }
  EXPECT_EQ(contentOf("engine"), "old");
  EXPECT_EQ(fileCount(), 1u);
}

// As on a full disk: what is written so far goes, and the error has the system's word.
TEST_F(OutputFileTest, AFailedWriteLeavesNothing) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = writeOutput(at("engine"), std::string(5000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kInternal);
  EXPECT_EQ(written.error().message, at("engine") + ": cannot be written: File too large");
  EXPECT_EQ(fileCount(), 0u);
}

} // namespace
} // namespace llcuda
