// SPDX-License-Identifier: Apache-2.0
// What the engine loop knows of a request.
#pragma once

#include <algorithm>
#include <utility>

#include "runtime/serving/draft_chances.h"
#include "runtime/serving/engine_loop.h"
#include "runtime/serving/ngram_drafter.h"

namespace llcuda::serving {

struct EngineLoop::Request {
  using Clock = std::chrono::steady_clock;
  static constexpr uint32_t kNone = UINT32_MAX;

  Request(uint64_t id, RequestOptions given, const text::Tokenizer* tokenizer, Clock::time_point arrival,
          uint64_t number, uint32_t context, const fb::Model& model)
      : id(id), number(number), arrival(arrival), lastStep(arrival), tokens(std::move(given.tokens)),
        options(std::move(given)), answer(tokenizer, options.specialText, options.stops),
        report(options, static_cast<uint32_t>(tokens.size()), poolingOf(model), model.encoder()) {
    metrics.promptTokens = static_cast<uint32_t>(tokens.size());
    const uint64_t room = context - tokens.size() + 1; // the last token needs no position
    const uint64_t wanted = options.maxTokens < 0 ? UINT64_MAX : static_cast<uint64_t>(options.maxTokens);
    limit = options.task == Task::kEmbed ? 0 : std::min(room, wanted);
    limitReason = room < wanted ? StopReason::kContext : StopReason::kLength;
    samplerState = options.sampler.initialState();
  }

  uint32_t length() const { return static_cast<uint32_t>(tokens.size()); }
  /// Whether the next token has to be of its grammar.
  bool isMasked() const { return constraint && constraint->isActive(); }
  /// The token that ends its reasoning, where it has to come next; where a grammar counts that says what comes.
  std::optional<int32_t> forced() const { return reasoning && !isMasked() ? reasoning->forced() : std::nullopt; }
  /// Whether the next token is of a mask.
  bool needsMask() const { return isMasked() || forced(); }
  /// Whether what is sampled of it has to be read before its next token is.
  bool isReadFirst() const { return constraint || (reasoning && reasoning->mayForce(inFlight)); }
  /// Tokens that it has to have computed as a prompt. Prompt phases have no masks: with a grammar the last one goes
  /// into a decode step.
  uint32_t promptEnd() const { return limit != 0 ? length() - (needsMask() ? 1 : 0) : report.rows(); }

  Pooling poolingOf(const fb::Model& model) const {
    if (options.pooling != Pooling::kDefault)
      return options.pooling;
    return model.pooling() == fb::Pooling::unset ? Pooling::kMean : static_cast<Pooling>(model.pooling());
  }

  const uint64_t id, number; ///< the second: its place in order of arrival
  const Clock::time_point arrival;
  Clock::time_point lastStep;  ///< when it last had a slot
  std::vector<int32_t> tokens; ///< prompt, and what was read of the answer
  const RequestOptions options;
  Answer answer;
  PromptReport report;
  uint64_t limit; ///< tokens to generate
  StopReason limitReason;
  uint64_t queued = 0;   ///< of them, whose step is queued
  uint32_t inFlight = 0; ///< of these, not read yet
  bool hasStarted = false, hasEnded = false;
  bool isHeld = false; ///< generates nothing
  uint64_t turn = 0;   ///< among requests of fair shares
  Prefix prefix;
  uint32_t slot = kNone, row = kNone;
  uint32_t computed = 0; ///< positions in the cache, while it has no row
  std::unique_ptr<Constraint> constraint;
  std::optional<ReasoningBudget> reasoning;
  std::optional<SlotCopy> saved;       ///< while it is paused
  std::optional<NgramDrafter> drafter; ///< once it has a row
  std::optional<Frequency> drafted;    ///< how often a draft model's next guess is right; once it was asked
  SamplerState samplerState;           ///< after the last token that was read
  RequestMetrics metrics;
};

} // namespace llcuda::serving
