// SPDX-License-Identifier: Apache-2.0
// Launch of apply_edits: rows join, leave and move, and block tables change, in stream order.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct EditsDesc {
  uint32_t rows = 1;   ///< of the widest phase that feeds back; 0: there is none, block tables alone change
  uint32_t tables = 1; ///< groups of the cache
};

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkEdits(const EditsDesc& desc);

///   edits         const uint8_t*  codegen/formats/row_edits.h
///   tokens        int*            [rows]
///   positions     int*            [rows]
///   slots         int*            [rows]
///   sampling      SamplingParams* [rows]
///   sampled       const int*      of the phases that do not feed back
///   block_table_0, block_table_1, ...  int*, in the order of their windows
LaunchSpec applyEditsLaunch(const EditsDesc& desc);

} // namespace llcuda::codegen
