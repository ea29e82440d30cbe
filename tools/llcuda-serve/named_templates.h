// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llcuda::serve {

/// The Jinja source of a format that --chat-template calls by llama.cpp's name, such as chatml.
std::optional<std::string_view> namedTemplate(std::string_view name);

/// "chatml, llama3, ..."
std::string namesOfTemplates();

} // namespace llcuda::serve
