// SPDX-License-Identifier: Apache-2.0
// The file is walked once, front to back, with a cursor that cannot leave the mapping. Counts and lengths are compared
// with the bytes that are left before anything of their size is made, so what this allocates is bounded by the file.
#include "compiler/ingest/gguf_reader.h"

#include <bit>
#include <limits>

#include "compiler/ingest/byte_cursor.h"
#include "compiler/ingest/gguf_probe.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {

namespace {

constexpr uint64_t kMaxEntries = 65'536;
constexpr uint64_t kMaxTensors = 65'536;
constexpr uint64_t kMaxKeyBytes = 65'535;
constexpr uint64_t kMaxTensorNameBytes = 63;
constexpr uint64_t kMaxStringBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxArrayElements = uint64_t{1} << 26;
constexpr uint64_t kMaxMetadataBytes = uint64_t{512} << 20;
constexpr uint64_t kMaxAlignment = uint64_t{1} << 20;
constexpr uint32_t kMaxDims = 4;
constexpr uint64_t kMaxTensorElements = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;  // a key of one character, a type, one byte
constexpr uint64_t kMinTensorBytes = 8 + 4 + 4 + 8; // an empty name, no dimensions, a type, an offset
constexpr char kDamaged[] = "; the file is damaged: download it again";
constexpr char kTruncated[] = "; it is truncated: download it again";

/// Bytes of a value of a fixed size; 0 for strings and arrays.
uint64_t fixedBytes(GgufType type) {
  static constexpr uint8_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kBytes[static_cast<uint32_t>(type)];
}
constexpr uint32_t kTypeCount = 13;

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

uint64_t GgufTensor::elements() const {
  uint64_t product = 1;
  for (const uint64_t dim : dims) product *= dim;
  return product;
}

class GgufParser {
public:
  GgufParser(GgufFile& gguf) : gguf(gguf), cursor(gguf.file.bytes()) {}

  Result<void> parse() {
    LLCUDA_RETURN_IF_ERROR(parseHeader());
    gguf.entries.reserve(entryCount);
    for (uint64_t i = 0; i < entryCount; ++i) LLCUDA_RETURN_IF_ERROR(parseEntry(i));
    LLCUDA_RETURN_IF_ERROR(readAlignment());
    if (cursor.remaining() / kMinTensorBytes < tensorCount)
      return damaged("claims ", tensorCount, " tensors and has ", cursor.remaining(), " bytes left for them");
    gguf.tensorList.reserve(tensorCount);
    for (uint64_t i = 0; i < tensorCount; ++i) LLCUDA_RETURN_IF_ERROR(parseTensor(i));
    return placeTensors();
  }

private:
  template <typename... Parts>
  Error damaged(const Parts&... parts) const {
    return badInput(gguf.path(), ": ", parts..., kDamaged);
  }
  Error truncated(const Place& place) const { return badInput(gguf.path(), ": ends inside ", place, kTruncated); }
  template <typename... Parts>
  Error refused(const Parts&... parts) const {
    return unsupported(gguf.path(), ": ", parts...);
  }

  Result<void> parseHeader() {
    uint32_t magic = 0;
    int64_t tensors = 0, entries = 0;
    if (!cursor.read(magic) || !cursor.read(gguf.fileVersion) || !cursor.read(tensors) || !cursor.read(entries))
      return badInput(gguf.path(), ": ends inside the header", kTruncated);
    if (tensors < 0)
      return damaged("claims ", tensors, " tensors");
    if (entries < 0)
      return damaged("claims ", entries, " metadata entries");
    tensorCount = static_cast<uint64_t>(tensors);
    entryCount = static_cast<uint64_t>(entries);
    if (cursor.remaining() / kMinEntryBytes < entryCount)
      return damaged("claims ", entryCount, " metadata entries and has ", cursor.remaining(), " bytes for them");
    if (cursor.remaining() / kMinTensorBytes < tensorCount)
      return damaged("claims ", tensorCount, " tensors and has ", cursor.remaining(), " bytes for them");
    if (entryCount > kMaxEntries)
      return refused("has ", entryCount, " metadata entries; at most ", kMaxEntries, " are read");
    if (tensorCount > kMaxTensors)
      return refused("has ", tensorCount, " tensors; at most ", kMaxTensors, " are read");
    return {};
  }

