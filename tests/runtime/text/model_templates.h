// SPDX-License-Identifier: Apache-2.0
// Chat templates of well known models, fetched once into the build folder (model_templates.py).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace llcuda::test {

/// Their sources by name. Fails the test where they cannot be had.
inline const std::map<std::string, std::string>& modelTemplates() {
  static const auto templates = [] {
    std::map<std::string, std::string> result;
    const std::string folder = LLCUDA_TEST_TEMPLATES;
    const std::string command = "python3 " LLCUDA_TEST_TEMPLATE_SCRIPT " " + folder;
    if (std::system(command.c_str()) != 0) {
      ADD_FAILURE() << "the templates cannot be had: " << command;
      return result;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".jinja") {
        std::ifstream file(entry.path(), std::ios::binary);
        result[entry.path().stem().string()] = {std::istreambuf_iterator<char>(file), {}};
      }
    return result;
  }();
  return templates;
}

} // namespace llcuda::test
