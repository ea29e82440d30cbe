// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llcuda::inspect {

/// Columns as wide as their widest cell, two spaces between; a column whose cells are all numbers is right-aligned.
std::string textTable(const std::vector<std::vector<std::string>>& rows);

/// "93.8 MiB".
std::string readableBytes(uint64_t bytes);

/// 16 digits.
std::string hexadecimal(uint64_t value);

/// At most `limit` characters of one printable line; what is cut shows as "...".
std::string oneLine(std::string_view text, size_t limit);

} // namespace llcuda::inspect
