// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/text_stream.h"

#include <utility>

#include "runtime/text/utf8.h"

namespace llcuda::text {

std::string TextStream::push(int32_t id) {
  if (showSpecial || !tokenizer.isSpecial(id))
    held += tokenizer.piece(id);
  const size_t ready = held.size() - incompleteTail(held);
  std::string text = repairUtf8(std::string_view(held).substr(0, ready));
  held.erase(0, ready);
  return text;
}

std::string TextStream::finish() {
  return repairUtf8(std::exchange(held, {}));
}

} // namespace llcuda::text
