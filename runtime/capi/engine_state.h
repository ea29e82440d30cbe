// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llcuda/llcuda.h"
#include "runtime/base/log.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/program.h"
#include "runtime/text/chat_template.h"
#include "runtime/text/grammar.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::capi {

/// Where and for what an engine is loaded.
struct ProgramRequest {
  DeviceChoice device = DeviceChoice::kAuto;
  int index = 0;
  bool guard = false;
  uint32_t context = 0; ///< positions of the session
  std::string weightsFrom;
};

/// An open engine with what is made from it on demand and shared by its users. Any number of threads.
class EngineState : public std::enable_shared_from_this<EngineState> {
public:
  static Result<std::shared_ptr<EngineState>> open(const std::string& path, Verify verify = Verify::kFull);

  const Engine& file() const { return engine; }
  const text::TextConfig& textConfig() const { return config; }
  /// 8 hexadecimal digits of the file's hashes.
  const std::string& fingerprint() const { return digits; }
  std::chrono::nanoseconds opening() const { return openTime; } ///< how long open() took
  bool hasTokenizer() const { return config.kind != text::VocabularyKind::kNone; }

  /// kUnsupported when the engine has no vocabulary. Opened by the first call.
  Result<const text::Tokenizer*> tokenizer();
  /// Of its vocabulary; kUnsupported when it has none. Made by the first call.
  Result<text::Grammars*> grammars();
  /// The template of this name, kUsage when the engine has none. The empty name is that of the engine's plain template,
  /// else of the one of its family; kUnsupported when there is neither.
  Result<const text::ChatTemplate*> chatTemplate(const std::string& name);
  bool hasChatTemplate();
  /// Its text, which stays until setChatTemplate(); errors as of chatTemplate().
  Result<const std::string*> chatTemplateSource(const std::string& name);
  /// In place of the plain one. Before other threads use it; kUsage where it is no template.
  Result<void> setChatTemplate(std::string source);
  Result<std::string> renderChat(const std::string& templateName, std::vector<text::ChatMessage> messages,
                                 bool openReply);
  /// By a JSON object of the template's variables.
  Result<std::string> renderChat(const std::string& templateName, std::string_view variables);

  /// What dry takes for the end of a sequence, for the device. kUnsupported when the engine has no
  /// tokenizer, kUsage when there are too many ways to write them.
  Result<std::shared_ptr<const std::vector<uint32_t>>> dryBreakers(const std::vector<std::string>& strings);

  /// The engine on a device: a running one is shared, unless `guard`. Memory for it and one session is checked before
  /// anything is uploaded.
  Result<std::shared_ptr<const Program>> program(const ProgramRequest& request, const LogSink& log);

private:
  explicit EngineState(Engine engine) : engine(std::move(engine)) {}
  Result<void> readTextConfig();
  Result<const text::Tokenizer*> openTokenizer();
  Result<std::string> templateSource(const std::string& name);
  Result<text::ChatContext> chatContext();

  Engine engine;
  text::TextConfig config;
  std::string digits;
  std::chrono::nanoseconds openTime{};
  std::mutex textMutex;
  std::optional<text::Tokenizer> openedTokenizer;
  std::unique_ptr<text::Grammars> openedGrammars;
  std::map<std::string, text::ChatTemplate> openedTemplates; // by name
  std::map<std::string, std::string> shownTemplates;         // by name, what chatTemplateSource() gave out
  std::map<std::vector<std::string>, std::shared_ptr<const std::vector<uint32_t>>> packedBreakers; // a few, by strings
  std::mutex programMutex;
  std::map<std::pair<bool, int>, std::weak_ptr<const Program>> programs; // by (on the host, device number)
};

} // namespace llcuda::capi

struct llcuda_grammar {
  std::shared_ptr<const llcuda::text::Grammar> grammar;
  std::weak_ptr<const llcuda::capi::EngineState> engine; ///< that made it
};

struct llcuda_engine {
  std::shared_ptr<llcuda::capi::EngineState> state;
};
