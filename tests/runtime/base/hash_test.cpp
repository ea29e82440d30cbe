// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/hash.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llcuda {
namespace {

// Engines are hashed on one processor and read on another: whatever instructions it has, the hash is the same.
TEST(Hash, IsXxh3WhateverTheProcessorHas) {
  EXPECT_EQ(hashBytes({}), 0x2d06800538d394c2u);
  std::mt19937 random(1);
  std::vector<std::byte> bytes(1 << 20);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  std::vector<std::size_t> sizes = {240, 241, 1023, 1024, 1025, 4096, 65537, bytes.size() - 1};
  for (std::size_t size = 0; size <= 130; ++size) sizes.push_back(size);
  for (const std::size_t size : sizes)
    for (const std::size_t offset : {0, 1})
      EXPECT_EQ(hashBytes(std::span(bytes).subspan(offset, size)), XXH3_64bits(&bytes[offset], size)) << size;
}

} // namespace
} // namespace llcuda
