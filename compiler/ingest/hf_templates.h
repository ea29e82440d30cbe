// SPDX-License-Identifier: Apache-2.0
// The chat templates of a Hugging Face folder.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "runtime/base/result.h"
#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// Fills in the templates of `config`: chat_template.jinja and additional_chat_templates/*.jinja, else chat_template of
/// `tokenizerConfig` (a text, or a list of names and texts) or of chat_template.json. None is left empty.
Result<void> readHfTemplates(const std::string& folder, const nlohmann::json& tokenizerConfig,
                             text::TextConfig& config);

/// The same of a folder whose tokenizer_config.json was not read.
Result<void> readHfTemplates(const std::string& folder, text::TextConfig& config);

} // namespace llcuda::ingest
