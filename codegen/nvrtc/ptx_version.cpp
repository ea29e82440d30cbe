// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/ptx_version.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace llcuda::codegen {

std::string withPlainPtxVersion(std::string ptx) {
  constexpr std::string_view kDirective = "\n.version ";
  const size_t found = ptx.find(kDirective);
  if (found == ptx.npos)
    return ptx;
  const char* const start = ptx.data() + found + kDirective.size();
  const char* const end = ptx.data() + ptx.size();
  int major = 0, minor = 0;
  const auto [dot, majorError] = std::from_chars(start, end, major);
  if (majorError != std::errc() || dot == end || *dot != '.')
    return ptx;
  const auto [stop, minorError] = std::from_chars(dot + 1, end, minor);
  if (minorError != std::errc() || std::pair(major, minor) <= std::pair(kPtxMajor, kPtxMinor))
    return ptx;
  const std::string version = std::to_string(kPtxMajor) + "." + std::to_string(kPtxMinor);
  return ptx.replace(static_cast<size_t>(start - ptx.data()), static_cast<size_t>(stop - start), version);
}

} // namespace llcuda::codegen
