// SPDX-License-Identifier: Apache-2.0
// Flags of llama-server that no flag here stands for. Those of all its tools are in
// tools/tool-options/foreign_flags.cpp.
#include "tools/llcuda-serve/flags.h"

namespace llcuda::serve {
namespace {

constexpr std::string_view kCompiled = "an engine has it from its compiler: llcuda-compile";
constexpr std::string_view kOneModel = "a server has one model, from a file";
constexpr std::string_view kNoDownload = "nothing is downloaded; give the model's file";
constexpr std::string_view kProxy = "TLS is for a reverse proxy in front";
constexpr std::string_view kNoMedia = "only text is understood";
constexpr std::string_view kNoSynthesis = "guesses are what they are: none is made up";
constexpr std::string_view kNoAgent = "the server runs no tools; clients do";

constexpr LlamaFlag kFlags[] = {
    {"--threads-http", true, ""},
    {"--jinja", false, ""},
    {"--no-jinja", false, ""},
    {"--embedding,--embeddings", false, ""},
    {"--cache-prompt", false, ""},
    {"--cache-reuse", true, ""},
    {"--no-cache-idle-slots", false, ""},
    {"--cache-idle-slots", false, ""},
    {"-sps,--slot-prompt-similarity", true, ""},
    {"--backend_sampling,--backend-sampling", false, ""},
    {"--props", false, ""},
    {"--webui,--ui", false, ""},
    {"--prefill-assistant", false, ""},
    {"--no-prefill-assistant", false, ""},
    {"--no-mmproj", false, ""},
    {"--cache-type-k", true, ""},
    {"--cache-type-v", true, ""},
    {"-ctxcp,--ctx-checkpoints,--swa-checkpoints", true, ""},
    {"--sse-ping-interval", true, ""},
    {"--lora,--lora-scaled,--control-vector", true, kCompiled},
    {"-gan,--grp-attn-n", true, kCompiled},
    {"-gaw,--grp-attn-w", true, kCompiled},
    {"--rope-scaling,--rope-scale,--rope-freq-base,--rope-freq-scale", true, kCompiled},
    {"--models-dir", true, kOneModel},
    {"--models-preset", true, kOneModel},
    {"--models-max", true, kOneModel},
    {"--no-models-autoload", false, kOneModel},
    {"-mu,--model-url", true, kNoDownload},
    {"-hf,-hfr,--hf-repo", true, kNoDownload},
    {"-hff,--hf-file", true, kNoDownload},
    {"-dr,--docker-repo", true, kNoDownload},
    {"--ssl-key-file", true, kProxy},
    {"--ssl-cert-file", true, kProxy},
    {"-mm,--mmproj", true, kNoMedia},
    {"-mmu,--mmproj-url", true, kNoMedia},
    {"--media-path", true, kNoMedia},
    {"--spec-synth-len", true, kNoSynthesis},
    {"--spec-synth-rates", true, kNoSynthesis},
    {"--slot-save-path", true, "slots are not saved to files"},
    {"--sleep-idle-seconds", true, "the server does not unload its model"},
    {"--tools", true, kNoAgent},
    {"--tools-runtime", true, kNoAgent},
    {"--mcp-servers-config", true, kNoAgent},
    {"--mcp-servers-json", true, kNoAgent},
    {"--ui-mcp-proxy,--webui-mcp-proxy", false, kNoAgent},
    {"--api-prefix", true, "a prefix is for a reverse proxy in front"},
    {"--path", true, "the server has no other files than its own page"},
};

} // namespace

std::span<const LlamaFlag> llamaFlags() {
  return kFlags;
}

} // namespace llcuda::serve
