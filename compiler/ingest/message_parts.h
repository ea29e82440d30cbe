// SPDX-License-Identifier: Apache-2.0
// Parts of the one-line errors of file readers.
#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

namespace llcuda::ingest {

/// Untrusted text in a message: cut to 64 characters, anything but printable ASCII replaced, so it stays on one line.
struct Quoted {
  std::string_view text;
};
inline std::ostream& operator<<(std::ostream& out, Quoted quoted) {
  out << '\'';
  for (const char c : quoted.text.substr(0, 64)) out << (c >= 0x20 && c < 0x7F ? c : '?');
  return out << (quoted.text.size() > 64 ? "...'" : "'");
}

/// What is being read, for messages.
struct Place {
  const char* kind;
  uint64_t index;
  std::string_view name = {};
};
inline std::ostream& operator<<(std::ostream& out, Place place) {
  out << place.kind << ' ' << place.index;
  return place.name.empty() ? out : out << " (" << Quoted{place.name} << ')';
}

} // namespace llcuda::ingest
