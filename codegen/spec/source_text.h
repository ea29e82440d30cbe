// SPDX-License-Identifier: Apache-2.0
// Pieces of the C++ that a KernelSpec holds. The same in every locale.
#pragma once

#include <string>

namespace llcuda::codegen {

/// The shortest literal that reads back as `value`, which is finite: "0.125f", "1e-05f", "1.f".
std::string floatLiteral(float value);

} // namespace llcuda::codegen
