// SPDX-License-Identifier: Apache-2.0
// The toy model's kernels as a host image. One row per block; its thread 0 does all. What a kernel finds wrong in the
// buffers that the runtime prepares ends the launch with an error.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "codegen/formats/row_edits.h"
#include "codegen/formats/token_score.h"
#include "runtime/base/hostsim_abi.h"
#include "tests/runtime/engine/toy_engine.h"
#include "tests/runtime/engine/toy_model.h"

namespace llcuda::toy {
namespace {

template <typename T>
T* argument(void* const* arguments, int i) {
  return static_cast<T*>(arguments[i]);
}

uint16_t* cacheEntry(uint16_t* pool, const int32_t* blockTable, int32_t slot, int32_t position) {
  const int32_t page = blockTable[slot * kMaxPages + position / kPageTokens];
  return pool + (page * kPageTokens + position % kPageTokens) * kHeadSize;
}

bool expect(LlcudaHostContext* context, bool condition, const char* message) {
  if (!condition)
    context->table->fail(context, message);
  return condition;
}

// tokens, positions, slots, block_table, weight [vocabulary], x [rows], k pool, v pool, block_table of the window
void embed(LlcudaHostContext* context, void* const* arguments) {
  if (context->thread != 0)
    return;
  const uint32_t row = context->block.x;
  const int32_t token = argument<int32_t>(arguments, 0)[row];
  const int32_t position = argument<int32_t>(arguments, 1)[row];
  const int32_t slot = argument<int32_t>(arguments, 2)[row];
  const auto* blockTable = argument<const int32_t>(arguments, 3);
  const auto* windowTable = argument<const int32_t>(arguments, 8);
  if (position < 0)
    return;
  if (!expect(context, token >= 0 && token < static_cast<int32_t>(kVocabulary), "token outside the vocabulary") ||
      !expect(context, position < static_cast<int32_t>(kMaxContext), "position outside the context") ||
      !expect(context, slot >= 0 && slot < static_cast<int32_t>(kWideBatch), "slot outside the batch") ||
      !expect(context, blockTable[slot * kMaxPages + position / kPageTokens] >= 0, "position without a page") ||
      !expect(context, windowTable[slot * kMaxPages + position / kPageTokens] >= 0,
              "position without a page of values"))
    return;
  argument<float>(arguments, 5)[row] = argument<const float>(arguments, 4)[token];
  *cacheEntry(argument<uint16_t>(arguments, 6), blockTable, slot, position) = static_cast<uint16_t>(token);
  *cacheEntry(argument<uint16_t>(arguments, 7), windowTable, slot, position) = static_cast<uint16_t>(position);
}

struct LogitsArguments {
  const int32_t* positions;
  const int32_t* slots;
  const int32_t* blockTable;
  uint16_t* k;
  uint16_t* v;
  const float* x;
  const float* bias; // constant, one value
  float* logits;
  uint32_t* counter;
  const int32_t* windowTable;
};

void logitsOfRow(LlcudaHostContext* context, const LogitsArguments& a, int32_t row, uint32_t output) {
  const int32_t position = a.positions[row];
  if (position < 0)
    return;
  if (!expect(context, *a.counter == 0, "the counter was not zero"))
    return;
  uint32_t state = 0;
  uint16_t token = 0;
  for (int32_t p = 0; p <= position; ++p) {
    const bool seen = p > position - static_cast<int32_t>(kWindow);
    if (seen && !expect(context, a.windowTable[a.slots[row] * kMaxPages + p / kPageTokens] >= 0, "a page is gone"))
      return;
    if (seen && !expect(context, *cacheEntry(a.v, a.windowTable, a.slots[row], p) == p, "the cache lacks a position"))
      return;
    token = *cacheEntry(a.k, a.blockTable, a.slots[row], p);
    state = folded(state, token);
  }
  if (!expect(context, a.x[row] == static_cast<float>(token), "the row's activation is of another token"))
    return;
  const uint32_t next = state % kVocabulary;
  for (uint32_t t = 0; t < kVocabulary; ++t)
    a.logits[output * kVocabulary + t] = logitOf(t, next, kVocabulary, kLogitStep) + *a.bias;
}

LogitsArguments logitsArguments(void* const* arguments) {
  return {argument<const int32_t>(arguments, 0), argument<const int32_t>(arguments, 1),
          argument<const int32_t>(arguments, 2), argument<uint16_t>(arguments, 3),
          argument<uint16_t>(arguments, 4),      argument<const float>(arguments, 5),
          argument<const float>(arguments, 6),   argument<float>(arguments, 7),
          argument<uint32_t>(arguments, 8),      argument<const int32_t>(arguments, 9)};
}

// positions, slots, block_table, k pool, v pool, x, bias, logits, counter, block_table of the window
void decodeLogits(LlcudaHostContext* context, void* const* arguments) {
  if (context->thread == 0)
    logitsOfRow(context, logitsArguments(arguments), static_cast<int32_t>(context->block.x), context->block.x);
}

// the same, then output_rows
void promptLogits(LlcudaHostContext* context, void* const* arguments) {
  if (context->thread != 0)
    return;
  const int32_t row = argument<const int32_t>(arguments, 10)[context->block.x];
  if (row >= 0)
    logitsOfRow(context, logitsArguments(arguments), row, context->block.x);
}

/// Of the row's logits, in double.
TokenScore scoreOf(const float* logits, int32_t token) {
  TokenScore score = {token, -1, 0, 0, {}, {}};
  double sum = 0;
  for (uint32_t t = 0; t < kVocabulary; ++t) sum += std::exp(static_cast<double>(logits[t]));
  score.logSum = static_cast<float>(std::log(sum));
  score.logProbability = static_cast<float>(logits[token] - std::log(sum));
  std::vector<int32_t> order(kVocabulary);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  for (int rank = 0; rank < kTopTokens; ++rank) {
    score.topTokens[rank] = order[rank];
    score.topLogProbabilities[rank] = static_cast<float>(logits[order[rank]] - std::log(sum));
  }
  return score;
}

// logits, sampled, scores
void report(LlcudaHostContext* context, void* const* arguments) {
  const uint32_t output = context->block.x;
  if (context->thread != 0)
    return;
  const int32_t token = argument<const int32_t>(arguments, 1)[output];
  TokenScore& score = argument<TokenScore>(arguments, 2)[output];
  score.token = token;
  if (token >= 0)
    score = scoreOf(argument<const float>(arguments, 0) + output * kVocabulary, token);
}

// positions, slots, block_table, k pool, v pool, x, bias, score_rows, counter, block_table of the window, score_tokens,
// scores
void score(LlcudaHostContext* context, void* const* arguments) {
  const uint32_t output = context->block.x;
  if (context->thread != 0)
    return;
  const int32_t row = argument<const int32_t>(arguments, 7)[output];
  const int32_t token = argument<const int32_t>(arguments, 10)[output];
  TokenScore& score = argument<TokenScore>(arguments, 11)[output];
  score.token = -1;
  if (!expect(context, (row < 0) == (token < 0), "a row is scored without a token, or a token without a row"))
    return;
  if (row < 0)
    return;
  LogitsArguments from = logitsArguments(arguments);
  if (!expect(context, from.positions[row] >= 0, "a row is scored that nobody has"))
    return;
  std::vector<float> logits(kVocabulary);
  from.logits = logits.data();
  logitsOfRow(context, from, row, 0);
  score = scoreOf(logits.data(), token);
}

// x, pool_rows, pooled
void pool(LlcudaHostContext* context, void* const* arguments) {
  if (context->thread != 0)
    return;
  const uint32_t output = context->block.x;
  const int32_t* range = argument<const int32_t>(arguments, 1) + 2 * output;
  float& sum = argument<float>(arguments, 2)[output];
  sum = 0;
  const auto first = static_cast<int32_t>(output * kRowBlock), end = first + static_cast<int32_t>(kRowBlock);
  if (!expect(context, range[1] == 0 || (range[0] >= first && range[0] + range[1] <= end), "rows of another block"))
    return;
  for (int32_t i = 0; i < range[1]; ++i) sum += argument<const float>(arguments, 0)[range[0] + i];
}

int32_t sampleRow(const float* logits, const SamplingParams& params) {
  if (params.seed == kBrokenSeed && params.step >= kBrokenPosition)
    return kSampledNothing;
  if (params.chain != 0)
    return static_cast<int32_t>(drawn(params.seed, params.step, kVocabulary));
  int32_t best = 0;
  for (uint32_t t = 1; t < kVocabulary; ++t)
    if (logits[t] > logits[best])
      best = static_cast<int32_t>(t);
  return best;
}

int32_t bestAllowed(const float* logits, const uint32_t* mask) {
  int32_t best = kSampledNothing;
  for (int32_t t = 0; t < static_cast<int32_t>(kVocabulary); ++t)
    if ((mask[0] == 0 || (mask[1 + t / 32] >> t % 32 & 1)) && (best < 0 || logits[t] > logits[best]))
      best = t;
  return best;
}

/// `masks`: of all slots; null where there are none.
void sampleDecodeRow(LlcudaHostContext* context, void* const* arguments, const uint32_t* masks) {
  const uint32_t row = context->block.x;
  auto* positions = argument<int32_t>(arguments, 4);
  if (context->thread != 0)
    return;
  auto& params = argument<SamplingParams>(arguments, 1)[row];
  int32_t& sampled = argument<int32_t>(arguments, 2)[row];
  if (positions[row] < 0 || params.hold != 0) {
    sampled = positions[row] < 0 ? kSampledNothing : kSampledHeld;
    return;
  }
  if (!expect(context, params.step == static_cast<uint64_t>(positions[row]), "the sampling step is not the position"))
    return;
  const float* logits = argument<const float>(arguments, 0) + row * kVocabulary;
  const bool isMasked = masks && params.chain != 0;
  const int32_t token =
      isMasked ? bestAllowed(logits, masks + argument<const int32_t>(arguments, 5)[row] * maskWords(kVocabulary))
               : sampleRow(logits, params);
  sampled = token;
  if (token >= 0)
    argument<int32_t>(arguments, 3)[row] = token;
  positions[row] = token >= 0 ? positions[row] + 1 : -1;
  params.step += 1;
}

// logits, sampling, sampled, tokens, positions
void decodeSample(LlcudaHostContext* context, void* const* arguments) {
  sampleDecodeRow(context, arguments, nullptr);
}

// the same, then slots, masks, and what else sampling by a chain has
void maskedSample(LlcudaHostContext* context, void* const* arguments) {
  sampleDecodeRow(context, arguments, argument<const uint32_t>(arguments, 6));
}

// logits, sampling, sampled, output_rows
void promptSample(LlcudaHostContext* context, void* const* arguments) {
  const uint32_t output = context->block.x;
  if (context->thread != 0 || argument<const int32_t>(arguments, 3)[output] < 0)
    return;
  argument<int32_t>(arguments, 2)[output] = sampleRow(argument<const float>(arguments, 0) + output * kVocabulary,
                                                      argument<const SamplingParams>(arguments, 1)[output]);
}

// edits, tokens, positions, slots, sampling, sampled of prompts, block_table, block_table of the window
void applyEdits(LlcudaHostContext* context, void* const* arguments) {
  if (context->thread != 0)
    return;
  struct Row {
    int32_t token, position, slot;
    SamplingParams sampling;
  };
  const auto* header = argument<const EditsHeader>(arguments, 0);
  const auto* edits = reinterpret_cast<const RowEdit*>(header + 1);
  const auto* pages = reinterpret_cast<const PageEdit*>(edits + header->rows);
  auto* tokens = argument<int32_t>(arguments, 1);
  auto* positions = argument<int32_t>(arguments, 2);
  auto* slots = argument<int32_t>(arguments, 3);
  auto* sampling = argument<SamplingParams>(arguments, 4);
  std::vector<Row> rows;
  for (uint32_t i = 0; i < header->rows; ++i) {
    const RowEdit& edit = edits[i];
    Row row = {edit.source, edit.position, edit.slot, edit.sampling};
    if (edit.from == RowSource::kRow)
      row = {tokens[edit.source], positions[edit.source], slots[edit.source], sampling[edit.source]};
    row.sampling.hold = edit.sampling.hold;
    if (edit.from == RowSource::kOutput)
      row.token = argument<const int32_t>(arguments, 5)[edit.source];
    if (row.token < 0)
      row.position = -1;
    rows.push_back(row);
  }
  for (uint32_t i = 0; i < header->rows; ++i) {
    const int32_t at = edits[i].row;
    tokens[at] = rows[i].token, positions[at] = rows[i].position, slots[at] = rows[i].slot;
    sampling[at] = rows[i].sampling;
  }
  for (uint32_t i = 0; i < header->pages; ++i)
    argument<int32_t>(arguments, 6 + pages[i].table)[pages[i].entry] = pages[i].page;
}

const LlcudaHostKernel kKernels[] = {
    {"toy_embed__f32__v97__t32", embed, 9, 32},
    {"toy_decode_logits__f32__v97__t32", decodeLogits, 10, 32},
    {"toy_prompt_logits__f32__v97__t32", promptLogits, 11, 32},
    {"toy_decode_sample__f32__v97__t32", decodeSample, 5, 32},
    {"toy_masked_sample__f32__v97__t32", maskedSample, 12, 32},
    {"toy_chain_sample__f32__v97__t32", promptSample, 10, 32},
    {"toy_prompt_sample__f32__v97__t32", promptSample, 4, 32},
    {"toy_apply_edits__f32__v97__t32", applyEdits, 8, 32},
    {"toy_report__f32__v97__t32", report, 3, 32},
    {"toy_score__f32__v97__t32", score, 12, 32},
    {"toy_pool__f32__v97__t32", pool, 3, 32},
};

} // namespace
} // namespace llcuda::toy

extern "C" __attribute__((visibility("default"))) const LlcudaHostImage llcudaHostImage = {
    LLCUDA_HOST_ABI_VERSION, sizeof(llcuda::toy::kKernels) / sizeof(llcuda::toy::kKernels[0]), llcuda::toy::kKernels};
