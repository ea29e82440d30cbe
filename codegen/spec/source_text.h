// SPDX-License-Identifier: Apache-2.0
// Pieces of the C++ that a KernelSpec holds. The same in every locale.
#pragma once

#include <string>

namespace llcuda::codegen {

/// The shortest literal that reads back as `value`, which is finite: "0.125f", "1e-05f", "1.f".
std::string floatLiteral(float value);

/// "a, 3, b": strings as they are, integers in decimal.
template <typename... Args>
std::string listText(const Args&... args) {
  std::string text;
  const auto add = [&](const auto& arg) {
    if (!text.empty())
      text += ", ";
    if constexpr (requires { std::to_string(arg); })
      text += std::to_string(arg);
    else
      text += arg;
  };
  (add(args), ...);
  return text;
}

} // namespace llcuda::codegen
