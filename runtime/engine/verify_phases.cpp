// SPDX-License-Identifier: Apache-2.0
// Phases: launches that name existing kernels and buffers, and io buffers large enough for the rows the host writes.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "codegen/formats/sampling.h"
#include "runtime/engine/verify_parts.h"

namespace llcuda::verify {
namespace {

constexpr std::size_t kRoleCount = static_cast<std::size_t>(fb::IoRole::MAX) + 1;

/// What a phase uses: the io buffer of each role but the block tables, and whether it touches what slots keep.
struct PhaseUse {
  std::array<const fb::Buffer*, kRoleCount> io = {};
  bool slots = false;
};

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
                                     work.row_multiply_adds(), work.key_multiply_adds()});
  if (largest > kMaxBufferBytes)
    return badInput(".work has the number ", largest, ", allowed are 0 to ", kMaxBufferBytes);
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
  const bool prompt = phase.kind() == fb::PhaseKind::prompt;
  const uint64_t word = sizeof(int32_t);
  const RoleRule rules[] = {
      {fb::IoRole::tokens, true, true, word * phase.rows()},
      {fb::IoRole::positions, true, true, word * phase.rows()},
      {fb::IoRole::slots, use.slots && engine.max_batch() > 1, true, word * phase.rows()},
      {fb::IoRole::output_rows, prompt, prompt, word * phase.outputs()},
      {fb::IoRole::sampling, true, true, sizeof(SamplingParams) * phase.outputs()},
      {fb::IoRole::logits, true, true, uint64_t{sizeof(float)} * phase.outputs() * engine.model()->vocabulary()},
      {fb::IoRole::sampled, true, true, word * phase.outputs()},
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

Result<void> verifyPhase(const fb::Engine& engine, const fb::Phase& phase) {
  if (phase.kind() > fb::PhaseKind::MAX)
    return badInput(".kind is ", static_cast<int>(phase.kind()));
  const bool decode = phase.kind() == fb::PhaseKind::decode;
  if (phase.rows() == 0 || phase.rows() > kMaxRows)
    return badInput(".rows is ", phase.rows(), ", allowed are 1 to ", kMaxRows);
  if (phase.outputs() != (decode ? phase.rows() : 1))
    return badInput(".outputs is ", phase.outputs(), " for ", phase.rows(), " rows of a ",
                    fb::EnumNamePhaseKind(phase.kind()), " phase");
  const auto& launches = *phase.launches();
  if (launches.size() == 0 || launches.size() > kMaxLaunches)
    return badInput(" has ", launches.size(), " launches, allowed are 1 to ", kMaxLaunches);
  PhaseUse use;
  for (uint32_t i = 0; i < launches.size(); ++i)
    if (auto result = verifyLaunch(engine, *launches[i], use); !result)
      return badInput(".launches[", i, "]", result.error().message);
  LLCUDA_RETURN_IF_ERROR(verifyTaps(engine, phase));
  return verifyRoles(engine, phase, use);
}

} // namespace

Result<void> verifyPhases(const fb::Engine& engine) {
  const auto& phases = *engine.phases();
  if (phases.size() == 0 || phases.size() > kMaxPhases)
    return corrupt("phases has ", phases.size(), " entries, allowed are 1 to ", kMaxPhases);
  std::set<std::pair<fb::PhaseKind, uint32_t>> seen;
  bool prompt = false;
  uint32_t widestDecode = 0;
  for (uint32_t p = 0; p < phases.size(); ++p) {
    const fb::Phase& phase = *phases[p];
    if (auto result = verifyPhase(engine, phase); !result)
      return corrupt("phases[", p, "]", result.error().message);
    if (!seen.emplace(phase.kind(), phase.rows()).second)
      return corrupt("phases[", p, "] repeats an earlier phase of ", phase.rows(), " rows");
    prompt |= phase.kind() == fb::PhaseKind::prompt;
    if (phase.kind() == fb::PhaseKind::decode)
      widestDecode = std::max(widestDecode, phase.rows());
  }
  if (!prompt)
    return corrupt("there is no prompt phase");
  if (widestDecode < engine.max_batch())
    return corrupt("the widest decode phase has ", widestDecode, " rows, max_batch is ", engine.max_batch());
  return {};
}

} // namespace llcuda::verify
