// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/quantize_folder.h"

#include <filesystem>
#include <fstream>
#include <stdlib.h>

#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/gguf_vocabulary.h"
#include "compiler/ingest/gguf_vocabulary_writer.h"
#include "compiler/models/family.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/gguf_keys.h"
#include "compiler/models/gguf_shape.h"
#include "runtime/base/temporary_path.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::models {
namespace {

namespace fs = std::filesystem;
using ingest::GgufFile;

/// The family that reads what folders of `family` become.
Result<const Family*> targetOf(const Family& family) {
  if (!family.writtenAs.empty())
    return familyOfGguf(family.writtenAs);
  std::string others;
  for (const Family* other : families())
    if (!other->writtenAs.empty())
      others += (others.empty() ? "" : ", ") + std::string(other->huggingFace.begin()[0]);
  return unsupported("a folder of ", family.architecture, " (", family.models,
                     ") becomes no GGUF file; those of these do: ", others);
}

Result<TemporaryPath> temporaryFolder() {
  std::error_code failed;
  std::string pattern = (fs::temp_directory_path(failed) / "llcuda-XXXXXX").string();
  TemporaryPath folder = TemporaryPath::made([&] { return ::mkdtemp(pattern.data()) ? pattern : std::string(); });
  if (folder.path().empty())
    return internalError("cannot make a folder for temporary files (", pattern, ")");
  return folder;
}

Result<std::vector<int32_t>> probeIds(const ingest::Vocabulary& vocabulary) {
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer,
                          text::Tokenizer::open(vocabulary.tokenizerJson, vocabulary.config));
  return tokenizer.encode(ingest::kTokenizerProbe);
}

Result<void> checkVocabulary(const ingest::Vocabulary& wanted, const GgufFile& file) {
  LLCUDA_ASSIGN_OR_RETURN(const ingest::Vocabulary read, ingest::readVocabulary(file));
  const text::TextConfig &left = wanted.config, &right = read.config;
  if (left.kind != right.kind || left.bos != right.bos || left.eos != right.eos || left.addBos != right.addBos ||
      left.addEos != right.addEos || left.chatTemplate != right.chatTemplate)
    return unsupported("GGUF files do not say what the folder does of its special tokens and templates");
  if (left.kind == text::VocabularyKind::kNone)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> before, probeIds(wanted));
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> after, probeIds(read));
  if (before != after)
    return unsupported("a GGUF file does not cut a text as the folder's tokenizer does");
  return {};
}

/// Reads the keys as those of any other file.
Result<void> checkKeys(const OpenedModel& model, const ingest::GgufHeader& header, const ingest::Checkpoint& tensors) {
  LLCUDA_ASSIGN_OR_RETURN(const TemporaryPath folder, temporaryFolder());
  const std::string path = (fs::path(folder.path()) / "keys.gguf").string();
  const std::vector<std::byte> bytes = header.bytes();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush())
    return internalError(path, ": cannot be written");
  LLCUDA_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(path));
  LLCUDA_ASSIGN_OR_RETURN(const ModelConfig read, configFromGguf(file, tensors));
  LLCUDA_RETURN_IF_ERROR(checkSameModel(model.config, read));
  return checkVocabulary(model.vocabulary, file);
}

/// All files of the folders that the model is read from: none of them becomes the output.
std::vector<std::string> filesOf(const std::string& path, const OpenOptions& open) {
  std::error_code ignored;
  std::vector<std::string> files;
  for (const std::string& given : {path, open.base, open.tokenizer}) {
    const fs::path folder = fs::is_directory(given, ignored) ? fs::path(given) : fs::path(given).parent_path();
    if (given.empty())
      continue;
    for (fs::directory_iterator file(folder.empty() ? "." : folder, ignored), end; file != end; file.increment(ignored))
      if (file->is_regular_file(ignored))
        files.push_back(file->path().string());
  }
  return files;
}

} // namespace

Result<ingest::QuantizeGgufReport> quantizeFolder(const ingest::QuantizeGgufOptions& options, OpenOptions open) {
  open.mergeAdapters = true;
  open.threads = options.threads;
  LLCUDA_ASSIGN_OR_RETURN(OpenedModel model, openStored(options.input, open));
  const auto of = [&](const Error& error) { return makeError(error.code, options.input, ": ", error.message); };
  const Result<const Family*> target = targetOf(*model.config.family);
  if (!target)
    return of(target.error());
  const GgufShape tensors(std::move(model.checkpoint), model.config, **target);
  ingest::GgufHeader header(/*alignment=*/32);
  addConfig(model.config, **target, header);
  Result<void> said = ingest::addVocabulary(model.vocabulary, model.config.vocabulary, header);
  if (said)
    said = checkKeys(model, header, tensors);
  if (!said)
    return of(said.error());
  return ingest::quantizeModel(options, {.tensors = tensors,
                                         .header = std::move(header),
                                         .layers = model.config.layers.size(),
                                         .files = filesOf(options.input, open)});
}

} // namespace llcuda::models
