// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_checkpoint.h"

#include <algorithm>
#include <cmath>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "codegen/formats/weight_layout.h"
#include "compiler/ingest/bf16_matrix.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kHead = "output.weight", kEmbeddings = "token_embd.weight", kHeadBias = "output.bias";

const LoraCopy* copyOf(const LoraAdapter& adapter, std::string_view tensor) {
  const auto found = std::ranges::find(adapter.copies(), tensor, &LoraCopy::tensor);
  return found == adapter.copies().end() ? nullptr : &*found;
}

bool multiplies(const LoraAdapter& adapter, std::string_view tensor) {
  return std::ranges::find(adapter.products(), tensor, &LoraProduct::tensor) != adapter.products().end();
}

/// Whether the adapter brings the embeddings as a whole, and the same as the head.
bool bringsTied(const LoraAdapter& adapter) {
  const LoraCopy *embeddings = copyOf(adapter, kEmbeddings), *head = copyOf(adapter, kHead);
  return embeddings && head && embeddings->stored->type == head->stored->type &&
         embeddings->stored->shape == head->stored->shape &&
         std::ranges::equal(embeddings->stored->data, head->stored->data) && !multiplies(adapter, kEmbeddings) &&
         !multiplies(adapter, kHead);
}

/// "blk.0.attn_q.bias" of "blk.0.attn_q.weight", and the other way round.
std::string withSuffix(const std::string& tensor, std::string_view suffix) {
  return tensor.substr(0, tensor.rfind('.')) + std::string(suffix);
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
  std::vector<float> left, right, magnitude;
  uint64_t rank;
  double scale;

  DecodedProduct(const LoraProduct& product, double scale)
      : left(product.left.values()), right(product.right.values()), rank(product.right.rows), scale(scale) {
    if (product.magnitude)
      magnitude = LoraMatrix{1, product.left.rows, false, product.magnitude}.values();
  }

  void addRow(uint64_t row, uint64_t columns, float* values) const {
    for (uint64_t k = 0; k < rank; ++k) {
      const auto factor = static_cast<float>(scale * left[row * rank + k]);
      const float* other = right.data() + k * columns;
      for (uint64_t column = 0; column < columns; ++column) values[column] += factor * other[column];
    }
    if (!magnitude.empty())
      setLength(magnitude[row], std::span(values, columns));
  }

  /// What no element of the product is above, by magnitude; with lengths of the rows, of the sum.
  double bound() const {
    if (!magnitude.empty())
      return largestOf(magnitude);
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

private:
  static void setLength(float length, std::span<float> values) {
    double squares = 0;
    for (const float value : values) squares += double{value} * value;
    const auto factor = static_cast<float>(length / std::sqrt(squares));
    for (float& value : values) value *= factor;
  }
};

} // namespace

Result<std::unique_ptr<LoraCheckpoint>> LoraCheckpoint::create(std::unique_ptr<const Checkpoint> base,
                                                               std::vector<ScaledAdapter> adapters,
                                                               const LoraTarget& target, LoraUse use,
                                                               unsigned threads) {
  std::unique_ptr<LoraCheckpoint> checkpoint(new LoraCheckpoint(std::move(base), target, use, threads));
  checkpoint->adapters = std::move(adapters);
  for (const ScaledAdapter& scaled : checkpoint->adapters)
    if (auto added = checkpoint->add(scaled); !added)
      return makeError(added.error().code, scaled.adapter.folder(), ": ", added.error().message);
  LLCUDA_RETURN_IF_ERROR(checkpoint->checkVocabulary());
  if (use == LoraUse::kBeside)
    checkpoint->putBeside();
  LLCUDA_RETURN_IF_ERROR(checkpoint->listTensors());
  return checkpoint;
}

Result<void> LoraCheckpoint::add(const ScaledAdapter& scaled) {
  const LoraAdapter& adapter = scaled.adapter;
  untieHead(adapter);
  const bool staysTied = !base->find(kHead) && !changes.contains(kHead) && bringsTied(adapter);
  for (const LoraCopy& copy : adapter.copies())
    if (!staysTied || copy.tensor != kHead)
      LLCUDA_RETURN_IF_ERROR(addCopy(copy));
  for (const LoraProduct& product : adapter.products())
    LLCUDA_RETURN_IF_ERROR(addProduct(product, scaled.scale * product.scale));
  for (const LoraBias& bias : adapter.biases()) LLCUDA_RETURN_IF_ERROR(addBias(bias, scaled.scale * bias.scale));
  for (const LoraTokens& tokens : adapter.tokens()) LLCUDA_RETURN_IF_ERROR(addTokens(tokens));
  noteList.insert(noteList.end(), adapter.notes().begin(), adapter.notes().end());
  noteList.push_back(adapter.folder() + ": " + std::to_string(adapter.products().size()) + " low-rank products and " +
                     std::to_string(adapter.copies().size()) + " whole tensors" +
                     (adapter.tokens().empty() ? "" : ", rows of trained tokens"));
  return {};
}

