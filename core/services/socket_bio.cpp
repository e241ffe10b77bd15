#include "core/services/socket_bio.hpp"

#include <cerrno>

#include <sys/socket.h>

namespace par::core {
namespace {

int fd_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

bool is_temporary(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int bio_write(BIO* bio, const char* data, size_t size, size_t* written) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::send(fd_of(bio), data, size, MSG_NOSIGNAL);
  if (count < 0) {
    if (is_temporary(errno)) BIO_set_retry_write(bio);
    return 0;
  }
  *written = static_cast<size_t>(count);
  return 1;
}

int bio_read(BIO* bio, char* data, size_t size, size_t* got) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(fd_of(bio), data, size, 0);
  if (count <= 0) {
    if (count < 0 && is_temporary(errno)) BIO_set_retry_read(bio);
    if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return 0;
  }
  *got = static_cast<size_t>(count);
  return 1;
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) ? 1 : 0;
  return 0;
}

BIO_METHOD* method() {
  static BIO_METHOD* const k_method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return k_method;
}

}  // namespace

openssl::Bio make_socket_bio(int fd) {
  openssl::Bio bio(BIO_new(method()));
  if (!bio) return bio;
  BIO_set_data(bio.get(), reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace par::core
