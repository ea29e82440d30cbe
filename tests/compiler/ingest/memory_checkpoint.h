// SPDX-License-Identifier: Apache-2.0
// A checkpoint in memory, for tests of those that stand over one.
#pragma once

#include <map>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "compiler/ingest/encode_rows.h"

namespace llcuda::ingest {

class MemoryCheckpoint final : public Checkpoint {
public:
  struct Entry {
    TensorInfo info;
    std::vector<std::byte> bytes;
  };

  explicit MemoryCheckpoint(std::vector<Entry> entries) {
    std::vector<TensorInfo> infos;
    for (Entry& entry : entries) {
      infos.push_back(entry.info);
      stored.emplace(entry.info.name, std::move(entry.bytes));
    }
    setTensors(std::move(infos));
  }

  Result<TensorBytes> read(const TensorInfo& tensor) const override {
    return TensorBytes{tensor.type, stored.at(tensor.name)};
  }

private:
  std::map<std::string, std::vector<std::byte>> stored;
};

/// A tensor whose values were encoded as `type`.
inline MemoryCheckpoint::Entry storedTensor(std::string name, formats::TensorType type, std::vector<uint64_t> dims,
                                            const std::vector<float>& values) {
  MemoryCheckpoint::Entry entry = {{std::move(name), type, std::move(dims)}, {}};
  entry.bytes.resize(encodedBytes(entry.info, type));
  formats::quantizeRow(type, values.data(), values.size(), entry.bytes.data());
  return entry;
}

inline std::vector<float> decodedTensor(const Checkpoint& checkpoint, const std::string& name) {
  const TensorInfo& info = *checkpoint.find(name);
  const TensorBytes bytes = checkpoint.read(info).value();
  std::vector<float> values(rowsOf(info) * columnsOf(info));
  formats::dequantizeRow(bytes.type, bytes.bytes.data(), values.size(), values.data());
  return values;
}

/// Values between -1 and 1 in no order.
inline std::vector<float> scatteredValues(size_t count, uint32_t seed = 1) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525 + 1013904223;
    value = static_cast<float>(seed >> 8) / 0x1p23f - 1;
  }
  return values;
}

} // namespace llcuda::ingest
