// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "runtime/base/regular_file.h"
#include "tools/llcuda-serve/flags.h"
#include "tools/llcuda-serve/named_templates.h"
#include "tools/tool-options/byte_size.h"

namespace llcuda::serve {
namespace {

using server::ServerOptions;
using Set = std::function<std::string(Given&, const std::string&)>;

std::vector<std::string> splitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty())
      parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

template <typename Number>
std::string parseNumber(const std::string& value, Number least, Number most, Number& into) {
  Number parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc() || end != value.data() + value.size() || !(parsed >= least && parsed <= most)) {
    nlohmann::json low = least, high = most;
    return value + " is no number from " + low.dump() + " to " + high.dump();
  }
  into = parsed;
  return "";
}

template <typename Number>
Set number(Number ServerOptions::*member, Number least, Number most) {
  return [=](Given& given, const std::string& value) { return parseNumber(value, least, most, given.options.*member); };
}

Set limit(uint32_t server::Limits::*member, uint32_t most) {
  return [=](Given& given, const std::string& value) {
    return parseNumber(value, 1u, most, given.options.limits.*member);
  };
}

Set text(std::string ServerOptions::*member) {
  return [=](Given& given, const std::string& value) { return given.options.*member = value, ""; };
}

Set list(std::vector<std::string> ServerOptions::*member) {
  return [=](Given& given, const std::string& value) {
    given.options.*member = splitAtCommas(value);
    return std::string((given.options.*member).empty() ? "it is empty" : "");
  };
}

/// Sorted and without repeats, as llama-server has them.
Set sortedList(std::vector<std::string> ServerOptions::*member) {
  return [=](Given& given, const std::string& value) {
    const std::vector<std::string> parts = splitAtCommas(value);
    const std::set<std::string> sorted(parts.begin(), parts.end());
    (given.options.*member).assign(sorted.begin(), sorted.end());
    return std::string(sorted.empty() ? "it is empty" : "");
  };
}

Set choice(std::string ServerOptions::*member, std::vector<std::string> words) {
  return [=](Given& given, const std::string& value) -> std::string {
    if (std::ranges::find(words, value) == words.end()) {
      std::string known;
      for (const std::string& word : words) known += (known.empty() ? "" : ", ") + word;
      return value + " is not one of " + known;
    }
    given.options.*member = value;
    return "";
  };
}

Set turn(bool ServerOptions::*member, bool on) {
  return [=](Given& given, const std::string&) { return given.options.*member = on, ""; };
}

Set bytes(uint64_t ServerOptions::*member) {
  return [=](Given& given, const std::string& value) -> std::string {
    const auto size = tools::parseByteSize(value);
    if (!size)
      return value + " is no size, as 20GiB or 800MiB are";
    given.options.*member = *size;
    return "";
  };
}

/// The default of a field of requests; its range is looked up where the fields are.
Set field(std::string name) {
  return [=](Given& given, const std::string& value) -> std::string {
    const auto parsed = nlohmann::json::parse(value, nullptr, false);
    if (!parsed.is_number())
      return value + " is no number";
    given.options.requestDefaults[name] = parsed.dump();
    return "";
  };
}

Set textField(std::string name) {
  return [=](Given& given, const std::string& value) {
    return given.options.requestDefaults[name] = nlohmann::json(value).dump(), "";
  };
}

std::string setSlots(Given& given, const std::string& value) {
  if (value == "-1") // llama-server's word for "by itself"
    return given.options.slots = 0, "";
  return parseNumber(value, 0u, 64u, given.options.slots);
}

std::string setContext(Given& given, const std::string& value) {
  return parseNumber(value, 0u, 1u << 26, given.totalContext);
}

std::string setCacheRam(Given& given, const std::string& value) {
  if (value == "-1")
    return given.options.hostCacheBytes = INT64_MAX, "";
  const bool isPlain = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  const auto size = tools::parseByteSize(isPlain ? value + "MiB" : value);
  if (!size)
    return value + " is no number of MiB, and no size, as 2GiB is";
  given.options.hostCacheBytes = *size;
  return "";
}

std::string setDevice(Given& given, const std::string& value) {
  const std::string words[] = {"auto", "cuda", "host"};
  const auto found = std::ranges::find(words, value);
  if (found == std::end(words))
    return value + " is not one of auto, cuda, host";
  given.options.device = static_cast<int>(found - words);
  return "";
}

