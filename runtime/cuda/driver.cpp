// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/driver.h"

#include <dlfcn.h>

#include <filesystem>
#include <vector>

namespace llcuda::cuda {
namespace {

constexpr const char* kCudaLibrary = "libcuda.so.1";
constexpr const char* kHostLibrary = "libllcuda-hostsim.so";

Error noDevice(const std::string& message) {
  return makeError(ErrorCode::kNoDevice, message);
}

/// The folder of the library or program that this code is part of, with a slash; empty when it cannot be told.
std::string ownFolder() {
  static const char marker = 0;
  Dl_info info{};
  if (dladdr(&marker, &info) == 0 || !info.dli_fname)
    return {};
  std::string file = info.dli_fname;
  std::error_code ignored;
  if (file.find('/') == file.npos) // the program, under the name by which it was found on PATH
    file = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  return file.substr(0, file.rfind('/') + 1);
}

std::vector<std::string> candidates(DriverKind kind, const std::string& path) {
  if (!path.empty())
    return {path};
  if (kind == DriverKind::kCuda)
    return {kCudaLibrary};
  const std::string folder = ownFolder();
  if (folder.empty())
    return {kHostLibrary};
  return {folder + kHostLibrary, folder + "../lib/" + kHostLibrary, kHostLibrary};
}

} // namespace

Result<std::shared_ptr<const Driver>> Driver::open(DriverKind kind, const std::string& path) {
  std::shared_ptr<Driver> driver(new Driver());
  std::string reasons;
  for (const std::string& candidate : candidates(kind, path)) {
    void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      reasons += (reasons.empty() ? "" : "; ") + std::string(dlerror());
      continue;
    }
    driver->libraryPath = candidate;
    LLCUDA_RETURN_IF_ERROR(driver->load(library));
    LLCUDA_RETURN_IF_ERROR(driver->initialise());
    return std::shared_ptr<const Driver>(std::move(driver));
  }
  return noDevice((kind == DriverKind::kCuda ? "no CUDA driver is installed: " : "hostsim was not found: ") + reasons);
}

Result<void> Driver::load(void* library) {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...)                                                                            \
  table.symbol.call = reinterpret_cast<CUresult (*)(__VA_ARGS__)>(dlsym(library, table.symbol.name));                  \
  if (!table.symbol.call)                                                                                              \
    return noDevice(libraryPath + " lacks " + table.symbol.name + ": a driver of CUDA 11.4 or newer is needed");
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
  return {};
}

Result<void> Driver::initialise() {
  if (const CUresult result = table.cuInit.call(0); result != CUDA_SUCCESS)
    return noDevice(failed("cuInit", result, "initialising the driver").message);
  return call(table.cuDriverGetVersion, "initialising the driver", &cudaVersion);
}

Result<int> Driver::deviceCount() const {
  int count = 0;
  LLCUDA_RETURN_IF_ERROR(call(table.cuDeviceGetCount, "counting devices", &count));
  return count;
}

Result<DeviceInfo> Driver::deviceInfo(int ordinal) const {
  constexpr std::string_view kPurpose = "asking what the device is";
  CUdevice device = 0;
  LLCUDA_RETURN_IF_ERROR(call(table.cuDeviceGet, kPurpose, &device, ordinal));
  DeviceInfo info;
  char name[256] = {};
  LLCUDA_RETURN_IF_ERROR(call(table.cuDeviceGetName, kPurpose, name, static_cast<int>(sizeof name), device));
  info.name = name;
  size_t bytes = 0;
  LLCUDA_RETURN_IF_ERROR(call(table.cuDeviceTotalMem_v2, kPurpose, &bytes, device));
  info.totalBytes = bytes;
  int multiprocessors = 0, l2Bytes = 0, sharedBytes = 0;
  const std::pair<CUdevice_attribute, int*> attributes[] = {
      {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &info.major},
      {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &info.minor},
      {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &multiprocessors},
      {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, &l2Bytes},
      {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, &sharedBytes},
  };
  for (const auto& [attribute, value] : attributes)
    LLCUDA_RETURN_IF_ERROR(call(table.cuDeviceGetAttribute, kPurpose, value, attribute, device));
  info.multiprocessors = static_cast<uint32_t>(multiprocessors);
  info.l2Bytes = static_cast<uint32_t>(l2Bytes);
  info.sharedBytes = static_cast<uint32_t>(sharedBytes);
  return info;
}

Error Driver::failed(const char* function, CUresult result, std::string_view purpose) const {
  const char* name = nullptr;
  const char* text = nullptr;
  if (table.cuGetErrorName.call(result, &name) != CUDA_SUCCESS || !name)
    name = "an unknown error";
  if (table.cuGetErrorString.call(result, &text) != CUDA_SUCCESS || !text)
    text = "no description";
  const ErrorCode code = result == CUDA_ERROR_OUT_OF_MEMORY ? ErrorCode::kOutOfMemory : ErrorCode::kInternal;
  return makeError(code, function, " gave ", name, " (", text, ") while ", purpose);
}

} // namespace llcuda::cuda
