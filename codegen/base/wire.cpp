// SPDX-License-Identifier: Apache-2.0
#include "codegen/base/wire.h"

#include <cstring>

namespace llcuda::codegen {

uint64_t WireReader::number() {
  uint64_t value = 0;
  good = good && rest.size() >= sizeof value;
  if (!good)
    return 0;
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
  return value;
}

std::string_view WireReader::text() {
  const uint64_t length = number();
  good = good && length <= rest.size();
  if (!good)
    return {};
  const std::string_view value = rest.substr(0, length);
  rest.remove_prefix(length);
  return value;
}

} // namespace llcuda::codegen
