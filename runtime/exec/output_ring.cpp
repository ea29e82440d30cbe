// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/output_ring.h"

#include <utility>

namespace llcuda {

Result<OutputRing> OutputRing::create(std::shared_ptr<const cuda::Context> context, const OutputSizes& sizes) {
  OutputRing ring;
  ring.sizes = sizes;
  for (Entry& entry : ring.entries) {
    if (sizes.outputs != 0) { // an encoder samples nothing
      LLCUDA_ASSIGN_OR_RETURN(
          entry.sampled.memory,
          cuda::PinnedMemory::allocate(context, sizes.outputs * sizeof(int32_t), "reading tokens back"));
    }
    LLCUDA_ASSIGN_OR_RETURN(entry.arrived, cuda::Event::create(context));
  }
  ring.context = std::move(context);
  return ring;
}

void OutputRing::open() {
  assert(waiting() < kDepth);
  Entry& entry = opened();
  for (Part* part : {&entry.sampled, &entry.logits, &entry.scores, &entry.promptScores, &entry.pooled, &entry.reports})
    part->used = 0;
}

Result<void> OutputRing::add(Part& part, const cuda::Stream& stream, std::size_t bytes, std::size_t most,
                             cuda::CUdeviceptr from) {
  assert(part.used + bytes <= most);
  if (part.memory.bytes().empty()) {
    LLCUDA_ASSIGN_OR_RETURN(part.memory, cuda::PinnedMemory::allocate(context, most, "reading outputs back"));
  }
  LLCUDA_RETURN_IF_ERROR(stream.copyToHost(part.memory.bytes().subspan(part.used, bytes), from));
  part.used += bytes;
  return {};
}

Result<void> OutputRing::copySampled(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from) {
  return add(opened().sampled, stream, outputs * sizeof(int32_t), sizes.outputs * sizeof(int32_t), from);
}

Result<void> OutputRing::copyLogits(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from) {
  const std::size_t row = sizes.vocabulary * sizeof(float);
  return add(opened().logits, stream, outputs * row, sizes.outputs * row, from);
}

Result<void> OutputRing::copyScores(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from) {
  return add(opened().scores, stream, outputs * sizeof(TokenScore), sizes.outputs * sizeof(TokenScore), from);
}

Result<void> OutputRing::copyReports(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from) {
  return add(opened().reports, stream, outputs * sizeof(SamplingReport), sizes.outputs * sizeof(SamplingReport), from);
}

Result<void> OutputRing::copyPromptScores(const cuda::Stream& stream, uint32_t rows, cuda::CUdeviceptr from) {
  return add(opened().promptScores, stream, rows * sizeof(TokenScore), sizes.rows * sizeof(TokenScore), from);
}

Result<void> OutputRing::copyPooled(const cuda::Stream& stream, uint32_t blocks, cuda::CUdeviceptr from) {
  const std::size_t row = sizes.embedding * sizeof(float);
  return add(opened().pooled, stream, blocks * row, sizes.blocks * row, from);
}

Result<void> OutputRing::close(const cuda::Stream& stream) {
  LLCUDA_RETURN_IF_ERROR(stream.record(opened().arrived));
  ++queued;
  return {};
}

Result<bool> OutputRing::hasArrived() const {
  assert(waiting() > 0);
  return entries[taken % kDepth].arrived.done();
}

Result<StepOutput> OutputRing::take() {
  assert(waiting() > 0);
  Entry& entry = entries[taken++ % kDepth];
  LLCUDA_RETURN_IF_ERROR(entry.arrived.synchronize());
  return StepOutput{entry.sampled.values<int32_t>(),   entry.logits.values<float>(),
                    entry.scores.values<TokenScore>(), entry.promptScores.values<TokenScore>(),
                    entry.pooled.values<float>(),      entry.reports.values<SamplingReport>()};
}

} // namespace llcuda
