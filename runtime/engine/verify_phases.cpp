// SPDX-License-Identifier: Apache-2.0
// Phases: launches that name existing kernels and buffers, and io buffers large enough for the rows the host writes.
#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <tuple>

#include "codegen/formats/row_edits.h"
#include "codegen/formats/sampling.h"
#include "codegen/formats/token_score.h"
#include "runtime/engine/verify_parts.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda::verify {
namespace {

constexpr std::size_t kRoleCount = static_cast<std::size_t>(fb::IoRole::MAX) + 1;

/// What a phase uses: the io buffer of each role but the block tables, and whether it touches what slots keep.
struct PhaseUse {
  std::array<const fb::Buffer*, kRoleCount> io = {};
  bool slots = false;

  const fb::Buffer* of(fb::IoRole role) const { return io[static_cast<std::size_t>(role)]; }
};

/// What slots have been told of how to sample.
constexpr fb::IoRole kSlotRoles[] = {fb::IoRole::samplers, fb::IoRole::history, fb::IoRole::logit_biases,
                                     fb::IoRole::dry_breakers, fb::IoRole::masks};

Result<void> verifyArgument(const fb::Engine& engine, const fb::Argument& argument, PhaseUse& use) {
  if (argument.buffer() >= engine.buffers()->size())
    return badInput("is buffer ", argument.buffer(), " of ", engine.buffers()->size());
  const fb::Buffer& buffer = *engine.buffers()->Get(argument.buffer());
  if (argument.offset() >= buffer.bytes())
    return badInput("starts at ", argument.offset(), " of the buffer's ", buffer.bytes(), " bytes");
  if (argument.offset() % sizeof(uint32_t) != 0)
    return badInput("starts at ", argument.offset(), ", not a multiple of 4");
  const bool isPool = buffer.kind() == fb::BufferKind::kv, isState = buffer.kind() == fb::BufferKind::state;
  use.slots |= isPool || isState;
  if ((isPool || isState) && argument.offset() != 0)
    return badInput("starts inside a ", isPool ? "page pool" : "state");
  if (buffer.kind() != fb::BufferKind::io)
    return {};
  if (argument.offset() != 0)
    return badInput("starts inside an io buffer");
  if (buffer.role() == fb::IoRole::block_table)
    return {}; // verifyTables()
  const fb::Buffer*& known = use.io[static_cast<std::size_t>(buffer.role())];
  if (known && known != &buffer)
    return badInput("is a second buffer of role ", fb::EnumNameIoRole(buffer.role()), " in one phase");
  known = &buffer;
  return {};
}

/// The pools of a launch are found by the block table of their window, which is as large as the slots need.
Result<void> verifyTables(const fb::Engine& engine, const fb::Launch& launch) {
  const uint64_t pages = (engine.max_context() + engine.page_tokens() - 1) / engine.page_tokens();
  const uint64_t bytes = sizeof(int32_t) * engine.max_batch() * pages;
  std::set<uint32_t> pools, tables; // by their windows
  for (const fb::Argument* argument : *launch.arguments()) {
    const fb::Buffer& buffer = *engine.buffers()->Get(argument->buffer());
    if (buffer.kind() == fb::BufferKind::kv)
      pools.insert(buffer.window());
    if (buffer.role() != fb::IoRole::block_table)
      continue;
    tables.insert(buffer.window());
    if (buffer.bytes() < bytes)
      return badInput(" has a buffer of role block_table with ", buffer.bytes(), " bytes, its slots need ", bytes);
  }
  for (const uint32_t window : pools)
    if (!tables.contains(window))
      return badInput(" has a page pool of window ", window, " without the block table of that window");
  return {};
}

Result<void> verifyWork(const fb::Work& work) {
  if (work.unit() > fb::ArithmeticUnit::MAX)
    return badInput(".work.unit is ", static_cast<int>(work.unit()));
  if (work.rows() == 0 || work.rows() > kMaxRows)
    return badInput(".work.rows is ", work.rows(), ", allowed are 1 to ", kMaxRows);
  const uint64_t largest = std::max({work.fixed_bytes(), work.row_read(), work.row_written(), work.key_bytes(),
                                     work.row_multiply_adds(), work.key_multiply_adds(), work.expert_bytes()});
  if (largest > kMaxBufferBytes)
    return badInput(".work has the number ", largest, ", allowed are 0 to ", kMaxBufferBytes);
  if ((work.experts() == 0) != (work.choices() == 0) || work.choices() > work.experts() || work.experts() > kMaxRows ||
      work.tile_rows() > kMaxRows || (work.experts() == 0 && (work.expert_bytes() != 0 || work.tile_rows() != 0)))
    return badInput(".work has ", work.choices(), " choices of ", work.experts(), " experts, ", work.expert_bytes(),
                    " bytes of each and tiles of ", work.tile_rows(), " rows");
  return {};
}

Result<void> verifyLaunch(const fb::Engine& engine, const fb::Launch& launch, PhaseUse& use) {
  if (launch.kernel() >= engine.kernels()->size())
    return badInput(".kernel is ", launch.kernel(), " of ", engine.kernels()->size());
  if (launch.grid_x() == 0 || launch.grid_x() > kMaxGridX || launch.grid_y() == 0 || launch.grid_y() > kMaxGridYZ ||
      launch.grid_z() == 0 || launch.grid_z() > kMaxGridYZ)
    return badInput(" has a grid of ", launch.grid_x(), " x ", launch.grid_y(), " x ", launch.grid_z(), " blocks");
  if (launch.layer() < -1 || launch.layer() >= static_cast<int32_t>(engine.model()->layers()))
    return badInput(".layer is ", launch.layer(), " of ", engine.model()->layers());
  LLCUDA_RETURN_IF_ERROR(verifyWork(*launch.work()));
  const auto& arguments = *launch.arguments();
  const uint32_t wanted = engine.kernels()->Get(launch.kernel())->param_count();
  if (arguments.size() != wanted)
    return badInput(" has ", arguments.size(), " arguments, its kernel has ", wanted, " parameters");
  if (!isAligned(arguments))
    return badInput(".arguments is not aligned");
  for (uint32_t a = 0; a < arguments.size(); ++a)
    if (auto result = verifyArgument(engine, *arguments[a], use); !result)
      return badInput(".arguments[", a, "] ", result.error().message);
  return verifyTables(engine, launch);
}

/// Which roles a phase needs, and the bytes the host writes or reads there.
struct RoleRule {
  fb::IoRole role;
  bool needed;
  bool allowed;
  uint64_t bytes;
};

Result<void> verifyRoles(const fb::Engine& engine, const fb::Phase& phase, const PhaseUse& use) {
  const uint64_t word = sizeof(int32_t), slots = engine.max_batch();
  const auto vocabulary = static_cast<int>(engine.model()->vocabulary());
  const bool chains = std::ranges::any_of(kSlotRoles, [&](fb::IoRole role) { return use.of(role) != nullptr; });
  const bool prompt = isPrompt(phase), encoder = engine.model()->encoder(), says = !encoder;
  const bool scores = prompt && says;
  const uint32_t scored = outputsOf(phase, fb::TailKind::score), pooled = outputsOf(phase, fb::TailKind::pool);
  const RoleRule rules[] = {
      {fb::IoRole::tokens, true, true, word * phase.rows()},
      {fb::IoRole::positions, true, true, word * phase.rows()},
      {fb::IoRole::slots, use.slots && engine.max_batch() > 1, true, word * phase.rows()},
      {fb::IoRole::text_lengths, encoder, encoder, word * slots},
      {fb::IoRole::output_rows, scores, scores, word * outputsOf(phase)},
      {fb::IoRole::sampling, says, says, sizeof(SamplingParams) * outputsOf(phase)},
      {fb::IoRole::logits, says, says, uint64_t{sizeof(float)} * outputsOf(phase) * engine.model()->vocabulary()},
      {fb::IoRole::sampled, says, says, word * outputsOf(phase)},
      {fb::IoRole::scores, says, says, sizeof(TokenScore) * std::max(outputsOf(phase), scored)},
      {fb::IoRole::score_rows, scores, scores, word * scored},
      {fb::IoRole::score_tokens, scores, scores, word * scored},
      {fb::IoRole::pool_rows, prompt, prompt, 2 * word * pooled},
      {fb::IoRole::pooled, prompt, prompt, uint64_t{sizeof(float)} * pooled * engine.model()->embedding()},
      {fb::IoRole::samplers, chains, says, sizeof(SamplerProgram) * slots},
      {fb::IoRole::history, chains, says, word * slots * engine.max_context()},
      {fb::IoRole::logit_biases, chains, says, sizeof(LogitBias) * kLogitBiases * slots},
      {fb::IoRole::dry_breakers, chains, says, word * slots * static_cast<uint64_t>(dryBreakerWords(vocabulary))},
      {fb::IoRole::masks, chains, says, word * slots * static_cast<uint64_t>(maskWords(vocabulary))},
      {fb::IoRole::sampling_reports, chains, says, sizeof(SamplingReport) * outputsOf(phase)},
  };
  for (const RoleRule& rule : rules) {
    const fb::Buffer* buffer = use.io[static_cast<std::size_t>(rule.role)];
    if (!buffer && rule.needed)
      return badInput(" has no buffer of role ", fb::EnumNameIoRole(rule.role));
    if (buffer && !rule.allowed)
      return badInput(" may not have a buffer of role ", fb::EnumNameIoRole(rule.role));
    if (buffer && buffer->bytes() < rule.bytes)
      return badInput(" has a buffer of role ", fb::EnumNameIoRole(rule.role), " with ", buffer->bytes(),
                      " bytes, its rows need ", rule.bytes);
  }
  return {};
}

/// Taps of a phase: each layer's, one after another; the last may have none.
Result<void> verifyTaps(const fb::Engine& engine, const fb::Phase& phase) {
  const uint64_t bytes = uint64_t{sizeof(float)} * phase.rows() * engine.model()->embedding();
  const auto layers = static_cast<int32_t>(engine.model()->layers());
  int32_t next = 0;
  for (uint32_t i = 0; i < phase.launches()->size(); ++i) {
    const fb::Launch& launch = *phase.launches()->Get(i);
    if (launch.tap() == -1)
      continue;
    if (launch.layer() != next)
      return badInput(".launches[", i, "].tap is of layer ", launch.layer(), ", the next one is of layer ", next);
    ++next;
    if (i >= trunkOf(phase).end)
      return badInput(".launches[", i, "].tap is in a tail");
    if (launch.tap() < 0 || static_cast<uint32_t>(launch.tap()) >= engine.buffers()->size())
      return badInput(".launches[", i, "].tap is buffer ", launch.tap(), " of ", engine.buffers()->size());
    const fb::Buffer& buffer = *engine.buffers()->Get(static_cast<uint32_t>(launch.tap()));
    if (buffer.kind() != fb::BufferKind::arena || buffer.bytes() < bytes)
      return badInput(".launches[", i, "].tap is no arena buffer of ", bytes, " bytes");
  }
  if (next != 0 && next + 1 < layers)
    return badInput(" has taps of ", next, " layers of ", layers);
  return {};
}

/// Behind the trunk the tails that the phase has to have, in their order, each with a launch.
Result<void> verifyTails(const fb::Phase& phase, bool encoder) {
  using fb::TailKind;
  constexpr TailKind kKinds[] = {TailKind::sample, TailKind::report, TailKind::score, TailKind::pool};
  if (encoder && phase.feeds_back())
    return badInput(" feeds back, which none of an encoder does");
  const auto kinds = encoder ? std::span(kKinds).last(1) : std::span(kKinds).first(phase.feeds_back() ? 2 : 4);
  const auto& tails = *phase.tails();
  if (tails.size() != kinds.size())
    return badInput(" has ", tails.size(), " tails, one that ",
                    encoder              ? "is of an encoder"
                    : phase.feeds_back() ? "feeds back"
                                         : "does not feed back",
                    " has ", kinds.size());
  static_assert(alignof(fb::Tail) == 4); // as FlatBuffers aligns every vector
  for (uint32_t t = 0; t < tails.size(); ++t) {
    if (tails[t]->kind() != kinds[t])
      return badInput(".tails[", t, "].kind is ", static_cast<int>(tails[t]->kind()), ", not ",
                      fb::EnumNameTailKind(kinds[t]));
    const uint32_t least = t == 0 ? 1 : tails[t - 1]->first() + 1;
    if (tails[t]->first() < least || tails[t]->first() >= phase.launches()->size())
      return badInput(".tails[", t, "].first is ", tails[t]->first(), ", allowed are ", least, " to the last of ",
                      phase.launches()->size(), " launches");
  }
  return {};
}

/// How many rows each tail makes.
Result<void> verifyOutputs(const fb::Phase& phase, bool encoder) {
  using fb::TailKind;
  if (const uint32_t pooled = outputsOf(phase, TailKind::pool); encoder)
    return pooled == rowBlocks(phase)
               ? Result<void>()
               : badInput(".tails[0].outputs is ", pooled, " for ", rowBlocks(phase), " blocks of rows");
  const uint32_t outputs = outputsOf(phase);
  if (phase.feeds_back() && (phase.row_block() != 1 || outputs != phase.rows()))
    return badInput(" feeds back ", outputs, " outputs of ", phase.rows(), " rows in blocks of ", phase.row_block());
  if (outputs == 0 || outputs > rowBlocks(phase))
    return badInput(".tails[0].outputs is ", outputs, ", allowed are 1 to the ", rowBlocks(phase), " blocks of rows");
  if (outputsOf(phase, TailKind::report) != outputs)
    return badInput(".tails[1].outputs is ", outputsOf(phase, TailKind::report), " for the ", outputs,
                    " that are sampled");
  if (phase.feeds_back())
    return {};
  if (const uint32_t scored = outputsOf(phase, TailKind::score); scored == 0 || scored > phase.rows())
    return badInput(".tails[2].outputs is ", scored, ", allowed are 1 to the ", phase.rows(), " rows");
  if (const uint32_t pooled = outputsOf(phase, TailKind::pool); pooled != rowBlocks(phase))
    return badInput(".tails[3].outputs is ", pooled, " for ", rowBlocks(phase), " blocks of rows");
  return {};
}

Result<void> verifyPhase(const fb::Engine& engine, const fb::Phase& phase, PhaseUse& use) {
  if (phase.rows() == 0 || phase.rows() > kMaxRows)
    return badInput(".rows is ", phase.rows(), ", allowed are 1 to ", kMaxRows);
  const auto& launches = *phase.launches();
  if (launches.size() == 0 || launches.size() > kMaxLaunches)
    return badInput(" has ", launches.size(), " launches, allowed are 1 to ", kMaxLaunches);
  const bool encoder = engine.model()->encoder();
  LLCUDA_RETURN_IF_ERROR(verifyTails(phase, encoder));
  if (phase.row_block() == 0 || phase.row_block() > phase.rows())
    return badInput(".row_block is ", phase.row_block(), ", allowed are 1 to the ", phase.rows(), " rows");
  LLCUDA_RETURN_IF_ERROR(verifyOutputs(phase, encoder));
  for (uint32_t i = 0; i < launches.size(); ++i)
    if (auto result = verifyLaunch(engine, *launches[i], use); !result)
      return badInput(".launches[", i, "]", result.error().message);
  LLCUDA_RETURN_IF_ERROR(verifyTaps(engine, phase));
  return verifyRoles(engine, phase, use);
}

/// The launch that changes rows between steps: every block table, and room for an edit of each row.
Result<void> verifyEdits(const fb::Engine& engine, PhaseUse& edits) {
  const fb::Launch& launch = *engine.apply_edits();
  LLCUDA_RETURN_IF_ERROR(verifyLaunch(engine, launch, edits));
  std::multiset<uint32_t> tables;
  for (const fb::Argument* argument : *launch.arguments()) tables.insert(argument->buffer());
  for (uint32_t b = 0; b < engine.buffers()->size(); ++b)
    if (engine.buffers()->Get(b)->role() == fb::IoRole::block_table && tables.count(b) != 1)
      return badInput(" has ", tables.count(b), " arguments for the block table buffers[", b, "], not one");
  const fb::Buffer* buffer = edits.io[static_cast<std::size_t>(fb::IoRole::edits)];
  if (!buffer || buffer->bytes() < editsBytes(engine.max_batch()))
    return badInput(" has ", buffer ? buffer->bytes() : 0, " bytes for edits, its rows need ",
                    editsBytes(engine.max_batch()));
  return {};
}

/// Edits reach the rows of a phase that feeds back, and what the others have sampled.
Result<void> verifyReach(const PhaseUse& edits, const fb::Phase& phase, const PhaseUse& use) {
  for (const fb::IoRole role :
       {fb::IoRole::tokens, fb::IoRole::positions, fb::IoRole::slots, fb::IoRole::sampling, fb::IoRole::sampled}) {
    const auto at = static_cast<std::size_t>(role);
    const bool isReached = phase.feeds_back() != (role == fb::IoRole::sampled);
    if (isReached && use.io[at] && use.io[at] != edits.io[at])
      return badInput(" has a buffer of role ", fb::EnumNameIoRole(role), " that apply_edits has not");
  }
  return {};
}

/// What slots have been told is the same for all phases.
Result<void> verifySlotRoles(const PhaseUse& use, const PhaseUse& first) {
  for (const fb::IoRole role : kSlotRoles)
    if (use.of(role) != first.of(role))
      return badInput(" has another buffer of role ", fb::EnumNameIoRole(role), " than phases[0]");
  return {};
}

} // namespace

