// SPDX-License-Identifier: Apache-2.0
// Shows the tokens of a text, by the vocabulary of an engine, of a GGUF file or of a Hugging Face folder.
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>

#include "compiler/ingest/open_vocabulary.h"
#include "runtime/engine/engine.h"
#include "runtime/schema/engine_file.h"
#include "runtime/text/tokenizer.h"

namespace llcuda {
namespace {

struct Options {
  std::string model, prompt, promptFile;
  bool ids = false, noBos = false, noParseSpecial = false;
};

Result<text::Tokenizer> openTokenizer(const std::string& path) {
  if (schema::isEngineFile(path)) {
    LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(path));
    LLCUDA_ASSIGN_OR_RETURN(text::TextConfig config, text::parseTextConfig(engine.textConfig()));
    return text::Tokenizer::open(engine.tokenizerJson(), std::move(config));
  }
  LLCUDA_ASSIGN_OR_RETURN(ingest::Vocabulary vocabulary, ingest::openVocabulary(path));
  return text::Tokenizer::open(vocabulary.tokenizerJson, std::move(vocabulary.config));
}

Result<std::string> readPrompt(const Options& options) {
  if (options.promptFile.empty())
    return options.prompt;
  std::ifstream file(options.promptFile, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    return badInput("cannot read ", options.promptFile);
  return text;
}

void printIds(const std::vector<int32_t>& tokens) {
  std::cout << '[';
  for (size_t i = 0; i < tokens.size(); ++i) std::cout << (i == 0 ? "" : ", ") << tokens[i];
  std::cout << "]\n";
}

void printPieces(const text::Tokenizer& tokenizer, const std::vector<int32_t>& tokens) {
  for (const int32_t token : tokens) std::cout << std::setw(6) << token << " -> '" << tokenizer.piece(token) << "'\n";
}

Result<void> tokenize(const Options& options) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string prompt, readPrompt(options));
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer, openTokenizer(options.model));
  const text::EncodeOptions encoding = {.addSpecial = false, .parseSpecial = !options.noParseSpecial};
  LLCUDA_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, tokenizer.encode(prompt, encoding));
  const text::TextConfig& config = tokenizer.config();
  if (config.addBos && !options.noBos)
    tokens.insert(tokens.begin(), config.bos);
  if (config.addEos && !options.noBos)
    tokens.push_back(config.eos);
  options.ids ? printIds(tokens) : printPieces(tokenizer, tokens);
  std::cout.flush();
  if (!std::cout)
    return internalError("cannot write to standard output");
  return {};
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Shows the tokens of a text.");
  app.add_option("-m,--model", options.model, "an engine, or a GGUF file; one with a vocabulary alone will do")
      ->required();
  auto* input = app.add_option_group("text");
  input->add_option("-p,--prompt", options.prompt, "the text");
  input->add_option("-f,--file", options.promptFile, "a file whose bytes are the text");
  input->require_option(1);
  app.add_flag("--ids", options.ids, "print the ids alone, as a list");
  app.add_flag("--no-bos", options.noBos, "do not add the tokens that open and close a text");
  app.add_flag("--no-parse-special", options.noParseSpecial, "take the text of special tokens as plain text");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }
  if (const Result<void> done = tokenize(options); !done) {
    std::cerr << "llcuda-tokenize: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
  }
  return 0;
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  return llcuda::run(argc, argv);
}
