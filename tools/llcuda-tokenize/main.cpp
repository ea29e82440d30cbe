// SPDX-License-Identifier: Apache-2.0
// Shows the tokens of a text, by the vocabulary of an engine, of a GGUF file or of a Hugging Face folder.
#include <iomanip>
#include <iostream>

#include "compiler/ingest/open_vocabulary.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/version.h"
#include "runtime/engine/engine.h"
#include "runtime/schema/engine_file.h"
#include "runtime/text/tokenizer.h"
#include "tools/tool-options/command_line.h"
#include "tools/tool-options/prompt_file.h"

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
  return tools::readPromptFile(options.promptFile);
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
  CLI::App app("Shows the tokens of a text.", "llcuda-tokenize");
  tools::addModelArgument(app, options.model,
                          "An engine, a GGUF file (one with a vocabulary alone will do), or a Hugging Face folder");
  auto* input = app.add_option_group("text");
  input->add_option("-p,--prompt", options.prompt, "The text");
  input->add_option("-f,--file", options.promptFile, "A file whose bytes are the text");
  input->require_option(1);
  app.add_flag("--ids", options.ids, "Print the ids alone, as a list");
  app.add_flag("--no-bos", options.noBos, "Do not add the tokens that open and close a text");
  app.add_flag("--no-parse-special", options.noParseSpecial, "Take the text of special tokens as plain text");
  app.set_version_flag("--version", std::string("llcuda-tokenize ") + kVersion);
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, argv))
    return *code;
  if (const Result<void> done = tokenize(options); !done) {
    std::cerr << "llcuda-tokenize: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
  }
  return 0;
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  llcuda::endCleanly("llcuda-tokenize");
  return llcuda::run(argc, argv);
}
