// SPDX-License-Identifier: Apache-2.0
// A GGUF file, or one that was split into several, as a checkpoint: its tensors are what the files say, in the mapping.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/gguf_reader.h"

namespace llcuda::ingest {

class GgufCheckpoint final : public Checkpoint {
public:
  /// Opens a file and, when it says that it is the first part of a split model, the parts beside it, which are named
  /// `<prefix>-00001-of-00003.gguf`. A part that is missing or belongs to another model is an error that names it.
  static Result<std::unique_ptr<const GgufCheckpoint>> open(const std::string& path);

  /// The file that holds the metadata of the model.
  const GgufFile& metadata() const { return files.front(); }

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override;

private:
  const GgufFile* fileOf(std::string_view tensor) const; ///< nullptr when absent
  explicit GgufCheckpoint(std::vector<GgufFile> opened);

  const std::vector<GgufFile> files;
};

} // namespace llcuda::ingest
