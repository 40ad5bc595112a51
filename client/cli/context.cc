#include "client/cli/context.h"

#include <iterator>

#include "client/cli/text.h"

namespace tarn::cli {

std::optional<std::string> BytesOf(const Context& context, const std::string& argument) {
  if (context.encoding == Encoding::kText) return argument;
  std::optional<std::string> bytes = HexDecode(argument);
  if (!bytes.has_value()) {
    context.env.err << "tarnctl: '" << argument << "' is not hexadecimal, which --hex asks for\n";
  }
  return bytes;
}

std::string ReadAll(std::istream& in) {
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace tarn::cli
