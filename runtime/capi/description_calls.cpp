// SPDX-License-Identifier: Apache-2.0
// llcuda_engine_describe and llcuda_devices.
#include <algorithm>
#include <vector>

#include "runtime/capi/boundary.h"
#include "runtime/capi/engine_state.h"
#include "runtime/cuda/driver.h"
#include "runtime/exec/engine_description.h"

using namespace llcuda;
using namespace llcuda::capi;

namespace {

/// `given` of at most `most`; 0: all of them.
Result<uint32_t> limited(const char* what, uint32_t given, uint32_t most) {
  if (given > most)
    return usageError(what, " is ", given, ", the engine has at most ", most);
  return given == 0 ? most : given;
}

/// Those of one driver; none where it is not there.
Result<void> addDevices(cuda::DriverKind kind, std::vector<llcuda_device_info>& found) {
  const auto driver = cuda::Driver::open(kind);
  if (!driver)
    return driver.error().code == ErrorCode::kNoDevice ? Result<void>() : driver.error();
  LLCUDA_ASSIGN_OR_RETURN(const int count, (*driver)->deviceCount());
  for (int i = 0; i < count; ++i) {
    LLCUDA_ASSIGN_OR_RETURN(const cuda::DeviceInfo info, (*driver)->deviceInfo(i));
    llcuda_device_info device = {};
    device.device = kind == cuda::DriverKind::kCuda ? LLCUDA_DEVICE_CUDA : LLCUDA_DEVICE_HOST;
    device.index = i;
    info.name.copy(device.name, sizeof device.name - 1);
    device.compute_major = info.major;
    device.compute_minor = info.minor;
    device.multiprocessors = info.multiprocessors;
    device.driver_version = (*driver)->version();
    device.total_bytes = info.totalBytes;
    found.push_back(device);
  }
  return {};
}

} // namespace

llcuda_status llcuda_engine_describe(const llcuda_engine* engine, uint32_t context, uint32_t slots, char* text,
                                     size_t capacity, size_t* bytes, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    const Engine& file = engine->state->file();
    LLCUDA_ASSIGN_OR_RETURN(context, limited("context", context, file.metadata().max_context()));
    LLCUDA_ASSIGN_OR_RETURN(slots, limited("slots", slots, file.metadata().max_batch()));
    nlohmann::ordered_json json = engineDescription(file);
    json["fingerprint"] = engine->state->fingerprint();
    json["memory"] = memoryDescription(file, context, slots);
    // Names of files and models may be of any bytes.
    return copyOut(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), text, capacity, bytes);
  });
}

llcuda_status llcuda_devices(llcuda_device_info* devices, size_t capacity, size_t* count, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (capacity != 0 && (!devices || devices->struct_bytes < sizeof devices->struct_bytes))
      return usageError("devices is NULL, or struct_bytes of the first is not set");
    std::vector<llcuda_device_info> found;
    LLCUDA_RETURN_IF_ERROR(addDevices(cuda::DriverKind::kCuda, found));
    LLCUDA_RETURN_IF_ERROR(addDevices(cuda::DriverKind::kHost, found));
    if (count)
      *count = found.size();
    if (found.size() > capacity)
      return usageError("there is room for ", capacity, " of ", found.size());
    const size_t stride = capacity == 0 ? 0 : devices->struct_bytes; // of the caller's structs, which may be older
    for (size_t i = 0; i < found.size(); ++i) {
      auto* to = reinterpret_cast<llcuda_device_info*>(reinterpret_cast<std::byte*>(devices) + i * stride);
      to->struct_bytes = stride;
      handOut(found[i], to);
    }
    return {};
  });
}
