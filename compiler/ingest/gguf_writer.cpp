// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_writer.h"

#include <cstring>

#include "compiler/ingest/encode_rows.h"

namespace llcuda::ingest {
namespace {

template <typename T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void appendString(std::string& out, std::string_view text) {
  append<uint64_t>(out, text.size());
  out.append(text);
}

} // namespace

void GgufHeader::startEntry(std::string_view key, GgufType type) {
  appendString(entries, key);
  append<uint32_t>(entries, static_cast<uint32_t>(type));
  ++entryCount;
}

void GgufHeader::add(const GgufEntry& entry) {
  const GgufValue& value = entry.value;
  startEntry(entry.key, value.type());
  if (value.type() == GgufType::kArray) {
    append<uint32_t>(entries, static_cast<uint32_t>(value.elementType()));
    append<uint64_t>(entries, value.count());
  } else if (value.type() == GgufType::kString) {
    append<uint64_t>(entries, value.payload().size());
  }
  entries.append(reinterpret_cast<const char*>(value.payload().data()), value.payload().size());
}

void GgufHeader::addU32(std::string_view key, uint32_t value) {
  startEntry(key, GgufType::kU32);
  append(entries, value);
}

void GgufHeader::addF32(std::string_view key, float value) {
  startEntry(key, GgufType::kF32);
  append(entries, value);
}

void GgufHeader::addBool(std::string_view key, bool value) {
  startEntry(key, GgufType::kBool);
  append<uint8_t>(entries, value ? 1 : 0);
}

void GgufHeader::addString(std::string_view key, std::string_view value) {
  startEntry(key, GgufType::kString);
  appendString(entries, value);
}

void GgufHeader::startList(std::string_view key, GgufType elements, uint64_t count) {
  startEntry(key, GgufType::kArray);
  append<uint32_t>(entries, static_cast<uint32_t>(elements));
  append(entries, count);
}

void GgufHeader::addList(std::string_view key, std::span<const int32_t> values) {
  startList(key, GgufType::kI32, values.size());
  entries.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void GgufHeader::addList(std::string_view key, std::span<const float> values) {
  startList(key, GgufType::kF32, values.size());
  entries.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void GgufHeader::addList(std::string_view key, std::span<const std::string> values) {
  startList(key, GgufType::kString, values.size());
  for (const std::string& value : values) appendString(entries, value);
}

void GgufHeader::addTensor(const TensorInfo& tensor) {
  appendString(tensors, tensor.name);
  append<uint32_t>(tensors, static_cast<uint32_t>(tensor.dims.size()));
  for (const uint64_t dim : tensor.dims) append(tensors, dim);
  append<uint32_t>(tensors, static_cast<uint32_t>(tensor.type));
  append(tensors, offset);
  const uint64_t bytes = encodedBytes(tensor, tensor.type);
  offset += bytes + paddingAfter(bytes);
  ++tensorCount;
}

std::vector<std::byte> GgufHeader::bytes() const {
  std::string head = "GGUF";
  append<uint32_t>(head, 3);
  append(head, tensorCount);
  append(head, entryCount);
  std::vector<std::byte> all(head.size() + entries.size() + tensors.size());
  std::memcpy(all.data(), head.data(), head.size());
  std::memcpy(all.data() + head.size(), entries.data(), entries.size());
  std::memcpy(all.data() + head.size() + entries.size(), tensors.data(), tensors.size());
  if (tensorCount > 0)
    all.resize(all.size() + paddingAfter(all.size()));
  return all;
}

} // namespace llcuda::ingest
