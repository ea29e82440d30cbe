// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace llcuda {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/conversion/LlmToPlan/LlmToPlan.h.inc"
} // namespace llcuda
