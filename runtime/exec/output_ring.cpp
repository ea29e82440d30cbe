// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/output_ring.h"

#include <utility>

namespace llcuda {
namespace {

template <typename T>
std::span<T> valuesOf(cuda::PinnedMemory& memory, std::size_t count) {
  return {reinterpret_cast<T*>(memory.bytes().data()), count};
}

} // namespace

Result<OutputRing> OutputRing::create(std::shared_ptr<const cuda::Context> context, uint32_t outputs,
                                      uint32_t vocabulary) {
  OutputRing ring;
  ring.maxOutputs = outputs;
  ring.vocabulary = vocabulary;
  for (Entry& entry : ring.entries) {
    LLCUDA_ASSIGN_OR_RETURN(entry.sampled,
                            cuda::PinnedMemory::allocate(context, outputs * sizeof(int32_t), "reading tokens back"));
    LLCUDA_ASSIGN_OR_RETURN(entry.arrived, cuda::Event::create(context));
  }
  ring.context = std::move(context);
  return ring;
}

Result<void> OutputRing::queue(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr sampled,
                               cuda::CUdeviceptr logits) {
  assert(waiting() < kDepth && outputs <= maxOutputs);
  Entry& entry = entries[queued % kDepth];
  entry.outputs = outputs;
  entry.hasLogits = logits != 0;
  LLCUDA_RETURN_IF_ERROR(stream.copyToHost(entry.sampled.bytes().first(outputs * sizeof(int32_t)), sampled));
  if (entry.hasLogits) {
    const std::size_t rowBytes = vocabulary * sizeof(float);
    if (entry.logits.bytes().empty()) {
      LLCUDA_ASSIGN_OR_RETURN(entry.logits,
                              cuda::PinnedMemory::allocate(context, maxOutputs * rowBytes, "reading logits back"));
    }
    LLCUDA_RETURN_IF_ERROR(stream.copyToHost(entry.logits.bytes().first(outputs * rowBytes), logits));
  }
  LLCUDA_RETURN_IF_ERROR(stream.record(entry.arrived));
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
  StepOutput output;
  output.sampled = valuesOf<int32_t>(entry.sampled, entry.outputs);
  if (entry.hasLogits)
    output.logits = valuesOf<float>(entry.logits, std::size_t{entry.outputs} * vocabulary);
  return output;
}

} // namespace llcuda
