// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/device.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace llcuda {
namespace {

constexpr Capability kNative = {7, 5};

bool operator<(Capability a, Capability b) {
  return std::pair(a.major, a.minor) < std::pair(b.major, b.minor);
}

Error lacks(const Engine& engine, const char* what, const char* target) {
  return unsupported(engine.path(), ": has no ", what, "; compile the model with --target ", target);
}

/// Has the system read the beginning of the weights while the driver starts, which uses no disk. A thread, because the
/// system makes those wait who ask for more than it has room for.
class ReadAhead {
public:
  explicit ReadAhead(const Engine& engine)
      : thread([&engine](const std::stop_token& stop) {
          const uint64_t bytes = std::min<uint64_t>(engine.segment(schema::SegmentKind::kWeights).size(), kMostBytes);
          for (uint64_t at = 0; at < bytes && !stop.stop_requested(); at += kStepBytes)
            engine.readAhead(schema::SegmentKind::kWeights, at, std::min(kStepBytes, bytes - at));
        }) {}

private:
  static constexpr uint64_t kStepBytes = uint64_t{8} << 20;
  static constexpr uint64_t kMostBytes = uint64_t{1} << 30; // stays in memory until it is used, also in a small one
  std::jthread thread;
};

Result<OpenedDevice> openOn(const Engine& engine, cuda::DriverKind kind, int index) {
  const auto start = std::chrono::steady_clock::now();
  LLCUDA_ASSIGN_OR_RETURN(auto driver, cuda::Driver::open(kind));
  LLCUDA_ASSIGN_OR_RETURN(auto context, cuda::Context::create(driver, index));
  OpenedDevice device;
  device.capability = {context->device().major, context->device().minor};
  LLCUDA_ASSIGN_OR_RETURN(device.images, imagesFor(engine, device.capability, context->device().name));
  device.context = std::move(context);
  device.opening = std::chrono::steady_clock::now() - start;
  return device;
}

Result<OpenedDevice> openHost(const Engine& engine) {
  if (!engine.hasImages(fb::ImageKind::host_x86_64))
    return makeError(ErrorCode::kNoDevice, engine.path(),
                     ": has no host images; compile the model with --target sm_75,host to run it without a GPU");
  return openOn(engine, cuda::DriverKind::kHost, 0);
}

Result<OpenedDevice> openCuda(const Engine& engine, int index, const LogSink& log) {
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openOn(engine, cuda::DriverKind::kCuda, index));
  if (device.images == fb::ImageKind::ptx_compute_75 && log)
    log(LogLevel::kWarning, detail::concat(device.name(), " has compute capability ", device.capability.major, ".",
                                           device.capability.minor, ": running PTX made for 7.5"));
  return device;
}

} // namespace

Result<fb::ImageKind> imagesFor(const Engine& engine, Capability capability, const std::string& deviceName) {
  if (capability.major == 0 && capability.minor == 0)
    return engine.hasImages(fb::ImageKind::host_x86_64) ? Result<fb::ImageKind>(fb::ImageKind::host_x86_64)
                                                        : lacks(engine, "host images", "sm_75,host");
  if (capability < kNative)
    return makeError(ErrorCode::kNoDevice, deviceName, " has compute capability ", capability.major, ".",
                     capability.minor, ", llcuda needs 7.5 or newer");
  const bool native = !(kNative < capability);
  const fb::ImageKind kind = native ? fb::ImageKind::cubin_sm_75 : fb::ImageKind::ptx_compute_75;
  if (!engine.hasImages(kind))
    return lacks(engine, native ? "sm_75 images" : "PTX images", "sm_75");
  return kind;
}

Result<OpenedDevice> openDevice(const Engine& engine, DeviceChoice choice, int index, const LogSink& log) {
  const ReadAhead ahead(engine);
  if (choice == DeviceChoice::kHost)
    return openHost(engine);
  auto gpu = openCuda(engine, index, log);
  if (gpu || choice == DeviceChoice::kCuda || gpu.error().code != ErrorCode::kNoDevice)
    return gpu;
  if (!engine.hasImages(fb::ImageKind::host_x86_64))
    return makeError(ErrorCode::kNoDevice, gpu.error().message,
                     ", and the engine has no host images (--target sm_75,host) to run without one");
  auto host = openHost(engine);
  if (host && log)
    log(LogLevel::kWarning, detail::concat(gpu.error().message, ": running on the host, which is slow"));
  return host;
}

} // namespace llcuda
