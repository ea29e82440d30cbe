// SPDX-License-Identifier: Apache-2.0
// What is asked of a scheduler and what it says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/formats/sampling.h"
#include "runtime/base/result.h"
#include "runtime/exec/log_probabilities.h"
#include "runtime/exec/sampler.h"
#include "runtime/exec/sequence.h"
#include "runtime/exec/step_tails.h"
#include "runtime/serving/reasoning_budget.h"
#include "runtime/text/grammar.h"

namespace llcuda::serving {

/// What is asked for.
enum class Task : int {
  kGenerate = 0,
  kEmbed = 1, ///< one row that stands for the prompt; nothing is generated
};

/// Which rows of a prompt become its embedding. Numbers from kMean on are those of the engine's schema.
enum class Pooling : int {
  kDefault = 0, ///< the model's; kMean where it says nothing
  kMean = 1,
  kLast = 2,
  kCls = 3, ///< the first
};

struct RequestOptions {
  std::vector<int32_t> tokens;    ///< the prompt, at least one
  int64_t maxTokens = -1;         ///< -1: until it stops or the context ends
  SamplingParams sampling = {};   ///< of its rows, without `step` and `hold`: Sampler::params()
  Sampler sampler;                ///< read where these have a chain
  std::vector<std::string> stops; ///< end the answer and are not part of it; none is empty
  int32_t logprobs = -1;          ///< most likely tokens to report beside each token's own; -1: nothing is reported
  bool postSampling = false;      ///< these are of the candidates that `sampler`, a chain, leaves; up to kTopTokens
  int32_t promptLogprobs = -1;    ///< the same for the tokens of the prompt from the second on, up to kTopTokens
  Task task = Task::kGenerate;
  Pooling pooling = Pooling::kDefault; ///< of Task::kEmbed
  bool ignoreStop = false;             ///< stop tokens do not stop
  bool specialText = false;            ///< special tokens appear in the text by name
  int32_t priority = 0;                ///< who has a higher one goes first, and keeps its pages longer
  uint64_t cacheSalt = 0;              ///< requests of different ones share no prefixes
  bool prefixCache = true;             ///< false: it neither begins with what others computed nor leaves them anything
  std::string fairKey;                 ///< whose share it counts for, where shares are fair
  std::shared_ptr<const text::Grammar> grammar; ///< of the answer; null: none
  std::vector<std::string> triggers; ///< it begins at the end of the first of these in the answer, in which special
                                     ///< tokens stand by name; none: at the start. None is empty
  std::optional<ReasoningLimit> reasoning; ///< nothing: it reasons as long as it likes
  void* user = nullptr;                    ///< given back with each event

  /// Whether what its prompt computes is read: then it cannot begin with what others have computed.
  bool readsPrompt() const { return promptLogprobs >= 0 || task == Task::kEmbed; }
  /// What its steps leave beside its tokens.
  void addReads(StepReads& reads) const {
    reads.logits |= logprobs > kTopTokens;
    reads.scores |= !postSampling && logprobs >= 0 && logprobs <= kTopTokens;
  }
};

enum class EventKind : int {
  kStarted = 1,  ///< has its slot
  kProgress = 2, ///< a part of the prompt was queued, and it was not the last
  kToken = 3,
  kDone = 4,        ///< the last event of a request
  kFailed = 5,      ///< the last event of a request
  kPromptToken = 6, ///< of each token of the prompt from the second on, in their order
  kEmbedding = 7,
};

/// Of a request; times in nanoseconds of the steady clock.
struct RequestMetrics {
  uint32_t promptTokens = 0;
  uint32_t cachedTokens = 0; ///< of the prompt, which others had computed
  uint32_t generatedTokens = 0;
  uint32_t pauses = 0;              ///< times that it made room for others
  uint32_t draftTokens = 0;         ///< that were guessed
  uint32_t acceptedDraftTokens = 0; ///< of those, and of the generated ones
  uint64_t waitNs = 0;              ///< until it had a slot
  uint64_t firstTokenNs = 0;        ///< from its arrival to its first token
  uint64_t totalNs = 0;
};

struct Event {
  uint64_t request = 0;
  void* user = nullptr;
  EventKind kind = EventKind::kStarted;
  uint64_t seed = 0;                   ///< started: that of the sampler
  uint32_t cachedTokens = 0;           ///< started: of the prompt, which need not be computed
  uint32_t computed = 0, total = 0;    ///< progress: tokens of the prompt
  int32_t token = -1;                  ///< token: -1 where only text comes that was held back
  uint32_t index = 0;                  ///< of the token, in the answer or in the prompt
  bool stops = false;                  ///< it is a stop token, and has no text
  std::string text;                    ///< token: what became certain with it, well-formed by itself
  float logProbability = 0;            ///< where log-probabilities were asked for
  std::vector<Candidate> top;          ///< the same
  std::vector<float> values;           ///< embedding: of length 1
  StopReason stop = StopReason::kNone; ///< done
  int32_t stopString = -1;             ///< done: index of the stop string, with StopReason::kString
  RequestMetrics metrics;              ///< done and failed
  Error error;                         ///< failed
};

/// Of a scheduler so far.
struct Stats {
  uint32_t waiting = 0, prompts = 0, generating = 0, paused = 0; ///< requests
  uint32_t pages = 0, freePages = 0;                             ///< of all groups of pools together
  uint32_t cachedPages = 0;                                      ///< that prefixes alone hold, free when needed
  uint32_t hostPages = 0;                                        ///< of prefixes in host memory
  uint64_t hostBytes = 0;                                        ///< of paused requests there
  uint64_t steps = 0, promptRuns = 0;
  uint64_t promptTokens = 0, generatedTokens = 0;    ///< computed; again computed ones are counted as a prompt's again
  uint64_t cachedTokens = 0;                         ///< of prompts, which others had computed
  uint64_t rows = 0;                                 ///< of all decode steps together, one for each request in a step
  uint64_t drafts = 0;                               ///< times that tokens were guessed for a request
  uint64_t draftTokens = 0, acceptedDraftTokens = 0; ///< that were guessed, and of them right
  uint64_t draftSteps = 0, draftNs = 0; ///< of the draft model, and what it took with what it read, by measured costs
  uint64_t pauses = 0, recomputed = 0;  ///< the second: of those the ones that host memory had no room for
  uint64_t done = 0, failed = 0, cancelled = 0; ///< requests
  uint64_t nanRows = 0;                         ///< requests that failed since their logits were no numbers
  uint64_t heldRows = 0;                        ///< rows of steps that were not sampled since their mask was late
  uint64_t maskNs = 0;                          ///< of the threads that make masks, together
  uint64_t hostStallNs = 0; ///< of the device between the trunk of a step and its tail, while masks were waited for
  uint64_t busyNs = 0, idleNs = 0; ///< of the device in phases, and between them while there was something to do
};

} // namespace llcuda::serving
