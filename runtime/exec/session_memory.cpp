// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/session_memory.h"

#include <utility>

namespace llcuda {
namespace {

const char* purposeOf(fb::BufferKind kind) {
  switch (kind) {
  case fb::BufferKind::arena:
    return "activations";
  case fb::BufferKind::kv:
    return "the KV cache";
  case fb::BufferKind::state:
    return "the states of sequences";
  default:
    return "io buffers";
  }
}

/// Buffers of one kind, and where each lies in their one allocation.
struct Group {
  std::vector<uint32_t> buffers;
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;
};

Group groupOf(const Engine& engine, fb::BufferKind kind, const MemoryPlan& plan) {
  Group group;
  const auto& buffers = *engine.metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b]->kind() != kind)
      continue;
    group.buffers.push_back(b);
    group.offsets.push_back(kind == fb::BufferKind::arena ? buffers[b]->offset() : group.bytes);
    if (kind != fb::BufferKind::arena)
      group.bytes += schema::alignUp(sessionBytes(*buffers[b], plan));
  }
  if (kind == fb::BufferKind::arena)
    group.bytes = engine.metadata().arena_bytes();
  return group;
}

} // namespace

Result<SessionMemory> SessionMemory::allocate(const Program& program, const MemoryPlan& plan,
                                              const cuda::Stream& stream) {
  const Engine& engine = program.engine();
  const auto& buffers = *engine.metadata().buffers();
  SessionMemory session;
  for (uint32_t b = 0; b < buffers.size(); ++b) session.addresses.push_back(program.address(b));
  const auto block = [&](uint64_t bytes, fb::BufferKind kind) -> Result<cuda::CUdeviceptr> {
    LLCUDA_ASSIGN_OR_RETURN(auto memory,
                            cuda::DeviceMemory::allocate(program.device().context, bytes, purposeOf(kind)));
    if (kind == fb::BufferKind::io || kind == fb::BufferKind::counter || kind == fb::BufferKind::state)
      LLCUDA_RETURN_IF_ERROR(stream.fill(memory.address(), 0, bytes));
    session.memory.push_back(std::move(memory));
    return session.memory.back().address();
  };
  for (fb::BufferKind kind : {fb::BufferKind::arena, fb::BufferKind::kv, fb::BufferKind::state, fb::BufferKind::io,
                              fb::BufferKind::counter}) {
    const Group group = groupOf(engine, kind, plan);
    if (group.buffers.empty())
      continue;
    cuda::CUdeviceptr base = 0;
    if (!program.guarded()) {
      LLCUDA_ASSIGN_OR_RETURN(base, block(group.bytes, kind));
    }
    for (std::size_t i = 0; i < group.buffers.size(); ++i) {
      cuda::CUdeviceptr& address = session.addresses[group.buffers[i]];
      address = base + group.offsets[i];
      if (program.guarded()) {
        LLCUDA_ASSIGN_OR_RETURN(address, block(sessionBytes(*buffers[group.buffers[i]], plan), kind));
      }
    }
  }
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (buffers[b]->role() == fb::IoRole::block_table)
      LLCUDA_RETURN_IF_ERROR(stream.fill(session.addresses[b], 0xff, buffers[b]->bytes()));
  return session;
}

} // namespace llcuda
