// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/kernel_log.h"

#include <charconv>

namespace llcuda::codegen {
namespace {

/// Calls `use` with each line.
template <typename Use>
void forEachLine(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    use(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

/// The number before `unit`, as in "360 bytes smem" for " bytes smem".
std::optional<uint32_t> numberBefore(std::string_view line, std::string_view unit) {
  const size_t end = line.find(unit);
  if (end == line.npos)
    return std::nullopt;
  size_t start = end;
  while (start > 0 && line[start - 1] >= '0' && line[start - 1] <= '9') --start;
  uint32_t value = 0;
  if (std::from_chars(line.data() + start, line.data() + end, value).ptr != line.data() + end || start == end)
    return std::nullopt;
  return value;
}

bool isReport(std::string_view line) {
  return line.starts_with("ptxas info") || line.find(" bytes stack frame") != line.npos || line.empty();
}

} // namespace

std::optional<KernelResources> parseResources(std::string_view log) {
  KernelResources resources;
  int entries = 0, spills = 0;
  forEachLine(log, [&](std::string_view line) {
    if (const auto registers = numberBefore(line, " registers"); registers && line.starts_with("ptxas info")) {
      resources.registers = *registers;
      resources.staticSharedBytes = numberBefore(line, " bytes smem").value_or(0);
      ++entries;
    }
    const auto stores = numberBefore(line, " bytes spill stores"), loads = numberBefore(line, " bytes spill loads");
    if (stores && loads) {
      resources.spillBytes += *stores + *loads; // also those of functions that were not inlined
      ++spills;
    }
  });
  if (entries != 1 || spills == 0)
    return std::nullopt;
  return resources;
}

std::string messagesOf(std::string_view log) {
  std::string messages;
  forEachLine(log, [&](std::string_view line) {
    if (!isReport(line))
      messages.append(line).append("\n");
  });
  return messages;
}

} // namespace llcuda::codegen
