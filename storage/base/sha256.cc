#include "storage/base/sha256.h"

#include <cstdlib>

#include "absl/strings/escaping.h"
#include <openssl/evp.h>

namespace tarn::base {
namespace {

// Looking an algorithm up costs more than hashing a small block: once is enough.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

// OpenSSL fails here only without memory or without its default provider: nothing can be proved
// then.
void Must(bool succeeded) {
  if (!succeeded) std::abort();
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* value = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(value); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  Must(context_->value != nullptr && EVP_DigestInit_ex(context_->value, Algorithm(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::Update(absl::string_view bytes) {
  Must(EVP_DigestUpdate(context_->value, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  Must(EVP_DigestFinal_ex(context_->value, digest.data(), nullptr) == 1);
  Must(EVP_DigestInit_ex(context_->value, Algorithm(), nullptr) == 1);
  return digest;
}

Sha256Digest Sha256Of(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

std::string ToHex(const Sha256Digest& digest) { return absl::BytesToHexString(BytesOf(digest)); }

}  // namespace tarn::base
