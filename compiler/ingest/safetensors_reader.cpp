// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/safetensors_reader.h"

#include <algorithm>

#include "compiler/ingest/byte_cursor.h"
#include "compiler/ingest/foreign_file.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/ingest/safetensors_header.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr uint64_t kMaxHeader = 100'000'000;

constexpr SafetensorsType kTypes[] = {
    {"BOOL", 8, {}},
    {"F4", 4, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"U8", 8, {}},
    {"I8", 8, TensorType::kI8},
    {"F8_E5M2", 8, {}},
    {"F8_E4M3", 8, {}},
    {"F8_E8M0", 8, {}},
    {"F8_E4M3FNUZ", 8, {}},
    {"F8_E5M2FNUZ", 8, {}},
    {"I16", 16, TensorType::kI16},
    {"U16", 16, {}},
    {"F16", 16, TensorType::kF16},
    {"BF16", 16, TensorType::kBF16},
    {"I32", 32, TensorType::kI32},
    {"U32", 32, {}},
    {"F32", 32, TensorType::kF32},
    {"C64", 64, {}},
    {"F64", 64, TensorType::kF64},
    {"I64", 64, TensorType::kI64},
    {"U64", 64, {}},
};

/// The bytes that `shape` elements of `bits` need; nullopt when 64 bits cannot count the bits or they are no whole
/// bytes.
std::optional<uint64_t> sizeOf(std::span<const uint64_t> shape, uint64_t bits) {
  for (const uint64_t dim : shape)
    if (__builtin_mul_overflow(bits, dim, &bits))
      return std::nullopt;
  return bits % 8 == 0 ? std::optional(bits / 8) : std::nullopt;
}

/// The data of `entry`, which must start where the tensor before it ended.
Result<SafetensorsTensor> makeTensor(SafetensorsEntry entry, std::span<const std::byte> data, uint64_t start) {
  const auto [begin, end] = entry.offsets;
  const Quoted name{entry.name};
  const SafetensorsType* type = findSafetensorsType(entry.dtype);
  if (!type)
    return unsupported("tensor ", name, " has the type ", Quoted{entry.dtype}, ", which this version does not know");
  if (begin > end || end > data.size())
    return badInput("tensor ", name, " has data_offsets ", begin, " to ", end, ", the file has ", data.size(),
                    " bytes of data; it is damaged or truncated: download it again");
  if (begin != start)
    return badInput("tensor ", name, " starts at byte ", begin, " of the data, the one before it ends at ", start,
                    "; offsets must leave no holes and not overlap");
  const std::optional<uint64_t> size = sizeOf(entry.shape, type->bits);
  if (!size || *size != end - begin)
    return badInput("tensor ", name, " has ", end - begin, " bytes of data, its shape and type need ",
                    size ? std::to_string(*size) : "more than can be counted");
  return SafetensorsTensor{std::move(entry.name), type, std::move(entry.shape), data.subspan(begin, end - begin)};
}

Result<std::vector<SafetensorsTensor>> makeTensors(std::vector<SafetensorsEntry> entries,
                                                   std::span<const std::byte> data) {
  std::ranges::stable_sort(entries, {}, &SafetensorsEntry::offsets);
  std::vector<SafetensorsTensor> tensors;
  tensors.reserve(entries.size());
  uint64_t end = 0;
  for (SafetensorsEntry& entry : entries) {
    LLCUDA_ASSIGN_OR_RETURN(SafetensorsTensor tensor, makeTensor(std::move(entry), data, end));
    end += tensor.data.size();
    tensors.push_back(std::move(tensor));
  }
  if (end != data.size())
    return badInput("its tensors end at byte ", end, " of the data, the file has ", data.size());
  return tensors;
}

/// Refuses what cannot be safetensors: no sound file has a header so long that its length looks like text.
Result<void> probeSafetensors(const std::string& path, std::span<const std::byte> bytes) {
  uint64_t size = 0;
  const bool whole = ByteCursor(bytes).read(size);
  if (whole && size <= kMaxHeader)
    return {};
  if (std::optional<Error> foreign = foreignFile(path, bytes, "a safetensors file"))
    return *std::move(foreign);
  if (!whole)
    return badInput(path, ": ends inside the header; it is truncated: download it again");
  return badInput(path, ": claims a header of ", size, " bytes, at most ", kMaxHeader,
                  "; it is not a safetensors file");
}

/// The header's text; `cursor` stands behind it.
Result<std::string_view> headerText(ByteCursor& cursor) {
  uint64_t size = 0;
  std::span<const std::byte> text;
  if (!cursor.read(size) || !cursor.take(size, text))
    return badInput("claims a header of ", size, " bytes and has ", cursor.remaining(),
                    " behind the length; it is truncated: download it again");
  if (text.empty() || text.front() != std::byte{'{'})
    return badInput("its header does not start with '{'; it is not a safetensors file");
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

} // namespace

const SafetensorsType* findSafetensorsType(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &SafetensorsType::name);
  return found == std::end(kTypes) ? nullptr : found;
}

uint64_t SafetensorsTensor::elements() const {
  uint64_t count = 1;
  for (const uint64_t dim : shape) count *= dim;
  return count;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  SafetensorsFile result;
  LLCUDA_ASSIGN_OR_RETURN(result.file, MappedFile::open(path));
  const std::span<const std::byte> bytes = result.file.bytes();
  LLCUDA_RETURN_IF_ERROR(probeSafetensors(path, bytes));
  const auto inFile = [&](const Error& error) { return makeError(error.code, path, ": ", error.message); };
  ByteCursor cursor(bytes);
  const Result<std::string_view> text = headerText(cursor);
  if (!text)
    return inFile(text.error());
  Result<SafetensorsHeader> header = parseSafetensorsHeader(*text);
  if (!header)
    return inFile(header.error());
  Result<std::vector<SafetensorsTensor>> tensors =
      makeTensors(std::move(header->entries), bytes.subspan(cursor.offset()));
  if (!tensors)
    return inFile(tensors.error());
  result.list = std::move(*tensors);
  result.texts = std::move(header->metadata);
  for (size_t i = 0; i < result.list.size(); ++i) result.index.emplace(result.list[i].name, i);
  return result;
}

const SafetensorsTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &list[found->second];
}

} // namespace llcuda::ingest
