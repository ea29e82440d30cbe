// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_probe.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "compiler/ingest/foreign_file.h"

namespace llcuda::ingest {
namespace {

Error notGguf(const std::string& path, std::string_view text) {
  if (text.starts_with("FUGG"))
    return unsupported(path, ": has its magic in reversed byte order; convert it to a little-endian GGUF");
  if (text.starts_with("lmgg") || text.starts_with("fmgg") || text.starts_with("tjgg") || text.starts_with("algg"))
    return unsupported(path, ": is a GGML file from before GGUF; convert the model again with a current converter");
  if (text.size() > 8 && text[8] == '{')
    return badInput(path, ": looks like safetensors, not a GGUF file; give the folder that holds it");
  if (std::optional<Error> foreign = foreignFile(path, std::as_bytes(std::span(text)), "a GGUF file"))
    return *std::move(foreign);
  return badInput(path, ": does not start with the magic GGUF; it is not a GGUF file");
}

} // namespace

Result<void> probeGguf(const std::string& path, std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with("GGUF"))
    return notGguf(path, text);
  if (text.size() < 8)
    return badInput(path, ": ends inside the header; it is truncated: download it again");
  uint32_t version = 0;
  std::memcpy(&version, text.data() + 4, sizeof version);
  if (version == 2 || version == 3)
    return {};
  if (version == 0)
    return badInput(path, ": has version 0, which no GGUF has; it is damaged: download it again");
  if ((version & 0xFFFF) == 0)
    return unsupported(path, ": is a big-endian GGUF; convert it to little-endian first");
  if (version == 1)
    return unsupported(path, ": is a GGUF of version 1, whose lengths have 32 bits; convert the model again");
  return unsupported(path, ": is a GGUF of version ", version,
                     ", and this program reads 2 and 3; a newer one may read it");
}

} // namespace llcuda::ingest
