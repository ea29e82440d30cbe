// SPDX-License-Identifier: Apache-2.0
// Writes safetensors bytes, right or wrong.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/compiler/ingest/temporary_file.h"

namespace llcuda::ingest {

/// A file with this header and data, whatever they say.
inline std::string safetensorsBytes(std::string_view header, std::string_view data) {
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes.append(header).append(data);
}

/// Tensors one after the other, as the reference writer lays them out.
class SafetensorsBuilder {
public:
  SafetensorsBuilder& tensor(std::string_view name, std::string_view type, const std::vector<uint64_t>& shape,
                             std::string_view content) {
    std::string dims;
    for (const uint64_t dim : shape) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
    const size_t begin = data.size();
    data += content;
    header += (header.empty() ? "\"" : ",\"") + std::string(name) + "\":{\"dtype\":\"" + std::string(type) +
              "\",\"shape\":[" + dims + "],\"data_offsets\":[" + std::to_string(begin) + "," +
              std::to_string(data.size()) + "]}";
    return *this;
  }
  /// f32 values.
  SafetensorsBuilder& floats(std::string_view name, const std::vector<uint64_t>& shape,
                             const std::vector<float>& values) {
    return tensor(name, "F32", shape, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }

  std::string bytes() const { return safetensorsBytes("{" + header + "}", data); }

private:
  std::string header, data;
};

} // namespace llcuda::ingest
