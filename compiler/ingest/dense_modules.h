// SPDX-License-Identifier: Apache-2.0
// Linears that stand in files of their own beside a model, as sentence-transformers saves its Dense modules.
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/safetensors_reader.h"

namespace llcuda::ingest {

/// Answers `dense_2.weight` and, where there is one, `dense_2.bias` of the first file's `linear.weight` and
/// `linear.bias`, `dense_3` of the second's and so on, beside what the base has.
class DenseModules final : public CheckpointOver {
public:
  /// The folders hold a model.safetensors each. kBadInput where one lacks its weight, kUnsupported by name for another
  /// tensor, and for an element type that is not F32, F16 or BF16.
  static Result<std::unique_ptr<const Checkpoint>> over(std::unique_ptr<const Checkpoint> base,
                                                        const std::vector<std::string>& folders);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override;

private:
  explicit DenseModules(std::unique_ptr<const Checkpoint> base) : CheckpointOver(std::move(base)) {}
  Result<void> add(const SafetensorsFile& file, const std::string& module, std::vector<TensorInfo>& tensors);

  struct Source {
    const SafetensorsFile* file;
    const SafetensorsTensor* tensor;
  };
  std::vector<std::unique_ptr<const SafetensorsFile>> files;
  std::unordered_map<std::string, Source> sources; // by the names that they are answered by
};

} // namespace llcuda::ingest
