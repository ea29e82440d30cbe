// SPDX-License-Identifier: Apache-2.0
#include "tools/tool-options/byte_size.h"

#include <charconv>
#include <cmath>

namespace llcuda::tools {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr Unit kUnits[] = {
    {"", 1},
    {"B", 1},
    {"KiB", 1024.},
    {"MiB", 1048576.},
    {"GiB", 1073741824.},
    {"TiB", 1099511627776.},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"K", 1024.},
    {"M", 1048576.},
    {"G", 1073741824.},
};

} // namespace

std::optional<uint64_t> parseByteSize(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !(number >= 0))
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  for (const Unit& unit : kUnits)
    if (unit.name == text && number * unit.bytes < 9.2e18)
      return static_cast<uint64_t>(std::floor(number * unit.bytes));
  return std::nullopt;
}

} // namespace llcuda::tools
