// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_probe.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace llcuda::ingest {
namespace {

/// The first characters in lower case, without a byte order mark and leading white space.
std::string firstWords(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  std::string words(text.substr(0, 64));
  std::ranges::transform(words, words.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return words;
}

Error notGguf(const std::string& path, std::string_view text) {
  const std::string words = firstWords(text);
  if (words.starts_with("<!doctype html") || words.starts_with("<html") || words.starts_with("<head"))
    return badInput(path, ": is an HTML page, not a GGUF file; download the file itself, not the page about it");
  if (words.starts_with("version https://git-lfs"))
    return badInput(path, ": is a git-LFS pointer, not a GGUF file; fetch the content with `git lfs pull`");
  if (words.starts_with("<?xml"))
    return badInput(path,
                    ": is an XML document, not a GGUF file; the server answered with an error: download it again");
  if (text.starts_with("FUGG"))
    return unsupported(path, ": has its magic in reversed byte order; convert it to a little-endian GGUF");
  if (text.starts_with("lmgg") || text.starts_with("fmgg") || text.starts_with("tjgg") || text.starts_with("algg"))
    return unsupported(path, ": is a GGML file from before GGUF; convert the model again with a current converter");
  if (text.starts_with("PK\x03\x04"))
    return badInput(path, ": is a ZIP archive or a PyTorch checkpoint, not a GGUF file; unpack or convert it first");
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd") || text.starts_with("BZh") ||
      text.starts_with("\xfd"
                       "7zXZ"))
    return badInput(path, ": is compressed; decompress it first");
  if (text.starts_with("LLCUDAE\n"))
    return badInput(path, ": is an llcuda engine, not a GGUF file; give it to llcuda-run");
  if (text.size() > 8 && text[8] == '{')
    return badInput(path, ": looks like safetensors, not a GGUF file; give the folder that holds it");
  if (words.starts_with("{") || words.starts_with("["))
    return badInput(path, ": is a JSON text, not a GGUF file; the server answered with an error: download it again");
  return badInput(path, ": does not start with the magic GGUF; it is not a GGUF file");
}

} // namespace

Result<void> probeGguf(const std::string& path, std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.empty())
    return badInput(path, ": is empty; download it again");
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
