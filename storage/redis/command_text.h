// A command as Redis reads it, put together word by word.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tarn::storage::redis {

// For commands that are many or long; others are put together by FormatCommand.
class CommandText {
 public:
  // Exactly so many words follow.
  explicit CommandText(size_t words) { absl::StrAppend(&text_, "*", words, "\r\n"); }

  CommandText& Add(absl::string_view word) {
    absl::StrAppend(&text_, "$", word.size(), "\r\n", word, "\r\n");
    return *this;
  }

  // A word of two parts.
  CommandText& Add(absl::string_view head, absl::string_view tail) {
    absl::StrAppend(&text_, "$", head.size() + tail.size(), "\r\n", head, tail);
    text_ += "\r\n";
    return *this;
  }

  void Reserve(size_t bytes) { text_.reserve(bytes); }

  std::string Take() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace tarn::storage::redis
