// SPDX-License-Identifier: Apache-2.0
// GGUF files of models that rank texts by answering yes or no: `cls.output` is the rows that the head has for these two
// tokens, so the logits of the whole head say the same.
#pragma once

#include "compiler/ingest/gguf_reader.h"
#include "compiler/models/open_model.h"

namespace llcuda::models {

/// Leaves such a tensor out, with a note; nothing where there is none. kUnsupported: labels other than yes and no, or
/// rows that are not those of the head, which the file then lacks.
Result<void> leaveRankHead(const ingest::GgufFile& metadata, OpenedModel& model);

} // namespace llcuda::models
