#include "spanker/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "spanker/base/format_quantity.hpp"
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

AtomicFileWriter::AtomicFileWriter(std::string path, std::string temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

AtomicFileWriter::AtomicFileWriter(AtomicFileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFileWriter::~AtomicFileWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) close();
}

Result<AtomicFileWriter> AtomicFileWriter::create(const std::string& path) {
  if (path.empty()) return io_failure("output", "cannot be written", "the path of a file", "an empty one");
  // The rename would put a plain file in the place of /dev/null.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return not_regular(path, "cannot be written", status.st_mode);
  }
  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return failed(path, "cannot create a file beside it");
  AtomicFileWriter writer(path, std::move(temporary), descriptor);
  // mkstemp makes it private to the owner; a result is as readable as any new file.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor, 0666 & ~mask) != 0) return failed(path, "cannot write");
  return writer;
}

Result<void> AtomicFileWriter::reserve(Bytes size) {
  // Not posix_fallocate, which writes to every block where the file system cannot reserve.
  while (size.value > 0 && ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size.value)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS) break;
    return failed(path_, fmt::format("cannot reserve {}", format(size)));
  }
  return {};
}

Result<void> AtomicFileWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return failed(path_, "cannot write");
    }
  }
  return {};
}

Result<void> AtomicFileWriter::commit() {
  // Closing may be where a file system tells that what was written is lost.
  const bool safe = ::fsync(descriptor_) == 0 && close() && ::rename(temporary_.c_str(), path_.c_str()) == 0;
  if (!safe) return failed(path_, "cannot write");
  temporary_.clear();
  return {};
}

bool AtomicFileWriter::close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

Result<void> write_file_atomically(const std::string& path, std::string_view content) {
  auto writer = AtomicFileWriter::create(path);
  if (!writer) return tl::unexpected(writer.error());
  if (auto written = writer->write(std::as_bytes(std::span(content))); !written) return written;
  return writer->commit();
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  auto file = open_regular(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size == 0) return MappedFile(std::span<const std::byte>{});
  void* address = ::mmap(nullptr, file->size, PROT_READ, MAP_PRIVATE, file->descriptor.get(), 0);
  if (address == MAP_FAILED) return failed(path, "cannot map into memory");
  return MappedFile(std::span(static_cast<const std::byte*>(address), file->size));
}

void MappedFile::release(std::span<const std::byte> part) const {
  // Anonymous memory would lose what it holds.
  if (part.data() < bytes_.data() || part.data() + part.size() > bytes_.data() + bytes_.size()) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::size_t>(part.data() - bytes_.data());
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = (offset + part.size()) / page * page;
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(bytes_.data()) + begin, end - begin, MADV_DONTNEED);
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
