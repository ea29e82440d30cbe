// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/source_text.h"

#include <cassert>
#include <charconv>
#include <cmath>

namespace llcuda::codegen {

std::string floatLiteral(float value) {
  assert(std::isfinite(value));
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos)
    text += '.';
  return text + 'f';
}

} // namespace llcuda::codegen
