// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/sequence_breakers.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace llcuda::text {
namespace {

constexpr std::size_t kMostBytes = 40;

/// The rests of `string` behind the places where a token's bytes begin it and end.
std::vector<std::string_view> restsBehind(std::string_view bytes, std::string_view string) {
  std::vector<std::string_view> rests;
  for (std::size_t at = bytes.size() - std::min(bytes.size(), string.size() - 1); at < bytes.size(); ++at)
    if (const std::string_view end = bytes.substr(at); string.starts_with(end))
      rests.push_back(string.substr(end.size()));
  return rests;
}

} // namespace

std::vector<std::vector<int32_t>> sequenceBreakers(const Tokenizer& tokenizer, std::span<const std::string> strings,
                                                   std::size_t mostTail) {
  std::vector<std::vector<int32_t>> breakers;
  std::map<std::string_view, std::vector<int32_t>> tails; // by the text that they write
  const auto tailOf = [&](std::string_view rest) -> const std::vector<int32_t>& {
    const auto [known, isNew] = tails.try_emplace(rest);
    if (isNew)
      if (Result<std::vector<int32_t>> tokens = tokenizer.encode(rest, {false, false})) {
        tokens->resize(std::min(tokens->size(), mostTail));
        known->second = std::move(*tokens);
      }
    return known->second;
  };
  for (const std::string& whole : strings) {
    const std::string_view string = std::string_view(whole).substr(0, kMostBytes);
    for (uint32_t id = 0; id < tokenizer.vocabularySize(); ++id) {
      const auto token = static_cast<int32_t>(id);
      const std::string_view bytes = tokenizer.piece(token);
      if (bytes.find(string) != std::string_view::npos) {
        breakers.push_back({token});
        continue;
      }
      for (const std::string_view rest : restsBehind(bytes, string)) {
        std::vector<int32_t> breaker = {token};
        const std::vector<int32_t>& tail = tailOf(rest);
        breaker.insert(breaker.end(), tail.begin(), tail.end());
        if (!tail.empty())
          breakers.push_back(std::move(breaker));
      }
    }
  }
  std::ranges::sort(breakers);
  const auto repeated = std::ranges::unique(breakers);
  breakers.erase(repeated.begin(), repeated.end());
  return breakers;
}

} // namespace llcuda::text
