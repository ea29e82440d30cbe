// SPDX-License-Identifier: Apache-2.0
// Which device an engine runs on, and with which of its images.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "runtime/base/log.h"
#include "runtime/base/result.h"
#include "runtime/cuda/context.h"
#include "runtime/engine/engine.h"

namespace llcuda {

enum class DeviceChoice : int { kAuto = 0, kCuda = 1, kHost = 2 };

struct Capability {
  int major = 0;
  int minor = 0;
};

/// The images for a device of this capability: cubins for 7.5, PTX above, host images for 0.0 (hostsim). kNoDevice when
/// the device is older, kUnsupported when the engine lacks the images.
Result<fb::ImageKind> imagesFor(const Engine& engine, Capability capability, const std::string& deviceName);

struct OpenedDevice {
  std::shared_ptr<const cuda::Context> context;
  Capability capability;
  fb::ImageKind images = fb::ImageKind::cubin_sm_75;
  std::chrono::nanoseconds opening{}; ///< how long the driver and its context took

  const std::string& name() const { return context->device().name; }
  bool onHost() const { return images == fb::ImageKind::host_x86_64; }
};

/// Opens GPU `index`, or the host; meanwhile the system begins to read the weights. kAuto: the GPU, else the host with
/// a warning when the engine has host images. kNoDevice when there is nothing that fits.
Result<OpenedDevice> openDevice(const Engine& engine, DeviceChoice choice, int index, const LogSink& log);

} // namespace llcuda
