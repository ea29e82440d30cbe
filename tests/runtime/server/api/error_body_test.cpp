// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/error_body.h"

#include <gtest/gtest.h>

namespace llcuda::server {
namespace {

TEST(ErrorBody, HasCodeMessageTypeAndParam) {
  EXPECT_EQ(errorBody(fieldError("top_p", "expected a number above 0, up to 1")).dump(),
            R"({"error":{"code":400,"message":"Field 'top_p': expected a number above 0, up to 1",)"
            R"("type":"invalid_request_error","param":"top_p"}})");
  EXPECT_TRUE(errorBody({404, "no such model"})["error"]["param"].is_null());
  EXPECT_EQ(errorBody({404, "no such model"})["error"]["type"], "not_found_error");
}

// openai's client tries 5xx again: what the client did wrong must never be one.
TEST(ErrorBody, StatusOfTheLibrarysErrors) {
  EXPECT_EQ(errorOf(api::Error{LLCUDA_USAGE, "Field 'messages[1].role': expected a role"}).param, "messages[1].role");
  EXPECT_EQ(errorOf(api::Error{LLCUDA_USAGE, "a"}).status, 400);
  EXPECT_EQ(errorOf(api::Error{LLCUDA_BUSY, "a"}).status, 429);
  EXPECT_GT(errorOf(api::Error{LLCUDA_BUSY, "a"}).retryAfter, 0);
  EXPECT_EQ(errorOf(api::Error{LLCUDA_UNSUPPORTED, "a"}).status, 501);
  EXPECT_EQ(errorOf(api::Error{LLCUDA_INTERNAL, "a"}).status, 500);
}

TEST(ErrorBody, TooLongAPromptHasBothNumbers) {
  const Json error = errorBody(contextError(300, 256))["error"];
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_EQ(error["n_prompt_tokens"], 300);
  EXPECT_EQ(error["n_ctx"], 256);
  EXPECT_NE(error["message"].get<std::string>().find("exceeds the available context size"), std::string::npos);
}

} // namespace
} // namespace llcuda::server
