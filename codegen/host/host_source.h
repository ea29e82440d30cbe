// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "codegen/spec/kernel_spec.h"

namespace llcuda::codegen {

/// The translation unit of one kernel for the host: its source, and the body that unpacks hostsim's arguments.
std::string hostKernelSource(const KernelSpec& spec);

/// The translation unit that names the kernels of an image.
std::string hostTableSource(std::span<const KernelSpec* const> specs);

} // namespace llcuda::codegen
