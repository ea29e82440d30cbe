// SPDX-License-Identifier: Apache-2.0
// How the host changes the rows of phases that feed back, which otherwise belong to the device: written by the host
// into the io buffer `edits`, applied by the launch `apply_edits` in stream order, so that nothing has to be waited
// for.
#pragma once

#include "codegen/formats/sampling.h"

#if defined(__CUDACC_RTC__)
using int32_t = int;
#endif

namespace llcuda {

/// Where an edited row gets its token.
enum class RowSource : int32_t {
  kToken = 0,  ///< `source` is the token
  kRow = 1,    ///< of row `source`, with its position, slot and sampling: all but the hold flag
  kOutput = 2, ///< what output `source` of the last phase that does not feed back has sampled
};

/// One row after a change. Sources are as they were before any of them. A row whose token is none becomes nobody's.
struct RowEdit {
  int32_t row;
  RowSource from;
  int32_t source;
  int32_t position;        ///< of the token; -1: nobody's row. Not read of kRow
  int32_t slot;            ///< not read of kRow
  uint32_t unused;         ///< makes all bytes of the record defined
  SamplingParams sampling; ///< of kRow only `hold` is read
};
static_assert(sizeof(RowEdit) == 48);

/// One entry of a block table.
struct PageEdit {
  int32_t table; ///< index of the launch's tables
  int32_t entry; ///< in words
  int32_t page;
};

/// What the buffer begins with; `rows` edits of rows follow, then `pages` edits of tables.
struct EditsHeader {
  uint32_t rows;
  uint32_t pages;
};
static_assert(sizeof(EditsHeader) % alignof(RowEdit) == 0 && sizeof(RowEdit) % alignof(PageEdit) == 0);

/// Page edits that the buffer has room for beside an edit of each of `rows` rows.
constexpr uint32_t pageEditRoom(uint32_t rows) {
  return 256 + 2 * rows;
}
constexpr uint32_t editsBytes(uint32_t rows) {
  return static_cast<uint32_t>(sizeof(EditsHeader) + rows * sizeof(RowEdit) + pageEditRoom(rows) * sizeof(PageEdit));
}

} // namespace llcuda
