// SPDX-License-Identifier: Apache-2.0
// The tensors of a Hugging Face model under GGUF names. Values are the file's: rows of queries and keys in its order,
// Gemma's norms less 1.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/ingest/bnb_layer.h"
#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/hf_names.h"
#include "compiler/ingest/mxfp4_blocks.h"
#include "compiler/ingest/safetensors_set.h"

namespace llcuda::ingest {

struct HfCheckpointOptions {
  HfNaming naming;
  bool tiedHead = false; ///< the head is the embedding, unless the files hold another one
  bool hasHead = true;   ///< false: the model makes rows of texts and no tokens
};

class HfCheckpoint final : public Checkpoint {
public:
  /// F32, F16 and BF16, what bitsandbytes quantised, and blocks of MXFP4; a tensor of another type or of an unknown
  /// name is refused by name.
  static Result<std::unique_ptr<HfCheckpoint>> open(SafetensorsSet files, const HfCheckpointOptions& options);

  /// A view of the mapping, or a copy where the file's bytes are not aligned to its elements; weights of bitsandbytes
  /// and MXFP4 as rows of blocks.
  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override;

  /// What was left out, a sentence each.
  const std::vector<std::string>& notes() const { return remarks; }

private:
  HfCheckpoint(SafetensorsSet files, const HfNaming& naming) : files(std::move(files)), naming(naming) {}
  Result<void> list(const HfCheckpointOptions& options);
  bool hasOtherHead() const;
  /// `error`, of a tensor, with its file.
  Error inFile(const SafetensorsTensor& tensor, const Error& error) const;
  Result<TensorInfo> describe(const SafetensorsTensor& tensor, std::string gguf, const BnbParts* parts);

  const SafetensorsSet files;
  const HfNaming naming;
  std::unordered_map<std::string, const SafetensorsTensor*> sources; // by GGUF name
  std::unordered_map<std::string, BnbLayer> layers;                  // by GGUF name, of those that are quantised
  std::unordered_map<std::string, Mxfp4Blocks> blocks;               // the same, of those in blocks of MXFP4
  std::vector<std::string> remarks;
};

} // namespace llcuda::ingest
