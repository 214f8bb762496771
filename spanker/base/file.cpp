#include "spanker/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes now and says whether what was written is safe.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

Failure not_regular(const std::string& path, std::string_view what, mode_t mode) {
  return io_failure(path, std::string(what), "a regular file",
                    S_ISDIR(mode) ? "a directory" : "a pipe or device");
}

struct OpenFile {
  Descriptor descriptor;
  std::size_t size;
};

Failure failed(const std::string& path, std::string_view what) {
  return io_failure(path, fmt::format("{}: {}", what, std::strerror(errno)));
}

Result<OpenFile> open_regular(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that nobody writes must not hang.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) return failed(path, "cannot open");
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return failed(path, "cannot read its size");
  if (!S_ISREG(status.st_mode)) return not_regular(path, "cannot be read", status.st_mode);
  return OpenFile{std::move(descriptor), static_cast<std::size_t>(status.st_size)};
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  auto file = open_regular(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size > max_bytes) {
    return bad_input(path, "file too large", fmt::format("at most {} bytes", max_bytes),
                     fmt::format("{} bytes", file->size));
  }
  std::string content(file->size, '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file->descriptor.get(), content.data() + done, content.size() - done);
    if (got < 0) {
      if (errno == EINTR) continue;
      return failed(path, "cannot read");
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  if (!is_valid_utf8(content)) return bad_input(path, "not a text file", "valid UTF-8", "other bytes");
  return content;
}

Result<void> write_file_atomically(const std::string& path, std::string_view content) {
  // The rename would put a plain file in the place of /dev/null.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return not_regular(path, "cannot be written", status.st_mode);
  }
  std::string temporary = path + ".XXXXXX";
  Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (descriptor.get() < 0) return failed(path, "cannot create a file beside it");
  // mkstemp makes it private to the owner; a result is as readable as any new file.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  const bool safe = ::fchmod(descriptor.get(), 0666 & ~mask) == 0 && write_all(descriptor.get(), content) &&
                    ::fsync(descriptor.get()) == 0 && descriptor.close() &&
                    ::rename(temporary.c_str(), path.c_str()) == 0;
  if (safe) return {};
  Failure failure = failed(path, "cannot write");
  ::unlink(temporary.c_str());
  return failure;
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  auto file = open_regular(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size == 0) return MappedFile(std::span<const std::byte>{});
  void* address = ::mmap(nullptr, file->size, PROT_READ, MAP_PRIVATE, file->descriptor.get(), 0);
  if (address == MAP_FAILED) return failed(path, "cannot map into memory");
  return MappedFile(std::span(static_cast<const std::byte*>(address), file->size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace spanker
