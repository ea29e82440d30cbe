// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bnb_layer.h"

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kNf4State = "quant_state.bitsandbytes__nf4", kFp4State = "quant_state.bitsandbytes__fp4";

/// Takes parts out of a list, so that what is left belongs to nothing.
class PartReader {
public:
  PartReader(const SafetensorsTensor& weight, const BnbParts& parts) : weight(weight), left(parts) {}

  bool has(std::string_view part) const { return left.contains(part); }

  /// The bytes of a part, which may be absent and otherwise has the dtype.
  std::span<const std::byte> take(std::string_view part, std::string_view dtype) {
    const auto found = left.find(part);
    if (found == left.end())
      return {};
    const SafetensorsTensor& tensor = *found->second;
    if (!tensor.is(dtype))
      fail(badInput(Quoted{tensor.name}, " is ", tensor.type->name, ", bitsandbytes stores ", dtype, " there"));
    left.erase(found);
    return tensor.data;
  }

  Result<void> finish() {
    if (!failure && !left.empty())
      fail(badInput(Quoted{left.begin()->second->name}, " does not belong to a weight like ", Quoted{weight.name}));
    return failure ? Result<void>(*failure) : Result<void>();
  }

private:
  void fail(Error error) {
    if (!failure)
      failure = std::move(error);
  }

  const SafetensorsTensor& weight;
  BnbParts left;
  std::optional<Error> failure;
};

Result<BnbInt8> openInt8(const SafetensorsTensor& weight, PartReader& reader) {
  if (!weight.is("I8") || weight.shape.size() != 2)
    return badInput(Quoted{weight.name}, " has an SCB beside it and is no matrix of I8");
  const BnbInt8Parts parts = {.rows = weight.shape[0],
                              .columns = weight.shape[1],
                              .codes = weight.data,
                              .scales = reader.take("SCB", "F32"),
                              .weightFormat = reader.take("weight_format", "U8")};
  LLCUDA_RETURN_IF_ERROR(reader.finish());
  return BnbInt8::open(weight.name, parts);
}

Result<BnbFourBit> openFourBit(const SafetensorsTensor& weight, PartReader& reader) {
  const bool nested = reader.has("nested_absmax");
  const std::string_view state = reader.has(kNf4State) ? kNf4State : kFp4State;
  const BnbFourBitParts parts = {.codes = weight.data,
                                 .absmax = reader.take("absmax", nested ? "U8" : "F32"),
                                 .quantMap = reader.take("quant_map", "F32"),
                                 .nestedAbsmax = reader.take("nested_absmax", "F32"),
                                 .nestedQuantMap = reader.take("nested_quant_map", "F32"),
                                 .quantState = reader.take(state, "U8")};
  LLCUDA_RETURN_IF_ERROR(reader.finish());
  return BnbFourBit::open(weight.name, parts);
}

} // namespace

Result<BnbLayer> BnbLayer::open(const SafetensorsTensor& weight, const BnbParts& parts) {
  PartReader reader(weight, parts);
  if (reader.has("SCB")) {
    LLCUDA_ASSIGN_OR_RETURN(BnbInt8 int8, openInt8(weight, reader));
    return BnbLayer(std::move(int8));
  }
  LLCUDA_ASSIGN_OR_RETURN(BnbFourBit fourBit, openFourBit(weight, reader));
  return BnbLayer(std::move(fourBit));
}

TensorInfo BnbLayer::describe(std::string name) const {
  return std::visit(
      [&](const auto& opened) {
        return TensorInfo{std::move(name), opened.type(), {opened.columns(), opened.rows()}};
      },
      layer);
}

Result<TensorBytes> BnbLayer::read() const {
  return std::visit([](const auto& opened) { return opened.read(); }, layer);
}

bool BnbLayer::isWidened() const {
  return std::visit([](const auto& opened) { return opened.isWidened(); }, layer);
}

} // namespace llcuda::ingest
