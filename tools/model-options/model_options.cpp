// SPDX-License-Identifier: Apache-2.0
#include "tools/model-options/model_options.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <string>

namespace llcuda::tools {
namespace {

/// An option whose text `parse` turns into the value, or says why not.
template <typename Value>
void addParsed(CLI::App& app, const std::string& flag, Result<Value> (*parse)(std::string_view),
               std::optional<Value>& value, const std::string& names, const std::string& description) {
  app.add_option_function<std::string>(
         flag, [&value, parse](const std::string& text) { value = *parse(text); }, description)
      ->type_name(names)
      ->check([parse](const std::string& text) {
        const auto parsed = parse(text);
        return parsed ? std::string() : parsed.error().message;
      });
}

} // namespace

Result<models::AdapterOption> parseAdapter(std::string_view text) {
  const size_t split = text.rfind('=');
  std::error_code ignored;
  if (split == std::string_view::npos || std::filesystem::is_directory(text, ignored))
    return models::AdapterOption{std::string(text), 1};
  const std::string_view number = text.substr(split + 1);
  double scale = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), scale);
  if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(scale))
    return usageError(text, ": after '=' comes a number that the adapter is multiplied by");
  return models::AdapterOption{std::string(text.substr(0, split)), scale};
}

void addModelOptions(CLI::App& app, models::OpenOptions& options) {
  addParsed(app, "--quantize", ingest::quantizationByName, options.quantize.quantization,
            "f16|q8_0|q4_0|q4_k_m|q5_k_m|q6_k|nf4", "Quantise 16-bit and 32-bit weights");
  addParsed(app, "--head", ingest::headEncodingByName, options.quantize.head, "keep|q8_0|q6_k",
            "Quantise the head (the embeddings, where the model ties them) apart from the rest");
  app.add_option_function<std::vector<std::string>>(
         "--lora",
         [&options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) options.adapters.push_back(*parseAdapter(text));
         },
         "Add a LoRA adapter (a PEFT folder): beside weights that are quantised, merged into others; may be given "
         "several times")
      ->type_name("DIR[=SCALE]")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const auto parsed = parseAdapter(text);
        return parsed ? std::string() : parsed.error().message;
      });
  app.add_flag("--merge-lora", options.mergeAdapters, "Merge adapters into quantised weights too, which become f16");
  app.add_option("--base", options.base, "The model, where the path given as the model is only an adapter's folder")
      ->type_name("PATH");
  app.add_option("--tokenizer", options.tokenizer,
                 "Take the tokenizer of this folder or GGUF file, not the model's own")
      ->type_name("PATH");
}

} // namespace llcuda::tools
