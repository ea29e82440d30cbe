// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/profiler.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/engine/launch_work.h"

namespace llcuda {
namespace {

constexpr uint64_t kCopyBytes = uint64_t{128} << 20;
constexpr uint64_t kHostCopyBytes = uint64_t{1} << 20; // hostsim has nothing to wait for
constexpr int kCopies = 8;
/// What the host needs at most to queue a launch and its two events.
constexpr double kQueueNanoseconds = 20e3;

StepRows rowsOf(const PhaseRun& run) {
  return {.rows = run.rows, .sequences = run.sequences, .positions = run.positions};
}

} // namespace

Result<std::unique_ptr<Profiler>> Profiler::create(const Program& program) {
  std::unique_ptr<Profiler> profiler(new Profiler);
  profiler->context = program.device().context;
  const uint64_t bytes = program.device().onHost() ? kHostCopyBytes : kCopyBytes;
  for (cuda::DeviceMemory* memory : {&profiler->from, &profiler->to}) {
    LLCUDA_ASSIGN_OR_RETURN(*memory, cuda::DeviceMemory::allocate(profiler->context, bytes, "measuring copies"));
  }
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Stream stream, cuda::Stream::create(profiler->context));
  LLCUDA_RETURN_IF_ERROR(stream.fill(profiler->from.address(), 1, bytes));
  LLCUDA_RETURN_IF_ERROR(profiler->measureCopy(stream));
  return profiler;
}

/// The best of some copies: the first ones wake the device up.
Result<void> Profiler::measureCopy(const cuda::Stream& stream) {
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Event start, cuda::Event::createTimed(context));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Event stop, cuda::Event::createTimed(context));
  for (int i = 0; i < kCopies; ++i) {
    LLCUDA_RETURN_IF_ERROR(stream.record(start));
    LLCUDA_RETURN_IF_ERROR(stream.copyOnDevice(to.address(), from.address(), from.bytes()));
    LLCUDA_RETURN_IF_ERROR(stream.record(stop));
    LLCUDA_RETURN_IF_ERROR(stop.synchronize());
    LLCUDA_ASSIGN_OR_RETURN(const double nanoseconds, cuda::nanosecondsBetween(start, stop));
    if (i == 0 || nanoseconds < copyNanoseconds)
      copyNanoseconds = std::max(nanoseconds, 1.);
  }
  bandwidth = 2e9 * static_cast<double>(from.bytes()) / copyNanoseconds;
  return {};
}

Result<void> Profiler::begin(const PhaseRun& run) {
  const std::size_t launches = run.launches.count();
  while (timings.size() < launches) {
    Timing timing;
    LLCUDA_ASSIGN_OR_RETURN(timing.start, cuda::Event::createTimed(context));
    LLCUDA_ASSIGN_OR_RETURN(timing.stop, cuda::Event::createTimed(context));
    timings.push_back(std::move(timing));
  }
  if (run.program.device().onHost())
    return {};
  const double copies = std::ceil(static_cast<double>(launches) * kQueueNanoseconds / copyNanoseconds);
  for (double i = 0; i < copies; ++i)
    LLCUDA_RETURN_IF_ERROR(run.stream.copyOnDevice(to.address(), from.address(), from.bytes()));
  return {};
}

Result<void> Profiler::before(const PhaseRun& run, uint32_t launch) {
  return run.stream.record(timings[launch - run.launches.first].start);
}

Result<void> Profiler::after(const PhaseRun& run, uint32_t launch) {
  return run.stream.record(timings[launch - run.launches.first].stop);
}

Result<void> Profiler::end(const PhaseRun& run) {
  LLCUDA_RETURN_IF_ERROR(run.stream.synchronize());
  for (uint32_t i = 0; i < run.launches.count(); ++i) {
    const fb::Launch& launch = *run.phase.launches()->Get(run.launches.first + i);
    LLCUDA_ASSIGN_OR_RETURN(const double nanoseconds, cuda::nanosecondsBetween(timings[i].start, timings[i].stop));
    KernelProfile& profile = profiles[{run.phase.feeds_back(), run.phase.rows(), launch.kernel()}];
    profile.feedsBack = run.phase.feeds_back();
    profile.rows = run.phase.rows();
    profile.kernel = launch.kernel();
    ++profile.launches;
    profile.nanoseconds += static_cast<uint64_t>(std::llround(nanoseconds));
    profile.bytes += bytesOf(workOf(*launch.work()), rowsOf(run));
  }
  return {};
}

std::vector<KernelProfile> Profiler::kernels() const {
  std::vector<KernelProfile> list;
  for (const auto& [key, profile] : profiles) list.push_back(profile);
  std::ranges::stable_sort(list, std::greater(), &KernelProfile::nanoseconds);
  return list;
}

} // namespace llcuda
