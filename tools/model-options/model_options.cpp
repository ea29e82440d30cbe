// SPDX-License-Identifier: Apache-2.0
#include "tools/model-options/model_options.h"

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

void addModelOptions(CLI::App& app, models::OpenOptions& options) {
  addParsed(app, "--quantize", ingest::quantizationByName, options.quantize.quantization,
            "f16|q8_0|q4_0|q4_k_m|q5_k_m|q6_k|nf4", "Quantise 16-bit and 32-bit weights");
  addParsed(app, "--head", ingest::headEncodingByName, options.quantize.head, "keep|q8_0|q6_k",
            "Quantise the head (the embeddings, where the model ties them) apart from the rest");
}

} // namespace llcuda::tools
