#include "chaos/small_disk.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "chaos/storage.h"
#include "platform/testing/signal.h"

namespace potok::chaos {
namespace {

namespace fs = std::filesystem;

absl::Status Errno(const std::string& what) {
  const int code = errno;
  const std::string text = absl::StrCat(what, ": ", std::strerror(code));
  return code == EPERM || code == EACCES ? absl::PermissionDeniedError(text)
                                         : absl::InternalError(text);
}

std::string Filler(const std::string& folder) { return folder + "/filler"; }

}  // namespace

absl::Status MountPrivately() {
  if (unshare(CLONE_NEWNS) != 0) return Errno("unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Errno("mount");
  return absl::OkStatus();
}

absl::Status SmallDisk::Mount(const std::string& folder, int64_t bytes) {
  struct stat now {};
  if (stat(folder.c_str(), &now) != 0) return Errno(folder);
  const std::string options = absl::StrFormat("size=%d,mode=%o,uid=%d,gid=%d", bytes,
                                              now.st_mode & 07777, now.st_uid, now.st_gid);
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return Errno("mount");
  }
  folder_ = folder;
  return absl::OkStatus();
}

void SmallDisk::Unmount() {
  if (folder_.empty()) return;
  umount2(folder_.c_str(), MNT_DETACH);
  folder_.clear();
}

int64_t SmallDisk::Fill() {
  const int fd = open(Filler(folder_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return 0;
  int64_t took = 0;
  std::vector<char> block(1 << 16, 'x');
  for (size_t size = block.size(); size > 0;) {
    const ssize_t wrote = write(fd, block.data(), size);
    if (wrote > 0) {
      took += wrote;
    } else {
      size /= 2;
    }
  }
  close(fd);
  return took;
}

void SmallDisk::Free() { unlink(Filler(folder_).c_str()); }

int64_t BytesIn(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    // Rounded up to what a file takes.
    if (it->is_regular_file(error)) {
      bytes += (static_cast<int64_t>(it->file_size(error)) + 4095) / 4096 * 4096;
    }
  }
  return bytes;
}

absl::Status MakeFolderLike(const std::string& folder, const std::string& other) {
  struct stat like {};
  if (stat(other.c_str(), &like) != 0) return Errno(other);
  if (mkdir(folder.c_str(), 0700) != 0) return Errno(folder);
  if (chown(folder.c_str(), like.st_uid, like.st_gid) != 0) return Errno(folder);
  if (chmod(folder.c_str(), like.st_mode & 07777) != 0) return Errno(folder);
  return absl::OkStatus();
}

absl::Status CopyContent(const std::string& from, const std::string& to) {
  auto cp = testing::Process::Start({"cp", "-a", from + "/.", to}, "", ScratchFolder() + "/cp.log");
  if (!cp.ok()) return cp.status();
  std::string how;
  testing::Eventually([&] { return cp->Ended(&how); }, absl::Minutes(1));
  return how == "exit 0" ? absl::OkStatus()
                         : absl::InternalError(absl::StrCat("cp of ", from, ": ", how));
}

}  // namespace potok::chaos
