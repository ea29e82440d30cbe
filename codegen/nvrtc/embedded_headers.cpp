// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/embedded_headers.h"

#include <algorithm>
#include <set>

namespace llcuda::codegen {
namespace {

const EmbeddedHeader* findHeader(std::string_view name) {
  const auto headers = embeddedHeaders();
  const auto found =
      std::ranges::lower_bound(headers, name, {}, [](const auto& h) { return std::string_view(h.name); });
  return found != headers.end() && found->name == name ? &*found : nullptr;
}

/// The names in `#include "..."` lines, also those in branches of #if that are not taken.
std::vector<std::string_view> includedNames(std::string_view text) {
  constexpr std::string_view kInclude = "#include \"";
  std::vector<std::string_view> names;
  for (size_t at = text.find(kInclude); at != text.npos; at = text.find(kInclude, at)) {
    at += kInclude.size();
    names.push_back(text.substr(at, text.find('"', at) - at));
  }
  return names;
}

} // namespace

std::vector<const EmbeddedHeader*> headersOf(std::string_view source) {
  std::set<std::string_view> seen;
  std::vector<std::string_view> texts = {source};
  std::vector<const EmbeddedHeader*> headers;
  while (!texts.empty()) {
    const std::string_view text = texts.back();
    texts.pop_back();
    for (const std::string_view name : includedNames(text)) {
      const EmbeddedHeader* header = findHeader(name);
      if (!header || !seen.insert(name).second)
        continue;
      headers.push_back(header);
      texts.push_back(header->text);
    }
  }
  std::ranges::sort(headers, {}, [](const EmbeddedHeader* header) { return std::string_view(header->name); });
  return headers;
}

} // namespace llcuda::codegen
