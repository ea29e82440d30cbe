// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/server/page/page.h"

namespace llcuda::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A nonce that is used twice, or that the page does not have, would let in or lock out scripts.
TEST(ChatPage, EachAnswerHasItsNonce) {
  const Page one = chatPage(), two = chatPage();
  EXPECT_NE(one.html, two.html);
  const std::size_t at = one.contentSecurityPolicy.find("'nonce-") + 7;
  const std::string nonce = one.contentSecurityPolicy.substr(at, 32);
  EXPECT_THAT(one.html, HasSubstr("<script nonce=\"" + nonce + "\">"));
  EXPECT_THAT(one.html, HasSubstr("<style nonce=\"" + nonce + "\">"));
  EXPECT_THAT(one.html + one.contentSecurityPolicy, Not(HasSubstr("{{nonce}}")));
  EXPECT_THAT(one.contentSecurityPolicy, StartsWith("default-src 'none'"));
  EXPECT_THAT(one.html, StartsWith("<!doctype html>"));
}

// Text of a model must never be parsed as markup.
TEST(ChatPage, WritesNoMarkup) {
  const std::string html = chatPage().html;
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                          "<link rel=\"style", "src=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(way)));
}

} // namespace
} // namespace llcuda::server
