// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_checkpoint.h"

#include <algorithm>
#include <cmath>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "compiler/ingest/bf16_matrix.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kHead = "output.weight", kEmbeddings = "token_embd.weight";

bool changesTensor(const LoraAdapter& adapter, std::string_view tensor) {
  return std::ranges::find(adapter.products(), tensor, &LoraProduct::tensor) != adapter.products().end() ||
         std::ranges::find(adapter.copies(), tensor, &LoraCopy::tensor) != adapter.copies().end();
}

bool isQueryOrKey(std::string_view tensor) {
  for (const std::string_view part : {".attn_q.weight", ".attn_k.weight", ".attn_q.bias", ".attn_k.bias"})
    if (tensor.ends_with(part))
      return true;
  return false;
}

double largestOf(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(double{value}));
  return largest;
}

/// The low-rank product of a tensor's rows, decoded.
struct DecodedProduct {
  std::vector<float> left, right;
  uint64_t rank;
  double scale;

  void addRow(uint64_t row, uint64_t columns, float* values) const {
    for (uint64_t k = 0; k < rank; ++k) {
      const auto factor = static_cast<float>(scale * left[row * rank + k]);
      const float* other = right.data() + k * columns;
      for (uint64_t column = 0; column < columns; ++column) values[column] += factor * other[column];
    }
  }

  /// What no element of the product is above, by magnitude.
  double bound() const {
    std::vector<double> largest(rank); // of each row of the right matrix
    const uint64_t columns = right.size() / rank;
    for (uint64_t k = 0; k < rank; ++k) largest[k] = largestOf(std::span(right).subspan(k * columns, columns));
    double most = 0;
    for (uint64_t row = 0; row < left.size() / rank; ++row) {
      double sum = 0;
      for (uint64_t k = 0; k < rank; ++k) sum += std::abs(scale * left[row * rank + k]) * largest[k];
      most = std::max(most, sum);
    }
    return most;
  }
};

} // namespace

uint64_t LoraCheckpoint::Place::adapterRow(uint64_t row) const {
  const uint64_t own = row - firstRow;
  if (pairRows == 0)
    return own;
  const uint64_t inGroup = own % pairRows;
  return own - inGroup + inGroup % 2 * (pairRows / 2) + inGroup / 2;
}

Result<std::unique_ptr<LoraCheckpoint>> LoraCheckpoint::create(std::unique_ptr<const Checkpoint> base,
                                                               std::vector<ScaledAdapter> adapters,
                                                               const LoraTarget& target, unsigned threads) {
  std::unique_ptr<LoraCheckpoint> checkpoint(new LoraCheckpoint(std::move(base), target, threads));
  checkpoint->adapters = std::move(adapters);
  for (const ScaledAdapter& scaled : checkpoint->adapters)
    if (auto added = checkpoint->add(scaled); !added)
      return makeError(added.error().code, scaled.adapter.folder(), ": ", added.error().message);
  LLCUDA_RETURN_IF_ERROR(checkpoint->listTensors());
  return checkpoint;
}

Result<void> LoraCheckpoint::add(const ScaledAdapter& scaled) {
  const LoraAdapter& adapter = scaled.adapter;
  untieHead(adapter);
  for (const LoraCopy& copy : adapter.copies()) LLCUDA_RETURN_IF_ERROR(addCopy(copy));
  for (const LoraProduct& product : adapter.products())
    LLCUDA_RETURN_IF_ERROR(addProduct(product, scaled.scale * product.scale));
  noteList.insert(noteList.end(), adapter.notes().begin(), adapter.notes().end());
  noteList.push_back(adapter.folder() + ": merged, " + std::to_string(adapter.products().size()) +
                     " low-rank products and " + std::to_string(adapter.copies().size()) + " whole tensors");
  return {};
}

/// An adapter was trained on embeddings and a head that only the base ties: once one of them changes alone, they part.
void LoraCheckpoint::untieHead(const LoraAdapter& adapter) {
  if (base->find(kHead) || changes.contains(kHead) || !base->find(kEmbeddings))
    return;
  const bool head = changesTensor(adapter, kHead), embeddings = changesTensor(adapter, kEmbeddings);
  if (!head && (!embeddings || adapter.config().tiesHead))
    return;
  changes[std::string(kHead)].source = kEmbeddings;
  noteList.push_back(adapter.folder() + ": changes the " + (head ? "head" : "embeddings") + ", which the base ties; " +
                     base->title(kHead) + " is a tensor of its own now");
}

