// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/grammar.h"

#include <algorithm>
#include <utility>

#include "runtime/text/abi_result.h"
#include "runtime/text/gbnf.h"

namespace llcuda::text {
namespace {

constexpr std::size_t kMostKnown = 64;

static_assert(static_cast<int>(GrammarKind::kJsonSchema) == LLCUDA_TEXT_GRAMMAR_JSON_SCHEMA &&
              static_cast<int>(GrammarKind::kJsonObject) == LLCUDA_TEXT_GRAMMAR_JSON_OBJECT &&
              static_cast<int>(GrammarKind::kRegex) == LLCUDA_TEXT_GRAMMAR_REGEX &&
              static_cast<int>(GrammarKind::kLark) == LLCUDA_TEXT_GRAMMAR_LARK);

} // namespace

void Matcher::Free::operator()(llcuda_text_matcher* handle) const {
  llcuda_text_matcher_free(handle);
}

Result<void> Matcher::mask(std::span<uint32_t> words) {
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_matcher_mask(handle.get(), words.data(), words.size(), &message))
    return takeError(status, message);
  return {};
}

Result<void> Matcher::consume(int32_t token) {
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_matcher_consume(handle.get(), static_cast<uint32_t>(token), &message))
    return takeError(status, message);
  return {};
}

Result<void> Matcher::consumeText(std::string_view text) {
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_matcher_consume_text(handle.get(), bytesOf(text), text.size(), &message))
    return takeError(status, message);
  return {};
}

bool Matcher::isStopped() const {
  return llcuda_text_matcher_is_stopped(handle.get()) != 0;
}

Result<Matcher> Matcher::clone() const {
  llcuda_text_matcher* copy = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_matcher_clone(handle.get(), &copy, &message))
    return takeError(status, message);
  return Matcher(copy);
}

void Grammar::Free::operator()(llcuda_text_grammar* handle) const {
  llcuda_text_grammar_free(handle);
}

Result<Matcher> Grammar::matcher() const {
  llcuda_text_matcher* made = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_matcher_create(handle.get(), &made, &message))
    return takeError(status, message);
  return Matcher(made);
}

void Grammars::Close::operator()(llcuda_text_grammars* handle) const {
  llcuda_text_grammars_close(handle);
}

Result<std::unique_ptr<Grammars>> Grammars::open(const Tokenizer& tokenizer, uint32_t vocabulary) {
  if (!tokenizer.handle)
    return unsupported("a grammar needs text, and this model has no vocabulary");
  const std::vector<int32_t>& stops = tokenizer.config().endOfGeneration;
  llcuda_text_grammars* opened = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status =
          llcuda_text_grammars_open(tokenizer.handle.get(), vocabulary, stops.data(), stops.size(), &opened, &message))
    return takeError(status, message);
  return std::unique_ptr<Grammars>(new Grammars(opened));
}

Result<std::shared_ptr<const Grammar>> Grammars::make(GrammarKind kind, std::string_view text,
                                                      std::chrono::milliseconds deadline) const {
  std::string lark;
  if (kind == GrammarKind::kGbnf) {
    LLCUDA_ASSIGN_OR_RETURN(lark, larkFromGbnf(text));
    kind = GrammarKind::kLark;
    text = lark;
  }
  llcuda_text_grammar* made = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status =
          llcuda_text_grammar_create(handle.get(), static_cast<int32_t>(kind), bytesOf(text), text.size(),
                                     static_cast<uint32_t>(deadline.count()), &made, &message))
    return takeError(status, message);
  return std::shared_ptr<const Grammar>(new Grammar(made));
}

std::shared_ptr<const Grammar> Grammars::find(GrammarKind kind, std::string_view text) {
  const auto found =
      std::ranges::find_if(known, [&](const Known& one) { return one.kind == kind && one.text == text; });
  if (found == known.end())
    return nullptr;
  known.splice(known.begin(), known, found);
  return known.front().grammar;
}

Result<std::shared_ptr<const Grammar>> Grammars::create(GrammarKind kind, std::string_view text,
                                                        std::chrono::milliseconds deadline) {
  if (kind == GrammarKind::kJsonObject)
    text = {};
  {
    const std::lock_guard lock(mutex);
    if (auto grammar = find(kind, text))
      return grammar;
  }
  LLCUDA_ASSIGN_OR_RETURN(auto made, make(kind, text, deadline));
  const std::lock_guard lock(mutex);
  if (auto grammar = find(kind, text)) // another thread was as fast
    return grammar;
  known.push_front({kind, std::string(text), made});
  if (known.size() > kMostKnown)
    known.pop_back();
  return made;
}

} // namespace llcuda::text
