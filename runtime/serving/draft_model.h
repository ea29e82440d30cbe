// SPDX-License-Identifier: Apache-2.0
// A second engine, smaller than a scheduler's own, that guesses what comes next in its sequences.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/exec/phase_clock.h"
#include "runtime/exec/session.h"
#include "runtime/serving/draft_chances.h"
#include "runtime/serving/measured_costs.h"
#include "runtime/serving/ngram_drafter.h"
#include "runtime/serving/request.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::serving {

struct DraftModelOptions {
  uint32_t context = 0;             ///< positions of a sequence at most, 1 ... max_context
  uint32_t slots = 0;               ///< sequences that it follows at a time, 1 ... max_batch
  uint64_t cacheBytes = UINT64_MAX; ///< of its KV pages at most
  bool graphs = true;
  const StepCosts* costs = nullptr; ///< what its phases are taken to take; null: as they were measured. Outlives it
};

/// A sequence of which up to `most` tokens are to be guessed.
struct DraftRequest {
  uint64_t id = 0;                 ///< of the sequence
  std::span<const int32_t> tokens; ///< all of it
  const RequestOptions* options = nullptr;
  uint32_t most = 0;
};

/// When another guess is not worth its step.
struct DraftWorth {
  double tokenMs = 0; ///< that a right one saves
  double rowMs = 0;   ///< that its row takes in the step that checks it
  double least = 0;   ///< probability below which the draft model's token is no guess
};

/// Guesses of a draft model: chances are of `sure`, its own probabilities, by how often such guesses were right.
struct DraftGuess : Guess {
  std::vector<double> sure;
};

/// Follows sequences in a session of its own, where they stand behind what is said by some tokens: what it has of a
/// sequence that was said otherwise is forgotten. Drafts by the sampler of a request, with the noise that the tokens
/// will be sampled with, where its vocabulary is as large as the model's; else its likeliest tokens. One thread at a
/// time, that of the session beside it. After an error it is not used any more.
class DraftModel {
public:
  /// kUnsupported: an engine of one row, with recurrent states, or with another vocabulary; kOutOfMemory. `vocabulary`:
  /// of the model whose sequences it follows.
  static Result<std::unique_ptr<DraftModel>> create(std::shared_ptr<const Program> program, uint32_t vocabulary,
                                                    const DraftModelOptions& options);

  /// Runs each phase once, so that the first guesses are planned by what they take.
  Result<void> measure();

  /// Tokens of a sequence that it has to read before it guesses, its last one not counted; nothing where it never will:
  /// it does not know one of them, or has neither a slot nor a position left.
  std::optional<uint32_t> behind(uint64_t sequence, std::span<const int32_t> tokens);
  /// The most that a guess() reads by itself; for more there is follow().
  static constexpr uint32_t kReadsBeside = 4;
  /// Positions that it may still guess of a sequence of `length` tokens.
  uint32_t roomBehind(uint32_t length) const;

  /// Queues one prompt run of what a sequence is behind, of a phase that takes `milliseconds` or is the narrowest.
  /// False where its pages do not suffice.
  Result<bool> follow(const DraftRequest& request, double milliseconds);
  /// Guesses of each, none where pages or rows do not suffice; who is behind by more than kReadsBeside is left out.
  /// Waits for them.
  Result<std::vector<DraftGuess>> guess(std::span<const DraftRequest> requests, const DraftWorth& worth);
  /// The first `right` of the checked guesses, of which it was so sure, were right; if there is one more, it was not.
  void judge(std::span<const double> sure, uint32_t right);
  /// The sequence has ended, or gives its place up.
  void leave(uint64_t sequence);

  /// Milliseconds of a step for `rows` sequences of `positions` positions together.
  double stepMs(uint32_t rows, uint64_t positions) const;
  /// Of reading `tokens` tokens at the end of a sequence of `length`.
  double followMs(uint32_t tokens, uint32_t length) const;
  /// Of all that it was asked for, by those costs.
  double spentMs() const { return spent; }
  uint64_t steps() const { return stepCount; }
  /// How often its next guess is right, over all sequences.
  double chance() const { return overall.value(); }
  const MemoryPlan& memoryPlan() const { return session->memoryPlan(); }
  /// Pages of all its pools, and those that no sequence has.
  uint32_t pageCount() const;
  uint32_t freePageCount() const;

  /// Of the phases that are done.
  Result<void> readClock();

private:
  struct Sequence {
    uint32_t slot = 0;
    std::vector<int32_t> tokens; ///< in its cache
    uint32_t agreed = 0;         ///< of these, the first that are the sequence's
    uint64_t lastUse = 0;
    bool isForeign = false; ///< has a token that is not of the vocabulary
    bool hasSampler = false;
  };
  struct Row {
    std::size_t request;
    uint32_t row;
    double chance = 1;
  };

  DraftModel(std::shared_ptr<const Program> program, uint32_t vocabulary, const DraftModelOptions& options);
  const StepCosts& costs() const { return given ? *given : measured.value(); }
  bool hasRoomFor(uint64_t id) const;
  Sequence* place(uint64_t id);
  void agree(Sequence& sequence, std::span<const int32_t> tokens) const;
  Result<uint32_t> begin(Sequence& sequence, const DraftRequest& request);
  bool makeRoom(uint64_t sequence, uint32_t first, uint32_t end, std::vector<uint64_t>& free);
  std::vector<uint64_t> freePages() const;
  SamplingParams samplingOf(const RequestOptions& options) const;
  std::optional<std::size_t> phaseWithin(uint32_t tokens, uint32_t length, double milliseconds) const;
  Result<std::vector<Row>> joinRows(std::span<const DraftRequest> requests);
  Result<void> queueStep(std::span<const Row> rows);

  uint32_t vocabulary; // of the model
  const StepCosts* given;
  PhaseClock clock;
  std::unique_ptr<Session> session;
  std::optional<MeasuredCosts> measured;
  DraftChances chances;
  Frequency overall;
  std::unordered_map<uint64_t, Sequence> sequences;
  std::vector<uint32_t> freeSlots;
  uint64_t round = 0, stepCount = 0;
  double spent = 0;
};

/// Refuses vocabularies that are not alike enough for the tokens of one to be guesses of the other's. Kind, and the
/// rules of BOS and EOS, are the same; so are all tokens that both have but the first kFreeTokens; and one has at most
/// kMoreTokens more than the other.
Result<void> checkDraftVocabulary(const text::Tokenizer& model, const text::Tokenizer& draft);
inline constexpr int32_t kFreeTokens = 5, kMoreTokens = 128;

} // namespace llcuda::serving
