// SPDX-License-Identifier: Apache-2.0
// Which encoding each tensor of a model gets when 16-bit weights are quantised: llama.cpp's mixes, and NF4 as
// bitsandbytes applies it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compiler/ingest/checkpoint.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

enum class Quantization : uint8_t { kF16, kQ8_0, kQ4_0, kQ4_K_M, kQ5_K_M, kQ6_K, kNf4 };

/// The values of `--quantize`, lower case.
std::string_view quantizationName(Quantization quantization);
/// In any case, as llama.cpp's users write them; kUsage and all names for another one.
Result<Quantization> quantizationByName(std::string_view name);

/// What becomes of the head, which may be the embeddings too.
enum class HeadEncoding : uint8_t { kKeep, kQ8_0, kQ6_K };
Result<HeadEncoding> headEncodingByName(std::string_view name);

struct QuantizeOptions {
  std::optional<Quantization> quantization; ///< none: linears stay as they are
  std::optional<HeadEncoding> head;         ///< none: as `quantization` says, kept without one
};

/// A model as far as the choice depends on it.
struct QuantizedModel {
  uint64_t layers = 0;
  std::string_view head; ///< the tensor that makes the logits
};

/// The encoding of `tensor`, its own when it stays. Vectors stay; an encoding whose blocks do not divide the rows gives
/// way to one with smaller blocks, at last to f16. Asking a tensor that is quantised already for another encoding is
/// kUnsupported. Messages go on after the tensor's name.
Result<formats::TensorType> quantizedType(const TensorInfo& tensor, const QuantizedModel& model,
                                          const QuantizeOptions& options);

} // namespace llcuda::ingest
