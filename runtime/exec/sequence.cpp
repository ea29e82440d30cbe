// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/sequence.h"

#include <algorithm>
#include <chrono>

namespace llcuda {
namespace {

using Clock = std::chrono::steady_clock;

uint64_t nanosecondsSince(Clock::time_point start) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

} // namespace

/// One call of generate(). Step 0 is the prompt's output, step n the n-th decode step; a step is queued before the one
/// before it is read, so when it turns out that generation stops, one more has been queued. Its output is dropped, and
/// what it put into the cache is the entry of the last token.
class Sequence::Generation {
public:
  Generation(Sequence& owner, const GenerateOptions& options, Metrics& metrics)
      : owner(owner), session(owner.session), options(options), metrics(metrics) {}

  Result<void> run() {
    const std::size_t before = owner.sequence.size();
    limit = stepLimit(before);
    LLCUDA_RETURN_IF_ERROR(runPrompt());
    if (limit == 0)
      return {};
    for (uint64_t step = 0; metrics.stop == StopReason::kNone; ++step) {
      LLCUDA_RETURN_IF_ERROR(readStep(step));
      if (metrics.stop == StopReason::kNone && step + 1 >= limit)
        metrics.stop = limitReason;
    }
    return {};
  }

private:
  bool wantsLogits() const { return options.logprobs > static_cast<uint32_t>(kTopTokens) || options.forced; }
  StepReads reads() const { return {wantsLogits(), options.logprobs != 0 && !wantsLogits()}; }

  /// The number of tokens to generate. The last one needs no position: it is not computed.
  uint64_t stepLimit(std::size_t size) {
    const uint64_t room = session.context() - size + 1;
    const uint64_t wanted = options.forced          ? options.forced->size()
                            : options.maxTokens < 0 ? UINT64_MAX
                                                    : static_cast<uint64_t>(options.maxTokens);
    limitReason = room < wanted ? StopReason::kContext : options.forced ? StopReason::kForced : StopReason::kLength;
    return std::min(room, wanted);
  }

  Result<void> runPrompt() {
    if (limit == 0) {
      metrics.stop = limitReason;
      return owner.cacheUpTo(owner.sequence.size() - 1);
    }
    // A sequence that is cached to its end has lost its logits: the last token is computed again.
    owner.keepCached(owner.sequence.size() - 1);
    const std::span<const int32_t> rest = owner.tokens().subspan(owner.cached);
    SamplingParams sampling = options.sampling;
    sampling.step = static_cast<uint32_t>(owner.sequence.size() - 1);
    metrics.promptTokens = rest.size();
    if (sampling.chain != 0)
      LLCUDA_RETURN_IF_ERROR(
          session.startSampling(owner.slot, options.sampler, owner.tokens(), options.sampler.initialState()));
    start = Clock::now();
    LLCUDA_RETURN_IF_ERROR(
        session.prompt(owner.slot, static_cast<uint32_t>(owner.cached), rest, &sampling, reads(), owner.cancelled));
    owner.cached = owner.sequence.size();
    return {};
  }

  /// Reads the output of `step`; the step after it is queued first, when there is to be one.
  Result<void> readStep(uint64_t step) {
    if (step == 0) {
      // A device that is done when its work is queued would have the first step count as the prompt's.
      LLCUDA_ASSIGN_OR_RETURN(const bool done, session.hasOutput());
      if (done)
        notePrompt();
    }
    if (step + 1 < limit)
      LLCUDA_RETURN_IF_ERROR(step == 0 ? startDecode() : queueStep(step + 1));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    if (output.sampled[0] < 0)
      return badInput("the logits after token ", owner.sequence.size() - 1,
                      " are no numbers: a weight is none, or values grow beyond what the engine's types hold");
    const int32_t next = options.forced ? (*options.forced)[step] : output.sampled[0];
    if (step == 0 && metrics.promptNs == 0)
      notePrompt();
    if (owner.cancelled)
      return makeError(ErrorCode::kCancelled, "cancelled");
    metrics.generatedTokens = step + 1;
    metrics.decodeSteps = step;
    metrics.decodeNs = step == 0 ? 0 : nanosecondsSince(firstToken);
    owner.sequence.push_back(next);
    return report(step, output);
  }

  /// The first token is there.
  void notePrompt() {
    firstToken = Clock::now();
    metrics.promptNs = metrics.firstTokenNs = std::max<uint64_t>(nanosecondsSince(start), 1);
  }

