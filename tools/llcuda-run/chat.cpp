// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/chat.h"

#include <algorithm>
#include <iostream>

#include <unistd.h>

#include "tools/llcuda-run/fail.h"
#include "tools/llcuda-run/interrupt.h"
#include "tools/llcuda-run/report.h"

namespace llcuda::run {
namespace {

/// Keeps what the cache shares with the rendered conversation, and gives the rest. The last token always is computed
/// anew: its logits are what is asked for.
api::Expected<std::span<const int32_t>> keepShared(api::Session& session, std::span<const int32_t> wanted) {
  const std::span<const int32_t> cached = session.tokens();
  const std::size_t limit = std::min(cached.size(), wanted.size() - 1);
  const auto shared = std::mismatch(cached.begin(), cached.begin() + limit, wanted.begin()).first - cached.begin();
  if (auto rewound = session.rewind(shared); !rewound)
    return rewound.error();
  return wanted.subspan(shared);
}

/// One turn: the reply is streamed to standard output and appended to the messages.
api::Generated reply(const api::Engine& engine, api::Session& session, const Options& options,
                     std::vector<api::Message>& messages) {
  const auto failed = [](const api::Error& error) { return api::Generated{{}, error}; };
  const auto tokens = chatTokens(engine, messages, options.chatTemplate);
  if (!tokens)
    return failed(tokens.error());
  if (tokens->empty())
    return failed({LLCUDA_UNSUPPORTED, "the chat template gives no tokens"});
  const auto rest = keepShared(session, *tokens);
  if (!rest)
    return failed(rest.error());
  api::GenerateOptions generate = options.generate;
  std::string text;
  generate.callback = [&text](const llcuda_step& step) {
    text.append(step.text, step.text_bytes);
    std::cout.write(step.text, static_cast<std::streamsize>(step.text_bytes)).flush();
    return std::cout.good();
  };
  const InterruptCancels guard(session);
  api::Generated generated = session.generate(*rest, generate);
  messages.push_back({"assistant", text});
  return generated;
}

} // namespace

api::Expected<std::vector<int32_t>> chatTokens(const api::Engine& engine, const std::vector<api::Message>& messages,
                                               const std::string& chatTemplate) {
  const auto text = engine.renderChat(messages, true, chatTemplate);
  if (!text)
    return text.error();
  return engine.tokenize(*text, LLCUDA_RENDERED_CHAT);
}

int chatLoop(const api::Engine& engine, api::Session& session, const Options& options) {
  std::vector<api::Message> messages;
  if (!options.systemPrompt.empty())
    messages.push_back({"system", options.systemPrompt});
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  const auto prompt = [terminal] {
    if (terminal)
      std::cerr << "> " << std::flush;
  };
  prompt();
  for (std::string line; std::getline(std::cin, line); prompt()) {
    if (line.empty())
      continue;
    messages.push_back({"user", line});
    const api::Generated generated = reply(engine, session, options, messages);
    std::cout << '\n' << std::flush;
    if (generated.error && generated.error->status != LLCUDA_CANCELLED)
      return fail(*generated.error);
    std::cerr << timingsLine(generated.metrics) << '\n';
    if (!std::cout.good())
      return LLCUDA_INTERNAL;
  }
  return LLCUDA_OK;
}

} // namespace llcuda::run