std::string setSpeculation(Given& given, const std::string& value) {
  const std::vector<std::string> types = splitAtCommas(value);
  given.options.guessesByNgrams = given.needsDraft = false;
  for (const std::string& type : types) {
    if (type != "none" && type != "ngram-simple" && type != "draft-simple")
      return type + " is not one of none, ngram-simple, draft-simple";
    if (type == "none" && types.size() > 1)
      return "none stands alone";
    given.options.guessesByNgrams |= type == "ngram-simple";
    given.needsDraft |= type == "draft-simple";
  }
  return types.empty() ? "it is empty" : "";
}

std::string setPort(Given& given, const std::string& value) {
  return parseNumber<uint16_t>(value, 0, UINT16_MAX, given.options.port);
}

std::string addKeys(Given& given, const std::string& value) {
  for (const std::string& secret : splitAtCommas(value))
    given.options.keys.push_back({"key-" + std::to_string(given.options.keys.size() + 1), secret});
  return given.options.keys.empty() ? "it is empty" : "";
}

std::string setBody(Given& given, const std::string& value) {
  const auto size = tools::parseByteSize(value);
  if (!size || *size == 0 || *size > uint64_t{1} << 30)
    return value + " is no size up to 1GiB";
  given.options.limits.bodyBytes = *size;
  return "";
}

std::string setKwargs(Given& given, const std::string& value) {
  if (!nlohmann::json::parse(value, nullptr, false).is_object())
    return "it is no JSON object, as {\"enable_thinking\": false} is";
  given.options.chatTemplateKwargs = value;
  return "";
}

/// A word alone can only be meant as a name.
std::string setTemplate(Given& given, const std::string& value) {
  const auto named = namedTemplate(value);
  if (!named && value.find_first_of("{ \n") == std::string::npos)
    return value + " is no template and not one of " + namesOfTemplates() + "; a file is for --chat-template-file";
  given.options.chatTemplate = named ? std::string(*named) : value;
  return "";
}

std::string readTemplate(Given& given, const std::string& path) {
  Result<std::string> source = readFile(path);
  if (!source)
    return source.error().message;
  given.options.chatTemplate = *std::move(source);
  return given.options.chatTemplate.empty() ? path + " is empty" : "";
}

constexpr std::string_view kModel = "Model", kRequests = "Defaults of requests", kChats = "Chats", kBorder = "Border",
                           kLimits = "Limits", kLog = "Log";