  /// The first decode step begins with the token that the prompt gives, which need not be known yet.
  Result<void> startDecode() {
    DecodeRow row{owner.slot, 0, static_cast<uint32_t>(owner.sequence.size()), options.sampling};
    if (options.forced) {
      row.token = options.forced->front();
      LLCUDA_RETURN_IF_ERROR(session.join(0, row));
    } else {
      LLCUDA_RETURN_IF_ERROR(session.joinOutput(0, 0, row));
    }
    return queueStep(1);
  }

  Result<void> queueStep(uint64_t step) {
    if (options.forced && step > 1)
      LLCUDA_RETURN_IF_ERROR(session.replaceTokens({&(*options.forced)[step - 1], 1}));
    LLCUDA_RETURN_IF_ERROR(session.queueStep(reads()));
    ++owner.cached;
    return {};
  }

  Result<void> report(uint64_t step, const StepOutput& output) {
    GeneratedToken token;
    token.token = output.sampled[0];
    token.index = static_cast<uint32_t>(step);
    token.stops = options.isStop && options.isStop(token.token);
    ScoredToken scored;
    if (wantsLogits()) {
      LLCUDA_ASSIGN_OR_RETURN(const LogProbabilities probabilities, LogProbabilities::of(output.logits));
      scored = {probabilities[token.token], probabilities.top(options.logprobs)};
      token.logits = output.logits;
      if (options.forced)
        token.forced = Candidate{(*options.forced)[step], probabilities[(*options.forced)[step]]};
    } else if (reads().scores) {
      LLCUDA_ASSIGN_OR_RETURN(scored, ScoredToken::of(output.scores[0], options.logprobs));
    }
    token.logProbability = scored.logProbability;
    token.top = scored.top;
    if (options.onToken && !options.onToken(token))
      metrics.stop = StopReason::kCallback;
    else if (token.stops && !options.forced)
      metrics.stop = StopReason::kToken;
    return {};
  }

  Sequence& owner;
  Session& session;
  const GenerateOptions& options;
  Metrics& metrics;
  uint64_t limit = 0;
  StopReason limitReason = StopReason::kNone;
  Clock::time_point start, firstToken;
};

Result<void> Sequence::append(std::span<const int32_t> added) {
  const auto vocabulary = static_cast<int32_t>(session.program().engine().model().vocabulary());
  for (std::size_t i = 0; i < added.size(); ++i)
    if (added[i] < 0 || added[i] >= vocabulary)
      return usageError("token ", i, " is ", added[i], ", the vocabulary has ", vocabulary);
  if (added.size() > session.context() - sequence.size())
    return usageError(sequence.size() + added.size(), " tokens do not fit into the context of ", session.context(),
                      " positions; use a larger -c");
  sequence.insert(sequence.end(), added.begin(), added.end());
  return {};
}

Result<void> Sequence::cacheUpTo(std::size_t end) {
  if (cached >= end)
    return {};
  keepCached(end);
  LLCUDA_RETURN_IF_ERROR(session.prompt(slot, static_cast<uint32_t>(cached), tokens().subspan(cached, end - cached),
                                        nullptr, false, cancelled));
  cached = end;
  return {};
}

Result<void> Sequence::rewind(std::size_t count) {
  assert(count <= sequence.size());
  sequence.resize(count);
  cached = std::min(cached, count);
  session.truncate(slot, static_cast<uint32_t>(cached));
  return {};
}

Result<void> Sequence::feed(std::span<const int32_t> added) {
  cancelled = false;
  LLCUDA_RETURN_IF_ERROR(append(added));
  return sequence.empty() ? Result<void>() : cacheUpTo(sequence.size() - 1);
}

Result<void> Sequence::generate(std::span<const int32_t> added, const GenerateOptions& options, Metrics& metrics) {
  cancelled = false;
  metrics = {.seed = options.sampling.seed};
  if (sequence.empty() && added.empty())
    return usageError("there is nothing to continue: the prompt has no tokens");
  if (options.forced)
    for (int32_t token : *options.forced)
      if (token < 0 || token >= static_cast<int32_t>(session.program().engine().model().vocabulary()))
        return usageError("forced token ", token, " is outside the vocabulary");
  LLCUDA_RETURN_IF_ERROR(append(added));
  Result<void> result = Generation(*this, options, metrics).run();
  // What is queued beyond the end goes first; after a fault of the device there is nothing to wait for.
  if (result || result.error().code != ErrorCode::kInternal)
    LLCUDA_RETURN_IF_ERROR(session.drain());
  cached = std::min(cached, sequence.size());
  return result;
}

} // namespace llcuda
