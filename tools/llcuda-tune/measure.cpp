// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/measure.h"

#include <algorithm>
#include <atomic>

#include "runtime/exec/memory_plan.h"
#include "runtime/exec/profiler.h"
#include "runtime/exec/session.h"

namespace llcuda::tune {
namespace {

Result<void> runDecode(Session& session, uint32_t rowCount, uint32_t steps) {
  std::vector<DecodeRow> rows;
  for (uint32_t slot = 0; slot < rowCount; ++slot) {
    session.truncate(slot, 0);
    rows.push_back({slot, 1, 0, {}});
  }
  return session.decode(rows, steps);
}

Result<void> runPrompt(Session& session, uint32_t rowCount, uint32_t runs) {
  const std::vector<int32_t> tokens(rowCount, 1);
  const std::atomic<bool> cancelled = false;
  const SamplingParams greedy = {};
  for (uint32_t run = 0; run < runs; ++run) {
    session.truncate(0, 0);
    LLCUDA_RETURN_IF_ERROR(session.prompt(0, 0, tokens, &greedy, false, cancelled));
    LLCUDA_RETURN_IF_ERROR(session.drain());
  }
  return {};
}

/// Positions that the workload needs: what linears take does not depend on how many there are.
uint32_t contextFor(const fb::Engine& engine, const Workload& workload) {
  uint32_t context = workload.decodeSteps;
  for (const fb::Phase* phase : *engine.phases()) context = std::max(context, phase->rows());
  return std::min(context, engine.max_context());
}

uint32_t runsOf(bool feedsBack, uint32_t context, const Workload& workload) {
  return feedsBack ? std::min(workload.decodeSteps, context) : workload.promptRuns;
}

Result<void> runAll(const std::shared_ptr<const Program>& program, uint32_t context, const Workload& workload,
                    LaunchObserver* observer) {
  const fb::Engine& engine = program->engine().metadata();
  LLCUDA_ASSIGN_OR_RETURN(const auto session, Session::create(program, context, engine.max_batch(),
                                                              {.graphs = false, .observer = observer}));
  for (const fb::Phase* phase : *engine.phases()) {
    const uint32_t runs = runsOf(phase->feeds_back(), context, workload);
    LLCUDA_RETURN_IF_ERROR(phase->feeds_back() ? runDecode(*session, phase->rows(), runs)
                                               : runPrompt(*session, phase->rows(), runs));
  }
  return {};
}

} // namespace

Result<Measurement> measure(const std::string& path, DeviceChoice choice, int index, const Workload& workload) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  const fb::Engine& metadata = engine->metadata();
  const uint32_t context = contextFor(metadata, workload), slots = metadata.max_batch();
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, choice, index, {}));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, device.context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(*engine, memoryPlan(*engine, context, slots), slots, memory.freeBytes, true));
  LLCUDA_ASSIGN_OR_RETURN(const auto program, Program::load(engine, std::move(device), false));

  LLCUDA_RETURN_IF_ERROR(runAll(program, context, {1, 1}, nullptr));
  LLCUDA_ASSIGN_OR_RETURN(const auto profiler, Profiler::create(*program));
  LLCUDA_RETURN_IF_ERROR(runAll(program, context, workload, profiler.get()));
  Measurement result{program->device().name(), {}};
  for (const KernelProfile& kernel : profiler->kernels()) {
    const fb::Kernel& record = *metadata.kernels()->Get(kernel.kernel);
    result.kernels.push_back({kernel.feedsBack, kernel.rows, runsOf(kernel.feedsBack, context, workload),
                              record.name()->str(), record.op()->str(), kernel.launches,
                              static_cast<double>(kernel.nanoseconds) / 1e3});
  }
  return result;
}

} // namespace llcuda::tune
