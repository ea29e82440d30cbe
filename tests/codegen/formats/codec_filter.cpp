// SPDX-License-Identifier: Apache-2.0
// codec_filter ENCODING < blocks > values: the scalar codec of one encoding, f32 out.
// codec_filter list: the names of the encodings that GGUF has and this program has a codec for.
// codec_filter to_f16|to_bf16 < f32 > halves: the roundings of codegen/formats/numbers.h.
// Exit 3 for an encoding without a codec, 2 for bytes that are not whole blocks.
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/numbers.h"

namespace {

using namespace llcuda::formats;

std::vector<std::byte> readAll() {
  std::vector<std::byte> bytes;
  std::byte chunk[65536];
  while (const size_t got = std::fread(chunk, 1, sizeof chunk, stdin)) bytes.insert(bytes.end(), chunk, chunk + got);
  return bytes;
}

template <typename T>
int writeAll(const std::vector<T>& values) {
  return std::fwrite(values.data(), sizeof(T), values.size(), stdout) == values.size() ? 0 : 1;
}

int roundFloats(const std::vector<std::byte>& bytes, uint16_t (*round)(float)) {
  std::vector<uint16_t> out(bytes.size() / sizeof(float));
  for (size_t i = 0; i < out.size(); ++i) {
    float value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = round(value);
  }
  return writeAll(out);
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "list") {
    for (const TensorTypeInfo& info : tensorTypes())
      if (canDequantize(info.type) && static_cast<uint32_t>(info.type) < kFirstForeignType)
        std::puts(std::string(info.name).c_str());
    return 0;
  }
  if (what == "to_f16")
    return roundFloats(readAll(), floatToHalf);
  if (what == "to_bf16")
    return roundFloats(readAll(), floatToBf16);
  const std::optional<TensorType> type = tensorTypeByName(what);
  if (!type || !canDequantize(*type))
    return 3;
  const TensorTypeInfo& info = tensorTypeInfo(*type);
  const std::vector<std::byte> bytes = readAll();
  if (bytes.size() % info.blockBytes != 0)
    return 2;
  std::vector<float> out(bytes.size() / info.blockBytes * info.blockElements);
  dequantizeRow(*type, bytes.data(), out.size(), out.data());
  return writeAll(out);
}
