// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/sass_listing.h"

#include <charconv>
#include <unordered_map>

#include "codegen/host/child_process.h"
#include "codegen/host/work_folder.h"

namespace llcuda::codegen {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The word at the front, which is taken off `text`.
std::string_view takeWord(std::string_view& text) {
  text = trimmed(text);
  const size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

/// The hexadecimal number that `text` is all of.
template <typename T>
bool readHex(std::string_view text, T& value) {
  return std::from_chars(text.data(), text.data() + text.size(), value, 16).ptr == text.data() + text.size();
}

/// Of the upper half of an instruction.
SassControl controlOf(uint64_t upper) {
  const auto bits = [&](int first, int count) { return static_cast<uint8_t>(upper >> first & ((1u << count) - 1)); };
  return {.stall = bits(41, 4), .writeBarrier = bits(46, 3), .readBarrier = bits(49, 3), .waits = bits(52, 6)};
}

/// `line` with every occurrence of `name` as @.
std::string withoutName(std::string_view line, std::string_view name) {
  std::string text(line);
  constexpr std::string_view kCalled = "`($"; // a function that a kernel calls is $KERNEL$FUNCTION
  if (const size_t at = text.find(kCalled); at != std::string::npos)
    if (const size_t end = text.find('$', at + kCalled.size()); end != std::string::npos)
      text.replace(at + kCalled.size(), end - at - kCalled.size(), "@");
  if (!name.empty())
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
      text.replace(at, name.size(), "@");
  return text;
}

class Parser {
public:
  Result<std::vector<SassListing>> parse(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      LLCUDA_RETURN_IF_ERROR(line(trimmed(text.substr(0, end))));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    endKernel();
    if (kernels.empty())
      return badInput("the disassembly has no instructions");
    return std::move(kernels);
  }

private:
  struct Branch {
    size_t from;
    std::string target;
  };

  Result<void> line(std::string_view text) {
    if (text.starts_with(".text.") && text.ends_with(":")) {
      endKernel();
      listing.kernel = text.substr(6, text.size() - 7);
    }
    if (text.starts_with(".L_") && text.ends_with(":"))
      label(text);
    else if (text.starts_with("/*") && text.find("*/") != std::string_view::npos)
      return instruction(text);
    return {};
  }

  void label(std::string_view text) {
    labels[std::string(text.substr(0, text.size() - 1))] = listing.instructions.size();
    listing.text.append(text).push_back('\n');
  }

  //        /*0050*/               @P0 BRA `(.L_x_0) ;   /* 0xfffffff000000947 */
  //                                                     /* 0x000fea000383ffff */
  Result<void> instruction(std::string_view text) {
    const size_t close = text.find("*/");
    uint32_t address = 0;
    const std::string_view digits = trimmed(text.substr(2, close - 2));
    uint64_t upper = 0;
    if (digits.starts_with("0x") && readHex(digits.substr(2), upper)) {
      if (!listing.instructions.empty())
        listing.instructions.back().control = controlOf(upper);
      return {};
    }
    if (!readHex(digits, address))
      return {}; // a comment
    text.remove_prefix(close + 2);
    text = text.substr(0, text.find("/*"));
    listing.text += withoutName(trimmed(text), listing.kernel) + "\n";
    std::string_view opcode = takeWord(text);
    if (opcode == "{") // of two instructions that are issued together
      opcode = takeWord(text);
    std::string_view guard;
    if (opcode.starts_with("@")) {
      guard = opcode;
      opcode = takeWord(text);
    }
    if (opcode.empty())
      return badInput("the disassembly has an address without an instruction: ", address);
    if (opcode.starts_with("BRA"))
      if (const size_t at = text.find("`("); at != std::string_view::npos)
        branches.push_back(
            {listing.instructions.size(), std::string(text.substr(at + 2, text.find(')', at) - at - 2))});
    listing.instructions.push_back({address,
                                    std::string(opcode.substr(0, opcode.find(';'))),
                                    {},
                                    std::string(guard),
                                    std::string(trimmed(text.substr(0, text.find(';'))))});
    return {};
  }

  void endKernel() {
    if (!listing.instructions.empty()) {
      findLoops();
      dropPadding();
      kernels.push_back(std::move(listing));
    }
    listing = {};
    labels.clear();
    branches.clear();
  }

  void findLoops() {
    std::vector<SassLoop> all;
    for (const Branch& branch : branches)
      if (const auto target = labels.find(branch.target); target != labels.end()) {
        listing.instructions[branch.from].target = target->second;
        if (target->second < branch.from)
          all.push_back({target->second, branch.from});
      }
    for (const SassLoop& loop : all) {
      bool innermost = true;
      for (const SassLoop& other : all)
        innermost =
            innermost && (other.length() >= loop.length() || other.first < loop.first || other.last > loop.last);
      (innermost ? listing.loops : listing.outerLoops).push_back(loop);
    }
  }

  // Behind the code stand a branch to itself and NOPs up to the alignment.
  void dropPadding() {
    while (!listing.instructions.empty() && listing.instructions.back().name() == "NOP")
      listing.instructions.pop_back();
    if (!branches.empty() && branches.back().from + 1 == listing.instructions.size())
      if (const auto target = labels.find(branches.back().target);
          target != labels.end() && target->second == branches.back().from)
        listing.instructions.pop_back();
  }

  std::vector<SassListing> kernels;
  SassListing listing;                            // of the kernel that is read
  std::unordered_map<std::string, size_t> labels; // the instruction that follows
  std::vector<Branch> branches;
};

} // namespace

Result<std::vector<SassListing>> parseKernels(std::string_view text) {
  return Parser().parse(text);
}

Result<SassListing> parseSass(std::string_view text) {
  LLCUDA_ASSIGN_OR_RETURN(std::vector<SassListing> kernels, parseKernels(text));
  return std::move(kernels.front());
}

Result<std::vector<SassListing>> disassembleKernels(const std::string& nvdisasm, std::span<const std::byte> cubin) {
  LLCUDA_ASSIGN_OR_RETURN(const WorkFolder folder, WorkFolder::create());
  const std::string output = "kernel.sass";
  LLCUDA_RETURN_IF_ERROR(folder.write("kernel.cubin", {reinterpret_cast<const char*>(cubin.data()), cubin.size()}));
  LLCUDA_ASSIGN_OR_RETURN(const int status,
                          runProgram({nvdisasm, "-c", "-hex", "kernel.cubin"}, folder.path(), output));
  LLCUDA_ASSIGN_OR_RETURN(const std::string text, folder.read(output));
  if (status != 0)
    return unsupported(nvdisasm, " ended with status ", status, ": ", text.substr(0, text.find('\n')));
  return parseKernels(text);
}

Result<SassListing> disassemble(const std::string& nvdisasm, std::span<const std::byte> cubin) {
  LLCUDA_ASSIGN_OR_RETURN(std::vector<SassListing> kernels, disassembleKernels(nvdisasm, cubin));
  return std::move(kernels.front());
}

} // namespace llcuda::codegen
