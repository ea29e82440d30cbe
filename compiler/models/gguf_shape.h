// SPDX-License-Identifier: Apache-2.0
// The tensors of a Hugging Face folder as GGUF files of its family have them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ingest/checkpoint.h"
#include "compiler/models/family.h"

namespace llcuda::models {

/// Vectors are f32, scales of norms whole, rows of queries and keys in the order of the architecture; what the file's
/// configuration says of ropes and GGUF's keys cannot is among the tensors. Matrices keep their encoding.
class GgufShape final : public ingest::CheckpointOver {
public:
  /// `config` is that of `base`, `target` the family by which its GGUF file is read.
  GgufShape(std::unique_ptr<const ingest::Checkpoint> base, const ModelConfig& config, const Family& target);

  Result<ingest::TensorBytes> read(const ingest::TensorInfo& tensor) const override;
  std::optional<ingest::FilePlace> filePlace(const ingest::TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override;

private:
  /// Rows of a head that turn and take turns in the file; 0: they stay where they are.
  size_t pairRowsOf(std::string_view name) const;
  float plusOf(std::string_view name) const;

  std::vector<uint32_t> headSizes; ///< of each layer whose rows are reordered; empty: none is
  float normPlus = 0;
  std::map<std::string, std::shared_ptr<const std::vector<float>>, std::less<>> ropeTensors;
};

} // namespace llcuda::models
