// SPDX-License-Identifier: Apache-2.0
// The resources of a kernel, as `--ptxas-options=-v` reports them in the program log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llcuda::codegen {

struct KernelResources {
  uint32_t registers = 0;
  uint32_t staticSharedBytes = 0;
  uint32_t spillBytes = 0; ///< stores plus loads
};

/// std::nullopt when the log does not report registers and spills of exactly one entry.
std::optional<KernelResources> parseResources(std::string_view log);

/// The lines of a log that are no resource report: warnings and errors.
std::string messagesOf(std::string_view log);

} // namespace llcuda::codegen
