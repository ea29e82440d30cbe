# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a C++ file with the text of each of HEADERS (paths relative to ROOT), in their order.
set(text "// Made by embed_headers.cmake.\n#include \"codegen/nvrtc/embedded_headers.h\"\n\n")
string(APPEND text "namespace llcuda::codegen {\nnamespace {\nconstexpr EmbeddedHeader kHeaders[] = {\n")
foreach(header IN LISTS HEADERS)
  file(READ ${ROOT}/${header} content)
  string(APPEND text "{\"${header}\",\nR\"LLCUDA_HEADER(${content})LLCUDA_HEADER\"},\n")
endforeach()
string(APPEND text "};\n}\nstd::span<const EmbeddedHeader> embeddedHeaders() { return kHeaders; }\n}\n")
file(WRITE ${OUTPUT} "${text}")
