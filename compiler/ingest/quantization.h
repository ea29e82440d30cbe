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
  uint64_t experts = 0;  ///< of a layer; models of eight have more bits in their attention
  bool weighted = false; ///< by an importance matrix
};

/// The encoding that `tensor` should have, its own when it stays, whatever it has now. What is no weight stays, and so
/// do vectors, norms and the weights that choose experts; an encoding whose blocks do not divide the rows gives way to
/// one with smaller blocks, at last to f16.
formats::TensorType wantedType(const TensorInfo& tensor, const QuantizedModel& model, const QuantizeOptions& options);

/// Whether the elements are numbers by themselves: f32, f16, bf16.
bool isFloat(formats::TensorType type);

/// The same for the compiler, which quantises no tensor twice: asking one that is quantised already for another
/// encoding is kUnsupported. Messages go on after the tensor's name.
Result<formats::TensorType> quantizedType(const TensorInfo& tensor, const QuantizedModel& model,
                                          const QuantizeOptions& options);

} // namespace llcuda::ingest
