// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/ptx_version.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace llcuda::codegen {
namespace {

/// `ptx` without the lines that are this directive.
std::string withoutDirective(const std::string& ptx, std::string_view directive) {
  std::string kept;
  kept.reserve(ptx.size());
  for (size_t begin = 0; begin < ptx.size();) {
    const size_t end = std::min(ptx.find('\n', begin), ptx.size() - 1) + 1;
    const std::string_view line(ptx.data() + begin, end - begin);
    const size_t text = line.find_first_not_of(" \t");
    if (text == line.npos || !line.substr(text).starts_with(directive))
      kept += line;
    begin = end;
  }
  return kept;
}

} // namespace

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
  ptx.replace(static_cast<size_t>(start - ptx.data()), static_cast<size_t>(stop - start), version);
  return withoutDirective(ptx, ".pragma \"used_bytes_mask");
}

} // namespace llcuda::codegen
