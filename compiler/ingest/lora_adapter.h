// SPDX-License-Identifier: Apache-2.0
// A PEFT folder as changes of tensors with GGUF names. Rows are in the order of Hugging Face files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/ingest/hf_names.h"
#include "compiler/ingest/lora_config.h"
#include "compiler/ingest/safetensors_reader.h"

namespace llcuda::ingest {

/// A matrix of an adapter's file: f32, f16 or bf16.
struct LoraMatrix {
  uint64_t rows = 0, columns = 0; ///< after transposing
  bool transposed = false;        ///< the file has columns for rows
  const SafetensorsTensor* stored = nullptr;

  /// Row after row, in f32.
  std::vector<float> values() const;
};

/// weight += scale * left * right. With a magnitude (DoRA) row i of the sum is then made as long as `magnitude[i]`.
struct LoraProduct {
  std::string tensor;
  LoraMatrix left;  ///< rows x rank
  LoraMatrix right; ///< rank x columns
  double scale = 0;
  const SafetensorsTensor* magnitude = nullptr; ///< an element for each row
};

/// Takes the place of the whole tensor before any product is added. Embeddings and heads of more or fewer tokens than
/// the base's have as many rows.
struct LoraCopy {
  std::string tensor;
  const SafetensorsTensor* stored = nullptr; ///< a matrix or a vector
};

/// bias += scale * stored, of a linear that may have had none.
struct LoraBias {
  std::string tensor;
  const SafetensorsTensor* stored = nullptr; ///< a vector
  double scale = 0;
};

/// Row i takes the place of that of `tokens[i]`, at last.
struct LoraTokens {
  std::string tensor;
  std::vector<uint32_t> tokens;
  const SafetensorsTensor* stored = nullptr; ///< a matrix
};

class LoraAdapter {
public:
  /// Opens adapter_config.json and adapter_model.safetensors of `folder`. Names, types, shapes and values are verified;
  /// whether they fit a base is another question.
  static Result<LoraAdapter> open(const std::string& folder, const HfNaming& naming);

  const std::string& folder() const { return path; }
  const LoraConfig& config() const { return settings; }
  const std::vector<LoraProduct>& products() const { return productList; }
  const std::vector<LoraCopy>& copies() const { return copyList; }
  const std::vector<LoraBias>& biases() const { return biasList; }
  const std::vector<LoraTokens>& tokens() const { return tokenList; }
  const std::vector<std::string>& notes() const { return noteList; } ///< what was left out

private:
  LoraAdapter(std::string folder, LoraConfig config, SafetensorsFile file)
      : path(std::move(folder)), settings(std::move(config)), file(std::make_unique<SafetensorsFile>(std::move(file))) {
  }
  struct Module; // of the file: its path and tensors

  Result<void> list(const HfNaming& naming);
  Result<void> add(const Module& module, const HfNaming& naming);
  Result<void> addProduct(const Module& module, const std::string& tensor, const SafetensorsTensor* a,
                          const SafetensorsTensor* b, bool ofEmbedding);
  Result<void> addMagnitude(const Module& module);
  Result<void> addBias(const Module& module, const std::string& tensor);
  Result<void> addTokens(const Module& module, const std::string& tensor);

  std::string path;
  LoraConfig settings;
  std::unique_ptr<const SafetensorsFile> file; // where `stored` points to, whatever moves
  std::vector<LoraProduct> productList;
  std::vector<LoraCopy> copyList;
  std::vector<LoraBias> biasList;
  std::vector<LoraTokens> tokenList;
  std::vector<std::string> noteList;
};

/// Whether the folder holds an adapter and no weights of a model; it may have the model's configuration.
bool isAdapterFolder(const std::string& folder);

/// "; adapters lie in a/ and b/: give one of these" where sub-folders of `folder` hold some, else empty.
std::string adaptersWithin(const std::string& folder);

} // namespace llcuda::ingest
