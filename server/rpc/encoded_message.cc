#include "server/rpc/encoded_message.h"

#include "server/rpc/wire_writer.h"

namespace tarn::server {

EncodedMessage Encode(const google::protobuf::MessageLite& message) {
  WireWriter writer(message.ByteSizeLong());
  writer.Message(message);
  return std::move(writer).Take();
}

}  // namespace tarn::server
