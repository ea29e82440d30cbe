// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bnb_four_bit.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "codegen/formats/nf4.h"
#include "codegen/formats/quantize.h"
#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using nlohmann::json;

constexpr size_t kMaxStateBytes = 64 << 10;
constexpr uint64_t kMaxDimension = uint64_t{1} << 31; // a product of two fits 64 bits

float floatAt(std::span<const std::byte> bytes, uint64_t index) {
  float value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

/// A JSON integer in low ... high; 0 for anything else.
uint64_t integerIn(const json& object, const char* key, uint64_t low, uint64_t high) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned())
    return 0;
  const auto value = found->get<uint64_t>();
  return value >= low && value <= high ? value : 0;
}

std::string stringOf(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The value as bitsandbytes rounds it.
float rounded(float value, TensorType type) {
  if (type == TensorType::kF16)
    return formats::halfToFloat(formats::floatToHalf(value));
  return type == TensorType::kBF16 ? formats::bf16ToFloat(formats::floatToBf16(value)) : value;
}

} // namespace

Result<BnbFourBit> BnbFourBit::open(std::string name, const BnbFourBitParts& parts) {
  BnbFourBit layer(std::move(name), parts);
  LLCUDA_RETURN_IF_ERROR(layer.readState());
  LLCUDA_RETURN_IF_ERROR(layer.checkSizes());
  LLCUDA_RETURN_IF_ERROR(layer.checkTable());
  LLCUDA_RETURN_IF_ERROR(layer.chooseType());
  return layer;
}

Result<void> BnbFourBit::readState() {
  if (parts.quantState.empty())
    return badInput(Quoted{name}, " has no quant_state.bitsandbytes__nf4 or __fp4; the file is incomplete");
  if (parts.quantState.size() > kMaxStateBytes)
    return badInput(Quoted{name}, ": the quant_state has ", parts.quantState.size(), " bytes, more than ",
                    kMaxStateBytes);
  const auto parsed = parseJson({reinterpret_cast<const char*>(parts.quantState.data()), parts.quantState.size()});
  if (!parsed)
    return makeError(parsed.error().code, Quoted{name}, ": the quant_state ", parsed.error().message);
  const json& state = *parsed;
  if (!state.is_object())
    return badInput(Quoted{name}, ": the quant_state is not a JSON object");

  const std::string type = stringOf(state, "quant_type");
  if (type != "nf4" && type != "fp4")
    return unsupported(Quoted{name}, ": quant_type is ", Quoted{type}, "; this version reads nf4 and fp4");
  table = type == "nf4" ? Table::kNf4 : Table::kFp4;
  blockSize = integerIn(state, "blocksize", 32, 4096);
  if (!std::has_single_bit(blockSize))
    return badInput(Quoted{name}, ": blocksize must be a power of two from 32 to 4096");
  const std::string dtype = stringOf(state, "dtype");
  if (dtype != "float16" && dtype != "bfloat16" && dtype != "float32")
    return unsupported(Quoted{name}, ": dtype is ", Quoted{dtype},
                       "; this version reads float16, bfloat16 and float32");
  valueType = dtype == "float16" ? TensorType::kF16 : dtype == "bfloat16" ? TensorType::kBF16 : TensorType::kF32;

  const auto shape = state.find("shape");
  if (shape == state.end() || !shape->is_array() || shape->size() != 2)
    return badInput(Quoted{name}, ": the quant_state's shape is not a list of two");
  const json sides = {{"rows", (*shape)[0]}, {"columns", (*shape)[1]}};
  rowCount = integerIn(sides, "rows", 1, kMaxDimension);
  columnCount = integerIn(sides, "columns", 1, kMaxDimension);
  if (rowCount == 0 || columnCount == 0)
    return badInput(Quoted{name}, ": the quant_state's shape must be two positive numbers");

  if (!state.contains("nested_offset") && parts.nestedAbsmax.empty())
    return {};
  nestedBlockSize = integerIn(state, "nested_blocksize", 1, 1 << 16);
  const auto offset = state.find("nested_offset");
  if (nestedBlockSize == 0 || offset == state.end() || !offset->is_number())
    return badInput(Quoted{name}, ": nested magnitudes need nested_blocksize and nested_offset in the quant_state");
  nestedOffset = static_cast<float>(offset->get<double>());
  return {};
}

