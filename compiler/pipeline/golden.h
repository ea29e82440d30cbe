// SPDX-License-Identifier: Apache-2.0
// The forward pass over a few fixed tokens that every engine carries, for llcuda-run --self-check.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/models/import.h"
#include "compiler/models/open_model.h"
#include "compiler/pipeline/text_segment.h"
#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::pipeline {

inline constexpr size_t kGoldenTokens = 16;
inline constexpr size_t kGoldenTop = 5;

/// The text that is tokenised; the first kGoldenTokens tokens of it are run.
extern const std::string_view kGoldenText;

inline constexpr size_t kGoldenPromptCount = 16;
inline constexpr size_t kGoldenPromptTokens = 16;       ///< of each prompt, at most
inline constexpr size_t kGoldenContinuationTokens = 16; ///< after each prompt
extern const std::string_view kGoldenPrompts[kGoldenPromptCount];

/// For a model without a vocabulary: `count` ids spread over it, others for another `first`.
std::vector<int32_t> goldenIds(size_t count, uint32_t vocabulary, size_t first = 0);

/// What the f32 interpreter answers: the most likely successors of each prefix of `tokens`.
/// `cache` has the types of keys and values, to which those of the interpreter are rounded as the engine's are, and the
/// engine's context, for which longrope takes its factors.
Result<fb::GoldenT> goldenForward(std::shared_ptr<const models::OpenedModel> model, models::ImportOptions cache,
                                  std::span<const int32_t> tokens, unsigned threads);

/// For each of the prompts: its tokens, the interpreter's greedy continuation, and the most likely successors of each
/// prefix. Cut at the context of `cache`.
Result<std::vector<fb::GoldenT>> goldenContinuations(std::shared_ptr<const models::OpenedModel> model,
                                                     models::ImportOptions cache, const TextSegment& text,
                                                     unsigned threads);

} // namespace llcuda::pipeline
