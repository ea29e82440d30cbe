// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/foreign_file.h"

#include <algorithm>
#include <cctype>

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

bool isCompressed(std::string_view text) {
  return text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd") || text.starts_with("BZh") ||
         text.starts_with("\xfd"
                          "7zXZ");
}

/// Whether a JSON file is called as those of a model's folder are.
bool isPartOfFolder(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return name == "config.json" || name == "tokenizer.json" || name.ends_with("_config.json") ||
         name.ends_with(".safetensors.index.json");
}

} // namespace

std::optional<Error> foreignFile(const std::string& path, std::span<const std::byte> bytes, std::string_view wanted) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string words = firstWords(text);
  if (text.empty())
    return badInput(path, ": is empty; download it again");
  if (words.starts_with("<!doctype html") || words.starts_with("<html") || words.starts_with("<head"))
    return badInput(path, ": is an HTML page, not ", wanted, "; download the file itself, not the page about it");
  if (words.starts_with("version https://git-lfs"))
    return badInput(path, ": is a git-LFS pointer, not ", wanted, "; fetch the content with `git lfs pull`");
  if (words.starts_with("<?xml"))
    return badInput(path, ": is an XML document, not ", wanted,
                    "; the server answered with an error: download it again");
  if (text.starts_with("PK\x03\x04"))
    return badInput(path, ": is a ZIP archive or a PyTorch checkpoint, not ", wanted, "; unpack or convert it first");
  if (isCompressed(text))
    return badInput(path, ": is compressed; decompress it first");
  if (text.starts_with("GGUF"))
    return badInput(path, ": is a GGUF file, not ", wanted, "; give it a name that ends in .gguf");
  if (text.starts_with("LLCUDAE\n"))
    return badInput(path, ": is an llcuda engine, not ", wanted, "; give it to llcuda-run");
  if ((words.starts_with("{") || words.starts_with("[")) && isPartOfFolder(path))
    return badInput(path, ": is one of the files of a Hugging Face model, not ", wanted,
                    "; give the folder that holds it");
  if (words.starts_with("{") || words.starts_with("["))
    return badInput(path, ": is a JSON text, not ", wanted, "; the server answered with an error: download it again");
  return std::nullopt;
}

} // namespace llcuda::ingest
