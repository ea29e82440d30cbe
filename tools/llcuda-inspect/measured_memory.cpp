// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/measured_memory.h"

#include <algorithm>

#include "runtime/exec/session.h"

namespace llcuda::inspect {

Result<MeasuredMemory> measureMemory(std::shared_ptr<const Engine> engine, uint32_t positions, uint32_t slots,
                                     DeviceChoice choice, int index) {
  if (choice == DeviceChoice::kAuto)
    choice = DeviceChoice::kCuda;
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, choice, index, {}));
  const std::shared_ptr<const cuda::Context> context = device.context;
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo before, context->memoryInfo());
  const MemoryPlan plan = memoryPlan(*engine, positions, slots);
  LLCUDA_RETURN_IF_ERROR(checkMemory(*engine, plan, slots, before.freeBytes, true));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(std::move(engine), std::move(device), false));
  Execution execution;
  execution.capture = Capture::kAtStart;
  LLCUDA_ASSIGN_OR_RETURN(const auto session, Session::create(std::move(program), positions, slots, execution));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo after, context->memoryInfo());
  const uint64_t taken = before.freeBytes - std::min(before.freeBytes, after.freeBytes);
  return MeasuredMemory{context->device().name, before.totalBytes - before.freeBytes,
                        taken - std::min(taken, plan.total()), session->graphCount()};
}

} // namespace llcuda::inspect
