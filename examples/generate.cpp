// SPDX-License-Identifier: Apache-2.0
// generate ENGINE TEXT: continues a text, 32 tokens at most, and says how fast that was.
#include <iostream>

#include <llcuda/llcuda.hpp>

namespace api = llcuda::api;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: generate ENGINE TEXT\n";
    return LLCUDA_USAGE;
  }
  const auto fail = [](const api::Error& error) {
    std::cerr << "generate: " << error.message << '\n';
    return static_cast<int>(error.status);
  };
  auto engine = api::Engine::open(argv[1]);
  if (!engine)
    return fail(engine.error());

  api::SessionOptions where;
  where.log = [](llcuda_log_level, std::string_view line) { std::cerr << line << '\n'; };
  auto session = engine->createSession(where);
  if (!session)
    return fail(session.error());

  api::GenerateOptions options;
  options.maxTokens = 32;
  options.sampler = api::Sampler::greedy();
  options.callback = [](const llcuda_step& step) {
    std::cout << std::string_view(step.text, step.text_bytes) << std::flush;
    return true;
  };
  const api::Generated generated = session->generateText(argv[2], options);
  if (generated.error)
    return fail(*generated.error);
  std::cout << '\n';
  std::cerr << generated.metrics.generated_tokens << " tokens, the first after "
            << generated.metrics.first_token_ns / 1000 << " us\n";
  return 0;
}
