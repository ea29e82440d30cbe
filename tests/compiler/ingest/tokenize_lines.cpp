// SPDX-License-Identifier: Apache-2.0
// tokenize_lines MODEL < TEXTS.json: the ids of many texts at once, for comparisons. Reads a list of strings, writes
// a list of [ids with special tokens parsed, ids without] and, in the last entry, the vocabulary's own facts.
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "compiler/ingest/open_vocabulary.h"
#include "runtime/text/tokenizer.h"

namespace llcuda {
namespace {

using Json = nlohmann::json;

Result<Json> tokenizeAll(const char* path, const Json& texts) {
  LLCUDA_ASSIGN_OR_RETURN(ingest::Vocabulary vocabulary, ingest::openVocabulary(path));
  const Json facts = Json::parse(text::toJson(vocabulary.config));
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer,
                          text::Tokenizer::open(vocabulary.tokenizerJson, std::move(vocabulary.config)));
  Json result = Json::array();
  for (const Json& entry : texts) {
    const std::string text = entry.get<std::string>();
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> parsed, tokenizer.encode(text));
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> plain, tokenizer.encode(text, {.parseSpecial = false}));
    result.push_back({parsed, plain, tokenizer.decode(parsed)});
  }
  result.push_back(facts);
  return result;
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 2)
    return 1;
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  const auto result = llcuda::tokenizeAll(argv[1], nlohmann::json::parse(input));
  if (!result) {
    std::cerr << result.error().message << '\n';
    return static_cast<int>(result.error().code);
  }
  std::cout << result->dump() << '\n';
  return 0;
}
