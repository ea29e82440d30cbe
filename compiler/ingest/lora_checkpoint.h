// SPDX-License-Identifier: Apache-2.0
// A checkpoint with adapters merged into its weights, as they are read, or beside them.
#pragma once

#include <map>

#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/lora_adapter.h"
#include "compiler/ingest/low_rank_tensors.h"

namespace llcuda::ingest {

/// How the base differs from the Hugging Face model that an adapter was trained on.
struct LoraTarget {
  struct Layer {
    /// Rows of queries and keys are in the order of adjacent pairs, in groups of so many; 0: not.
    uint64_t pairRows = 0;
    uint64_t queryRows = 0; ///< of fused queries, keys and values
    uint64_t kvRows = 0;
  };
  std::vector<Layer> layers;
  float normPlus = 0; ///< what the base's norms have more than the adapter's: 1 for Gemma in GGUF files
};

struct ScaledAdapter {
  LoraAdapter adapter;
  double scale = 1; ///< besides the adapter's own
};

/// What becomes of the low-rank products of linears whose weights are quantised.
enum class LoraUse {
  kMerged, ///< the weights become f16
  kBeside, ///< the weights stay, and the products are tensors of their own (low_rank_tensors.h)
};

class LoraCheckpoint final : public CheckpointOver {
public:
  /// Merges `adapters`, one after the other, into `base`, but for products that `use` leaves beside it. An adapter that
  /// does not fit, by names or shapes, is kBadInput. Matrices that change become f16, which keeps what was trained: the
  /// bits of a quantised or bf16 base would drop most of a small change. Those of f32 stay, as do those of bf16 with
  /// values too large for f16. Vectors become f32.
  static Result<std::unique_ptr<LoraCheckpoint>> create(std::unique_ptr<const Checkpoint> base,
                                                        std::vector<ScaledAdapter> adapters, const LoraTarget& target,
                                                        LoraUse use, unsigned threads);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  /// Of a head that was tied, the embeddings'.
  std::string title(std::string_view name) const override;
  /// What was done, a sentence each, for the user.
  const std::vector<std::string>& notes() const { return noteList; }

private:
  using Place = LoraPlace;
  struct PlacedCopy {
    Place place;
    const SafetensorsTensor* stored;
  };
  struct PlacedBias {
    Place place; ///< elements, not rows
    const SafetensorsTensor* stored;
    double scale;
  };
  struct Change {
    std::string source; ///< the base's tensor; empty for a bias that the base lacks
    uint64_t rows = 0;  ///< where the source has more or fewer, or is not there; else 0
    std::vector<PlacedCopy> copies;
    std::vector<PlacedProduct> products;
    std::vector<PlacedBias> biases;
    std::vector<const LoraTokens*> tokens;

    /// Else it is the source as it is.
    bool isComputed() const { return !copies.empty() || !products.empty() || !biases.empty() || !tokens.empty(); }
  };
  class RowMerger;

  LoraCheckpoint(std::unique_ptr<const Checkpoint> base, const LoraTarget& target, LoraUse use, unsigned threads)
      : CheckpointOver(std::move(base)), target(target), use(use), threads(threads) {}
  Result<void> add(const ScaledAdapter& scaled);
  Result<void> addCopy(const LoraCopy& copy);
  Result<void> addProduct(const LoraProduct& product, double scale);
  Result<void> addBias(const LoraBias& bias, double scale);
  Result<void> addTokens(const LoraTokens& tokens);
  void untieHead(const LoraAdapter& adapter);
  Result<Place> place(const std::string& tensor) const;
  Result<Place> placeOfBias(const std::string& tensor) const;
  uint64_t columnsIn(const Place& place) const;
  Result<void> checkVocabulary() const;
  bool staysBeside(const TensorInfo& tensor, const Change& change) const;
  void putBeside();
  Result<void> listTensors();
  Result<formats::TensorType> typeOf(const TensorInfo& tensor, const Change& change) const;
  Result<bool> fitsHalf(const TensorInfo& tensor, const Change& change) const;

  const LoraTarget target;
  const LoraUse use;
  const unsigned threads;
  std::vector<ScaledAdapter> adapters;
  std::map<std::string, Change, std::less<>> changes; // by tensor
  LowRankTensors beside;
  std::vector<std::string> noteList;
};

} // namespace llcuda::ingest
