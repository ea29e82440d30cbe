// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-serve/flags.h"

#include <iostream>
#include <set>
#include <sstream>

#include "llcuda/llcuda.h"
#include "runtime/base/regular_file.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::serve {
namespace {

/// Without those of one dash and several letters, which stand for a long one before the parser sees them.
std::string parsedNames(std::string_view names) {
  std::string result;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string_view name = names.substr(begin, end - begin);
    if (!name.starts_with('-') || name.starts_with("--") || name.size() == 2)
      (result += result.empty() ? "" : ",") += name;
    begin = end + 1;
  }
  return result;
}

/// What --help says: first the names that the parser does not see.
std::string descriptionOf(const Flag& flag) {
  const bool isShort = flag.names.starts_with('-') && !flag.names.starts_with("--") && flag.names[2] != ',';
  return (isShort ? std::string(flag.names.substr(0, flag.names.find(','))) + ": " : "") + std::string(flag.doc);
}

/// Several values of one flag are taken one after the other: of most the last one counts.
void addFlag(CLI::App& app, const Flag& flag, Given& given) {
  const auto take = [&given, &flag](const std::vector<std::string>& values) {
    for (const std::string& value : values)
      if (const std::string fault = flag.set(given, value); !fault.empty())
        throw CLI::ValidationError(std::string(flag.names), fault);
  };
  CLI::Option* option =
      flag.type.empty()
          ? app.add_flag_callback(
                parsedNames(flag.names), [take] { take({"true"}); }, descriptionOf(flag))
          : app.add_option_function<std::vector<std::string>>(parsedNames(flag.names), take, descriptionOf(flag))
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->allow_extra_args(false);
  std::string shown(flag.type);
  if (!flag.standard.empty())
    shown += (shown.empty() ? "(" : " (") + std::string(flag.standard) + ")";
  option->option_text(shown)->group(std::string(flag.section))->envname(environmentOf(flag));
}

void addLlamaFlag(CLI::App& app, const LlamaFlag& flag) {
  const auto meet = [&flag] {
    if (!flag.refusal.empty())
      throw CLI::ValidationError(std::string(flag.names), std::string(flag.refusal));
    std::cerr << "note: " << flag.names << " has nothing to decide here\n";
  };
  CLI::Option* option = flag.takesValue
                            ? app.add_option_function<std::vector<std::string>>(
                                     parsedNames(flag.names), [meet](const std::vector<std::string>&) { meet(); })
                                  ->expected(1)
                                  ->allow_extra_args(false)
                            : app.add_flag_callback(parsedNames(flag.names), meet);
  option->group(""); // not in --help
}

/// Lines of a file, without those that are empty or begin with '#'.
std::string readKeys(Given& given, const std::string& path) {
  Result<std::string> text = readFile(path);
  if (!text)
    return text.error().message;
  std::istringstream lines(*text);
  const std::size_t before = given.options.keys.size();
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty() && line[0] != '#')
      given.options.keys.push_back({"key-" + std::to_string(given.options.keys.size() + 1), line});
  }
  return given.options.keys.size() == before ? path + ": has no key" : "";
}

std::string combine(const CLI::App& app, Given& given) {
  for (const std::string& path : given.keyFiles)
    if (const std::string fault = readKeys(given, path); !fault.empty())
      return fault;
  server::ServerOptions& options = given.options;
  const bool shared = options.slots != 0 && !given.unified;
  options.context = shared ? given.totalContext / options.slots : given.totalContext;
  if (given.totalContext != 0 && options.context == 0)
    return "-c gives each of " + std::to_string(options.slots) + " slots no position";
  if (app.count("--chat-template") != 0 && app.count("--chat-template-file") != 0)
    return "--chat-template and --chat-template-file exclude one another";
  if (given.needsDraft && options.draftModel.empty())
    return "--spec-type draft-simple needs --model-draft";
  if (options.model.empty())
    return "MODEL is required: an engine, or a model to compile first";
  return "";
}

} // namespace

std::variant<server::ServerOptions, int> parseFlags(int argc, char** argv) {
  CLI::App app("Serves a model to many users, as OpenAI's API and llama-server do", "llcuda-serve");
  app.set_version_flag("--version", std::string("llcuda-serve ") + llcuda_version());
  app.footer("Each flag has an environment variable, --ctx-size LLCUDA_CTX_SIZE; the command line wins.");
  Given given;
  for (const Flag& flag : flagTable()) addFlag(app, flag, given);
  for (const LlamaFlag& flag : llamaFlags()) addLlamaFlag(app, flag);
  bool asMarkdown = false;
  app.add_flag("--flags-as-markdown", asMarkdown)->group("");
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, argv))
    return *code;
  if (asMarkdown) {
    std::cout << flagsAsMarkdown();
    return 0;
  }
  if (const std::string fault = combine(app, given); !fault.empty())
    return tools::wrongUse(app, fault);
  return std::move(given.options);
}

std::string flagsAsMarkdown() {
  std::string text;
  std::string_view section;
  for (const Flag& flag : flagTable()) {
    if (flag.section != section) {
      section = flag.section;
      text += (text.empty() ? "### " : "\n### ") + std::string(section) + "\n\n";
      text += "| flag | environment | default | |\n|---|---|---|---|\n";
    }
    std::string names;
    for (const char letter : flag.names) names += letter == ',' ? std::string("`, `") : std::string(1, letter);
    std::string value(flag.type);
    for (std::size_t at = 0; (at = value.find('|', at)) != std::string::npos; at += 2) value.insert(at, "\\");
    text += "| `" + names + "`" + (value.empty() ? "" : " " + value) + " | `" + environmentOf(flag) + "` | " +
            std::string(flag.standard) + " | " + std::string(flag.doc) + " |\n";
  }
  return text;
}

} // namespace llcuda::serve
