// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/text_table.h"

#include <algorithm>
#include <cstdio>

namespace llcuda::inspect {
namespace {

bool isNumber(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.-") == cell.npos;
}

} // namespace

std::string textTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> numeric;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    numeric.resize(widths.size(), true);
    for (size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], row[c].size());
      if (&row != &rows.front() && !isNumber(row[c])) // the first row is the heading
        numeric[c] = false;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (numeric[c] ? space + row[c] : row[c] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string readableBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string hexadecimal(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

std::string oneLine(std::string_view text, size_t limit) {
  std::string line(text.substr(0, limit));
  while (line.size() == limit && text.size() > limit && (line.back() & 0xC0) == 0x80) line.pop_back(); // whole UTF-8
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text.size() > limit ? line + "..." : line;
}

} // namespace llcuda::inspect
