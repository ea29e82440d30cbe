// SPDX-License-Identifier: Apache-2.0
#include "runtime/schema/engine_file.h"

#include <string_view>

#include "runtime/base/regular_file.h"

namespace llcuda::schema {

bool isEngineFile(const std::string& path) {
  return fileStart(path, sizeof kEngineMagic) == std::string_view(kEngineMagic, sizeof kEngineMagic);
}

} // namespace llcuda::schema