std::vector<Flag> makeTable() {
  return {
      {"-m,--model,MODEL", kModel, "PATH", "An engine, or a model to compile first", text(&ServerOptions::model)},
      {"-a,--alias", kModel, "NAMES", "Names of the model, separated by commas; the first of the alphabet is its id",
       sortedList(&ServerOptions::aliases), "its file's name"},
      {"--tags", kModel, "WORDS", "Words about the model for /v1/models, separated by commas",
       sortedList(&ServerOptions::tags), "none"},
      {"-c,--ctx-size", kModel, "N", "Positions of all slots together; each has an equal share", setContext,
       "as many as the engine allows in each"},
      {"--kv-unified", kModel, "", "Each slot may have all positions of -c",
       [](Given& given, const std::string&) { return given.unified = true, ""; }, "on without -np"},
      {"-np,--parallel", kModel, "N", "Slots: requests that run at a time", setSlots, "as many as the engine decodes"},
      {"-cram,--cache-ram", kModel, "MIB", "Keys and values kept in host memory; -1: no limit, 0: none", setCacheRam,
       "8192"},
      {"--no-cache-prompt", kModel, "", "Prompts never begin with what requests before them computed",
       turn(&ServerOptions::prefixCache, false), "they do"},
      {"--fair", kModel, "", "Requests take turns by key, so that each key has the same share of tokens",
       turn(&ServerOptions::fair, true), "off"},
      {"--step-target", kModel, "MS", "The longest step while requests generate: how much of a prompt fits beside them",
       number<float>(&ServerOptions::stepTargetMs, 0, 1e6f), "2.5 to 2.9 decode steps of all that run"},
      {"--spec-type", kModel, "none|ngram-simple|draft-simple",
       "Guess tokens ahead; the text stays the same. ngram-simple: what followed when the last tokens stood there "
       "before; draft-simple: what --model-draft says, and it is meant where that is given; both with a comma",
       setSpeculation, "none"},
      {"-md,--model-draft,--spec-draft-model", kModel, "PATH",
       "An engine of a smaller model with the same vocabulary, or such a model to compile first, that guesses",
       text(&ServerOptions::draftModel), "none"},
      {"--draft,--draft-n,--draft-max,--spec-draft-n-max", kModel, "N",
       "Tokens guessed for a request at a time at most", number<uint32_t>(&ServerOptions::draftMax, 1, 63), "15"},
      {"--draft-min,--draft-n-min,--spec-draft-n-min", kModel, "N", "Fewer are not guessed",
       number<uint32_t>(&ServerOptions::draftMin, 0, 63), "0"},
      {"--draft-p-min,--spec-draft-p-min", kModel, "P", "A token that the draft model finds less likely is no guess",
       number<float>(&ServerOptions::draftPMin, 0, 1), "0"},
      {"--spec-ngram-simple-size-n", kModel, "N", "Tokens that have to have stood there before",
       number<uint32_t>(&ServerOptions::ngramSize, 1, 64), "3"},
      {"--pooling", kModel, "model|mean|last|cls|none",
       "The embedding of a text: as the model says, the mean, last or first of its tokens'; none: there are none",
       choice(&ServerOptions::pooling, {"model", "mean", "last", "cls", "none"}), "model"},
      {"--rerank,--reranking", kModel, "",
       "/v1/rerank: the model answers \"yes\" or \"no\" to whether a document meets a query, as Qwen 3 Reranker does",
       turn(&ServerOptions::ranks, true), "off"},
      {"--device", kModel, "auto|cuda|host", "A GPU, or the processor", setDevice, "auto"},
      {"-mg,--main-gpu", kModel, "N", "Which GPU, as CUDA numbers them",
       number<int>(&ServerOptions::deviceIndex, 0, 1023), "0"},
      {"--weights-from", kModel, "PATH", "The model file of an engine that leaves its weights there, or its folder",
       text(&ServerOptions::weightsFrom), "where the compiler found it"},
      {"--verify", kModel, "full|lazy",
       "Compare an engine's bytes with its hashes before anything runs, or each part of it when it is used first",
       choice(&ServerOptions::verify, {"full", "lazy"}), "full"},
      {"--cache-size", kModel, "SIZE", "Bytes that engines compiled for models may take together",
       bytes(&ServerOptions::engineCacheBytes), "20GiB"},

      {"--temp,--temperature", kRequests, "X", "Temperature; 0: always the most likely token", field("temperature"),
       "the model's, else 0.8"},
      {"--top-k", kRequests, "N", "Keep the k most likely tokens; 0: all", field("top_k"), "the model's, else 40"},
      {"--top-p", kRequests, "X", "Keep the most likely tokens up to this sum", field("top_p"),
       "the model's, else 0.95"},
      {"--min-p", kRequests, "X", "Keep tokens with this share of the best one's probability", field("min_p"),
       "the model's, else 0.05"},
      {"--typical,--typical-p", kRequests, "X", "Locally typical sampling; 1: off", field("typical_p"), "1"},
      {"--top-nsigma,--top-n-sigma", kRequests, "X", "Keep logits this many deviations from the best; -1: off",
       field("top_n_sigma"), "-1"},
      {"--repeat-last-n", kRequests, "N", "Tokens that penalties look back; -1: all", field("repeat_last_n"), "64"},
      {"--repeat-penalty", kRequests, "X", "Penalty of repeated tokens; 1: off", field("repeat_penalty"), "1"},
      {"--presence-penalty", kRequests, "X", "Penalty of tokens that were there; 0: off", field("presence_penalty"),
       "0"},
      {"--frequency-penalty", kRequests, "X", "Penalty of tokens by how often they were there; 0: off",
       field("frequency_penalty"), "0"},
      {"-s,--seed", kRequests, "N", "Seed; -1: a random one for each request", field("seed"), "-1"},
      {"--sampling-seq,--sampler-seq", kRequests, "LETTERS", "Order of the samplers", textField("samplers"),
       "edskypmxt"},
      {"-n,--predict,--n-predict", kRequests, "N",
       "Tokens of an answer where a request does not say how many; -1: until it ends",
       number<int64_t>(&ServerOptions::mostTokens, -1, INT32_MAX), "-1"},

      {"--chat-template", kChats, "JINJA",
       "A template in place of the model's; or a name: chatml, llama3, gemma, phi3, command-r", setTemplate,
       "the model's"},
      {"--chat-template-file", kChats, "FILE", "A file with a template in place of the model's", readTemplate,
       "the model's"},
      {"--chat-template-kwargs", kChats, "JSON", "Variables for the template, beside those of a request", setKwargs,
       "{}"},
      {"-rea,--reasoning", kChats, "on|off|auto", "Whether the template is asked to open reasoning",
       choice(&ServerOptions::reasoning, {"on", "off", "auto"}), "auto: as the template has it"},
      {"--reasoning-format", kChats, "none|deepseek|auto", "Reasoning in the content, or in reasoning_content",
       choice(&ServerOptions::reasoningFormat, {"none", "deepseek", "auto"}), "deepseek"},
      {"--reasoning-budget", kChats, "N", "Tokens of reasoning, then it is ended; -1: any number, 0: no reasoning",
       field("reasoning_budget_tokens"), "-1"},
      {"--reasoning-budget-message", kChats, "TEXT", "Text in front of its end where the budget is spent",
       textField("reasoning_budget_message"), "none"},
      {"--strict-model", kChats, "", "Refuse requests for another model", turn(&ServerOptions::strictModel, true),
       "off"},
      {"--strict-fields", kChats, "", "Refuse fields that no endpoint has", turn(&ServerOptions::strictFields, true),
       "off"},

      {"--host", kBorder, "ADDRESSES",
       "Addresses to listen at, separated by commas; a path that ends in .sock is a Unix socket",
       list(&ServerOptions::hosts), "127.0.0.1"},
      {"--port", kBorder, "N", "Port; 0: any that is free", setPort, "8080"},
      {"--api-key", kBorder, "KEYS", "Keys of which a client has to show one, separated by commas", addKeys, "none"},
      {"--api-key-file", kBorder, "FILE", "A file with a key in each line",
       [](Given& given, const std::string& path) { return given.keyFiles.push_back(path), ""; }, "none"},
      {"--cors-origins", kBorder, "ORIGINS",
       "Origins whose pages may read answers, separated by commas; localhost: any port here; *: all",
       list(&ServerOptions::corsOrigins), "none"},
      {"--cors-methods", kBorder, "METHODS", "Methods that they may use", text(&ServerOptions::corsMethods),
       "GET, POST, DELETE, OPTIONS"},
      {"--cors-headers", kBorder, "HEADERS", "Headers that they may send", text(&ServerOptions::corsHeaders), "*"},
      {"--no-cors-credentials", kBorder, "", "They send no credentials", turn(&ServerOptions::corsCredentials, false),
       "they may"},
      {"--no-webui,--no-ui", kBorder, "", "Do not answer / with the chat page", turn(&ServerOptions::page, false),
       "it does"},
      {"--metrics", kBorder, "", "Answer /metrics", turn(&ServerOptions::metrics, true), "off"},
      {"--slots", kBorder, "", "Answer /slots", turn(&ServerOptions::slotsEndpoint, true), "on"},
      {"--no-slots", kBorder, "", "Do not answer /slots", turn(&ServerOptions::slotsEndpoint, false), "on"},

      {"--queue", kLimits, "N", "Requests that wait for a slot; more get 429",
       number<uint32_t>(&ServerOptions::queue, 1, 1u << 20), "256"},
      {"--max-body", kLimits, "SIZE", "Bytes of a request's body; more get 413", setBody, "8MiB"},
      {"--max-connections", kLimits, "N", "Connections; more wait", limit(&server::Limits::connections, 1u << 20),
       "4096"},
      {"--header-timeout", kLimits, "S", "Seconds for the head of a request; then 408",
       limit(&server::Limits::headerSeconds, 86400), "10"},
      {"--body-timeout", kLimits, "S", "Seconds for its body; then 408", limit(&server::Limits::bodySeconds, 86400),
       "30"},
      {"-to,--timeout", kLimits, "S", "Seconds in which a client takes nothing of its answer; then it is cut",
       limit(&server::Limits::stallSeconds, 86400), "60"},
      {"--drain-seconds", kLimits, "S", "Seconds that running requests have after SIGTERM",
       number<uint32_t>(&ServerOptions::drainSeconds, 0, 86400), "30"},

      {"--log-json", kLog, "", "A JSON object for each answer on standard error", turn(&ServerOptions::jsonLog, true),
       "off"},
      {"-v,--verbose", kLog, "", "A line for each answer on standard error, and __verbose in answers",
       turn(&ServerOptions::verbose, true), "off"},
  };
}

} // namespace

std::span<const Flag> flagTable() {
  static const std::vector<Flag> table = makeTable();
  return table;
}

std::string environmentOf(const Flag& flag) {
  std::string_view name = flag.names.substr(0, flag.names.find(",MODEL"));
  name = name.substr(name.rfind("--") + 2);
  std::string variable = "LLCUDA_";
  for (const char letter : name) variable += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
  return variable;
}

} // namespace llcuda::serve
