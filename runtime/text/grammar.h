// SPDX-License-Identifier: Apache-2.0
// Grammars: which tokens of a vocabulary may come next, so that an answer has the form that was asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/text/tokenizer.h"

struct llcuda_text_grammars;
struct llcuda_text_grammar;
struct llcuda_text_matcher;

namespace llcuda::text {

enum class GrammarKind : int {
  kJsonSchema = 1,
  kJsonObject = 2, ///< any JSON object; has no text
  kRegex = 3,      ///< of the whole answer
  kLark = 4,
  kGbnf = 5, ///< llama.cpp's
};

/// Where one answer stands in its grammar. One thread at a time.
class Matcher {
public:
  /// Bit t % 32 of word t / 32: whether token t may come next; words past the vocabulary become 0. Of a grammar that
  /// has ended the stop tokens may. kBadInput: the grammar has become too complex, or no token of the vocabulary fits;
  /// the matcher is of no use any more.
  Result<void> mask(std::span<uint32_t> words);
  /// kInternal: the token may not come here.
  Result<void> consume(int32_t token);
  /// Text that is no whole token, such as the end of one; blanks in front of it need not be of the grammar. kBadInput:
  /// it may not come here.
  Result<void> consumeText(std::string_view text);
  /// Whether nothing but a stop token may come.
  bool isStopped() const;
  Result<Matcher> clone() const;

private:
  friend class Grammar;
  struct Free {
    void operator()(llcuda_text_matcher* handle) const;
  };
  explicit Matcher(llcuda_text_matcher* handle) : handle(handle) {}

  std::unique_ptr<llcuda_text_matcher, Free> handle;
};

/// Usable by many answers and threads at once.
class Grammar {
public:
  /// At the beginning. The first call takes longer than others: it makes the first mask. kBadInput: as mask().
  Result<Matcher> matcher() const;

private:
  friend class Grammars;
  struct Free {
    void operator()(llcuda_text_grammar* handle) const;
  };
  explicit Grammar(llcuda_text_grammar* handle) : handle(handle) {}

  std::unique_ptr<llcuda_text_grammar, Free> handle;
};

/// What a grammar may take to be read.
inline constexpr std::chrono::milliseconds kGrammarDeadline{5000};

/// Makes grammars of one vocabulary. Any number of threads.
class Grammars {
public:
  /// `vocabulary`: rows of the model's head, which may be more than the tokenizer has ids. kUnsupported: the tokenizer
  /// has no vocabulary. The tokenizer may go afterwards.
  static Result<std::unique_ptr<Grammars>> open(const Tokenizer& tokenizer, uint32_t vocabulary);

  /// Reads a text that may be hostile: kUsage with one sentence, for a JSON schema with a JSON pointer where it is
  /// known, for others with line and column; also when it takes longer than `deadline` or more than 512 MiB. The same
  /// text again gives the same grammar, as long as it is among the last 64.
  Result<std::shared_ptr<const Grammar>> create(GrammarKind kind, std::string_view text,
                                                std::chrono::milliseconds deadline = kGrammarDeadline);

private:
  struct Close {
    void operator()(llcuda_text_grammars* handle) const;
  };
  struct Known {
    GrammarKind kind;
    std::string text;
    std::shared_ptr<const Grammar> grammar;
  };
  explicit Grammars(llcuda_text_grammars* handle) : handle(handle) {}
  Result<std::shared_ptr<const Grammar>> make(GrammarKind kind, std::string_view text,
                                              std::chrono::milliseconds deadline) const;
  std::shared_ptr<const Grammar> find(GrammarKind kind, std::string_view text);

  std::unique_ptr<llcuda_text_grammars, Close> handle;
  std::mutex mutex;
  std::list<Known> known; // the one used last first
};

} // namespace llcuda::text
