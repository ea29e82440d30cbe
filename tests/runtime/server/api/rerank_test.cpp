// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/rerank.h"

#include <gtest/gtest.h>

namespace llcuda::server {
namespace {

TEST(Rerank, QueryAndDocumentTakeTheirPlaces) {
  EXPECT_EQ(filledTemplate("Q: {query} D: {document}!", "who", "me"), "Q: who D: me!");
  EXPECT_EQ(filledTemplate("{document}{query}{document}", "a", "b"), "bab");
  EXPECT_EQ(filledTemplate("no place", "a", "b"), "no place");
  EXPECT_EQ(filledTemplate("", "a", "b"), "");
}

// A document that holds the mark of a place gets nothing put into it.
TEST(Rerank, WhatTheyHoldStays) {
  EXPECT_EQ(filledTemplate("<{query}|{document}>", "{document}", "{query}"), "<{document}|{query}>");
}

TEST(Rerank, OtherBracesStay) {
  EXPECT_EQ(filledTemplate("{ {{query}} {quer} {", "a", "b"), "{ {a} {quer} {");
}

} // namespace
} // namespace llcuda::server