/// An adapter was trained on embeddings and a head that only the base ties: once one of them changes alone, they part.
void LoraCheckpoint::untieHead(const LoraAdapter& adapter) {
  if (base->find(kHead) || changes.contains(kHead) || !base->find(kEmbeddings))
    return;
  // PEFT ties rows of trained tokens as the base does.
  const bool head = multiplies(adapter, kHead) || copyOf(adapter, kHead);
  const bool embeddings = multiplies(adapter, kEmbeddings) || copyOf(adapter, kEmbeddings);
  if (bringsTied(adapter))
    return;
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
  const auto change = changes.find(tensor);
  if (change != changes.end() && change->second.rows != 0)
    return Place{tensor, 0, change->second.rows, pairRows};
  if (const TensorInfo* own = base->find(tensor))
    return Place{tensor, 0, rowsOf(*own), pairRows};
  if (change != changes.end())
    return Place{tensor, 0, rowsOf(*base->find(change->second.source)), 0};
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

/// Of a linear's bias, which the base may lack.
Result<LoraCheckpoint::Place> LoraCheckpoint::placeOfBias(const std::string& tensor) const {
  LLCUDA_ASSIGN_OR_RETURN(Place at, place(withSuffix(tensor, ".weight")));
  at.tensor = withSuffix(at.tensor, ".bias");
  return at;
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

Result<void> LoraCheckpoint::addBias(const LoraBias& bias, double scale) {
  LLCUDA_ASSIGN_OR_RETURN(const Place at, placeOfBias(bias.tensor));
  if (bias.tensor == kHeadBias)
    return unsupported("the adapter adds a bias to ", title(kHead), ", which this version does not compute");
  if (bias.stored->shape[0] != at.rows)
    return badInput("the adapter's ", title(bias.tensor), " has ", bias.stored->shape[0], " elements, the base has ",
                    at.rows, "; it is of another model");
  Change& change = changes[at.tensor];
  if (!base->find(at.tensor))
    change.rows = rowsOf(*base->find(withSuffix(at.tensor, ".weight")));
  change.biases.push_back({at, bias.stored, scale});
  return {};
}

Result<void> LoraCheckpoint::addTokens(const LoraTokens& tokens) {
  LLCUDA_ASSIGN_OR_RETURN(const Place at, place(tokens.tensor));
  if (tokens.stored->shape[1] != columnsIn(at))
    return badInput("the adapter's rows of ", title(tokens.tensor), " have ", tokens.stored->shape[1],
                    " columns, the base has ", columnsIn(at), "; it is of another model");
  if (const uint32_t last = std::ranges::max(tokens.tokens); last >= at.rows)
    return badInput("the adapter has a row for token ", last, " of ", title(tokens.tensor), ", which has ", at.rows,
                    " rows; it is of a model with more tokens");
  changes[at.tensor].tokens.push_back(&tokens);
  return {};
}

Result<void> LoraCheckpoint::addCopy(const LoraCopy& copy) {
  LLCUDA_ASSIGN_OR_RETURN(Place at, place(copy.tensor));
  const std::vector<uint64_t>& shape = copy.stored->shape;
  const bool ofTokens = copy.tensor == kEmbeddings || copy.tensor == kHead;
  if (ofTokens && shape.size() == 2 && shape[1] == columnsIn(at) && shape[0] != 0)
    at.rows = changes[at.tensor].rows = shape[0];
  const bool fits = shape.size() == 2 ? shape[0] == at.rows && shape[1] == columnsIn(at)
                                      : shape.size() == 1 && at.rows == 1 && shape[0] == columnsIn(at);
  if (!fits) {
    std::string sides;
    for (const uint64_t side : shape) sides += (sides.empty() ? "" : "x") + std::to_string(side);
    return badInput("the adapter's ", title(copy.tensor), " is ", sides, ", the base has ", at.rows, "x", columnsIn(at),
                    "; it is of another model");
  }
  Change& change = changes[at.tensor];
  if (std::ranges::any_of(change.copies, [&](const PlacedCopy& other) { return other.place.firstRow == at.firstRow; }))
    return unsupported("two adapters bring their own ", title(copy.tensor), "; one of them has to be merged alone");
  change.copies.push_back({at, copy.stored});
  return {};
}

/// Embeddings and head of as many tokens.
Result<void> LoraCheckpoint::checkVocabulary() const {
  const auto rows = [&](std::string_view name) -> uint64_t {
    const auto change = changes.find(name);
    if (change != changes.end() && change->second.rows != 0)
      return change->second.rows;
    const TensorInfo* own =
        base->find(change == changes.end() || change->second.source.empty() ? name : change->second.source);
    return own ? rowsOf(*own) : 0;
  };
  if (const uint64_t head = rows(kHead), embeddings = rows(kEmbeddings);
      head != 0 && embeddings != 0 && head != embeddings)
    return badInput("with the adapters ", title(kEmbeddings), " has ", embeddings, " rows and ", base->title(kHead),
                    " ", head,
                    "; an adapter for a model with other tokens brings both, save it with "
                    "save_embedding_layers=True");
  return {};
}

/// A linear of a layer which only products change, and none of them the lengths of rows. Columns have whole blocks; so
/// have the units of a feed-forward, which are filled up elsewhere where they have not.
bool LoraCheckpoint::staysBeside(const TensorInfo& tensor, const Change& change) const {
  if (formats::tensorTypeInfo(tensor.type).blockElements == 1 || tensor.dims.size() != 2 || !layerOf(tensor.name))
    return false;
  const bool hasUnits = tensor.name.find(".ffn_") != std::string::npos;
  return tensor.dims[0] % kWeightBlock == 0 && (!hasUnits || tensor.dims[1] % kWeightBlock == 0) &&
         change.copies.empty() && change.tokens.empty() &&
         std::ranges::none_of(change.products, [](const PlacedProduct& placed) { return placed.product->magnitude; });
}

void LoraCheckpoint::putBeside() {
  for (auto& [name, change] : changes)
    if (const TensorInfo* tensor = base->find(name); tensor && staysBeside(*tensor, change)) {
      for (const PlacedProduct& product : change.products) beside.add(product, rowsOf(*tensor));
      change.products.clear();
    }
  if (beside.products() != 0)
    noteList.push_back(std::to_string(beside.products()) +
                       " low-rank products stay beside quantised weights; --merge-lora makes them one in f16");
}

Result<void> LoraCheckpoint::listTensors() {
  std::vector<TensorInfo> tensors(base->tensors().begin(), base->tensors().end());
  for (auto& [name, change] : changes) {
    if (!change.source.empty()) {
      tensors.push_back(*base->find(change.source));
      tensors.back().name = name;
    } else if (base->find(name)) {
      change.source = name;
    } else {
      tensors.push_back({name, TensorType::kF32, {change.rows}});
    }
  }
  size_t widened = 0;
  for (TensorInfo& tensor : tensors) {
    const auto change = changes.find(tensor.name);
    if (change == changes.end() || !change->second.isComputed())
      continue;
    widened += formats::tensorTypeInfo(tensor.type).blockElements != 1 ? 1 : 0;
    LLCUDA_ASSIGN_OR_RETURN(tensor.type, typeOf(tensor, change->second));
    if (change->second.rows != 0)
      tensor.dims.back() = change->second.rows;
  }
  for (TensorInfo& tensor : beside.tensors()) tensors.push_back(std::move(tensor));
  if (widened != 0)
    noteList.push_back(std::to_string(widened) + " quantised tensors became f16, which keeps what was trained");
  setTensors(std::move(tensors));
  return {};
}

Result<TensorType> LoraCheckpoint::typeOf(const TensorInfo& tensor, const Change& change) const {
  if (tensor.dims.size() == 1 || tensor.type == TensorType::kF32)
    return TensorType::kF32;
  if (tensor.type != TensorType::kBF16)
    return TensorType::kF16; // a value that is too large is an error when it is read
  LLCUDA_ASSIGN_OR_RETURN(const bool fits, fitsHalf(tensor, change));
  return fits ? TensorType::kF16 : TensorType::kBF16;
}

/// Whether no element of a merged matrix of bf16 can be too large for f16.
Result<bool> LoraCheckpoint::fitsHalf(const TensorInfo& tensor, const Change& change) const {
  LLCUDA_ASSIGN_OR_RETURN(const TensorBytes stored, base->read(*base->find(change.source)));
  double bound = largestBf16(stored.bytes);
  const auto largest = [&](const SafetensorsTensor& rows) {
    return largestOf(LoraMatrix{rows.shape[0], columnsOf(tensor), false, &rows}.values());
  };
  for (const PlacedCopy& copy : change.copies) bound = std::max(bound, largest(*copy.stored));
  for (const auto& [place, product, scale] : change.products) bound += DecodedProduct(*product, scale).bound();
  for (const LoraTokens* tokens : change.tokens) bound = std::max(bound, largest(*tokens->stored));
  return bound <= kLargestHalf; // not NaN
}

std::optional<FilePlace> LoraCheckpoint::filePlace(const TensorInfo& tensor) const {
  if (beside.has(tensor.name))
    return std::nullopt;
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
    for (const auto& [place, product, scale] : change.products) products.emplace_back(*product, scale);
    for (const PlacedCopy& copy : change.copies)
      copies.push_back(LoraMatrix{isVector ? 1 : copy.place.rows, columns, false, copy.stored}.values());
    for (const PlacedBias& bias : change.biases)
      biases.push_back(LoraMatrix{1, bias.place.rows, false, bias.stored}.values());
    for (const LoraTokens* tokens : change.tokens)
      tokenRows.push_back(LoraMatrix{tokens->tokens.size(), columns, false, tokens->stored}.values());
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
    for (size_t i = 0; i < biases.size(); ++i) addElements(change.biases[i], biases[i], values);
    for (size_t i = 0; i < tokenRows.size(); ++i) {
      const std::vector<uint32_t>& tokens = change.tokens[i]->tokens;
      if (const auto at = std::ranges::find(tokens, row); at != tokens.end())
        std::copy_n(tokenRows[i].data() + static_cast<uint64_t>(at - tokens.begin()) * columns, columns, values);
    }
  }

private:
  static void addElements(const PlacedBias& bias, const std::vector<float>& from, float* values) {
    const Place& place = bias.place;
    for (uint64_t element = place.firstRow; element < place.firstRow + place.rows; ++element)
      values[element] += static_cast<float>(bias.scale * from[place.adapterRow(element)]);
  }
  void copyElements(const Place& place, const std::vector<float>& from, float* values) const {
    for (uint64_t column = 0; column < columns; ++column) values[column] = from[place.adapterRow(column)] + plus;
  }

  const Change& change;
  const ReadRow base;
  const uint64_t columns;
  const bool isVector;
  const float plus;
  std::vector<DecodedProduct> products; // of change.products
  std::vector<std::vector<float>> copies, biases, tokenRows;
};

Result<TensorBytes> LoraCheckpoint::read(const TensorInfo& tensor) const {
  if (beside.has(tensor.name)) {
    Result<TensorBytes> own = beside.read(tensor, threads);
    return own ? std::move(own) : errorOf(*this, tensor.name, own.error());
  }
  const auto found = changes.find(tensor.name);
  const bool isChanged = found != changes.end() && found->second.isComputed();
  const TensorInfo* source = base->find(found == changes.end() ? tensor.name : found->second.source);
  ReadRow row;
  if (source) {
    LLCUDA_ASSIGN_OR_RETURN(TensorBytes stored, base->read(*source));
    if (!isChanged)
      return stored;
    if (!formats::canDequantize(stored.type))
      return unsupported("tensor ", title(tensor.name), " is ", formats::tensorTypeInfo(stored.type).name,
                         "; this version cannot merge an adapter into it");
    row = decodedRows(*source, std::move(stored));
  } else if (!isChanged) {
    return internalError("the checkpoint has no tensor ", tensor.name);
  }
  const uint64_t columns = columnsOf(tensor), rows = source ? rowsOf(*source) : 0;
  // Rows that the base lacks begin as zeros.
  const auto start = [&](uint64_t at, float* values) {
    if (at < rows)
      row(at, values);
    else
      std::fill_n(values, columns, 0.0F);
  };
  const RowMerger merger(tensor, found->second, start, target.normPlus);
  Result<TensorBytes> encoded = encodeRows(
      tensor, [&](uint64_t at, float* values) { merger.read(at, values); }, threads);
  return encoded ? std::move(encoded) : errorOf(*this, tensor.name, encoded.error());
}

} // namespace llcuda::ingest