  /// A length and as many characters.
  Result<std::string_view> readString(const Place& place, const char* what, uint64_t limit) {
    uint64_t length = 0;
    if (!cursor.read(length))
      return truncated(place);
    if (length > cursor.remaining())
      return damaged(place, " has ", what, " of ", length, " bytes and ", cursor.remaining(), " are left");
    if (length > limit)
      return refused(place, " has ", what, " of ", length, " bytes; at most ", limit, " are read");
    std::span<const std::byte> characters;
    cursor.take(length, characters);
    return text(characters);
  }

  Result<GgufType> readType(const Place& place, const char* what) {
    int32_t number = 0;
    if (!cursor.read(number))
      return truncated(place);
    if (number < 0 || static_cast<uint32_t>(number) >= kTypeCount)
      return damaged(place, " has the ", what, " type ", number, ", which GGUF does not define");
    return static_cast<GgufType>(number);
  }

  Result<void> parseEntry(uint64_t index) {
    Place place{"metadata entry", index};
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view key, readString(place, "a key", kMaxKeyBytes));
    if (key.empty())
      return damaged(place, " has an empty key");
    place.name = key;
    if (!gguf.entryIndex.emplace(key, index).second)
      return damaged(place, " repeats a key");
    LLCUDA_ASSIGN_OR_RETURN(const GgufType type, readType(place, "value"));
    LLCUDA_ASSIGN_OR_RETURN(const GgufValue value, readValue(place, type));
    gguf.entries.push_back({key, value});
    if (cursor.offset() > kMaxMetadataBytes)
      return refused("has more than ", kMaxMetadataBytes, " bytes of metadata, reached in ", place);
    return {};
  }

  Result<GgufValue> readValue(const Place& place, GgufType type) {
    if (type == GgufType::kArray)
      return readArray(place);
    if (type == GgufType::kString) {
      LLCUDA_ASSIGN_OR_RETURN(const std::string_view characters, readString(place, "a string", kMaxStringBytes));
      return GgufValue(type, std::as_bytes(std::span(characters)));
    }
    std::span<const std::byte> payload;
    if (!cursor.take(fixedBytes(type), payload))
      return truncated(place);
    return GgufValue(type, payload);
  }

  Result<GgufValue> readArray(const Place& place) {
    LLCUDA_ASSIGN_OR_RETURN(const GgufType type, readType(place, "element"));
    if (type == GgufType::kArray)
      return refused(place, " is an array of arrays, which is not read; write it flat");
    uint64_t count = 0;
    if (!cursor.read(count))
      return truncated(place);
    const uint64_t elementBytes = type == GgufType::kString ? sizeof(uint64_t) : fixedBytes(type);
    if (count > cursor.remaining() / elementBytes)
      return damaged(place, " has ", count, " elements of type ", ggufTypeName(type), " and ", cursor.remaining(),
                     " bytes are left");
    if (count > kMaxArrayElements)
      return refused(place, " has ", count, " elements; at most ", kMaxArrayElements, " are read");
    const uint64_t start = cursor.offset();
    std::span<const std::byte> payload;
    if (type == GgufType::kString) {
      for (uint64_t i = 0; i < count; ++i) LLCUDA_RETURN_IF_ERROR(readString(place, "an element", kMaxStringBytes));
      payload = gguf.file.bytes().subspan(start, cursor.offset() - start);
    } else {
      cursor.take(count * elementBytes, payload);
    }
    return GgufValue(type, count, payload);
  }

  Result<void> readAlignment() {
    const GgufValue* value = gguf.find("general.alignment");
    if (!value)
      return {};
    if (value->type() != GgufType::kU32)
      return damaged("general.alignment is of type ", ggufTypeName(value->type()), " and must be u32");
    gguf.dataAlignment = *value->asUnsigned();
    if (!std::has_single_bit(gguf.dataAlignment))
      return damaged("general.alignment is ", gguf.dataAlignment, " and must be a power of two");
    if (gguf.dataAlignment > kMaxAlignment)
      return refused("general.alignment is ", gguf.dataAlignment, "; at most ", kMaxAlignment, " is read");
    return {};
  }

