// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/split_name.h"

#include <charconv>
#include <cstdio>
#include <string_view>

namespace llcuda::ingest {

std::string partEnding(uint64_t number, uint64_t count) {
  char text[64];
  std::snprintf(text, sizeof(text), "-%05u-of-%05u.gguf", static_cast<unsigned>(number + 1),
                static_cast<unsigned>(count));
  return text;
}

std::optional<SplitName> splitName(const std::string& path) {
  constexpr size_t kEnding = std::string_view("-00001-of-00003.gguf").size();
  constexpr size_t kNumber = 1, kCount = kEnding - std::string_view("00003.gguf").size(), kDigits = 5;
  if (path.size() < kEnding)
    return std::nullopt;
  const std::string ending = path.substr(path.size() - kEnding);
  unsigned number = 0, count = 0;
  std::from_chars(ending.data() + kNumber, ending.data() + kNumber + kDigits, number);
  std::from_chars(ending.data() + kCount, ending.data() + kCount + kDigits, count);
  if (number == 0 || number > count || ending != partEnding(number - 1, count))
    return std::nullopt;
  return SplitName{path.substr(0, path.size() - kEnding), count};
}

std::string partName(const SplitName& split, uint64_t number) {
  return split.prefix + partEnding(number, split.count);
}

} // namespace llcuda::ingest
