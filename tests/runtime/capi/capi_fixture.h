// SPDX-License-Identifier: Apache-2.0
// The toy engine as files, with and without a vocabulary, behind libllcuda.so and on hostsim.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "llcuda/llcuda.hpp"
#include "tests/runtime/engine/toy_engine.h"
#include "tests/runtime/engine/toy_text.h"

namespace llcuda {

inline bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length == 0 || i + length > text.size())
      return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80)
        return false;
    i += length;
  }
  return true;
}

class CapiTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) / ("llcuda_capi_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
    toy::writeFile(path("plain"), toy::fileBytes(toy));
    toy::addText(toy);
    toy::writeFile(path("text"), toy::fileBytes(toy));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string path(const char* name) const { return (folder / (std::string(name) + ".engine")).string(); }

  api::Engine open(const char* name) {
    auto engine = api::Engine::open(path(name));
    EXPECT_TRUE(bool(engine)) << engine.error().message;
    return std::move(*engine);
  }

  static api::Session sessionOf(api::Engine& engine, uint32_t context = 0) {
    api::SessionOptions options;
    options.device = LLCUDA_DEVICE_HOST;
    options.context = context;
    auto session = engine.createSession(options);
    EXPECT_TRUE(bool(session)) << session.error().message;
    return std::move(*session);
  }

  std::filesystem::path folder;
};

inline api::GenerateOptions greedy(int32_t maxTokens) {
  api::GenerateOptions options;
  options.sampler = api::Sampler::greedy();
  options.maxTokens = maxTokens;
  return options;
}

} // namespace llcuda
