// SPDX-License-Identifier: Apache-2.0
// How long each kernel takes, and how many bytes it moves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "runtime/cuda/memory.h"
#include "runtime/exec/phase_run.h"

namespace llcuda {

struct KernelProfile {
  bool feedsBack = true; ///< of the phase, and its rows
  uint32_t rows = 0;
  uint32_t kernel = 0; ///< of the engine's kernels
  uint64_t launches = 0;
  uint64_t nanoseconds = 0;
  uint64_t bytes = 0; ///< that the launches move, as their work says
};

/// Times every launch with events around it. So that these do not time the host, work is put in front of a phase that
/// keeps the device busy until the whole phase is queued.
class Profiler final : public LaunchObserver {
public:
  /// Measures the device's copy bandwidth.
  static Result<std::unique_ptr<Profiler>> create(const Program& program);

  Result<void> begin(const PhaseRun& run) override;
  Result<void> before(const PhaseRun& run, uint32_t launch) override;
  Result<void> after(const PhaseRun& run, uint32_t launch) override;
  Result<void> end(const PhaseRun& run) override;

  /// Bytes read plus bytes written, per second.
  double copyBandwidth() const { return bandwidth; }
  /// By phase, rows and kernel, what takes longest first.
  std::vector<KernelProfile> kernels() const;

private:
  struct Timing {
    cuda::Event start, stop;
  };

  Profiler() = default;
  Result<void> measureCopy(const cuda::Stream& stream);

  std::shared_ptr<const cuda::Context> context;
  cuda::DeviceMemory from, to; // of the copies
  double copyNanoseconds = 0;  // of one of them
  double bandwidth = 0;
  std::vector<Timing> timings; // of the launches of a phase
  std::map<std::tuple<bool, uint32_t, uint32_t>, KernelProfile> profiles;
};

} // namespace llcuda
