// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/tokenizer_check.h"

#include <algorithm>
#include <string>
#include <vector>

namespace llcuda::capi {
namespace {

/// Ids as text, the first few of them.
std::string listed(std::span<const int32_t> ids) {
  constexpr std::size_t kMost = 12;
  std::string text;
  for (const int32_t id : ids.first(std::min(ids.size(), kMost)))
    text += (text.empty() ? "" : " ") + std::to_string(id);
  return text + (ids.size() > kMost ? " ..." : "");
}

} // namespace

Result<void> checkTokenizer(const fb::TokenizerVectors& vectors, const text::Tokenizer& tokenizer,
                            TokenizerCheck& report) {
  Result<void> first;
  const std::span<const int32_t> all(vectors.ids()->data(), vectors.ids()->size());
  uint32_t begin = 0;
  for (uint32_t i = 0; i < vectors.texts()->size(); ++i) {
    const uint32_t end = vectors.ends()->Get(i);
    const auto recorded = all.subspan(begin, end - begin);
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, tokenizer.encode(vectors.texts()->Get(i)->string_view()));
    ++report.texts;
    begin = end;
    if (std::ranges::equal(ids, recorded))
      continue;
    if (report.different++ == 0)
      first = makeError(ErrorCode::kSelfCheckFailed, "self-check failed: text ", i, " has the tokens ", listed(ids),
                        ", recorded are ", listed(recorded), "; compile the model again");
  }
  return first;
}

} // namespace llcuda::capi
