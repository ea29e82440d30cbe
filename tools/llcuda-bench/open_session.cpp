// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-bench/open_session.h"

#include <unistd.h>

#include <cstdio>

namespace llcuda::bench {
namespace {

/// A line that is written over, where somebody watches.
void showProgress(uint32_t done, uint32_t all) {
  if (::isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "\rcapturing graphs %u/%u%s", done, all, done == all ? "\r\033[K" : "");
}

} // namespace

Result<OpenedSession> openSession(const std::shared_ptr<const Engine>& engine, const api::SessionOptions& options,
                                  uint32_t context, uint32_t slots, uint64_t cacheBytes, bool timed) {
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device,
                          openDevice(*engine, static_cast<DeviceChoice>(options.device), options.deviceIndex,
                                     [&](LogLevel, std::string_view line) { options.log(LLCUDA_LOG_WARNING, line); }));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, device.context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(*engine, memoryPlan(*engine, context, 1), 1, memory.freeBytes, true));
  if (cacheBytes == 0)
    cacheBytes = cacheBudget(memoryPlan(*engine, context, slots), memory.freeBytes);
  LLCUDA_ASSIGN_OR_RETURN(const MemoryPlan plan, memoryPlanWithin(*engine, context, slots, cacheBytes));
  LLCUDA_RETURN_IF_ERROR(checkMemory(*engine, plan, slots, memory.freeBytes, true));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, options.weightsFrom));
  OpenedSession opened;
  if (timed)
    opened.clock = std::make_unique<PhaseClock>(program->device().context);
  Execution execution;
  execution.graphs = options.graphs;
  execution.capture = Capture::kAtStart;
  execution.onCapture = showProgress;
  execution.cacheBytes = cacheBytes;
  execution.clock = opened.clock.get();
  LLCUDA_ASSIGN_OR_RETURN(opened.session, Session::create(std::move(program), context, slots, std::move(execution)));
  if (options.graphs)
    options.log(LLCUDA_LOG_INFO, detail::concat(opened.session->graphCount(), " graphs take ",
                                                opened.session->graphBytes() >> 20, " MiB of the device"));
  return opened;
}

} // namespace llcuda::bench
