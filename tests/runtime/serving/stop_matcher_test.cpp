// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/stop_matcher.h"

#include <random>

#include <gtest/gtest.h>

namespace llcuda::serving {
namespace {

/// What comes out of pieces, and which string ended it.
std::pair<std::string, int> said(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  std::string text;
  for (const std::string& piece : pieces) text += matcher.push(piece);
  text += matcher.finish();
  return {text, matcher.found() ? static_cast<int>(*matcher.found()) : -1};
}

TEST(StopMatcher, WithoutStringsNothingIsHeldBack) {
  StopMatcher matcher({});
  EXPECT_EQ(matcher.push("abc"), "abc");
  EXPECT_EQ(matcher.finish(), "");
}

// "\nUser:" comes in five tokens; what could still become it waits, and what cannot goes on.
TEST(StopMatcher, AcrossTokens) {
  StopMatcher matcher({"\nUser:"});
  EXPECT_EQ(matcher.push("fine.\nUs"), "fine.");
  EXPECT_EQ(matcher.push("e"), "");
  EXPECT_EQ(matcher.push("ful"), "\nUseful");
  EXPECT_EQ(matcher.push("\n\nUser"), "\n");
  EXPECT_EQ(matcher.push(": x"), "");
  EXPECT_EQ(matcher.found(), 0u);
  EXPECT_EQ(matcher.push("more"), "");
  EXPECT_EQ(matcher.finish(), "");
}

TEST(StopMatcher, TheFirstThatIsComplete) {
  EXPECT_EQ(said({"abcd", "bc"}, {"xabcd"}), std::pair(std::string("xa"), 1));
  EXPECT_EQ(said({"c", "abc"}, {"xabc"}), std::pair(std::string("x"), 1)); // both end there: the longer
  EXPECT_EQ(said({"aab"}, {"a", "a", "a", "b"}), std::pair(std::string("a"), 0));
}

TEST(StopMatcher, WhatWasHeldBackComesAtTheEnd) {
  EXPECT_EQ(said({"<end>"}, {"a<", "en"}), std::pair(std::string("a<en"), -1));
}

// The cut of the text into pieces changes nothing: compared with the text as one piece.
TEST(StopMatcher, AnyCut) {
  std::mt19937 random(1);
  const auto letters = [&](uint32_t least, uint32_t most) {
    std::string text(least + random() % (most - least + 1), 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    return text;
  };
  int found = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops, pieces;
    for (uint32_t i = 0; i < 1 + random() % 3; ++i) stops.push_back(letters(2, 6));
    std::string text;
    for (uint32_t i = 0; i < 8; ++i) text += pieces.emplace_back(letters(0, 3));
    std::vector<std::string> single;
    for (const char c : text) single.emplace_back(1, c);
    const auto expected = said(stops, single);
    EXPECT_EQ(said(stops, pieces), expected) << text;
    EXPECT_EQ(said(stops, {text}), expected) << text;
    found += expected.second >= 0;
  }
  EXPECT_GT(found, 500);
  EXPECT_LT(found, 2900);
}

} // namespace
} // namespace llcuda::serving
