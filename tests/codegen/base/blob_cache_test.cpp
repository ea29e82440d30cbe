// SPDX-License-Identifier: Apache-2.0
#include "codegen/base/blob_cache.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "codegen/base/wire.h"

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;

class BlobCacheTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("blob_cache_test_" + std::to_string(::getpid()));
    fs::remove_all(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path onlyFile() const {
    for (const auto& file : fs::recursive_directory_iterator(folder))
      if (file.is_regular_file())
        return file.path();
    return {};
  }

  fs::path folder;
};

TEST_F(BlobCacheTest, FindsWhatWasStored) {
  const BlobCache cache(folder.string());
  const std::string key = blobKey("what it was made from"), bytes("\0any\nbytes\xff", 11);
  EXPECT_EQ(cache.find(key), std::nullopt);
  ASSERT_TRUE(cache.store(key, bytes).ok());
  EXPECT_EQ(cache.find(key), bytes);
  EXPECT_EQ(cache.find(blobKey("something else")), std::nullopt);
  ASSERT_TRUE(cache.store(key, "").ok());
  EXPECT_EQ(cache.find(key), "") << "the last one counts";
}

// No flipped bit may come back as content: an object file with one would be linked into an engine.
TEST_F(BlobCacheTest, EveryDamagedByteIsAMiss) {
  const BlobCache cache(folder.string());
  const std::string key = blobKey("source");
  ASSERT_TRUE(cache.store(key, "the bytes of an object file").ok());
  const fs::path file = onlyFile();
  for (uintmax_t at = 0; at < fs::file_size(file); ++at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const int byte = stream.get();
    for (const int written : {byte ^ 1, byte}) {
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(written)).flush();
      EXPECT_EQ(cache.find(key).has_value(), written == byte) << at;
    }
  }
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_EQ(cache.find(key), std::nullopt);
}

TEST_F(BlobCacheTest, WithoutAFolderNothingIsKept) {
  const BlobCache cache("");
  EXPECT_TRUE(cache.store(blobKey("x"), "y").ok());
  EXPECT_EQ(cache.find(blobKey("x")), std::nullopt);
}

TEST_F(BlobCacheTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder.string()) << "a file";
  const auto stored = BlobCache(folder.string()).store(blobKey("x"), "y");
  ASSERT_FALSE(stored.ok());
  EXPECT_THAT(stored.error().message, testing::HasSubstr("kernel cache " + folder.string()));
}

TEST(BlobKey, IsAnotherForOtherBytes) {
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.insert(blobKey("source " + std::to_string(i)));
  EXPECT_EQ(keys.size(), 1000u);
  EXPECT_THAT(*keys.begin(), testing::MatchesRegex("[0-9a-f]{32}"));
}

// A length that reaches past the end must end the reading, not the process.
TEST(Wire, ReadsBackAndStopsAtTheEnd) {
  WireWriter writer;
  writer.number(7);
  writer.text("text");
  const std::string bytes = writer.take();
  WireReader reader(bytes);
  EXPECT_EQ(reader.number(), 7u);
  EXPECT_EQ(reader.text(), "text");
  EXPECT_TRUE(reader.atEnd());
  for (size_t length = 0; length < bytes.size(); ++length) {
    WireReader shorter(std::string_view(bytes).substr(0, length));
    shorter.number();
    EXPECT_EQ(shorter.text(), "");
    EXPECT_FALSE(shorter.ok());
  }
}

} // namespace
} // namespace llcuda::codegen