Result<void> BnbFourBit::checkSizes() const {
  const auto check = [&](std::span<const std::byte> bytes, const char* part, uint64_t expected) -> Result<void> {
    if (bytes.size() != expected)
      return badInput(Quoted{name}, ": ", part, " has ", bytes.size(), " bytes, a matrix of ", rowCount, "x",
                      columnCount, " with blocksize ", blockSize, " needs ", expected);
    return {};
  };
  LLCUDA_RETURN_IF_ERROR(check(parts.codes, "the weight", (elements() + 1) / 2));
  LLCUDA_RETURN_IF_ERROR(check(parts.absmax, "absmax", blocks() * (isNested() ? 1 : sizeof(float))));
  LLCUDA_RETURN_IF_ERROR(check(parts.quantMap, "quant_map", 16 * sizeof(float)));
  if (!isNested())
    return {};
  const uint64_t nestedBlocks = (blocks() + nestedBlockSize - 1) / nestedBlockSize;
  LLCUDA_RETURN_IF_ERROR(check(parts.nestedAbsmax, "nested_absmax", nestedBlocks * sizeof(float)));
  return check(parts.nestedQuantMap, "nested_quant_map", 256 * sizeof(float));
}

Result<void> BnbFourBit::checkTable() const {
  const auto& known = table == Table::kNf4 ? formats::kNf4Values : formats::kFp4Values;
  for (uint64_t i = 0; i < 16; ++i)
    if (floatAt(parts.quantMap, i) != known[i])
      return unsupported(Quoted{name}, ": quant_map[", i, "] is ", floatAt(parts.quantMap, i), ", the table has ",
                         known[i], " there; this version reads no other codebook");
  return {};
}

Result<void> BnbFourBit::chooseType() {
  const bool nf4 = table == Table::kNf4;
  if (columnCount % 32 == 0) {
    const bool wide = columnCount % 64 == 0 && blockSize % 64 == 0;
    answered =
        nf4 ? (wide ? TensorType::kNf4 : TensorType::kNf4Short) : (wide ? TensorType::kFp4 : TensorType::kFp4Short);
    return {};
  }
  widened = true;
  answered = TensorType::kF16;
  for (uint64_t block = 0; block < blocks(); ++block) {
    LLCUDA_ASSIGN_OR_RETURN(const float absmax, checkedAbsmax(block));
    if (std::fabs(absmax) > formats::largestMagnitude(TensorType::kF16))
      answered = TensorType::kF32;
  }
  return {};
}

float BnbFourBit::absmax(uint64_t block) const {
  if (!isNested())
    return floatAt(parts.absmax, block);
  const auto code = static_cast<uint64_t>(parts.absmax[block]);
  return floatAt(parts.nestedQuantMap, code) * floatAt(parts.nestedAbsmax, block / nestedBlockSize) + nestedOffset;
}

Result<float> BnbFourBit::checkedAbsmax(uint64_t block) const {
  const float value = absmax(block);
  if (!std::isfinite(value))
    return badInput(Quoted{name}, ": the scale of block ", block, " is ", value, "; scales must be finite");
  return value;
}

Result<TensorBytes> BnbFourBit::read() const {
  return widened ? readValues() : readBlocks();
}

Result<TensorBytes> BnbFourBit::readBlocks() const {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(answered);
  const uint64_t count = elements() / info.blockElements, codeBytes = info.blockElements / 2;
  auto rows = std::make_shared<std::vector<std::byte>>(count * info.blockBytes);
  std::byte* out = rows->data();
  for (uint64_t i = 0; i < count; ++i, out += info.blockBytes) {
    LLCUDA_ASSIGN_OR_RETURN(const float absmax, checkedAbsmax(i * info.blockElements / blockSize));
    std::memcpy(out, &absmax, sizeof absmax);
    std::memcpy(out + sizeof absmax, parts.codes.data() + i * codeBytes, codeBytes);
  }
  return TensorBytes{answered, *rows, rows};
}

float BnbFourBit::value(uint64_t element, float absmax) const {
  const auto& values = table == Table::kNf4 ? formats::kNf4Values : formats::kFp4Values;
  const auto byte = static_cast<uint8_t>(parts.codes[element / 2]);
  return rounded(values[element % 2 == 0 ? byte >> 4 : byte & 15] * absmax, valueType);
}

Result<TensorBytes> BnbFourBit::readValues() const {
  const uint64_t valueBytes = formats::tensorTypeInfo(answered).blockBytes;
  auto encoded = std::make_shared<std::vector<std::byte>>(elements() * valueBytes);
  std::vector<float> values(blockSize);
  for (uint64_t block = 0; block < blocks(); ++block) {
    const uint64_t first = block * blockSize, count = std::min(blockSize, elements() - first);
    LLCUDA_ASSIGN_OR_RETURN(const float absmax, checkedAbsmax(block));
    for (uint64_t i = 0; i < count; ++i) values[i] = value(first + i, absmax);
    formats::quantizeRow(answered, values.data(), count, encoded->data() + first * valueBytes);
  }
  return TensorBytes{answered, *encoded, encoded};
}

} // namespace llcuda::ingest
