// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hub_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::models {
namespace {

using ::testing::HasSubstr;

TEST(HubName, IsRefusedWithTheCommandsToRun) {
  const Result<void> result = refuseHubName("unsloth/gemma-3-270m-it");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(result.error().message, HasSubstr("hf download unsloth/gemma-3-270m-it --local-dir gemma-3-270m-it"));
  EXPECT_THAT(result.error().message, HasSubstr("llcuda-compile gemma-3-270m-it -o gemma-3-270m-it.engine"));
}

TEST(HubName, SoAreAddresses) {
  const Result<void> result = refuseHubName("https://huggingface.co/unsloth/gemma-3-270m-it");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("is an address, not a file or a folder"));
}

// What the hub never has is left to the reader, whose error says more.
TEST(HubName, OtherPathsPass) {
  for (const char* path : {"model.gguf", "missing", "folder/model.gguf", "/user/name", "./user/name", "a/b/c",
                           "../name", "/usr/include", "user/", "/name"})
    EXPECT_TRUE(refuseHubName(path).ok()) << path;
}

} // namespace
} // namespace llcuda::models
