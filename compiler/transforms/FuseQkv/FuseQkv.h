// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mlir/Pass/Pass.h"

namespace llcuda {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/FuseQkv/FuseQkv.h.inc"
} // namespace llcuda
