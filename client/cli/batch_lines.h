// The lines that `tarnctl batch` reads: each is a command on a key as it would stand behind
// tarnctl.
//
//   put KEY VALUE [--ttl SPAN] [--if-absent | --if-present | --if-revision R]
//   get KEY        del KEY        take KEY        incr KEY [N]        append KEY SUFFIX touch KEY
//   --ttl SPAN
//
// with the same options. Words are separated by blanks. A word in double quotes may hold blanks and
// the escapes \\ \" \' \n \t \r \xNN; in single quotes everything stands for itself. Outside of
// quotes a backslash is a backslash. Empty lines and lines that begin with # are skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "tarn/operation.h"

namespace tarn::cli {

// INVALID_ARGUMENT if a quote is not closed or an escape does not exist.
absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line);

// INVALID_ARGUMENT, saying what is wrong.
absl::StatusOr<Operation> ParseOperation(const std::vector<std::string>& words, Encoding encoding);

}  // namespace tarn::cli
