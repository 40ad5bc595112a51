#include "tarn/client.h"

#include <utility>

namespace tarn {

absl::StatusOr<Client> Client::Connect(ClientOptions options) {
  auto connection = MakeConnection(options);
  if (!connection.ok()) return connection.status();
  return Client(*std::move(connection), std::move(options.ns));
}

absl::StatusOr<GetResult> Client::Get(std::string key, KeyOptions options) const {
  return connection_->Get({ns_, std::move(key), options.precondition, options.timeout});
}

absl::StatusOr<PutResult> Client::Put(std::string key, std::string value,
                                      WriteOptions options) const {
  return connection_->Put(
      {ns_, std::move(key), std::move(value), options.ttl, options.precondition, options.timeout});
}

absl::StatusOr<DeleteResult> Client::Delete(std::string key, KeyOptions options) const {
  return connection_->Delete({ns_, std::move(key), options.precondition, options.timeout});
}

absl::StatusOr<TakeResult> Client::Take(std::string key, KeyOptions options) const {
  return connection_->Take({ns_, std::move(key), options.precondition, options.timeout});
}

absl::StatusOr<IncrementResult> Client::Increment(std::string key, int64_t delta,
                                                  WriteOptions options) const {
  return connection_->Increment(
      {ns_, std::move(key), delta, options.ttl, options.precondition, options.timeout});
}

absl::StatusOr<AppendResult> Client::Append(std::string key, std::string suffix,
                                            WriteOptions options) const {
  return connection_->Append(
      {ns_, std::move(key), std::move(suffix), options.ttl, options.precondition, options.timeout});
}

absl::StatusOr<TouchResult> Client::Touch(std::string key, Ttl ttl, KeyOptions options) const {
  return connection_->Touch({ns_, std::move(key), ttl, options.precondition, options.timeout});
}

absl::StatusOr<BatchResult> Client::RunBatch(Batch batch, RangeOptions options) const {
  return connection_->RunBatch({ns_, std::move(batch), options.timeout});
}

tarn::Scan Client::Scan(KeyRange range, ScanOptions options) const {
  return tarn::Scan(connection_->Scan({.ns = ns_,
                                       .range = std::move(range),
                                       .order = options.order,
                                       .content = options.content,
                                       .limit = options.limit,
                                       .chunk_bytes = options.chunk_bytes,
                                       .timeout = options.timeout}));
}

absl::StatusOr<CountResult> Client::Count(KeyRange range, RangeOptions options) const {
  return connection_->Count({ns_, std::move(range), options.timeout});
}

absl::StatusOr<DeleteRangeResult> Client::DeleteRange(KeyRange range, RangeOptions options) const {
  return connection_->DeleteRange({ns_, std::move(range), options.timeout});
}

absl::StatusOr<DeleteRangeResult> Client::DeleteAll(RangeOptions options) const {
  return connection_->DeleteRange({ns_, std::nullopt, options.timeout});
}

void Client::AsyncGet(std::string key, KeyOptions options, Callback<GetResult> callback) const {
  connection_->AsyncGet({ns_, std::move(key), options.precondition, options.timeout},
                        std::move(callback));
}

void Client::AsyncPut(std::string key, std::string value, WriteOptions options,
                      Callback<PutResult> callback) const {
  connection_->AsyncPut(
      {ns_, std::move(key), std::move(value), options.ttl, options.precondition, options.timeout},
      std::move(callback));
}

void Client::AsyncDelete(std::string key, KeyOptions options,
                         Callback<DeleteResult> callback) const {
  connection_->AsyncDelete({ns_, std::move(key), options.precondition, options.timeout},
                           std::move(callback));
}

void Client::AsyncTake(std::string key, KeyOptions options, Callback<TakeResult> callback) const {
  connection_->AsyncTake({ns_, std::move(key), options.precondition, options.timeout},
                         std::move(callback));
}

void Client::AsyncIncrement(std::string key, int64_t delta, WriteOptions options,
                            Callback<IncrementResult> callback) const {
  connection_->AsyncIncrement(
      {ns_, std::move(key), delta, options.ttl, options.precondition, options.timeout},
      std::move(callback));
}

void Client::AsyncAppend(std::string key, std::string suffix, WriteOptions options,
                         Callback<AppendResult> callback) const {
  connection_->AsyncAppend(
      {ns_, std::move(key), std::move(suffix), options.ttl, options.precondition, options.timeout},
      std::move(callback));
}

void Client::AsyncTouch(std::string key, Ttl ttl, KeyOptions options,
                        Callback<TouchResult> callback) const {
  connection_->AsyncTouch({ns_, std::move(key), ttl, options.precondition, options.timeout},
                          std::move(callback));
}

void Client::AsyncRunBatch(Batch batch, RangeOptions options,
                           Callback<BatchResult> callback) const {
  connection_->AsyncRunBatch({ns_, std::move(batch), options.timeout}, std::move(callback));
}

void Client::AsyncCount(KeyRange range, RangeOptions options,
                        Callback<CountResult> callback) const {
  connection_->AsyncCount({ns_, std::move(range), options.timeout}, std::move(callback));
}

void Client::AsyncDeleteRange(KeyRange range, RangeOptions options,
                              Callback<DeleteRangeResult> callback) const {
  connection_->AsyncDeleteRange({ns_, std::move(range), options.timeout}, std::move(callback));
}

Pipeline Client::OpenPipeline(PipelineOptions options) const {
  return Pipeline(connection_->OpenPipeline({ns_, std::move(options)}));
}

}  // namespace tarn