Result<void> verifyPhases(const fb::Engine& engine) {
  const auto& phases = *engine.phases();
  if (phases.size() == 0 || phases.size() > kMaxPhases)
    return corrupt("phases has ", phases.size(), " entries, allowed are 1 to ", kMaxPhases);
  std::set<std::tuple<bool, bool, uint32_t>> seen;
  const bool encoder = engine.model()->encoder();
  uint32_t widestPrompt = 0, widestDecode = 0;
  PhaseUse edits, first;
  if (!engine.apply_edits())
    return corrupt("there is no apply_edits");
  if (auto result = verifyEdits(engine, edits); !result)
    return corrupt("apply_edits", result.error().message);
  for (uint32_t p = 0; p < phases.size(); ++p) {
    const fb::Phase& phase = *phases[p];
    PhaseUse use;
    if (auto result = verifyPhase(engine, phase, use); !result)
      return corrupt("phases[", p, "]", result.error().message);
    if (auto result = verifyReach(edits, phase, use); !result)
      return corrupt("phases[", p, "]", result.error().message);
    if (p == 0)
      first = use;
    if (auto result = verifySlotRoles(use, first); !result)
      return corrupt("phases[", p, "]", result.error().message);
    if (!seen.emplace(phase.feeds_back(), isPrompt(phase), phase.rows()).second)
      return corrupt("phases[", p, "] repeats an earlier phase of ", phase.rows(), " rows");
    uint32_t& widest = isPrompt(phase) ? widestPrompt : widestDecode;
    widest = std::max(widest, phase.rows());
  }
  if (widestPrompt == 0)
    return corrupt("there is no prompt phase");
  if (encoder && widestPrompt < engine.max_context())
    return corrupt("the widest phase of an encoder has ", widestPrompt, " rows, max_context is ", engine.max_context());
  if (!encoder && widestDecode < engine.max_batch())
    return corrupt("the widest decode phase has ", widestDecode, " rows, max_batch is ", engine.max_batch());
  return {};
}

} // namespace llcuda::verify