Result<LoraCheckpoint::Place> LoraCheckpoint::place(const std::string& tensor) const {
  const std::optional<uint64_t> layer = layerOf(tensor);
  const LoraTarget::Layer of = layer && *layer < target.layers.size() ? target.layers[*layer] : LoraTarget::Layer();
  const uint64_t pairRows = isQueryOrKey(tensor) ? of.pairRows : 0;
  if (const TensorInfo* own = base->find(tensor))
    return Place{tensor, 0, rowsOf(*own), pairRows};
  if (const auto untied = changes.find(tensor); untied != changes.end())
    return Place{tensor, 0, rowsOf(*base->find(untied->second.source)), 0};
  for (const auto& [part, firstRow, rows] :
       {std::tuple(".attn_q.", uint64_t{0}, of.queryRows), std::tuple(".attn_k.", of.queryRows, of.kvRows),
        std::tuple(".attn_v.", of.queryRows + of.kvRows, of.kvRows)})
    if (const size_t at = tensor.find(part); at != std::string::npos) {
      const std::string fused = tensor.substr(0, at) + ".attn_qkv." + tensor.substr(at + 8);
      if (const TensorInfo* own = base->find(fused); own && own->dims.size() == 2 && firstRow + rows <= rowsOf(*own))
        return Place{fused, firstRow, rows, pairRows};
    }
  return badInput("the adapter changes ", title(tensor), ", which the base does not have; it is of another model");
}

uint64_t LoraCheckpoint::columnsIn(const Place& place) const {
  const TensorInfo* own = base->find(place.tensor);
  return columnsOf(own ? *own : *base->find(changes.find(place.tensor)->second.source));
}

Result<void> LoraCheckpoint::addProduct(const LoraProduct& product, double scale) {
  LLCUDA_ASSIGN_OR_RETURN(const Place at, place(product.tensor));
  if (product.left.rows != at.rows || product.right.columns != columnsIn(at))
    return badInput("the adapter's matrices for ", title(product.tensor), " make ", product.left.rows, "x",
                    product.right.columns, ", the base has ", at.rows, "x", columnsIn(at), "; it is of another model");
  if (!std::isfinite(static_cast<float>(scale)))
    return badInput("the scale of ", title(product.tensor), " is ", scale, ", which is not finite");
  changes[at.tensor].products.push_back({at, &product, scale});
  return {};
}

Result<void> LoraCheckpoint::addCopy(const LoraCopy& copy) {
  LLCUDA_ASSIGN_OR_RETURN(const Place at, place(copy.tensor));
  const std::vector<uint64_t>& shape = copy.stored->shape;
  const bool fits = shape.size() == 2 ? shape[0] == at.rows && shape[1] == columnsIn(at)
                                      : shape.size() == 1 && at.rows == 1 && shape[0] == columnsIn(at);
  if (!fits) {
    std::string sides;
    for (const uint64_t side : shape) sides += (sides.empty() ? "" : "x") + std::to_string(side);
    return badInput("the adapter's ", title(copy.tensor), " is ", sides, ", the base has ", at.rows, "x", columnsIn(at),
                    "; it is of another model, or of one with more tokens");
  }
  Change& change = changes[at.tensor];
  if (std::ranges::any_of(change.copies, [&](const PlacedCopy& other) { return other.place.firstRow == at.firstRow; }))
    return unsupported("two adapters bring their own ", title(copy.tensor), "; one of them has to be merged alone");
  change.copies.push_back({at, copy.stored});
  return {};
}

Result<void> LoraCheckpoint::listTensors() {
  std::vector<TensorInfo> tensors(base->tensors().begin(), base->tensors().end());
  for (auto& [name, change] : changes) {
    if (!change.source.empty()) {
      tensors.push_back(*base->find(change.source));
      tensors.back().name = name;
    }
    change.source = change.source.empty() ? name : change.source;
  }
  size_t widened = 0;
  for (TensorInfo& tensor : tensors) {
    const auto change = changes.find(tensor.name);
    if (change == changes.end() || !change->second.isComputed())
      continue;
    if (tensor.type == TensorType::kBF16 && tensor.dims.size() == 2) {
      LLCUDA_ASSIGN_OR_RETURN(const bool fits, fitsHalf(tensor, change->second));
      tensor.type = fits ? TensorType::kF16 : TensorType::kBF16;
    } else if (!formats::canQuantize(tensor.type)) {
      tensor.type = TensorType::kF16;
      ++widened;
    }
  }
  if (widened != 0)
    noteList.push_back(std::to_string(widened) + " merged tensors became f16: their encoding has no quantiser here");
  setTensors(std::move(tensors));
  return {};
}

