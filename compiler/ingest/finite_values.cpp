// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/finite_values.h"

#include "codegen/formats/dequantize.h"
#include "codegen/formats/finite.h"

namespace llcuda::ingest {

Result<void> checkFinite(const Checkpoint& checkpoint, std::string_view name, const TensorBytes& bytes,
                         uint64_t first) {
  if (!formats::canDequantize(bytes.type))
    return {};
  if (const auto bad = formats::firstNonFinite(bytes.type, bytes.bytes))
    return badInput("tensor ", checkpoint.title(name), " holds ", bad->value, " at its element ", first + bad->element,
                    "; weights must be finite");
  return {};
}

Result<void> checkFinite(const Checkpoint& checkpoint) {
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes stored, checkpoint.read(tensor));
    LLCUDA_RETURN_IF_ERROR(checkFinite(checkpoint, tensor.name, stored));
  }
  return {};
}

} // namespace llcuda::ingest
