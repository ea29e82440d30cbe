// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/exec/phase_run.h"

namespace llcuda {

/// Copies the residual stream after each layer to the host while phases run. kUnsupported for a phase without taps.
class ResidualTaps final : public LaunchObserver {
public:
  Result<void> begin(const PhaseRun& run) override;
  Result<void> after(const PhaseRun& run, uint32_t launch) override;

  /// Of each layer that has a tap (the last may have none): f32 [tokens seen so far][embedding].
  const std::vector<std::vector<float>>& layers() const { return values; }

private:
  std::vector<std::vector<float>> values;
};

} // namespace llcuda
