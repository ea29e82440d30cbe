// SPDX-License-Identifier: Apache-2.0
// Enums that the plan and the engine's schema both have are cast from one to the other, so their numbers are one. MLIR
// and flatbuffers each write their own; a value that is added to one of them alone does not compile here.
#include "codegen/formats/activation.h"
#include "codegen/formats/rope_pairs.h"
#include "codegen/spec/kernel_spec.h"
#include "dialects/llm/Llm.h"
#include "dialects/plan/Plan.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::emit {
namespace {

template <typename A, typename B>
constexpr bool same(A a, B b) {
  return static_cast<unsigned>(a) == static_cast<unsigned>(b);
}

static_assert(same(plan::getMaxEnumValForBufferKind(), fb::BufferKind::MAX));
static_assert(same(plan::BufferKind::Weight, fb::BufferKind::weight));
static_assert(same(plan::BufferKind::Constant, fb::BufferKind::constant));
static_assert(same(plan::BufferKind::Arena, fb::BufferKind::arena));
static_assert(same(plan::BufferKind::Kv, fb::BufferKind::kv));
static_assert(same(plan::BufferKind::Io, fb::BufferKind::io));
static_assert(same(plan::BufferKind::Counter, fb::BufferKind::counter));
static_assert(same(plan::BufferKind::State, fb::BufferKind::state));

static_assert(same(plan::getMaxEnumValForKvPart(), fb::KvPart::MAX));
static_assert(same(plan::KvPart::Keys, fb::KvPart::keys) && same(plan::KvPart::Values, fb::KvPart::values));

static_assert(same(plan::getMaxEnumValForIoRole(), fb::IoRole::MAX));
static_assert(same(plan::IoRole::Tokens, fb::IoRole::tokens) && same(plan::IoRole::Positions, fb::IoRole::positions));
static_assert(same(plan::IoRole::Slots, fb::IoRole::slots) && same(plan::IoRole::OutputRows, fb::IoRole::output_rows));
static_assert(same(plan::IoRole::Sampling, fb::IoRole::sampling));
static_assert(same(plan::IoRole::Samplers, fb::IoRole::samplers) && same(plan::IoRole::History, fb::IoRole::history));
static_assert(same(plan::IoRole::LogitBiases, fb::IoRole::logit_biases));
static_assert(same(plan::IoRole::DryBreakers, fb::IoRole::dry_breakers));
static_assert(same(plan::IoRole::Masks, fb::IoRole::masks));
static_assert(same(plan::IoRole::SamplingReports, fb::IoRole::sampling_reports));
static_assert(same(plan::IoRole::TextLengths, fb::IoRole::text_lengths));
static_assert(same(plan::IoRole::BlockTable, fb::IoRole::block_table));
static_assert(same(plan::IoRole::Logits, fb::IoRole::logits) && same(plan::IoRole::Sampled, fb::IoRole::sampled));

static_assert(same(plan::IoRole::Scores, fb::IoRole::scores) && same(plan::IoRole::Pooled, fb::IoRole::pooled));
static_assert(same(plan::IoRole::ScoreRows, fb::IoRole::score_rows) &&
              same(plan::IoRole::ScoreTokens, fb::IoRole::score_tokens) &&
              same(plan::IoRole::PoolRows, fb::IoRole::pool_rows));

static_assert(same(plan::getMaxEnumValForTailKind(), fb::TailKind::MAX));
static_assert(same(plan::TailKind::Sample, fb::TailKind::sample) && same(plan::TailKind::Score, fb::TailKind::score));
static_assert(same(plan::TailKind::Pool, fb::TailKind::pool) && same(plan::TailKind::Report, fb::TailKind::report));

static_assert(same(plan::getMaxEnumValForArithmeticUnit(), fb::ArithmeticUnit::MAX));

static_assert(same(plan::getMaxEnumValForAccess(), codegen::Access::kReadWrite));
static_assert(same(plan::Access::Read, codegen::Access::kRead) && same(plan::Access::Write, codegen::Access::kWrite));

static_assert(same(llm::getMaxEnumValForRopePairs(), RopePairs::kHalves));
static_assert(same(llm::RopePairs::Adjacent, RopePairs::kAdjacent));
static_assert(same(llm::getMaxEnumValForActivation(), Activation::kTanh));
static_assert(same(llm::Activation::Silu, Activation::kSilu) && same(llm::Activation::GeluTanh, Activation::kGeluTanh));
static_assert(same(llm::Activation::GeluErf, Activation::kGeluErf));

} // namespace
} // namespace llcuda::emit