  Result<void> parseTensor(uint64_t index) {
    Place place{"tensor", index};
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view name, readString(place, "a name", kMaxTensorNameBytes));
    place.name = name;
    if (!gguf.tensorIndex.emplace(name, index).second)
      return damaged(place, " repeats a name");
    LLCUDA_ASSIGN_OR_RETURN(std::vector<uint64_t> dims, readDims(place));
    int32_t number = 0;
    uint64_t offset = 0;
    if (!cursor.read(number) || !cursor.read(offset))
      return truncated(place);
    const formats::TensorTypeInfo* info = formats::findTensorType(static_cast<uint32_t>(number));
    if (!info || static_cast<uint32_t>(number) >= formats::kFirstForeignType)
      return refused(place, " has the encoding ", number, ", which this version does not know");
    if (dims[0] % info->blockElements != 0)
      return damaged(place, " has rows of ", dims[0], " elements, not a multiple of the ", info->blockElements,
                     " that a block of ", info->name, " holds");
    gguf.tensorList.push_back({name, info->type, std::move(dims), {}});
    offsets.push_back(offset);
    return {};
  }

  Result<std::vector<uint64_t>> readDims(const Place& place) {
    uint32_t count = 0;
    if (!cursor.read(count))
      return truncated(place);
    if (count > kMaxDims)
      return damaged(place, " has ", count, " dimensions; at most ", kMaxDims, " are possible");
    std::vector<uint64_t> dims;
    uint64_t product = 1; // of the dimensions that are not 0: an empty tensor must not hide an impossible one
    for (uint32_t i = 0; i < count; ++i) {
      int64_t dim = 0;
      if (!cursor.read(dim))
        return truncated(place);
      if (dim < 0)
        return damaged(place, " has a dimension of ", dim);
      dims.push_back(static_cast<uint64_t>(dim));
      if (dim != 0 && __builtin_mul_overflow(product, dims.back(), &product))
        return damaged(place, " has more elements than 63 bits count");
      if (product > kMaxTensorElements)
        return damaged(place, " has more elements than 63 bits count");
    }
    if (dims.empty())
      dims.push_back(1);
    while (dims.size() > 1 && dims.back() == 1) dims.pop_back(); // as ggml, which has four of every tensor
    return dims;
  }

  /// Tensor data follows in the order of the list, each padded to the alignment; the padding after the last may be
  /// missing.
  Result<void> placeTensors() {
    if (tensorCount == 0)
      return {};
    const std::span<const std::byte> bytes = gguf.file.bytes();
    const uint64_t start = padded(cursor.offset());
    if (start > bytes.size())
      return badInput(gguf.path(), ": ends before the tensor data", kTruncated);
    uint64_t expected = 0; // stays below the file's size plus one alignment
    for (uint64_t i = 0; i < tensorCount; ++i) {
      GgufTensor& tensor = gguf.tensorList[i];
      const Place place{"tensor", i, tensor.name};
      if (offsets[i] != expected)
        return damaged(place, " lies at offset ", offsets[i], " of the data and must lie at ", expected);
      const formats::TensorTypeInfo& info = formats::tensorTypeInfo(tensor.type);
      uint64_t needed = 0;
      if (__builtin_mul_overflow(tensor.elements() / info.blockElements, uint64_t{info.blockBytes}, &needed))
        return damaged(place, " needs more bytes than 64 bits count");
      const uint64_t left = expected < bytes.size() - start ? bytes.size() - start - expected : 0;
      if (needed > left)
        return badInput(gguf.path(), ": ", place, " needs ", needed, " bytes and ", left, " are left", kTruncated);
      tensor.data = bytes.subspan(needed == 0 ? start : start + expected, needed);
      expected = padded(expected + needed);
    }
    return {};
  }

  uint64_t padded(uint64_t offset) const { return (offset + gguf.dataAlignment - 1) & ~(gguf.dataAlignment - 1); }

  GgufFile& gguf;
  ByteCursor cursor;
  uint64_t tensorCount = 0;
  uint64_t entryCount = 0;
  std::vector<uint64_t> offsets; // of the tensors, as the file states them
};

Result<GgufFile> GgufFile::open(const std::string& path) {
  GgufFile gguf;
  LLCUDA_ASSIGN_OR_RETURN(gguf.file, MappedFile::open(path));
  LLCUDA_RETURN_IF_ERROR(probeGguf(path, gguf.file.bytes()));
  LLCUDA_RETURN_IF_ERROR(GgufParser(gguf).parse());
  return gguf;
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = entryIndex.find(key);
  return found == entryIndex.end() ? nullptr : &entries[found->second].value;
}

const GgufTensor* GgufFile::findTensor(std::string_view name) const {
  const auto found = tensorIndex.find(name);
  return found == tensorIndex.end() ? nullptr : &tensorList[found->second];
}

} // namespace llcuda::ingest
