// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/cubin.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace llcuda::codegen {
namespace {

constexpr uint16_t kMachineCuda = 190;

struct ElfHeader {
  std::array<uint8_t, 16> identification;
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, programs, sections;
  uint32_t flags;
  uint16_t headerBytes, programBytes, programCount, sectionBytes, sectionCount, names;
};

struct ElfSection {
  uint32_t name, type;
  uint64_t flags, address, offset, bytes;
  uint32_t link, info;
  uint64_t alignment, entryBytes;
};

/// Attributes of .nv.info sections; their values follow a length of 16 bits where the format is kSized.
enum : uint8_t { kSized = 4 };
enum : uint8_t { kMaxThreads = 0x05, kParameterBank = 0x0a, kRequiredThreads = 0x10, kParameter = 0x17 };

class Reader {
public:
  explicit Reader(std::span<const std::byte> file) : file(file) {}

  Result<std::vector<CubinKernel>> read() {
    if (!isCubin(file))
      return badInput("no cubin: not an ELF file of machine code for NVIDIA's GPUs");
    const auto header = at<ElfHeader>(0);
    for (uint32_t i = 0; i < header.sectionCount; ++i)
      sections.push_back(at<ElfSection>(header.sections + uint64_t{i} * header.sectionBytes));
    if (header.names < sections.size())
      names = bytesOf(sections[header.names]);
    for (const ElfSection& section : sections)
      if (const std::string_view name = nameOf(section); name.starts_with(".text."))
        kernels.push_back({.name = std::string(name.substr(6)), .registers = section.info >> 24});
    for (const ElfSection& section : sections) readAbout(section);
    if (bad)
      return badInput("the cubin has a table that lies outside of the file");
    return std::move(kernels);
  }

private:
  template <typename T>
  T at(uint64_t offset) {
    T value{};
    if (offset > file.size() || sizeof(T) > file.size() - offset)
      bad = true;
    else
      std::memcpy(&value, file.data() + offset, sizeof(T));
    return value;
  }

  std::string_view bytesOf(const ElfSection& section) {
    if (section.offset > file.size() || section.bytes > file.size() - section.offset) {
      bad = true;
      return {};
    }
    return {reinterpret_cast<const char*>(file.data()) + section.offset, section.bytes};
  }

  std::string_view nameOf(const ElfSection& section) const {
    const std::string_view rest = names.substr(std::min<size_t>(section.name, names.size()));
    return rest.substr(0, rest.find('\0'));
  }

  void readAbout(const ElfSection& section) {
    const std::string_view name = nameOf(section);
    for (CubinKernel& kernel : kernels)
      if (name == ".nv.shared." + kernel.name)
        kernel.sharedBytes = static_cast<uint32_t>(section.bytes);
      else if (name == ".nv.info." + kernel.name)
        readAttributes(section, kernel);
  }

  void readAttributes(const ElfSection& section, CubinKernel& kernel) {
    const uint64_t end = section.offset + bytesOf(section).size();
    for (uint64_t offset = section.offset; offset + 4 <= end;) {
      const auto format = at<uint8_t>(offset), attribute = at<uint8_t>(offset + 1);
      const auto value = at<uint16_t>(offset + 2);
      offset += 4;
      if (format != kSized)
        continue;
      if (attribute == kMaxThreads || attribute == kRequiredThreads)
        kernel.threads = at<uint32_t>(offset) * at<uint32_t>(offset + 4) * at<uint32_t>(offset + 8);
      else if (attribute == kParameter) // index, ordinal, offset, then flags with the bytes in bits 18 on
        kernel.params.push_back({at<uint16_t>(offset + 6), at<uint32_t>(offset + 8) >> 18 & 0x3fff});
      else if (attribute == kParameterBank) // symbol, offset, bytes
        kernel.paramBase = at<uint16_t>(offset + 4);
      offset += value;
    }
    std::ranges::sort(kernel.params, {}, &CubinKernel::Param::offset);
  }

  std::span<const std::byte> file;
  std::vector<ElfSection> sections;
  std::string_view names;
  std::vector<CubinKernel> kernels;
  bool bad = false;
};

} // namespace

bool isCubin(std::span<const std::byte> file) {
  ElfHeader header;
  if (file.size() < sizeof header)
    return false;
  std::memcpy(&header, file.data(), sizeof header);
  constexpr std::array<uint8_t, 5> kElf64 = {0x7f, 'E', 'L', 'F', 2};
  return std::ranges::equal(std::span(header.identification).first<5>(), kElf64) && header.machine == kMachineCuda;
}

Result<std::vector<CubinKernel>> readCubin(std::span<const std::byte> file) {
  return Reader(file).read();
}

SassLaunch launchOf(const CubinKernel& kernel, uint32_t threads) {
  constexpr uint32_t kBlockAt = 0, kStackAt = 0x28; // of constant bank 0
  SassLaunch launch = {.block = {threads, 1, 1}, .constants = {{kStackAt, 0xfffdc0}}};
  for (uint32_t i = 0; i < 3; ++i) launch.constants[kBlockAt + 4 * i] = launch.block[i];
  for (uint32_t i = 0; i < kernel.params.size(); ++i)
    if (kernel.params[i].bytes == 8) {
      const uint32_t at = kernel.paramBase + kernel.params[i].offset;
      launch.constants[at] = 0;
      launch.constants[at + 4] = 16 * (i + 1);
    }
  return launch;
}

} // namespace llcuda::codegen
