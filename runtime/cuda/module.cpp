// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/module.h"

#include <array>
#include <cstring>

namespace llcuda::cuda {
namespace {

constexpr size_t kLogBytes = 4096;
constexpr uint32_t kDefaultDynamicSharedBytes = 48 << 10; // more must be asked for

bool isElf(std::span<const std::byte> image) {
  return image.size() > 4 && std::memcmp(image.data(), "\177ELF", 4) == 0;
}

} // namespace

Result<Module> Module::load(std::shared_ptr<const Context> context, std::span<const std::byte> image,
                            std::string_view what) {
  std::string text; // PTX ends with a NUL, which the engine does not store
  const void* bytes = image.data();
  if (!isElf(image)) {
    text.assign(reinterpret_cast<const char*>(image.data()), image.size());
    bytes = text.c_str();
  }
  std::array<char, kLogBytes> log{};
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log.data(), reinterpret_cast<void*>(uintptr_t{kLogBytes - 1})};
  CUmodule handle = nullptr;
  const auto& functions = context->functions();
  if (auto loaded = context->call(functions.cuModuleLoadDataEx, detail::concat("loading ", what), &handle, bytes,
                                  static_cast<unsigned>(std::size(options)), &options[0], &values[0]);
      !loaded) {
    Error error = std::move(loaded).error();
    if (log[0] != 0)
      error.message += std::string(": ") + log.data();
    return error;
  }
  Module result;
  result.module = {std::move(context), handle};
  return result;
}

Result<Function> Module::function(const std::string& name, uint32_t dynamicSharedBytes) const {
  const Context& context = *module.owner();
  Function function{nullptr, name};
  const std::string purpose = "looking up kernel " + name;
  LLCUDA_RETURN_IF_ERROR(
      context.call(context.functions().cuModuleGetFunction, purpose, &function.handle, module.get(), name.c_str()));
  if (dynamicSharedBytes > kDefaultDynamicSharedBytes)
    LLCUDA_RETURN_IF_ERROR(context.call(context.functions().cuFuncSetAttribute, purpose, function.handle,
                                        CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                        static_cast<int>(dynamicSharedBytes)));
  return function;
}

} // namespace llcuda::cuda