/// Whether no element of a merged matrix of bf16 can be too large for f16.
Result<bool> LoraCheckpoint::fitsHalf(const TensorInfo& tensor, const Change& change) const {
  LLCUDA_ASSIGN_OR_RETURN(const TensorBytes stored, base->read(*base->find(change.source)));
  double bound = largestBf16(stored.bytes);
  for (const PlacedCopy& copy : change.copies)
    bound = std::max(bound, largestOf(LoraMatrix{copy.place.rows, columnsOf(tensor), false, copy.stored}.values()));
  for (const auto& [place, product, scale] : change.products)
    bound += DecodedProduct{product->left.values(), product->right.values(), product->right.rows, scale}.bound();
  return bound <= kLargestHalf; // not NaN
}

std::optional<FilePlace> LoraCheckpoint::filePlace(const TensorInfo& tensor) const {
  const auto found = changes.find(tensor.name);
  if (found != changes.end() && found->second.isComputed())
    return std::nullopt;
  const TensorInfo* source = base->find(found == changes.end() ? tensor.name : found->second.source);
  return source ? base->filePlace(*source) : std::nullopt;
}

std::string LoraCheckpoint::title(std::string_view name) const {
  const auto found = changes.find(name);
  return base->title(found == changes.end() || found->second.source.empty() ? name : found->second.source);
}

/// The rows of a tensor, merged; what the adapters bring is decoded once.
class LoraCheckpoint::RowMerger {
public:
  RowMerger(const TensorInfo& tensor, const Change& change, ReadRow base, float normPlus)
      : change(change), base(std::move(base)), columns(columnsOf(tensor)), isVector(tensor.dims.size() == 1),
        plus(tensor.name.ends_with("norm.weight") ? normPlus : 0) {
    for (const auto& [place, product, scale] : change.products)
      products.push_back({product->left.values(), product->right.values(), product->right.rows, scale});
    for (const PlacedCopy& copy : change.copies)
      copies.push_back(LoraMatrix{isVector ? 1 : copy.place.rows, columns, false, copy.stored}.values());
  }

  void read(uint64_t row, float* values) const {
    base(row, values);
    for (size_t i = 0; i < copies.size(); ++i)
      if (isVector)
        copyElements(change.copies[i].place, copies[i], values);
      else if (const Place& at = change.copies[i].place; at.contains(row))
        std::copy_n(copies[i].data() + at.adapterRow(row) * columns, columns, values);
    for (size_t i = 0; i < products.size(); ++i)
      if (const Place& at = change.products[i].place; at.contains(row))
        products[i].addRow(at.adapterRow(row), columns, values);
  }

private:
  void copyElements(const Place& place, const std::vector<float>& from, float* values) const {
    for (uint64_t column = 0; column < columns; ++column) values[column] = from[place.adapterRow(column)] + plus;
  }

  const Change& change;
  const ReadRow base;
  const uint64_t columns;
  const bool isVector;
  const float plus;
  std::vector<DecodedProduct> products; // of change.products
  std::vector<std::vector<float>> copies;
};

Result<TensorBytes> LoraCheckpoint::read(const TensorInfo& tensor) const {
  const auto found = changes.find(tensor.name);
  const TensorInfo* source = base->find(found == changes.end() ? tensor.name : found->second.source);
  if (!source)
    return internalError("the checkpoint has no tensor ", tensor.name);
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes stored, base->read(*source));
  if (found == changes.end() || !found->second.isComputed())
    return stored;
  if (!formats::canDequantize(stored.type))
    return unsupported("tensor ", title(tensor.name), " is ", formats::tensorTypeInfo(stored.type).name,
                       "; this version cannot merge an adapter into it");
  const RowMerger merger(tensor, found->second, decodedRows(*source, std::move(stored)), target.normPlus);
  Result<TensorBytes> encoded = encodeRows(
      tensor, [&](uint64_t row, float* values) { merger.read(row, values); }, threads);
  return encoded ? std::move(encoded) : errorOf(*this, tensor.name, encoded.error());
}

} // namespace llcuda::ingest
