// SPDX-License-Identifier: Apache-2.0
#include "runtime/schema/engine_file.h"

#include <fstream>
#include <string_view>

namespace llcuda::schema {

bool isEngineFile(const std::string& path) {
  std::string magic(sizeof kEngineMagic, '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(magic.data(), std::ssize(magic)) && magic == std::string_view(kEngineMagic, magic.size());
}

} // namespace llcuda::schema
