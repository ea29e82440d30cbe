// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/finite_values.h"

#include <algorithm>
#include <cmath>

#include "codegen/formats/dequantize.h"

namespace llcuda::ingest {
namespace {

/// The first value of a tensor that is not finite, and where it is; nothing in one of an encoding without values.
std::string nonFiniteIn(const TensorInfo& tensor, const TensorBytes& stored, const Checkpoint& checkpoint) {
  if (!formats::canDequantize(stored.type))
    return {};
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(stored.type);
  constexpr size_t kBlocks = 256;
  std::vector<float> values(kBlocks * info.blockElements);
  const size_t blocks = stored.bytes.size() / info.blockBytes;
  for (size_t block = 0; block < blocks; block += kBlocks) {
    const size_t count = std::min(kBlocks, blocks - block) * info.blockElements;
    formats::dequantizeRow(stored.type, stored.bytes.data() + block * info.blockBytes, count, values.data());
    const auto end = values.begin() + static_cast<std::ptrdiff_t>(count);
    const auto bad = std::find_if(values.begin(), end, [](float value) { return !std::isfinite(value); });
    if (bad != end)
      return detail::concat("tensor ", tensor.name, " holds ", *bad, " at its element ",
                            block * info.blockElements + static_cast<size_t>(bad - values.begin()));
  }
  return {};
}

} // namespace

Result<std::string> nonFiniteValue(const Checkpoint& checkpoint) {
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes stored, checkpoint.read(tensor));
    if (std::string found = nonFiniteIn(tensor, stored, checkpoint); !found.empty())
      return found;
  }
  return std::string();
}

} // namespace llcuda::ingest
